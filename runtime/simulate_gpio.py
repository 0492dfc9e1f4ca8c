"""A panel on GPIO lines in a simulation: the plant's buttons and contacts on a chip's lines, its lamps and relays driven by them.

Edges and bounces are judged by the driver's own `InputState`. It must not know what a line's tag means to the program.
"""

from __future__ import annotations

import numpy as np

from runtime.contract import CONNECTING, LOST, ONLINE
from runtime.fieldbus.gpio_input import InputState
from runtime.fieldbus.gpio_lines import Edge
from runtime.fieldbus.gpio_words import GpioSettings
from runtime.model import Device
from runtime.quality import BAD_NO_COMMUNICATION, GOOD
from runtime.simulate_can import Cells
from runtime.simulate_modbus import SimulatedDevice
from runtime.simulation.panel import INPUT_LINES, OUTPUT_LINES, Panel, read_input, write_output


class UnknownLineError(Exception):
    """Nothing of the plant's panel is on a line that the site uses; the text says which, and what there is."""


class GpioSeat:
    """One chip of the site: what the driver's connection is on a real one.

    The faults that cut or unplug the panel's link take the whole chip away.
    """

    def __init__(self, device: Device, cells: Cells, panel: Panel, link: SimulatedDevice):
        settings: GpioSettings = device.settings
        self.device, self._cells, self._panel, self._link = device, cells, panel, link
        self._poll = settings.poll
        self._states = [InputState(point.address) for point in device.inputs]
        self._inputs = [_name_of(device, point.address.line, INPUT_LINES) for point in device.inputs]
        self._outputs = [_name_of(device, point.address.line, OUTPUT_LINES) for point in device.outputs]
        self._numbers = [0] * len(self._states)
        self._levels: list[bool] = []
        self._read_at = self._begun = 0
        self._up = False

    def begin(self, now: int) -> None:
        """The lines are taken."""
        self._begun, self._up, self._read_at, self._levels = now, True, now, []
        for at, state in enumerate(self._states):
            state.begin(state.line.edges != "none", debounces=False)
            self._numbers[at] = 0

    def work(self, now: int, outputs: np.ndarray) -> None:
        """Drive the outputs, then take what the lines show. `outputs` are the cells of the outbox."""
        is_there = self._link.is_plugged and not self._link.line.silent
        if not is_there:
            self._up = False
            self._cells[2][[point.slot for point in self.device.inputs]] = BAD_NO_COMMUNICATION
            return
        if not self._up:
            self.begin(now)
        polls = now >= self._read_at
        for point, name in zip(self.device.outputs, self._outputs, strict=True):
            level = bool(outputs[point.slot]) != point.address.active_low
            if polls or level != self._panel.outputs[name]:
                write_output(self._panel, name, level)
        self._take(now, polls)
        if polls:
            self._read_at = now + self._poll

    def _take(self, now: int, polls: bool) -> None:
        before, self._levels = self._levels, [read_input(self._panel, name) for name in self._inputs]
        for at, (point, state, high) in enumerate(zip(self.device.inputs, self._states, self._levels, strict=True)):
            level = high != point.address.active_low
            if before and high != before[at] and state.line.edges != "none":
                self._numbers[at] += 1
                state.take_edges([Edge(now, level, self._numbers[at])])
            if polls:
                state.take_reading(level, now)
            state.settle(now)
            _, values, quality, time = self._cells
            values[point.slot], quality[point.slot], time[point.slot] = state.value, GOOD, state.time

    def state(self, now: int) -> int:
        """How the device's diagnosis shows it."""
        return ONLINE if self._up else LOST if self._begun else CONNECTING


def _name_of(device: Device, line: int | str, lines: dict[int, str]) -> str:
    name = lines.get(line) if isinstance(line, int) else None
    if name is None:
        there = ", ".join(f"{number} {known}" for number, known in lines.items())
        raise UnknownLineError(f"nothing of the plant's panel is on line {line} of `{device.name}`; there are {there}")
    return name
