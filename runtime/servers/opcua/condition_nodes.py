"""The conditions as nodes: a folder `Alarms` below the site, and in it every alarm with its fields and methods.

A node is made when somebody looks at it and its values are looked up when they are read, so that alarms nobody browses cost
nothing. Events do not need them. It knows no session.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from asyncua import ua
from asyncua.server.address_space import NodeData

from runtime.model import Tag
from runtime.servers.opcua.alarms import Alarms
from runtime.servers.opcua.conditions import ALARMS, Notice, alarm_of, condition_id
from runtime.servers.opcua.nodes import (
    FOLDER,
    HAS_COMPONENT,
    HAS_CONDITION,
    HAS_EVENT_SOURCE,
    HAS_NOTIFIER,
    HAS_PROPERTY,
    PROPERTY,
    Face,
    LiveAttribute,
    back,
    is_of,
    make_object,
    make_variable,
    object_face,
    to,
)
from runtime.servers.opcua.shelving import SHELVING
from runtime.servers.opcua.tags import face_of
from runtime.servers.opcua.types import named, null, stamped, standard

_IDS, _CLASS = ua.ObjectIds, ua.NodeClass
_TYPE_NAMES = {
    _IDS.NonExclusiveLevelAlarmType: "NonExclusiveLevelAlarmType",
    _IDS.NonExclusiveDeviationAlarmType: "NonExclusiveDeviationAlarmType",
    _IDS.NonExclusiveRateOfChangeAlarmType: "NonExclusiveRateOfChangeAlarmType",
    _IDS.OffNormalAlarmType: "OffNormalAlarmType",
}
_METHODS = {
    "Acknowledge": _IDS.AcknowledgeableConditionType_Acknowledge,
    "Confirm": _IDS.AcknowledgeableConditionType_Confirm,
    "AddComment": _IDS.ConditionType_AddComment,
    "Enable": _IDS.ConditionType_Enable,
    "Disable": _IDS.ConditionType_Disable,
}
_MACHINE = standard(_IDS.ShelvedStateMachineType)
_SHELVING_METHODS = {
    name: getattr(_IDS, f"ShelvedStateMachineType_{name}")
    for name in ("TimedShelve", "TimedShelve2", "OneShotShelve", "OneShotShelve2", "Unshelve", "Unshelve2")
}
_DURATIONS = ("MaxTimeShelved", f"{SHELVING}/UnshelveTime")
OF_ALARMS = (HAS_EVENT_SOURCE, HAS_CONDITION)  # what a tag is to the alarms
_TWO_STATES = standard(_IDS.TwoStateVariableType), "TwoStateVariableType"
_CONDITION_VARIABLE = standard(_IDS.ConditionVariableType), "ConditionVariableType"
_OWN_TYPES = {
    f"{SHELVING}/CurrentState": (standard(_IDS.FiniteStateVariableType), "FiniteStateVariableType"),
    f"{SHELVING}/LastTransition": (standard(_IDS.FiniteTransitionVariableType), "FiniteTransitionVariableType"),
}
_UNKNOWN = stamped(null(), int(ua.StatusCodes.BadResourceUnavailable))


class ConditionNodes:
    """Makes the nodes of the alarms that `names` lists; `notice` is the newest event of one, None where there is no such alarm.

    Clients find by HasNotifier and HasEventSource from the Server over the site and the folder of the alarms to each tag that an
    alarm is about, and from there by HasCondition to its alarms (part 9, 6.2 and annex B).
    """

    def __init__(self, aspace: Any, parent: Face, alarms: Alarms):
        self._alarms, self._parent, self._names, self._notice = alarms, parent, alarms.names, alarms.newest
        self._face = object_face(ALARMS.rstrip("/"), "Alarms")
        self.follow({})
        aspace[parent.id].references += [to(HAS_COMPONENT, self._face), to(HAS_NOTIFIER, self._face)]

    def follow(self, sources: dict[str, tuple[Tag, list[str]]]) -> None:
        """Show these tags as what the alarms are about."""
        self.sources = sources
        self._tag_of = {name: tag for tag, names in sources.values() for name in names}

    def references(self, tag: Tag) -> list[ua.ReferenceDescription]:
        """What a tag's node says of the alarms about it."""
        _, names = self.sources.get(tag.name, (tag, ()))
        conditions = [to(HAS_CONDITION, self._of(name, notice)) for name in names if (notice := self._notice(name))]
        return [back(HAS_EVENT_SOURCE, self._face), *conditions] if conditions else []

    @property
    def folder(self) -> str:
        """The identifier of the folder, to forget it by when there are other alarms."""
        return self._face.key

    def identifiers(self, name: str) -> list[str]:
        """What of a condition says which parts it has, to forget it by when its alarm is declared otherwise."""
        return [f"{ALARMS}{name}", f"{ALARMS}{name}/{SHELVING}"]

    def make(self, identifier: str) -> NodeData | None:
        """The node with this identifier: the folder, a condition, or a field of one."""
        if identifier == self._face.key:
            kind = is_of(FOLDER, "FolderType", _CLASS.ObjectType, 0)
            children = [to(HAS_COMPONENT, self._of(name, notice)) for name in self._names() if (notice := self._notice(name))]
            up = [back(HAS_COMPONENT, self._parent), back(HAS_NOTIFIER, self._parent)]
            sources = [to(HAS_EVENT_SOURCE, face_of(tag)) for tag, _ in self.sources.values()]
            return make_object(self._face, [*up, kind, *children, *sources], "All alarms of the site", notifies=True)
        name, _, path = alarm_of(named(identifier)).partition("/")
        notice = self._notice(name) if name else None
        if notice is None:
            return None
        return self._field(name, notice, path) if path else self._condition(name, notice)

    def _of(self, name: str, notice: Notice) -> Face:
        return Face(condition_id(name), name, _CLASS.Object, notice.EventType)

    def _condition(self, name: str, notice: Notice) -> NodeData:
        face = self._of(name, notice)
        kind = is_of(notice.EventType, _TYPE_NAMES[notice.EventType.Identifier], _CLASS.ObjectType, 0)  # type: ignore[index]
        fields = [_child(name, notice, path) for path in notice.fields if "/" not in path]
        if f"{SHELVING}/CurrentState" in notice.fields:
            fields.append(to(HAS_COMPONENT, _machine_face(name)))
        text = str(notice.fields["Message"].Value.Text)
        tag = self._tag_of.get(name)
        source = [back(HAS_CONDITION, face_of(tag))] if tag is not None else []
        return make_object(face, [back(HAS_COMPONENT, self._face), *source, kind, *fields, *_methods(_METHODS)], text)

    def _machine(self, name: str, notice: Notice) -> NodeData:
        """The alarm's ShelvingState."""
        kind = is_of(_MACHINE, "ShelvedStateMachineType", _CLASS.ObjectType, 0)
        fields = [_child(name, notice, path) for path in notice.fields if path.rpartition("/")[0] == SHELVING]
        up = back(HAS_COMPONENT, self._of(name, notice))
        return make_object(_machine_face(name), [up, kind, *fields, *_methods(_SHELVING_METHODS)])

    def _field(self, name: str, notice: Notice, path: str) -> NodeData | None:
        known = notice.fields.get(path)
        if known is None:
            is_machine = path == SHELVING and f"{SHELVING}/CurrentState" in notice.fields
            return self._machine(name, notice) if is_machine else None
        owner, _, _ = path.rpartition("/")
        above = self._of(name, notice) if not owner else _machine_face(name) if owner == SHELVING else _face(name, notice, owner)
        below = [_child(name, notice, other) for other in notice.fields if other.rpartition("/")[0] == path]
        face = _face(name, notice, path)
        how = HAS_PROPERTY if face.type == PROPERTY else HAS_COMPONENT
        kind = is_of(face.type, _type_of(notice, path)[1], _CLASS.VariableType, 0)

        def look() -> ua.DataValue:
            if not self._alarms.is_readable:
                return _UNKNOWN
            now = self._notice(name)
            if now is None or path not in now.fields:
                return ua.DataValue(null())
            time = datetime.now(UTC) if path.endswith("UnshelveTime") else now.fields["Time"].Value
            return stamped(now.fields[path], 0, time)

        number = _IDS.Duration if path in _DURATIONS else known.VariantType.value if known.Value is not None else _IDS.Double
        return make_variable(face, LiveAttribute(look), standard(number), [back(how, above), kind, *below])


