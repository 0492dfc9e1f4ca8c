"""Reads the io_maps: devices, their tags, and what each driver makes of its lines. It must not know programs or layout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from blocks.declare import BOOL, LREAL, TIME, TYPES
from runtime.contract import Description, DriverFront, JudgesTogether, PointText, ReadDevice
from runtime.language.device_tags import declare_device_tags
from runtime.language.network import Draft, TagDraft
from runtime.language.points import DeviceDraft, PointDraft
from runtime.language.tags import checked_value, default_of, is_tag_name, type_text
from runtime.language.units import Unit, unit
from runtime.language.words import (
    as_section,
    check_words,
    duration,
    duration_of,
    names_of,
    section_of,
    text_of,
    type_of,
    unit_of,
    value_of,
)
from runtime.model import Described
from runtime.source import Report, Section, Text, did_you_mean, place_of

DEVICE_WORDS = ("device", "driver", "stale", "timeout", "suppress", "inputs", "outputs", "text", "description")
INPUT_WORDS = ("initial", "bad", "text", "type", "unit", "stale", "names")
KEEP = "keep"  # a safe value that is none: the device is left as it is
OUTPUT_WORDS = ("safe", "text", "type", "unit", "min", "max", "names")


def read_device(
    section: Section, file: str, site: Section, root: Path, drivers: Mapping[str, DriverFront], draft: Draft
) -> DeviceDraft | None:
    """One io_map: its words, its driver's words, its tags. None where it names no driver."""
    report = draft.report
    name, driver = section.get("device"), section.get("driver")
    for word, value in (("device", name), ("driver", driver)):
        if not isinstance(value, Text) or not value:
            report.error(
                place_of(value, section.at),
                "E007",
                f"the io_map has no `{word}`",
                f"`{word}:` names {'it' if word == 'device' else 'what it speaks'}",
            )
    inputs = section_of(section, "inputs", "`inputs`", report)
    outputs = section_of(section, "outputs", "`outputs`", report)
    points = [
        PointText(tag, words, is_output)
        for is_output, part in ((False, inputs), (True, outputs))
        for tag, words in _lines(part, draft)
    ]
    front = drivers.get(driver) if isinstance(driver, Text) else None
    if front is None or not isinstance(name, Text):
        if isinstance(driver, Text) and front is None:
            report.error(
                driver.at,
                "E109",
                f"no driver named `{driver}`",
                did_you_mean(driver, drivers),
                f"the drivers are {', '.join(sorted(drivers)) or 'none'}",
            )
        for point in points:
            draft.add_tag(TagDraft(str(point.tag), None, at=point.tag.at))
        return None
    _check_all_words(section, points, str(driver), front, draft)
    device = DeviceDraft(str(name), str(driver), None, 0, 0, name.at)
    device.stale = duration_of(section, "stale", report) or 0
    device.timeout = _timeout(section, bool(outputs), device, draft)
    description = front.describe(section, points, site, root, report)
    device.settings = description.settings
    device.read = ReadDevice(section, tuple(points), description)
    for point in points:
        _read_point(point, description, device, section, draft)
    _check_kept(device, report)
    device.suppress = section.get("suppress")
    declare_device_tags(name, text_of(section, "text", report), device, front, draft)
    return device


def judge_together(devices: Sequence[DeviceDraft], drivers: Mapping[str, DriverFront], report: Report) -> None:
    """Ask each driver that can tell what two of its devices cannot both do."""
    for name, front in drivers.items():
        ours = [device.read for device in devices if device.driver == name and device.read is not None]
        if len(ours) > 1 and isinstance(front, JudgesTogether):
            front.conflicts(ours, report)


def _lines(part: Section, draft: Draft) -> list[tuple[Text, Section]]:
    found = []
    for tag, words in part.items():
        section = as_section(words, tag.at, f"the tag `{tag}`", draft.report)
        if is_tag_name(tag, draft) and section is not None:
            found.append((tag, section))
    return found


