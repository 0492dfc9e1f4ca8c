"""The simulated twin of a GPIO chip: the lines that an io_map names, with levels as on a wire, moved by whoever is at its socket.

A level here is physical: 1 is high, also where the io_map says `active: low`. It must not know tags or sockets.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from runtime.fieldbus.gpio_lines import Edge, HeldInput, HeldOutput, LineError
from runtime.fieldbus.gpio_words import InputLine, OutputLine
from runtime.source import did_you_mean


class Door(Protocol):
    """Where the wires end: `obey` answers one order, `tell` passes a change on to all who watch."""

    async def open(self, obey: Callable[[Any], Mapping[str, Any]]) -> None: ...
    def tell(self, change: Mapping[str, Any]) -> None: ...
    async def close(self) -> None: ...


class _Wire:
    """One line: what the outside puts on it, or what we drive."""

    def __init__(self, name: str):
        self.name = name
        self.given: bool | None = None  # None: nothing is connected, the bias decides
        self.driven: bool | None = None
        self.left: bool | None = None  # what a released output was driven to: chips keep it
        self.bias = "as-is"
        self.holder = ""  # another program, as far as anybody can tell
        self.input: _TwinInput | None = None

    @property
    def level(self) -> bool:
        if self.driven is not None:
            return self.driven
        if self.given is not None:
            return self.given
        return self.left if self.left is not None else self.bias == "pull-up"


class TwinLines:
    """The simulated lines of one device. Satisfies `gpio_lines.Lines`."""

    def __init__(self, lines: Sequence[InputLine | OutputLine], door: Door):
        self._wires = {str(line.line): _Wire(str(line.line)) for line in lines}
        self._door = door
        self._is_live = True
        self.has_interrupts = True
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        """Open the door: wires can be moved before anybody reads them."""
        self._loop = asyncio.get_running_loop()
        await self._door.open(self.obey)

    def open(self) -> None:
        """The chip is there, unless somebody said that it is not. Raises LineError."""
        if not self._is_live:
            raise LineError("chip_absent", 'the simulated chip was taken away ({"live": true} brings it back)')

    def hold_input(self, line: InputLine) -> HeldInput:
        """Take a line as an input. Raises LineError."""
        wire = self._free_wire(line.line)
        wire.bias, wire.left = line.bias, None
        wire.input = _TwinInput(self, wire, line)
        return wire.input

    def hold_output(self, line: OutputLine, level: bool) -> HeldOutput:
        """Take a line as an output, driven from its first moment. Raises LineError."""
        wire = self._free_wire(line.line)
        wire.bias = line.bias
        held = _TwinOutput(self, wire, line)
        held.write(level)
        return held

    def _free_wire(self, line: int | str) -> _Wire:
        self.check_live()
        wire = self._wires[str(line)]
        if wire.holder:
            raise LineError("busy", f"line {line} is held by `{wire.holder}`")
        return wire

    def check_live(self) -> None:
        if not self._is_live:
            raise LineError("unplugged", "the simulated chip was taken away")

    def close(self) -> None:
        """Nothing is kept open."""

    async def stop(self) -> None:
        """Close the door."""
        await self._door.close()

    def drive(self, wire: _Wire, level: bool) -> None:
        """From the device's thread: an output drives this level; those who watch are told of a change."""
        before = wire.driven
        wire.driven = level
        if before is not level and self._loop is not None:
            change = {"changed": {wire.name: int(level)}, "at": time.monotonic_ns()}
            self._loop.call_soon_threadsafe(self._door.tell, change)

    def obey(self, order: Any) -> Mapping[str, Any]:
        """Do what one order says (`set`, `get`, `live`, `busy`, `interrupts`) and answer it, or say with `error` what is wrong."""
        if not isinstance(order, dict) or not order:
            return {"error": 'write one JSON object a line, for example {"set": {"4": 1}}, {"get": ["4"]} or {"watch": true}'}
        known: dict[str, Callable[[Any], Mapping[str, Any]]] = {
            "set": self._set,
            "get": self._get,
            "live": self._set_live,
            "busy": self._set_busy,
            "interrupts": self._set_interrupts,
        }
        unknown = [word for word in order if word not in known]
        if unknown:
            hint = did_you_mean(str(unknown[0]), known)
            return {"error": f"no order `{unknown[0]}`: {hint or 'known are ' + ', '.join(known) + ' and watch'}"}
        answer: dict[str, Any] = {}
        for word, value in order.items():
            answer |= known[word](value)
            if "error" in answer:
                return {"error": answer["error"]}
        return answer or {"ok": True}

    def _unknown(self, names: Sequence[Any]) -> str:
        """What is wrong with these names, or empty."""
        for name in names:
            if not isinstance(name, (str, int)) or isinstance(name, bool) or str(name) not in self._wires:
                return f"no line `{name}`: {did_you_mean(str(name), self._wires) or 'the io_map names ' + ', '.join(self._wires)}"
        return ""

    def _set(self, levels: Any) -> Mapping[str, Any]:
        if not isinstance(levels, dict) or not all(
            level is None or (isinstance(level, int) and level in (0, 1)) for level in levels.values()
        ):
            return {"error": '`set` takes lines and levels, 0, 1 or null where nothing is connected: {"set": {"4": 1}}'}
        wrong = self._unknown(list(levels))
        if wrong:
            return {"error": wrong}
        for name, level in levels.items():
            wire = self._wires[str(name)]
            before = wire.level
            wire.given = None if level is None else bool(level)
            if wire.level is not before and wire.input is not None:
                wire.input.report(wire.level)
        return {}

    def _get(self, names: Any) -> Mapping[str, Any]:
        if names in ("all", []):
            names = list(self._wires)
        wrong = self._unknown(names) if isinstance(names, list) else '`get` takes a list of lines, or "all"'
        if wrong:
            return {"error": wrong}
        return {"values": {str(name): int(self._wires[str(name)].level) for name in names}}

    def _set_live(self, live: Any) -> Mapping[str, Any]:
        if not isinstance(live, bool):
            return {"error": "`live` is true or false: whether the chip is there"}
        self._is_live = live
        for wire in self._wires.values():
            if not live and wire.input is not None:
                wire.input.lose()
            if not live:
                wire.driven, wire.left = None, None  # a chip without power drives nothing
        return {}

    def _set_busy(self, holders: Any) -> Mapping[str, Any]:
        if not isinstance(holders, dict) or not all(holder is None or isinstance(holder, str) for holder in holders.values()):
            return {"error": '`busy` takes lines and the program that holds each, or null: {"busy": {"4": "gpioset"}}'}
        wrong = self._unknown(list(holders))
        if wrong:
            return {"error": wrong}
        for name, holder in holders.items():
            self._wires[str(name)].holder = holder or ""
        return {}

    def _set_interrupts(self, has: Any) -> Mapping[str, Any]:
        if not isinstance(has, bool):
            return {"error": "`interrupts` is true or false: whether the chip reports edges of lines that are taken from now on"}
        self.has_interrupts = has
        return {}


