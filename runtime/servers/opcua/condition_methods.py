"""What operators say about an alarm: the methods of the types of part 9, from Acknowledge to Unshelve. It knows no subscription.

The records say what is refused, in words that people read; clients get the code that part 9 has for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from asyncua import ua

from runtime.servers.audit import Who
from runtime.servers.door import Door
from runtime.servers.opcua.alarms import Alarms
from runtime.servers.opcua.conditions import alarm_of, number_of
from runtime.servers.opcua.methods import Act, Methods
from runtime.servers.opcua.shelving import SHELVING
from runtime.servers.opcua.types import standard
from runtime.servers.opcua.write import who_of
from runtime.servers.records import states
from runtime.servers.records.file import UNUSABLE
from runtime.servers.records.store import Records

_IDS, _CODES, _TYPES = ua.ObjectIds, ua.StatusCodes, ua.VariantType
# How the records' reasons begin, and what part 9 calls them; all others are a wrong event
_REFUSALS = {
    states.ACKED_ALREADY: _CODES.BadConditionBranchAlreadyAcked,
    states.ACKED_AND_GONE: _CODES.BadConditionBranchAlreadyAcked,
    states.NEVER_ACTIVE: _CODES.BadEventIdUnknown,
    states.NOT_ACKED: _CODES.BadConditionBranchAlreadyConfirmed,  # nothing to confirm: ConfirmedState is still true
    states.CONFIRMED_ALREADY: _CODES.BadConditionBranchAlreadyConfirmed,
    states.SHELVED_ALREADY: _CODES.BadConditionAlreadyShelved,
    states.NOT_SHELVED: _CODES.BadConditionNotShelved,
    states.SHELVED_TOO_SHORT: _CODES.BadShelvingTimeOutOfRange,
    states.SHELVED_TOO_LONG: _CODES.BadShelvingTimeOutOfRange,
    states.NOT_TO_SHELVE: _CODES.BadMethodInvalid,  # such an alarm has no ShelvingState, and so not its methods
    UNUSABLE: _CODES.BadResourceUnavailable,
}
_MACHINES = ("ShelvedStateMachineType", "AlarmConditionType_ShelvingState")  # each method stands in both, and clients call either
Say = Callable[[str, Who, str, int], str]


class ConditionMethods:
    """The methods of the site's alarms."""

    def __init__(self, aspace: Any, methods: Methods, records: Records, door: Door, alarms: Alarms):
        self._methods, self._records, self._door, self._alarms = methods, records, door, alarms
        event_and_comment = (_TYPES.ByteString, _TYPES.LocalizedText)
        acts: dict[int, tuple[str, Say]] = {
            _IDS.AcknowledgeableConditionType_Acknowledge: ("acknowledge", records.acknowledge),
            _IDS.AcknowledgeableConditionType_Confirm: ("confirm", records.confirm),
            _IDS.ConditionType_AddComment: ("comment", records.comment),
        }
        for number, (action, say) in acts.items():
            methods.add(standard(number), self._saying(action, say), event_and_comment, least="operator", serves=self._serves)
        methods.add(standard(_IDS.ConditionType_Enable), self._enable, (), least="operator", serves=self._serves)
        methods.add(standard(_IDS.ConditionType_ConditionRefresh), alarms.refresh, (_TYPES.UInt32,))
        methods.add(standard(_IDS.ConditionType_ConditionRefresh2), alarms.refresh, (_TYPES.UInt32, _TYPES.UInt32))
        self._add_shelving("TimedShelve", self._shelve, _TYPES.Double)
        self._add_shelving("OneShotShelve", self._shelve)
        self._add_shelving("Unshelve", self._unshelve)
        disable = aspace[standard(_IDS.ConditionType_Disable)].attributes
        for attribute in (ua.AttributeIds.Executable, ua.AttributeIds.UserExecutable):
            disable[attribute].value = ua.DataValue(ua.Variant(False, _TYPES.Boolean))  # nobody outside switches an alarm off

    def _add_shelving(self, name: str, act: Act, *kinds: ua.VariantType) -> None:
        """A method of the shelving, and the one with a 2 that takes a comment, too."""
        for machine in _MACHINES:
            for end, more in (("", ()), ("2", (_TYPES.LocalizedText,))):
                method = standard(getattr(_IDS, f"{machine}_{name}{end}"))
                self._methods.add(method, act, (*kinds, *more), least="operator", serves=self._shelves)

    def _serves(self, condition: ua.NodeId) -> int:
        if not self._alarms.is_readable:
            return int(_CODES.BadResourceUnavailable)
        return 0 if self._alarms.knows(alarm_of(condition)) else int(_CODES.BadNodeIdUnknown)

    def _shelves(self, object_: ua.NodeId) -> int:
        """Whether this is an alarm that may be shelved, or the ShelvingState of one: clients call on both (part 9, 5.8.17.2)."""
        if not self._alarms.is_readable:
            return int(_CODES.BadResourceUnavailable)
        name = _shelved(object_)
        if not self._alarms.knows(name):
            return int(_CODES.BadNodeIdUnknown)
        notice = self._alarms.newest(name)
        has_one = notice is not None and f"{SHELVING}/CurrentState" in notice.fields
        return 0 if has_one else int(_CODES.BadMethodInvalid)

    def _saying(self, action: str, say: Say) -> Act:
        async def act(session: Any, condition: ua.NodeId, arguments: list[Any]) -> int:
            number, comment, alarm = number_of(arguments[0]), _comment(arguments[1]), alarm_of(condition)
            said = partial(say, alarm, who_of(session.user), comment, number) if number else lambda: "no such event"
            return await self._answer(session, action, alarm, said, comment or None)

        return act

    async def _shelve(self, session: Any, object_: ua.NodeId, arguments: list[Any]) -> int:
        seconds = next((value / 1000 for value in arguments if isinstance(value, float)), None)
        comment, alarm = _comment(arguments[-1] if arguments else None), _shelved(object_)
        said = partial(self._records.shelve, alarm, who_of(session.user), seconds, comment)
        return await self._answer(session, "shelve", alarm, said, {"seconds": seconds, "comment": comment})

    async def _unshelve(self, session: Any, object_: ua.NodeId, arguments: list[Any]) -> int:
        comment, alarm = _comment(arguments[0] if arguments else None), _shelved(object_)
        said = partial(self._records.unshelve, alarm, who_of(session.user), comment)
        return await self._answer(session, "unshelve", alarm, said, comment or None)

    async def _answer(self, session: Any, action: str, alarm: str, say: Callable[[], str], new: Any) -> int:
        """Have the records decide; whoever asked sees the new state with the next publishing."""
        refused = await asyncio.to_thread(say)
        self._door.note(who_of(session.user), action, alarm, refused or "taken", not refused, new=new)
        if refused:
            return int(next((code for words, code in _REFUSALS.items() if refused.startswith(words)), _CODES.BadEventIdUnknown))
        await self._alarms.tell()
        return 0

    async def _enable(self, session: Any, condition: ua.NodeId, arguments: list[Any]) -> int:
        return int(_CODES.BadConditionAlreadyEnabled)


def _shelved(object_: ua.NodeId) -> str:
    """The alarm of a ConditionId, or of its ShelvingState."""
    return alarm_of(object_).removesuffix(f"/{SHELVING}")


def _comment(argument: Any) -> str:
    return str(getattr(argument, "Text", None) or "")
