"""`suppress:` of a device: its own alarms are silent while the plant's state makes them meaningless. It must not know drivers.

A device that sleeps by command is lost all the same: its state, its quality and its tag `lost` say so; only nobody is called.
"""

from __future__ import annotations

from collections.abc import Sequence

from blocks.declare import BOOL
from runtime.language.lower import lower_value
from runtime.language.network import ALL, BROKEN, AlarmDraft, Cell, Draft, Feed, Literal, Node, Program, TagDraft, Wire
from runtime.language.outputs import add_write
from runtime.language.points import DeviceDraft
from runtime.language.quantities import quantity
from runtime.language.scope import Scope
from runtime.language.tables import TaskDraft
from runtime.source import Section, Text

OURS = "device"  # the area of the devices' own tags; the instances' names begin so too, and have a # in them like all implied ones
SETTLE = "5 s"  # what a device that was let sleep has to answer before its loss is an alarm again


def declare_suppressed(devices: Sequence[DeviceDraft], draft: Draft) -> None:
    """The tags of devices that have a `suppress`: whether it holds, and each alarm as it is announced."""
    for device in devices:
        if device.suppress is not None and device.alarms:
            sentence = f"{device.name}: its own alarms are suppressed by design"
            suppressed = _declare(f"{OURS}.{device.name}.suppressed", sentence, device, draft)
            for alarm in device.alarms:
                alarm.suppressed = suppressed


def _declare(name: str, text: str, device: DeviceDraft, draft: Draft) -> TagDraft:
    return draft.add_tag(TagDraft(name, BOOL, text=text, at=device.at))


def suppress_alarms(devices: Sequence[DeviceDraft], tasks: Sequence[TaskDraft], draft: Draft) -> None:
    """Put an ALARM_STAND behind each of these alarms, last in the fastest task; all tags are declared by now."""
    quiet = [device for device in devices if device.suppress is not None and device.alarms]
    timed = [task for task in tasks if task.interval]
    if not quiet or not timed:
        return
    program = Program(OURS, "", Section((), quiet[0].at))
    program.scope = Scope(draft, program, f"{OURS}.")
    for device in quiet:
        name = f"{OURS}.{device.name}.alarms"
        suppressed = device.alarms[0].suppressed
        assert suppressed is not None
        when = lower_value(device.suppress, program.scope, f"{name}.suppress")
        if when is BROKEN:
            continue  # reported, and so nothing will run
        _write(suppressed, when, device, program)
        for alarm in device.alarms:
            _stand_behind(alarm, f"{name}#{alarm.name.rpartition('.')[2]}", suppressed, device, program, draft)
    min(timed, key=lambda task: task.interval).programs.append(program)


def _stand_behind(alarm: AlarmDraft, name: str, suppressed: TagDraft, device: DeviceDraft, program: Program, draft: Draft) -> None:
    """Let an alarm be active where its tag is true and it is not suppressed."""
    condition, at = alarm.active, Text(device.name, device.at)
    stand = Node(name, draft.catalogue["ALARM_STAND"], at)
    stand.feeds = {"IN": _read(condition, at), "INHIBIT": _read(suppressed, at), "SETTLE": _settle(at)}
    program.nodes.append(stand)
    alarm.active = _declare(f"alarm.{condition.name}", f"{alarm.text} (unless suppressed)", device, draft)
    _write(alarm.active, Wire(stand, stand.block.outputs[0]), device, program)


def _read(tag: TagDraft, at: Text) -> Cell:
    tag.is_read = True
    return Cell(tag, text=at, width=len(at))


def _write(tag: TagDraft, feed: Feed, device: DeviceDraft, program: Program) -> None:
    """The device owns it as it owns its others, whatever computes it."""
    add_write(tag, ALL, feed, Text(device.name, device.at), program)
    tag.owner = f"device {device.name}"


def _settle(at: Text) -> Literal:
    found = quantity(SETTLE)
    assert found is not None
    return Literal(found, at, 0, len(at))
