"""Declares the tags and alarms that every device has without being asked: `device.rack1.lost`. It must not know drivers' words."""

from __future__ import annotations

from blocks.declare import BOOL, LINT, TYPES
from runtime.contract import DriverFront
from runtime.language.alarm_words import CONDITION, SHELVED_FOR, SOURCES
from runtime.language.network import AlarmDraft, Draft, TagDraft
from runtime.language.points import DeviceDraft, PointDraft
from runtime.language.units import unit
from runtime.language.words import PLAIN_NAME
from runtime.source import Text
from runtime.system_tags import DEVICE_STATES, DEVICE_TAGS

AREA = "device"
STALE = 1_000_000_000  # ns: the fieldbus writes them every 100 ms
LOST, CONNECTING = DEVICE_STATES.index("lost"), DEVICE_STATES.index("connecting")
LOST_ID = "ERR_COMM_LOST"
BAD = {"state": LOST, "lost": 1}  # what a fieldbus that is dead makes of them; the others hold


def declare_device_tags(name: Text, text: str, device: DeviceDraft, front: DriverFront, draft: Draft) -> None:
    """The tags of DEVICE_TAGS, a count for each kind of error, a BOOL and an alarm for each condition of the driver."""
    if not PLAIN_NAME.match(name):
        draft.report.error(
            name.at,
            "E106",
            f"`{name}` is no name for a device",
            "letters, digits and _",
            f"its tags are `{AREA}.NAME.lost` and others",
        )
        return
    before = draft.tags.get(f"{AREA}.{name}.state".lower())
    if before is not None:
        draft.report.error(
            name.at,
            "E105",
            f"two devices are named `{name}`",
            "names are compared without case",
            f"the first is at {before.at.file}:{before.at.line}",
        )
        return
    for word, type_name, unit_text, sentence in DEVICE_TAGS:
        tag = TagDraft(f"{AREA}.{name}.{word}", TYPES[type_name], unit=unit(unit_text) if unit_text else None, text=sentence)
        if word == "state":
            tag.names, tag.default = tuple(enumerate(DEVICE_STATES)), CONNECTING
        _enter(word, tag, device, draft)
        if word == "lost":
            _alarm(tag, "error", f"{text or name}: {sentence}", device, draft, LOST_ID)
    for kind, sentence in front.ERRORS.items():
        _enter(f"errors_{kind}", TagDraft(f"{AREA}.{name}.errors_{kind}", LINT, text=sentence), device, draft)
    for condition, sentence in front.CONDITIONS.items():
        tag = TagDraft(f"{AREA}.{name}.{condition}", BOOL, text=sentence)
        _enter(condition, tag, device, draft)
        _alarm(tag, "warning", f"{text or name}: {sentence}", device, draft)


def _enter(address: str, tag: TagDraft, device: DeviceDraft, draft: Draft) -> None:
    tag.kind, tag.owner, tag.at = "input", f"device {device.name}", device.at
    if draft.add_tag(tag) is tag and draft.tags[tag.name.lower()] is tag:
        bad = BAD.get(address)
        device.diagnostics.append(PointDraft(tag, (address,), device.at, STALE, bad is None, bad or 0))


def _alarm(tag: TagDraft, severity: str, text: str, device: DeviceDraft, draft: Draft, id: str = "") -> None:
    source = device.driver if device.driver in SOURCES else "comms"
    alarm = AlarmDraft(tag.name, tag, "", "", severity, text, tag.at, CONDITION.name, id, source, "", None, SHELVED_FOR, False)
    device.alarms.append(alarm)
    draft.alarms.append(alarm)