def _check_all_words(section: Section, points: list[PointText], driver: str, front: DriverFront, draft: Draft) -> None:
    check_words(section, (*DEVICE_WORDS, *front.DEVICE_WORDS), f"a device of the driver {driver}", draft.report)
    own = {False: (*INPUT_WORDS, *front.INPUT_WORDS), True: (*OUTPUT_WORDS, *front.OUTPUT_WORDS)}
    for point in points:
        kind = "an output" if point.is_output else "an input"
        check_words(point.section, dict.fromkeys(own[point.is_output]), f"{kind} of the driver {driver}", draft.report)


def _timeout(section: Section, has_outputs: bool, device: DeviceDraft, draft: Draft) -> int:
    if "timeout" not in section and has_outputs:
        draft.report.error(
            section.key_at("outputs"),
            "E603",
            f"the device `{device.name}` has outputs and no `timeout`",
            "what does it do when our messages stop?",
            "`timeout: 500 ms` is the device's own communication time-out, after which it falls back by itself",
        )
    return duration_of(section, "timeout", draft.report) or 0


def _read_point(point: PointText, description: Description, device: DeviceDraft, section: Section, draft: Draft) -> None:
    described = description.points.get(str(point.tag))
    tag = TagDraft(str(point.tag), None, kind="output" if point.is_output else "input", at=point.tag.at)
    if draft.add_tag(tag) is not tag or described is None:
        return
    _describe_tag(tag, point.section, described, device, draft)
    read = PointDraft(tag, described.addresses, point.tag.at)
    if point.is_output:
        _read_output(read, point.section, draft)
        device.outputs.append(read)
    else:
        _read_input(read, point.section, device, section, draft)
        device.inputs.append(read)


def _describe_tag(tag: TagDraft, section: Section, described: Described, device: DeviceDraft, draft: Draft) -> None:
    report = draft.report
    tag.text = text_of(section, "text", report)
    tag.owner = f"device {device.name}" if tag.kind == "input" else ""
    tag.length = len(described.addresses) if described.is_array or len(described.addresses) > 1 else 0
    tag.names = names_of(section, report) or described.names
    written = section.get("type")
    declared = type_of(written, report) if isinstance(written, Text) else None
    if described.type:
        tag.type = TYPES[described.type]
        if declared is not None and declared[0] is not tag.type:
            report.error(
                place_of(written), "E604", f"the device gives `{tag.name}` as {tag.type}, not as {declared[0]}", "leave `type` out"
            )
    elif declared is not None:
        tag.type = declared[0]
    elif written is None:
        report.error(tag.at, "E604", f"neither the device nor the io_map says the type of `{tag.name}`", "add `type: LREAL`")
    if declared is not None and declared[1] not in (0, tag.length):
        report.error(place_of(written), "E205", f"`{tag.name}` has {tag.length or 1} addresses for {declared[1]} elements")
    tag.unit = _unit(tag, section, described, draft)
    tag.minimum, tag.maximum = described.minimum, described.maximum


def _unit(tag: TagDraft, section: Section, described: Described, draft: Draft) -> Unit | None:
    known = unit(described.unit) if described.unit else None
    if described.unit and known is None:
        draft.report.error(tag.at, "E203", f"the device gives `{tag.name}` in `{described.unit}`, which is no unit here", "")
    own = unit_of(section, draft.report)
    if known is not None and own is not None and own is not known:
        draft.report.error(
            place_of(section["unit"]),
            "E201",
            f"the device gives `{tag.name}` in {known!r}, not in {own!r}",
            "leave `unit` out: wires convert by themselves",
        )
    measured = own if known is None else known
    return None if tag.type in (BOOL, TIME) else measured


