"""OPC UA writes: each value becomes a command to the scan, and the client hears what the scan answered. It knows no session."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from asyncua import ua
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.address_space import AddressSpace, AttributeService

from runtime.engine import north
from runtime.model import Tag
from runtime.servers.audit import Who
from runtime.servers.door import NO_ANSWER, NO_SCAN, RING_FULL, Door, Outcome, Write
from runtime.servers.opcua.access import Guest, role_reaches
from runtime.servers.opcua.publish import Publisher
from runtime.servers.opcua.secure_channel import HINT
from runtime.servers.opcua.tags import TYPES, node_id
from runtime.servers.opcua.types import status
from runtime.servers.opcua.wire import index_range

_CODES = ua.StatusCodes
STATUS = {
    north.TAKEN: _CODES.Good,
    north.NOT_WRITABLE: _CODES.BadNotWritable,
    north.ROLE_TOO_LOW: _CODES.BadUserAccessDenied,
    north.OUT_OF_RANGE: _CODES.BadOutOfRange,
    north.NOT_FINITE: _CODES.BadOutOfRange,
    north.UNKNOWN_TAG: _CODES.BadNodeIdUnknown,
    north.BAD_ELEMENT: _CODES.BadIndexRangeNoData,
    north.REMOTE_LOCKED: _CODES.BadInvalidState,
    north.NOT_RUNNING: _CODES.BadInvalidState,
    north.FORCED: _CODES.BadInvalidState,
    NO_SCAN: _CODES.BadNoCommunication,
    NO_ANSWER: _CODES.BadTimeout,
    RING_FULL: _CODES.BadTooManyOperations,
}
OF_THE_HINT = 0.8  # as much of the time that a client says it waits is ours: the answer must travel, too


class CommandingAttributes(AttributeService):
    """asyncua's attribute service, except that clients never write the address space: they command tags."""

    def __init__(self, aspace: AddressSpace, tags: Iterable[Tag], door: Door, publisher: Publisher):
        super().__init__(aspace)
        self.follow(tags)
        self._door, self._publisher = door, publisher
        self._late: set[asyncio.Future[list[Outcome]]] = set()  # under way, though their clients were answered
        self.writes = 0

    def follow(self, tags: Iterable[Tag]) -> None:
        """Have these tags written from now on."""
        self._tags = {node_id(tag): tag for tag in tags}

    def least_role(self, node: ua.NodeId) -> str:
        """The least role that may write this node, empty where nobody may."""
        tag = self._tags.get(node)
        return tag.write if tag is not None else ""

    async def write(self, params: ua.WriteParameters, user: User = User(role=UserRole.Admin)) -> list[ua.StatusCode]:  # noqa: B008
        """Carry out the Write service; the results come when the scan has answered. Only asyncua itself is Admin."""
        if user.role == UserRole.Admin:
            return await super().write(params, user)
        results, commands, places = self._sort(params.NodesToWrite, user)
        self.writes += len(places)
        outcomes = await self._carry_out(commands, who_of(user))
        for place, first, count in places:
            if outcomes is None:
                results[place] = status(_CODES.GoodCompletesAsynchronously)
                continue
            worst = next((o for o in outcomes[first : first + count] if not o.is_taken), outcomes[first])
            results[place] = status(STATUS.get(worst.answer, _CODES.BadUnexpectedError))
        if any(result.is_good() for result in results):
            await self._publisher.publish()  # so that a read that follows sees what was written
        return results

    async def _carry_out(self, commands: list[Write], who: Who) -> list[Outcome] | None:
        """What the scan says; None where the client waits less long than the scan takes. The audit log hears it in any case."""
        task = asyncio.ensure_future(self._command(commands, who))
        done, _ = await asyncio.wait((task,), timeout=HINT.get() * OF_THE_HINT or None)
        if done:
            return task.result()
        self._late.add(task)
        task.add_done_callback(self._late.discard)
        return None

    async def _command(self, commands: list[Write], who: Who) -> list[Outcome]:
        """A single command goes straight into the ring, many go in portions."""
        if len(commands) == 1:
            return [await self._door.write(commands[0][0], commands[0][1], who, commands[0][2])]
        return await self._door.write_all(commands, who)

    def _sort(
        self, wanted: Iterable[ua.WriteValue], user: Any
    ) -> tuple[list[ua.StatusCode], list[Write], list[tuple[int, int, int]]]:
        """What is refused here and now, the commands of the rest, and for each of these its place, first command and count."""
        results: list[ua.StatusCode] = []
        commands: list[Write] = []
        places: list[tuple[int, int, int]] = []
        for place, write in enumerate(wanted):
            tag = self._tags.get(write.NodeId)
            refused = self._refusal(tag, write, user) if tag is not None else self._unknown(write.NodeId)
            results.append(status(refused))
            if tag is None:
                continue
            if refused:
                self._door.refuse(tag, _sent(write), who_of(user), status(refused).name)
                continue
            first, values = _elements(tag, write)
            places.append((place, len(commands), len(values)))
            commands += [(tag, value, first + n) for n, value in enumerate(values)]
        return results, commands, places

    def _unknown(self, node: ua.NodeId) -> int:
        return int(_CODES.BadNotWritable if node in self._aspace else _CODES.BadNodeIdUnknown)

    def _refusal(self, tag: Tag, wanted: ua.WriteValue, user: Any) -> int:
        """Why this write does not reach the scan, as a status code; 0 where it does."""
        if wanted.AttributeId != ua.AttributeIds.Value or not tag.write:
            return int(_CODES.BadNotWritable)
        if not role_reaches(user, tag.write):
            return int(_CODES.BadUserAccessDenied)
        value = wanted.Value
        if value.StatusCode is not None and not value.StatusCode.is_good():
            return int(_CODES.BadWriteNotSupported)
        sent = value.Value
        if sent is None or sent.Value is None or sent.VariantType != TYPES[tag.type] or bool(sent.is_array) != bool(tag.length):
            return int(_CODES.BadTypeMismatch)
        if len(sent.Dimensions or ()) > 1:  # a matrix
            return int(_CODES.BadTypeMismatch)
        return _range_refusal(tag, wanted)


def who_of(user: Any) -> Who:
    """This client in the words of the audit log."""
    return Who(user.name or "", user.plc_role, user.peer) if isinstance(user, Guest) else Who("", "", "")


def _sent(wanted: ua.WriteValue) -> Any:
    return wanted.Value.Value.Value if wanted.Value.Value is not None else None


def _range_refusal(tag: Tag, wanted: ua.WriteValue) -> int:
    count = len(wanted.Value.Value.Value) if tag.length else 1
    if not wanted.IndexRange:
        return 0 if count == max(tag.length, 1) else int(_CODES.BadTypeMismatch)
    found = index_range(wanted.IndexRange)
    if found is None or not tag.length:
        return int(_CODES.BadIndexRangeInvalid)
    first, last = found
    if last >= tag.length:
        return int(_CODES.BadIndexRangeNoData)
    return 0 if count == last - first + 1 else int(_CODES.BadIndexRangeNoData)


def _elements(tag: Tag, wanted: ua.WriteValue) -> tuple[int, list[Any]]:
    value = wanted.Value.Value.Value
    if not tag.length:
        return 0, [value]
    return int(wanted.IndexRange.partition(":")[0]) if wanted.IndexRange else 0, list(value)
