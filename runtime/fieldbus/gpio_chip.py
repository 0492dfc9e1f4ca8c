"""The lines of a GPIO chip of this machine, through gpiod 2 and the kernel's character device. It must not know tags.

Each line is a request of its own, so that a line that is busy or unfit costs the others nothing.
"""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import gpiod
from gpiod.line import Bias, Clock, Direction, Drive, Value
from gpiod.line import Edge as Detection

from runtime.fieldbus.gpio_lines import Edge, HeldInput, HeldOutput, LineError
from runtime.fieldbus.gpio_words import ChipName, InputLine, OutputLine
from runtime.source import did_you_mean

EVENT_BUFFER = 1024  # edges that the kernel keeps of a line; its own limit
STORM, BREATH = 256, 0.02  # edges in one batch, and the seconds that other devices then have the loop for themselves
LONGEST_CONSUMER = 31  # bytes, the kernel's limit
RISING = gpiod.EdgeEvent.Type.RISING_EDGE
BIASES = {"as-is": Bias.AS_IS, "disabled": Bias.DISABLED, "pull-up": Bias.PULL_UP, "pull-down": Bias.PULL_DOWN}
DRIVES = {"push-pull": Drive.PUSH_PULL, "open-drain": Drive.OPEN_DRAIN, "open-source": Drive.OPEN_SOURCE}
DETECTIONS = {"none": Detection.NONE, "rising": Detection.RISING, "falling": Detection.FALLING, "both": Detection.BOTH}
ENOTSUPP = 524  # the kernel's own, which some GPIO drivers let out
CANNOT = frozenset({errno.EINVAL, errno.ENXIO, errno.EOPNOTSUPP, errno.ENOSYS, errno.ENOTTY, ENOTSUPP})
DENIED = (
    "permission denied; put the user that runs bessplc into the device's group (`sudo usermod -aG gpio bessplc`), "
    'or add the udev rule `SUBSYSTEM=="gpio", GROUP="gpio", MODE="0660"`'
)


def find_chip(name: ChipName) -> str:
    """The device file of the chip that the io_map names. Raises LineError where it is absent, ambiguous or not ours to open."""
    if name.by == "path":
        return name.value
    found: list[str] = []
    others: list[str] = []
    denied: list[str] = []
    for path in sorted(str(p) for p in Path("/dev").glob("gpiochip*")):
        try:
            with gpiod.Chip(path) as chip:
                info = chip.get_info()
        except PermissionError:
            denied.append(path)
            continue
        except OSError:
            continue  # it was unplugged while we looked
        known = {"name": (info.name,), "label": (info.label,), "": (info.name, info.label)}[name.by]
        (found if name.value in known else others).append(f"{path} (label `{info.label}`)")
    if len(found) > 1:
        raise LineError("chip_ambiguous", f"{len(found)} chips have the {name}: {', '.join(found)}; name one by its path")
    if found:
        return found[0].partition(" ")[0]
    if denied:
        raise LineError("permission", f"no chip with the {name} could be opened, and {', '.join(denied)}: {DENIED}")
    there = f"there are {', '.join(others)}" if others else "this machine has none"
    raise LineError("chip_absent", f"no GPIO chip has the {name}: {there}")


