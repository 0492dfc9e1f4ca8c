"""Methods: the Call service in the name of the session that calls. It knows no command and no alarm.

asyncua runs a method without saying who calls, answers most mistakes with BadUnexpectedError, and checks no argument.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from asyncua import ua
from asyncua.common.utils import ServiceError
from asyncua.server.address_space import AddressSpace, MethodService

from runtime.servers.door import Door
from runtime.servers.opcua.access import role_reaches
from runtime.servers.opcua.types import status
from runtime.servers.opcua.write import who_of

_CODES, _TYPES = ua.StatusCodes, ua.VariantType
MOST_CALLS = 100  # of one request: each may wait a second for the scan
# session, object, values of the arguments -> a status code, or what the method returns where it has done its work
Act = Callable[[Any, ua.NodeId, list[Any]], Awaitable[int | list[ua.Variant]]]


@dataclass(frozen=True, slots=True)
class Method:
    """What stands behind a method: `kinds` are its arguments' types (None: any), `least` the least role that may call it.

    `serves` says of an object whether it has this method: 0, or why it has not.
    """

    act: Act
    kinds: tuple[ua.VariantType | None, ...]
    least: str
    serves: Callable[[ua.NodeId], int]


class Methods(MethodService):
    """The Call service (part 4, 5.12.2). Every call knows its session; every refusal for lack of a role is in the audit log."""

    def __init__(self, aspace: AddressSpace, door: Door):
        super().__init__(aspace)
        self._methods: dict[ua.NodeId, Method] = {}
        self._door = door
        self.calls = 0

    def add(
        self,
        method: ua.NodeId,
        act: Act,
        kinds: Sequence[ua.VariantType | None],
        *,
        least: str = "viewer",
        serves: Callable[[ua.NodeId], int] = lambda _: 0,
    ) -> None:
        """Have a method of the address space do something."""
        self._methods[method] = Method(act, tuple(kinds), least, serves)

    def take_away(self, method: ua.NodeId) -> None:
        """Forget what a method did."""
        self._methods.pop(method, None)

    def may_call(self, method: ua.NodeId, user: Any) -> bool:
        """Whether this user's role suffices: the attribute UserExecutable."""
        known = self._methods.get(method)
        return known is None or role_reaches(user, known.least)

    async def call_by(self, session: Any, wanted: Sequence[ua.CallMethodRequest]) -> list[ua.CallMethodResult]:
        """Carry out calls in the name of a session."""
        if len(wanted) > MOST_CALLS:
            raise ServiceError(_CODES.BadTooManyOperations)
        return [await self._call_by(session, call) for call in wanted]

    async def _call_by(self, session: Any, call: ua.CallMethodRequest) -> ua.CallMethodResult:
        self.calls += 1
        arguments: list[ua.Variant] = call.InputArguments or []
        known = self._methods.get(call.MethodId)
        refused = self._refusal(known, call, session.user)
        if known is None or refused:
            return ua.CallMethodResult(StatusCode=status(refused))
        if len(arguments) != len(known.kinds):
            many = len(arguments) > len(known.kinds)
            return ua.CallMethodResult(StatusCode=status(_CODES.BadTooManyArguments if many else _CODES.BadArgumentsMissing))
        judged = [
            0 if _fits(argument, kind) else int(_CODES.BadTypeMismatch)
            for argument, kind in zip(arguments, known.kinds, strict=True)
        ]
        result = ua.CallMethodResult(InputArgumentResults=[status(code) for code in judged])
        values = [argument.Value for argument in arguments]
        done = int(_CODES.BadInvalidArgument) if any(judged) else await known.act(session, call.ObjectId, values)
        if isinstance(done, int):
            result.StatusCode = status(done)
        else:
            result.StatusCode, result.OutputArguments = status(0), done
        return result

    def _refusal(self, known: Method | None, call: ua.CallMethodRequest, user: Any) -> int:
        if known is None:
            return self._absent(call)
        wrong = known.serves(call.ObjectId)
        if wrong:
            return wrong
        if not role_reaches(user, known.least):
            subject = f"{call.MethodId.Identifier} of {call.ObjectId.Identifier}"
            self._door.note(who_of(user), "call", subject, "BadUserAccessDenied", False)
            return int(_CODES.BadUserAccessDenied)
        return 0

    def _absent(self, call: ua.CallMethodRequest) -> int:
        """Why there is nothing behind what was called."""
        node = self._aspace.get(call.MethodId)
        executable = node.attributes.get(ua.AttributeIds.Executable) if node is not None else None
        if executable is None:
            return int(_CODES.BadMethodInvalid if call.ObjectId in self._aspace else _CODES.BadNodeIdUnknown)
        is_executable = executable.value is not None and executable.value.Value is not None and executable.value.Value.Value
        return int(_CODES.BadNotImplemented if is_executable else _CODES.BadNotExecutable)


def _fits(argument: ua.Variant, kind: ua.VariantType | None) -> bool:
    if kind is None:
        return not argument.is_array
    is_null = argument.VariantType == _TYPES.Null and kind in (_TYPES.LocalizedText, _TYPES.ByteString, _TYPES.String)
    return (argument.VariantType == kind or is_null) and not argument.is_array
