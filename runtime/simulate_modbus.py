"""One Modbus device of a simulation: the plant's registers read into the controller's inputs, its outputs written, without a line.

What is read together, how words become values and which registers must be told anew are the Modbus driver's own (`modbus_plan`); a
request is answered by the plant's own registers. It must not know what any register means.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Concatenate, ParamSpec, TypeVar

import numpy as np

from runtime.contract import CONNECTING, LOST, ONLINE
from runtime.fieldbus.modbus_groups import ReadGroup
from runtime.fieldbus.modbus_heartbeat import Pulse
from runtime.fieldbus.modbus_kernel import decode
from runtime.fieldbus.modbus_plan import make_plan
from runtime.fieldbus.modbus_poll import Turn
from runtime.fieldbus.modbus_settings import ModbusSettings
from runtime.fieldbus.modbus_writes import WriteRun
from runtime.model import Device
from runtime.quality import BAD_DEVICE_FAILURE, BAD_NO_COMMUNICATION
from runtime.simulate_can import Cells
from runtime.simulation.modbusserver import Line, ModbusDevice
from runtime.simulation.registers import RefusedAddressError, RefusedValueError, Registers, read_span, write_span

NS = 1e-9
GRACE = 1e-6  # s: sums of periods are a little off what they stand for
MOST_TURNS = 64  # requests that a device is asked at one instant
RETRY = 500_000_000  # ns: a device that was lost is tried again this often
Answer = TypeVar("Answer")
Words = ParamSpec("Words")
ADDRESS, VALUE = 2, 3  # exceptions of the Modbus application protocol V1.1b3, section 7


class SimulatedDevice(ModbusDevice):
    """A device of the plant that nobody listens for on a network; what faults do to its line is done here."""

    def __init__(self, unit: int, registers: Registers, host: str, port: int) -> None:
        super().__init__(unit, registers, host, port)
        self.unit, self.registers = unit, registers
        self.is_plugged = True

    async def plug(self) -> None:
        self.is_plugged = True

    async def unplug(self) -> None:
        self.is_plugged = False


class ExceptionError(Exception):
    """The device answered with an exception; `code` says which."""

    def __init__(self, code: int):
        super().__init__(f"exception {code}")
        self.code = code


class ModbusSeat:
    """One Modbus device of the site: what the driver's session is on a real line."""

    def __init__(self, device: Device, cells: Cells, behind: SimulatedDevice):
        settings: ModbusSettings = device.settings
        self.device, self._cells, self._behind, self._settings = device, cells, behind, settings
        self._plan = make_plan(device.name, device.inputs, device.outputs, settings)
        self._pulse = Pulse(settings.rules.heartbeat)
        self._slots = np.array([point.slot for point in device.inputs], np.int64)
        self._out = np.array([point.slot for point in device.outputs], np.int64)
        self._told = b""  # the outputs, as last taken
        self._owes = True  # the image may hold what the device has not been told
        self._refresh_at: dict[int, float] = {}
        self._later: list[tuple[int, Callable[[], None]]] = []  # answers on a slow line, with their time
        self._up = self._was_up = False
        self._quiet_until = 0.0  # s: nothing is to be read before
        self._silent_since = -1
        self._retry_at = 0
        self.requests = 0

    @property
    def _line(self) -> Line:
        return self._behind.line

    def begin(self, now: int) -> None:
        """The connection is made: everything is due, and everything must be told."""
        plan, seconds = self._plan, now * NS
        plan.powers.forget()
        plan.image.rescale()
        plan.image.refresh_all()
        plan.poll.begin(seconds)
        self._refresh_at = {every: seconds + every * NS for every in plan.image.periods}
        self._later.clear()
        self._owes = True
        self._up, self._was_up, self._silent_since, self._quiet_until = True, True, -1, 0.0

    def work(self, now: int, outputs: np.ndarray) -> None:
        """Write what the device must be told, then read what is due. `outputs` are the cells of the outbox."""
        if len(self._out):
            mine = outputs[self._out].tobytes()
            if mine != self._told:
                self._told, self._owes = mine, True
                self._plan.image.take(outputs)
        self._pulse.scan_spoke()
        if not self._is_there(now):
            return
        if self._later:
            for due, answer in [one for one in self._later if one[0] <= now]:
                answer()
                self._later.remove((due, answer))
            if self._later:
                return  # the request before is not answered yet
        seconds = now * NS
        self._tell(seconds)
        if seconds + GRACE < self._quiet_until:
            return
        poll = self._plan.poll
        for _ in range(MOST_TURNS):
            turn = poll.next(seconds + GRACE)
            if turn is None or self._later:
                break
            self._read(turn, now)
        self._quiet_until = poll.next_due()

    def _tell(self, seconds: float) -> None:
        """Write what changed, what is to be told anew, and the heartbeat."""
        image = self._plan.image
        for every, at in self._refresh_at.items():
            if at <= seconds + GRACE:
                image.refresh(every)
                self._owes = True
                self._refresh_at[every] = at + every * NS * (1 + max(0.0, seconds - at) // (every * NS))
        beat = self._pulse.next_beat(seconds)
        if beat is not None:
            self._write(beat)
        for _ in range(MOST_TURNS if self._owes else 0):
            run = image.next_run()
            if run is None:
                self._owes = False
                break
            if not self._write(run):
                break

    def _is_there(self, now: int) -> bool:
        """Whether requests are answered now; a cut line is noticed after the request's time-out, an unplugged device at once."""
        timeout = self._settings.request_timeout
        lost_after = timeout if self._behind.is_plugged else 0
        if not (self._line.silent or not self._behind.is_plugged or self._line.delay_s > timeout * NS):
            self._silent_since = -1
            if not self._up and now >= self._retry_at:
                self.begin(now)
            return self._up
        if self._silent_since < 0:
            self._silent_since = now
        if self._up and now - self._silent_since >= lost_after:
            self._up = False
            self._later.clear()
            self._cells[2][self._slots] = BAD_NO_COMMUNICATION
        self._retry_at = now + RETRY
        return False

    def _write(self, run: WriteRun) -> bool:
        """Write one run; False where the device would not take it now."""
        try:
            self._ask(write_span, run.table, run.address, run.values.tolist())
        except ExceptionError as refused:
            if run.first >= 0 and refused.code in (1, ADDRESS, VALUE):
                self._plan.image.separate(run)
            elif run.first >= 0:
                self._plan.image.put_back(run)
            return refused.code in (1, ADDRESS, VALUE)
        return True

    def _read(self, turn: Turn, now: int) -> None:
        group, poll = turn.group, self._plan.poll
        try:
            words = self._ask(read_span, group.table, group.address, group.count)
        except ExceptionError as refused:
            for part in poll.refused(turn, refused.code, now * NS):
                self._cells[2][part.slots] = BAD_DEVICE_FAILURE
            return
        poll.done(turn, now * NS + GRACE)  # as it was asked for: what is due now is then not due again
        if self._line.delay_s > 0:
            self._later.append((now + int(self._line.delay_s / NS), lambda: self._take(group, words, now)))
        else:
            self._take(group, words, now)

    def _take(self, group: ReadGroup, words: Sequence[int], asked: int) -> None:
        """A value is as old as its request."""
        registers = np.array(words, np.uint16)
        changed = [self._plan.powers.take(row, words[place]) for place, row in group.powers]
        if any(changed):
            self._plan.image.rescale()
            self._owes = True
        decode(registers, group.rows, self._cells, asked)

    def _ask(self, act: Callable[Concatenate[Registers, Words], Answer], *words: Words.args, **named: Words.kwargs) -> Answer:
        """What the device answers; raises ExceptionError where it will not."""
        self.requests += 1
        line = self._behind.line
        line.requests += 1
        if line.exception:
            raise ExceptionError(line.exception)
        try:
            return act(self._behind.registers, *words, **named)
        except RefusedAddressError as refusal:
            line.refused += 1
            raise ExceptionError(ADDRESS) from refusal
        except RefusedValueError as refusal:
            line.refused += 1
            raise ExceptionError(VALUE) from refusal

    def state(self, now: int) -> int:
        """How the device's diagnosis shows it."""
        return ONLINE if self._up else LOST if self._was_up else CONNECTING
