"""One connected and verified device: outputs first, then what must be read back, then what is due to be read.

It ends with LostError. It must not know how a connection is made or when it is tried again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import numpy as np

from runtime.contract import Inputs
from runtime.fieldbus.modbus_errors import GATEWAY_CODES, LostError, RefusedError
from runtime.fieldbus.modbus_groups import ReadGroup, Registers
from runtime.fieldbus.modbus_heartbeat import Pulse
from runtime.fieldbus.modbus_hold import Answer, Hold
from runtime.fieldbus.modbus_kernel import decode
from runtime.fieldbus.modbus_link import Link
from runtime.fieldbus.modbus_plan import Plan
from runtime.fieldbus.modbus_poll import Turn
from runtime.fieldbus.modbus_readback import Check
from runtime.fieldbus.modbus_record import Record
from runtime.fieldbus.modbus_register import HOLDING
from runtime.fieldbus.modbus_settings import ModbusSettings
from runtime.fieldbus.modbus_waiting import Waiting
from runtime.fieldbus.modbus_writes import WriteRun
from runtime.fieldbus.tend import Backoff
from runtime.quality import BAD_CONFIGURATION_ERROR, BAD_DEVICE_FAILURE

NS = 1e-9
IDLE = 1.0  # s: a device without inputs or outputs is looked at this often
ACKNOWLEDGE, BUSY = 5, 6  # nothing is wrong with the registers: the values grow old until the next round
FAILED = 4
NOT_NOW = (FAILED, ACKNOWLEDGE, BUSY, *GATEWAY_CODES)  # what is refused so is tried again
RETRY = 0.1  # s: a write that the device could not take now is sent again, whatever its refresh period
GATEWAY_STRIKES = 2
MOST_COMBINED = 121  # registers written by one function 23 (Modbus application protocol 1.1b3, 6.17)


class Session:
    """The work on one link. `wake` is set where an output changed; `waiting` is shared with who waits for writes."""

    def __init__(
        self,
        link: Link,
        settings: ModbusSettings,
        plan: Plan,
        record: Record,
        inputs: Inputs,
        pulse: Pulse,
        wake: asyncio.Event,
        waiting: Sequence[Waiting],
        backoff: Backoff,
    ):
        self._link, self._settings, self._plan, self._record, self._inputs = link, settings, plan, record, inputs
        self._pulse, self._wake, self._waiting, self._backoff = pulse, wake, waiting, backoff
        self._cells = (inputs.lreal, inputs.integer, inputs.quality, inputs.time)
        self._combines = settings.rules.read_write
        self._hold = Hold(plan.powers)
        self._gateway = 0  # answers in a row that a gateway gave for a device that it cannot reach
        self._later: list[tuple[float, WriteRun]] = []
        self._refresh_at: dict[int, float] = {}

    async def serve(self) -> None:
        """Until the connection is lost: write what the device must be told, then read what is due. Raises LostError."""
        loop = asyncio.get_running_loop()
        plan, now = self._plan, loop.time()
        plan.powers.forget()
        plan.image.rescale()
        plan.image.refresh_all()  # the device may have restarted
        plan.readback.begin()
        plan.poll.begin(now)
        self._refresh_at = {every: now + every * NS for every in plan.image.periods}
        wrote = False
        while True:
            now = loop.time()
            self._refresh(now)
            beat = self._pulse.next_beat(now)
            if beat is not None:
                await self._write(beat)
            # Outputs that change faster than the device takes them must not starve the inputs: then they take turns.
            starving = wrote and not self._waiting and plan.poll.late(now)
            run = None if starving else plan.image.next_run()
            wrote = run is not None
            if run is not None:
                await self._write_or_exchange(run, now)
            elif not await self._read_something(now):
                await self._wait(self._next_due(loop.time()))

    def _refresh(self, now: float) -> None:
        for every, due in self._refresh_at.items():
            if due <= now:
                self._plan.image.refresh(every)
                self._refresh_at[every] = now + every * NS
        if self._later:
            for _, run in (one for one in self._later if one[0] <= now):
                self._plan.image.put_back(run)
            self._later = [one for one in self._later if one[0] > now]

    def _next_due(self, now: float) -> float:
        """Seconds until something is due."""
        times = [*self._refresh_at.values(), *(when for when, _ in self._later), self._plan.poll.next_due(), self._pulse.next_due()]
        return min(min(times) - now, IDLE)

    async def _wait(self, seconds: float) -> None:
        """Sleep until something is due or an output changed."""
        if not self._link.is_up:
            raise self._link.lost or LostError("closed", "the device closed the connection")
        timer = asyncio.get_running_loop().call_later(max(seconds, 0.001), self._wake.set)
        try:
            await self._wake.wait()
        finally:
            timer.cancel()
        self._wake.clear()

    def _greet(self) -> None:
        """A request was answered: the device is there."""
        self._backoff.reset()
        self._record.answered(self._link.round_trip)

    async def _read_something(self, now: float) -> bool:
        """Read back what was written, and the group that is due; whether there was anything."""
        check = self._plan.readback.next_check()
        if check is not None:
            await self._read_back(check)
        turn = self._plan.poll.next(now)
        if turn is not None:
            await self._read(turn)
        return check is not None or turn is not None

    async def _read(self, turn: Turn) -> None:
        self._record.counts["reads"] += 1
        try:
            registers = await self._link.read(turn.group)
        except RefusedError as refused:
            self._take_refusal(turn, refused)
        else:
            self._take(turn, registers)

    def _take(self, turn: Turn, registers: np.ndarray) -> None:
        """Powers of ten first, then what they scale.

        A value is as old as its request: the answer may have waited in the socket while this process stood still.
        """
        sent = time.monotonic_ns() - int(self._link.round_trip / NS)
        self._greet()
        self._gateway = 0
        group, plan = turn.group, self._plan
        changed = False
        for place, row in group.powers:
            differs = plan.powers.take(row, int(registers[place]))
            changed = changed or differs
            for held in self._hold.power_read(row, differs):
                decode(held.registers, held.group.rows, self._cells, held.time)
        if changed:
            plan.image.rescale()
        answer = Answer(group, registers, sent)
        if not self._hold.put(answer):
            decode(registers, group.rows, self._cells, answer.time)
        self._inputs.changed()
        self._record.read_taken(str(group), group.slots)
        plan.poll.done(turn, asyncio.get_running_loop().time())

    def _take_refusal(self, turn: Turn, refused: RefusedError) -> None:
        """The device will not give these registers: mark those that stand alone, and read around them."""
        self._count(refused)
        code = refused.code
        was = len(self._plan.poll.suspended)
        for group in self._plan.poll.refused(turn, code, asyncio.get_running_loop().time()):
            if code in (ACKNOWLEDGE, BUSY):
                continue
            suspended = group in self._plan.poll.suspended
            if suspended and len(self._plan.poll.suspended) > was:
                self._record.log.warning("registers suspended", group=str(group), again_s=self._settings.rules.suspend * NS)
            self._forget(group, BAD_CONFIGURATION_ERROR if suspended else BAD_DEVICE_FAILURE, code)

    def _forget(self, group: ReadGroup, quality: int, code: int) -> None:
        self._inputs.quality[group.slots] = quality
        self._inputs.changed()
        self._record.read_refused(str(group), group.slots, code)
        for _, row in group.powers:
            self._plan.powers.forget(row)
        if group.powers:
            self._plan.image.rescale()

    def _count(self, refused: RefusedError) -> None:
        """An exception is an answer as well, unless a gateway gives it for a device that is not there. Raises LostError."""
        if refused.code in GATEWAY_CODES:
            self._gateway += 1
            if self._gateway >= GATEWAY_STRIKES:
                raise LostError(refused.kind, "the gateway does not reach the device") from refused
        else:
            self._gateway = 0
            self._greet()
        self._record.count(refused.kind)

    async def _look(self, value: WriteRun, run: WriteRun) -> None:
        """Read a value of which the device keeps some bits, before the run that it belongs to is written."""
        image = self._plan.image
        try:
            registers = await self._link.read(Registers(value.table, value.address, len(value.values)))
        except RefusedError as refused:
            if refused.code in NOT_NOW:
                self._put_off(run)
            else:
                image.see(value, None)
                image.put_back(run)
            self._count(refused)
        except BaseException:
            image.put_back(run)
            raise
        else:
            self._greet()
            image.see(value, registers)
            image.put_back(run)

    def _put_off(self, run: WriteRun) -> None:
        self._later.append((asyncio.get_running_loop().time() + RETRY, run))

    async def _write_or_exchange(self, run: WriteRun, now: float) -> None:
        value = self._plan.image.unseen(run)
        if value is not None:
            await self._look(value, run)
            return
        if self._combines and run.table == HOLDING and len(run.values) <= MOST_COMBINED:
            turn = self._plan.poll.next(now)
            if turn is not None and turn.group.table == HOLDING:
                await self._exchange(run, turn)
                return
            if turn is not None:
                self._plan.poll.give_back(turn)
        await self._write(run)

    async def _exchange(self, run: WriteRun, turn: Turn) -> None:
        """Write and read in one request; a device that refuses it gets two from then on."""
        self._record.counts["exchanges"] += 1
        try:
            registers = await self._link.read_write(turn.group, run)
        except RefusedError as refused:
            self._plan.image.put_back(run)
            self._plan.poll.give_back(turn)
            self._combines = False
            self._record.log.info("device refuses to write and read in one request", code=refused.code)
            self._count(refused)
        except BaseException:
            self._plan.image.put_back(run)
            raise
        else:
            self._written(run)
            self._take(turn, registers)

    async def _write(self, run: WriteRun) -> None:
        is_output = run.first >= 0
        self._record.counts["writes"] += 1
        try:
            await self._link.write(run)
        except RefusedError as refused:
            self._record.write_refused(run, refused.code)
            if is_output and refused.code in (1, 2, 3) and self._plan.image.separate(run):
                pass  # each value alone
            elif is_output and refused.code in NOT_NOW:
                self._put_off(run)
            else:
                self._release(run, taken=False)
            self._count(refused)
        except BaseException:
            if is_output:
                self._plan.image.put_back(run)
            raise
        else:
            self._greet()
            self._written(run)

    def _written(self, run: WriteRun) -> None:
        self._gateway = 0
        self._record.write_taken(run)
        if run.first >= 0:
            self._plan.readback.wrote(run)
        self._release(run)

    def _release(self, run: WriteRun, *, taken: bool = True) -> None:
        """Let go whoever waited for this write."""
        for waiting in self._waiting if run.first >= 0 else ():
            waiting.answered(run, self._plan.image.dirty, taken)

    async def _read_back(self, check: Check) -> None:
        readback, before = self._plan.readback, self._plan.readback.mismatches
        try:
            registers = await self._link.read(check)
            self._greet()
        except RefusedError as refused:
            self._count(refused)
            registers = None
        for address in readback.compare(check, registers):
            self._record.log.error("the device does not hold what was written", register=f"{check.table} {address}")
        self._record.errors["mismatches"] += readback.mismatches - before
