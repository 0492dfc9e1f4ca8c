"""An alarm of the records as an OPC UA condition (part 9): its id, its type, and every field of the events that tell of it.

Each limit of a value is a condition of its own, because each is acknowledged by itself. It knows no session and no file.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from asyncua import ua

from runtime.model import Alarm
from runtime.quality import GOOD
from runtime.servers.opcua.shelving import Move, shelving_of
from runtime.servers.opcua.types import at, named, standard, text, variant
from runtime.servers.records.states import AlarmEvent, AlarmState

SEVERITY = {"warning": 300, "error": 600, "critical": 900}  # part 5, 6.4.2: 1 to 333 low, 334 to 666 medium, 667 to 1,000 high
SERVER = standard(ua.ObjectIds.Server)
_IDS = ua.ObjectIds
# Each limit with its word in part 9, its pin at the alarm's block, and whether it is told below zero, as deviations and falls are
LIMITS = {
    "HH": ("HighHigh", "HH", 1),
    "H": ("High", "H", 1),
    "L": ("Low", "L", 1),
    "LL": ("LowLow", "LL", 1),
    "HIGH": ("High", "TOLERANCE", 1),
    "LOW": ("Low", "TOLERANCE", -1),
    "RISING": ("High", "RISE", 1),
    "FALLING": ("Low", "FALL", -1),
}
LEVEL, DISCRETE = _IDS.NonExclusiveLevelAlarmType, _IDS.OffNormalAlarmType
DEVIATION, RATE = _IDS.NonExclusiveDeviationAlarmType, _IDS.NonExclusiveRateOfChangeAlarmType
KINDS = {"": DISCRETE, "HIGH": DEVIATION, "LOW": DEVIATION, "RISING": RATE, "FALLING": RATE}  # all other limits are levels
# Part 9, 5.9: what the plant is watched by and talks through is the system, its button is safety, and all else the process
_CLASSES = dict.fromkeys(("can", "comms", "modbus", "raspberry_pi", "motherboard"), "System") | {"estop": "Safety"}
ALARMS, ALARMS_FOLDER = "/alarms/", named("/alarms")
_VALUE, _NODE_ID = int(ua.AttributeIds.Value), int(ua.AttributeIds.NodeId)
_TYPES = ua.VariantType
_NULL = ua.Variant(None, _TYPES.Null)


class Notice:
    """An event as clients ask for it: one value for each path of browse names ("ActiveState/Id").

    `notifiers` are the objects on which it is reported; `condition` is the one it tells of, None for the others.
    """

    def __init__(self, kind: ua.NodeId, fields: Mapping[str, ua.Variant], condition: ua.NodeId | None = None):
        self.notifiers: Sequence[ua.NodeId] = (SERVER,)
        self.EventType = kind
        self.condition = condition
        self.fields = fields

    def field(self, path: Sequence[ua.QualifiedName] | None, attribute: int) -> ua.Variant:
        """The field that an operand of a client's filter names; null where the event has none of that name."""
        if not path:
            return variant(self.condition, _TYPES.NodeId) if attribute == _NODE_ID and self.condition else _NULL
        if attribute != _VALUE or any(name.NamespaceIndex for name in path):
            return _NULL
        return self.fields.get("/".join(str(name.Name) for name in path), _NULL)

    def to_event_fields(self, select_clauses: Sequence[ua.SimpleAttributeOperand]) -> list[ua.Variant]:
        """What goes to a client, in the order of its select clauses."""
        return [self.field(clause.BrowsePath, int(clause.AttributeId)) for clause in select_clauses]


def condition_id(alarm: str) -> ua.NodeId:
    """The ConditionId of an alarm."""
    return named(ALARMS + alarm)


def alarm_of(condition: ua.NodeId) -> str:
    """The alarm of a ConditionId, "" where it is none."""
    identifier = condition.Identifier
    is_ours = condition == named(str(identifier)) and isinstance(identifier, str) and identifier.startswith(ALARMS)
    return str(identifier).removeprefix(ALARMS) if is_ours else ""


def event_id(number: int) -> bytes:
    """The EventId of an event of the records: its number, which never comes again, not even after a restart."""
    return number.to_bytes(8, "big")


def number_of(event: Any) -> int:
    """The number of an EventId, 0 where it cannot be one of ours."""
    return int.from_bytes(event, "big") if isinstance(event, bytes) and len(event) == 8 and event[0] < 128 else 0


def system_notice(kind: int, message: str, severity: int = 100) -> Notice:
    """An event of the server itself, with an EventId that no other has: the ends of a refresh, a queue that ran over."""
    return Notice(standard(kind), _base(os.urandom(16), standard(kind), SERVER, "Server", datetime.now(UTC), message, severity))


@dataclass(frozen=True, slots=True)
class About:
    """What an alarm's event tells of beside its state.

    `source` is the node that the alarm is about, `of` the node of the watched value and `setpoint` of what it is compared with
    (each None where it is an expression), `limit` the value of the limit where it is known, `alarm` the alarm as its program
    declares it (None where that runs no more), `move` how it was last shelved or unshelved.
    """

    source: ua.NodeId = SERVER
    source_name: str = ""
    of: ua.NodeId | None = None
    setpoint: ua.NodeId | None = None
    limit: float | None = None
    alarm: Alarm | None = None
    move: Move | None = None