def _read_input(point: PointDraft, section: Section, device: DeviceDraft, io_map: Section, draft: Draft) -> None:
    tag, report = point.tag, draft.report
    own = duration_of(section, "stale", report)
    point.stale = device.stale if own is None else own
    if not point.stale and "stale" not in section and "stale" not in io_map:
        report.error(
            tag.at, "E007", f"the input `{tag.name}` has no `stale`", "how old may it become? say it here or for the whole device"
        )
    tag.default = default_of(section, "initial", tag, draft)
    bad = section.get("bad")
    if bad is None:
        report.error(
            tag.at,
            "E602",
            f"the input `{tag.name}` has no `bad`",
            "what does it become when it is stale?",
            "`bad: hold` keeps the last value; `bad: 0` takes that value",
        )
    elif bad != "hold":
        point.hold = False
        point.bad = checked_value(bad, "bad", tag, draft)


def _read_output(point: PointDraft, section: Section, draft: Draft) -> None:
    tag, report = point.tag, draft.report
    for word, is_low in (("min", True), ("max", False)):
        if word in section and tag.type is not None:
            value = value_of(section[word], LREAL if tag.type is LREAL else tag.type, tag.unit, word, report)
            if value is not None and is_low:
                tag.minimum = value if tag.minimum is None else max(value, tag.minimum)
            elif value is not None:
                tag.maximum = value if tag.maximum is None else min(value, tag.maximum)
    safe = section.get("safe")
    if safe is None:
        report.error(
            tag.at,
            "E601",
            f"the output `{tag.name}` has no `safe`",
            "what is written when everything stops?",
            "`safe: 0 kW`, or `safe: {value: false, after: 1 s}` to write it later than others",
        )
        return
    if isinstance(safe, Section):
        check_words(safe, ("value", "after"), "`safe`", report)
        if "value" not in safe:
            report.error(safe.at, "E007", "`safe` has no `value`", f"a {type_text(tag)}")
            return
        if safe["value"] == KEEP:
            report.error(place_of(safe["value"]), "E607", f"`{KEEP}` has no time", "nothing is ever written", f"`safe: {KEEP}`")
            return
        point.safe_after = duration(safe["after"], "after", report) or 0 if "after" in safe else 0
        safe = safe["value"]
    if safe == KEEP:
        _keep(point, safe, draft)
        return
    point.safe = _safe_value(point, safe, draft)
    tag.default = (point.safe,) * tag.length if tag.length else point.safe


def _keep(point: PointDraft, text: Text, draft: Draft) -> None:
    """`safe: keep`: after a stop the device is told nothing, and has to hold what it has."""
    point.keeps = point.tag.keeps = True
    if point.tag.type is LREAL:
        why = "what is written where the program gives no finite number?"
        draft.report.error(text.at, "E607", f"`{point.tag.name}` is an LREAL, which needs a safe value", why)
    point.tag.default = (0,) * point.tag.length if point.tag.length else 0


def _check_kept(device: DeviceDraft, report: Report) -> None:
    """What is sent as one is kept as one: a frame or a register that carries a safe value says something of its other bits too."""
    written: dict[str, str] = {}
    for point in device.outputs:
        if not point.keeps:
            written.update({whole: point.tag.name for a in point.addresses if (whole := getattr(a, "sent_in", ""))})
    for point in device.outputs:
        shared = next((w for a in point.addresses if (w := getattr(a, "sent_in", "")) in written), "") if point.keeps else ""
        if shared:
            report.error(
                point.at,
                "E607",
                f"`{point.tag.name}` shall be kept, and {shared} is written with the safe value of `{written[shared]}`",
                "what is sent as one is kept as one",
                f"`safe: {KEEP}` for all outputs in {shared}, or for none",
            )


def _safe_value(point: PointDraft, text: object, draft: Draft) -> object:
    """The safe value, which every address of the tag must be able to carry: one that cannot be sent makes nothing safe."""
    before = len(draft.report.problems)
    value = checked_value(text, "safe", point.tag, draft)
    if point.tag.type is None or len(draft.report.problems) > before:
        return value
    for address in point.addresses:
        misfit = getattr(address, "misfit", None)
        if misfit is not None and (why := misfit(value)):
            draft.report.error(place_of(text), "E204", f"the safe value {text} of `{point.tag.name}` can never be written: {why}")
            break
    return value