class ChipLines:
    """The lines of one chip; `consumer` is the name that `gpioinfo` shows for the lines we hold. Satisfies `gpio_lines.Lines`."""

    def __init__(self, name: ChipName, consumer: str):
        self._name = name
        self._consumer = consumer.encode()[:LONGEST_CONSUMER].decode(errors="ignore")
        self._chip: gpiod.Chip | None = None
        self._names: list[str] = []

    async def start(self) -> None:
        """The kernel's chip is there by itself, or not."""

    def open(self) -> None:
        """Find and open the chip, and learn the names of its lines. Raises LineError."""
        path = find_chip(self._name)
        try:
            chip = gpiod.Chip(path)
            self._names = [chip.get_line_info(i).name or "" for i in range(chip.get_info().num_lines)]
        except PermissionError:
            raise LineError("permission", f"{path}: {DENIED}") from None
        except OSError as error:
            raise LineError("chip_absent", f"{path}: {error.strerror}") from None
        self._chip = chip

    def hold_input(self, line: InputLine) -> HeldInput:
        """Take a line as an input; where the chip has no interrupts, without edges and the kernel's debounce. Raises LineError."""
        offset = self._offset(line.line)
        settings = gpiod.LineSettings(
            direction=Direction.INPUT,
            active_low=line.active_low,
            bias=BIASES[line.bias],
            edge_detection=DETECTIONS[line.edges],
            debounce_period=timedelta(microseconds=-(-line.debounce // 1000)),
            event_clock=Clock.MONOTONIC,
        )
        try:
            return _ChipInput(self._request(offset, settings), offset, line.edges != "none", bool(line.debounce))
        except OSError as error:
            if error.errno not in CANNOT or (line.edges == "none" and not line.debounce):
                raise self._explain(error, line.line, offset) from None
        settings.edge_detection, settings.debounce_period = Detection.NONE, timedelta(0)
        try:
            return _ChipInput(self._request(offset, settings), offset, False, False)
        except OSError as error:
            raise self._explain(error, line.line, offset) from None

    def hold_output(self, line: OutputLine, level: bool) -> HeldOutput:
        """Take a line as an output. The kernel sets direction and level in one step. Raises LineError."""
        offset = self._offset(line.line)
        settings = gpiod.LineSettings(
            direction=Direction.OUTPUT,
            active_low=line.active_low,
            bias=BIASES[line.bias],
            drive=DRIVES[line.drive],
            output_value=Value.ACTIVE if level else Value.INACTIVE,
        )
        try:
            return _ChipOutput(self._request(offset, settings), offset)
        except OSError as error:
            raise self._explain(error, line.line, offset) from None

    def close(self) -> None:
        """Give the chip back."""
        chip, self._chip = self._chip, None
        if chip is not None:
            chip.close()

    async def stop(self) -> None:
        """Nothing is left to stop."""

    def _request(self, offset: int, settings: gpiod.LineSettings) -> gpiod.LineRequest:
        if self._chip is None:
            raise LineError("unplugged", "the chip is not open")
        return self._chip.request_lines({offset: settings}, consumer=self._consumer, event_buffer_size=EVENT_BUFFER)

    def _offset(self, line: int | str) -> int:
        """The number of a line. Raises LineError."""
        if isinstance(line, int):
            if line < len(self._names):
                return line
            raise LineError("line_absent", f"the chip has the lines 0 to {len(self._names) - 1}, not {line}")
        places = [i for i, name in enumerate(self._names) if name == line]
        if len(places) == 1:
            return places[0]
        if places:
            raise LineError("line_absent", f"the lines {', '.join(map(str, places))} are all named `{line}`: use a number")
        hint = did_you_mean(line, [name for name in self._names if name])
        raise LineError("line_absent", f"no line of the chip is named `{line}`; {hint or 'gpioinfo lists them'}")

    def _explain(self, error: OSError, line: int | str, offset: int) -> LineError:
        """What the kernel's refusal means for this line."""
        if error.errno == errno.EBUSY:
            return LineError("busy", f"line {line} is held by {self._holder(offset)}")
        if error.errno == errno.ENODEV:
            return LineError("unplugged", "the chip is gone")
        if error.errno in (errno.EPERM, errno.EACCES):
            return LineError("refused", f"line {line} is not for programs to use: {error.strerror}")
        if error.errno in CANNOT:
            return LineError("refused", f"the chip cannot do what line {line} asks for: {os.strerror(error.errno or 0)}")
        return LineError("failed", f"line {line}: {error.strerror}")

    def _holder(self, offset: int) -> str:
        try:
            consumer = self._chip.get_line_info(offset).consumer if self._chip is not None else ""
        except OSError:
            consumer = ""
        if consumer == self._consumer:
            return "this device itself, by another name"
        return f"`{consumer}`" if consumer else "a program or kernel driver that gives no name"


class _ChipLine:
    """One request of one line."""

    def __init__(self, request: gpiod.LineRequest, offset: int):
        self._request, self._offset = request, offset

    def _failure(self, error: OSError) -> LineError:
        if error.errno == errno.ENODEV:
            return LineError("unplugged", "the chip is gone")
        return LineError("failed", f"line {self._offset}: {error.strerror}")

    def release(self) -> None:
        self._request.release()


class _ChipOutput(_ChipLine):
    def write(self, level: bool) -> None:
        try:
            self._request.set_value(self._offset, Value.ACTIVE if level else Value.INACTIVE)
        except OSError as error:
            raise self._failure(error) from None


class _ChipInput(_ChipLine):
    def __init__(self, request: gpiod.LineRequest, offset: int, reports_edges: bool, debounces: bool):
        super().__init__(request, offset)
        self.reports_edges, self.debounces = reports_edges, debounces
        self._take: Callable[[Sequence[Edge]], None] | None = None
        self._breath: asyncio.TimerHandle | None = None
        os.set_blocking(request.fd, False)  # a wake-up without an edge must not stop the loop

    def read(self) -> bool:
        try:
            return bool(self._request.get_value(self._offset))
        except OSError as error:
            raise self._failure(error) from None

    def watch(self, take: Callable[[Sequence[Edge]], None], lost: Callable[[], None]) -> None:
        if self.reports_edges:
            self._take, self._lost = take, lost
            self._listen()

    def _listen(self) -> None:
        self._breath = None
        asyncio.get_running_loop().add_reader(self._request.fd, self._ready)

    def _ready(self) -> None:
        """Edges wait, or the chip is gone."""
        loop = asyncio.get_running_loop()
        try:
            events = self._request.read_edge_events(EVENT_BUFFER)
        except BlockingIOError:
            return
        except OSError:
            loop.remove_reader(self._request.fd)
            self._lost()  # the next reading says why
            return
        if len(events) >= STORM:
            loop.remove_reader(self._request.fd)
            self._breath = loop.call_later(BREATH, self._listen)
        if self._take is not None:
            self._take([Edge(e.timestamp_ns, e.event_type is RISING, e.line_seqno) for e in events])

    def unwatch(self) -> None:
        if self._take is None:
            return
        self._take = None
        if self._breath is not None:
            self._breath.cancel()
        asyncio.get_running_loop().remove_reader(self._request.fd)