def _methods(known: Mapping[str, int]) -> list[ua.ReferenceDescription]:
    """What an instance says of its methods, which are those of its type."""
    return [to(HAS_COMPONENT, Face(standard(number), word, _CLASS.Method, namespace=0)) for word, number in known.items()]


def _machine_face(name: str) -> Face:
    return Face(named(f"{ALARMS}{name}/{SHELVING}"), SHELVING, _CLASS.Object, _MACHINE, namespace=0)


def _face(name: str, notice: Notice, path: str) -> Face:
    identifier = named(f"{ALARMS}{name}/{path}")
    return Face(identifier, path.rpartition("/")[2], _CLASS.Variable, _type_of(notice, path)[0], namespace=0)


def _child(name: str, notice: Notice, path: str) -> ua.ReferenceDescription:
    face = _face(name, notice, path)
    return to(HAS_PROPERTY if face.type == PROPERTY else HAS_COMPONENT, face)


def _type_of(notice: Notice, path: str) -> tuple[ua.NodeId, str]:
    if path in _OWN_TYPES:
        return _OWN_TYPES[path]
    if f"{path}/Id" in notice.fields:
        return _TWO_STATES
    return _CONDITION_VARIABLE if f"{path}/SourceTimestamp" in notice.fields else (PROPERTY, "PropertyType")