def notice_of(event: AlarmEvent, about: About) -> Notice:
    """The condition's event for an event of the records."""
    state, alarm = event.state, about.alarm
    kind = standard(KINDS.get(state.limit, LEVEL))
    message = f"{state.id}: {state.text}" if state.id else state.text
    severity = SEVERITY[state.severity]
    fields = _base(event_id(event.number), kind, about.source, about.source_name, at(event.time), message, severity)
    fields |= _of_condition(event) | _of_alarm(state, about)
    if state.shelved or (alarm is not None and alarm.shelve):
        fields |= shelving_of(state, alarm.shelve if alarm is not None else 0, about.move)
    if state.limit:
        fields |= _of_limit(state, about.limit)
    else:
        fields["NormalState"] = variant(ua.NodeId(), _TYPES.NodeId)
    if kind.Identifier == DEVIATION:
        fields["SetpointNode"] = variant(about.setpoint or ua.NodeId(), _TYPES.NodeId)
    return Notice(kind, fields, condition_id(state.name))


def is_retained(state: AlarmState) -> bool:
    """Whether a client that comes later must hear of the alarm: what is shelved must be found by others than who shelved it."""
    return state.retained or bool(state.shelved)


def _base(number: bytes, kind: ua.NodeId, source: ua.NodeId, name: str, time: datetime, message: str, severity: int) -> Any:
    """Part 5, 6.4.2: what every event has."""
    return {
        "EventId": variant(number, _TYPES.ByteString),
        "EventType": variant(kind, _TYPES.NodeId),
        "SourceNode": variant(source, _TYPES.NodeId),
        "SourceName": variant(name, _TYPES.String),
        "Time": variant(time, _TYPES.DateTime),
        "ReceiveTime": variant(time, _TYPES.DateTime),
        "Message": text(message),
        "Severity": variant(severity, _TYPES.UInt16),
    }


def _of_condition(event: AlarmEvent) -> dict[str, ua.Variant]:
    """Part 9, 5.5.2."""
    state, time = event.state, variant(at(event.time), _TYPES.DateTime)
    severity, kind = variant(SEVERITY[state.severity], _TYPES.UInt16), f"{_CLASSES.get(state.source, 'Process')}ConditionClassType"
    return {
        "ConditionClassId": variant(standard(getattr(_IDS, kind)), _TYPES.NodeId),
        "ConditionClassName": text(kind),
        "ConditionName": variant(state.name, _TYPES.String),
        "BranchId": variant(ua.NodeId(), _TYPES.NodeId),
        "Retain": variant(is_retained(state), _TYPES.Boolean),
        "SupportsFilteredRetain": variant(False, _TYPES.Boolean),
        **_two_states("EnabledState", True, "Enabled", "Disabled"),
        "Quality": variant(ua.StatusCode(state.quality), _TYPES.StatusCode),  # type: ignore[arg-type]
        "Quality/SourceTimestamp": time,
        "LastSeverity": severity,
        "LastSeverity/SourceTimestamp": time,
        "Comment": text(state.comment),
        "Comment/SourceTimestamp": variant(at(state.acked_at or event.time), _TYPES.DateTime),
        "ClientUserId": variant(event.who or state.acked_by, _TYPES.String),
    }


def _of_alarm(state: AlarmState, about: About) -> dict[str, ua.Variant]:
    """Part 9, 5.7.2 and 5.8.2. Some states only those alarms have that can be in them."""
    changed = state.active_at if state.active else state.cleared_at
    found = {
        **_two_states("AckedState", state.acked, "Acknowledged", "Unacknowledged", state.acked_at or state.active_at),
        **_two_states("ConfirmedState", state.confirmed, "Confirmed", "Unconfirmed"),
        **_two_states("ActiveState", state.active, "Active", "Inactive", changed),
        "ActiveState/EffectiveDisplayName": text(_shown(state)),
        "InputNode": variant(about.of or ua.NodeId(), _TYPES.NodeId),
        "SuppressedOrShelved": variant(state.suppressed or bool(state.shelved), _TYPES.Boolean),
    }
    alarm = about.alarm
    if state.suppressed or (alarm is not None and alarm.suppressed):
        found |= _two_states("SuppressedState", state.suppressed, "Suppressed", "Unsuppressed")
    if alarm is not None and alarm.is_latched:  # it is active until it is reset, whether its cause is there or not
        found |= _two_states("LatchedState", state.active, "Latched", "Unlatched", changed)
    return found


def _of_limit(state: AlarmState, limit: float | None) -> dict[str, ua.Variant]:
    """Part 9, 5.8.18 and 5.8.20: the limit and whether the value is beyond it."""
    word = LIMITS[state.limit][0]
    changed = state.active_at if state.active else state.cleared_at
    fields = _two_states(f"{word}State", state.active, f"{word} active", f"{word} inactive", changed)
    fields[f"{word}Limit"] = _NULL if limit is None else variant(float(limit), _TYPES.Double)
    fields[f"Severity{word}"] = variant(SEVERITY[state.severity], _TYPES.UInt16)
    return fields


def _shown(state: AlarmState) -> str:
    words = [f"{LIMITS[state.limit][0]} active" if state.limit else "Active"] if state.active else ["Inactive"]
    if not state.acked:
        words.append("unacknowledged")
    elif not state.confirmed:
        words.append("unconfirmed")
    words += [word for word, is_so in (("suppressed", state.suppressed), ("shelved", state.shelved)) if is_so]
    if state.quality != GOOD:
        words.append("not certain")
    return ", ".join(words)


def _two_states(name: str, is_on: bool, on: str, off: str, changed: int = 0) -> dict[str, ua.Variant]:
    found = {
        name: text(on if is_on else off),
        f"{name}/Id": variant(is_on, _TYPES.Boolean),
        f"{name}/TrueState": text(on),
        f"{name}/FalseState": text(off),
    }
    if changed:
        found[f"{name}/TransitionTime"] = variant(at(changed), _TYPES.DateTime)
    return found