class _TwinLine:
    def __init__(self, lines: TwinLines, wire: _Wire, line: InputLine | OutputLine):
        self._lines, self._wire, self._line = lines, wire, line


class _TwinOutput(_TwinLine):
    def write(self, level: bool) -> None:
        self._lines.check_live()
        self._lines.drive(self._wire, level is not self._line.active_low)

    def release(self) -> None:
        self._wire.left, self._wire.driven = self._wire.driven, None


class _TwinInput(_TwinLine):
    debounces = False

    def __init__(self, lines: TwinLines, wire: _Wire, line: InputLine):
        super().__init__(lines, wire, line)
        self.reports_edges = line.edges != "none" and lines.has_interrupts
        self._number = 0
        self._take: Callable[[Sequence[Edge]], None] | None = None

    def read(self) -> bool:
        self._lines.check_live()
        return self._wire.level is not self._line.active_low

    def watch(self, take: Callable[[Sequence[Edge]], None], lost: Callable[[], None]) -> None:
        self._take, self._lost = take, lost

    def report(self, level: bool) -> None:
        """The wire changed: an edge, where edges are reported."""
        if self._take is not None and self.reports_edges:
            self._number += 1
            self._take([Edge(time.monotonic_ns(), level is not self._line.active_low, self._number)])

    def lose(self) -> None:
        """The chip is gone."""
        if self._take is not None:
            self._lost()

    def unwatch(self) -> None:
        self._take = None

    def release(self) -> None:
        if self._wire.input is self:
            self._wire.input = None
