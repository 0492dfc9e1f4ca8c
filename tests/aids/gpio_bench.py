"""A GPIO panel on a bench: the driver under test, and the far side of its lines, simulated by the kernel or by the driver's twin.

`SimBench` makes a gpio-sim chip of its own (root and configfs: the lab, or a machine with gpio-sim), so that a test may unplug it.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runtime.fieldbus import driver
from runtime.system_tags import DEVICE_STATES
from tests.aids.fieldbus import Cells, Mapped, mapped

CONFIG = Path("/sys/kernel/config/gpio-sim")
LINES = 16
ESTOP = 8  # the line with this name
_number = itertools.count()


class SimChip:
    """A gpio-sim chip: its lines are pulled by the test. `named` gives names to lines."""

    def __init__(self, label: str, named: dict[int, str] | None = None):
        self.label = label
        self.config = CONFIG / f"bench{os.getpid()}-{next(_number)}"
        self.bank = self.config / "bank0"
        self.config.mkdir()
        self.bank.mkdir()
        (self.bank / "num_lines").write_text(str(LINES))
        (self.bank / "label").write_text(label)
        self.named = dict(named or {})
        for line, name in self.named.items():
            (self.bank / f"line{line}").mkdir()
            (self.bank / f"line{line}" / "name").write_text(name)
        self.live(True)

    def live(self, there: bool) -> None:
        """Plug the chip in, or take it away."""
        (self.config / "live").write_text("1" if there else "0")

    @property
    def is_live(self) -> bool:
        return (self.config / "live").read_text().strip() == "1"

    @property
    def name(self) -> str:
        return (self.bank / "chip_name").read_text().strip()

    @property
    def path(self) -> str:
        return f"/dev/{self.name}"

    def _line(self, line: int) -> Path:
        return Path("/sys/devices/platform") / (self.config / "dev_name").read_text().strip() / self.name / f"sim_gpio{line}"

    def pull(self, line: int, high: bool) -> None:
        (self._line(line) / "pull").write_text("pull-up" if high else "pull-down")

    def level(self, line: int) -> bool:
        return (self._line(line) / "value").read_text().strip() == "1"

    def level_file(self, line: int) -> Path:
        return self._line(line) / "value"

    def remove(self) -> None:
        if self.is_live:
            self.live(False)
        for line in self.named:
            (self.bank / f"line{line}").rmdir()
        self.bank.rmdir()
        self.config.rmdir()


class Client:
    """One end of a twin's socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.reader, self.writer = reader, writer

    @classmethod
    async def connect(cls, path: Path) -> Client:
        folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
        try:
            return cls(*await asyncio.open_unix_connection(f"/proc/self/fd/{folder}/{path.name}"))
        finally:
            os.close(folder)

    async def ask(self, order: Any) -> Any:
        self.writer.write(json.dumps(order).encode() + b"\n")
        return await self.hear()

    async def hear(self) -> Any:
        async with asyncio.timeout(10):
            return json.loads(await self.reader.readline())

    async def close(self) -> None:
        self.writer.close()


class Bench:
    """A panel's io_map connected: cells, and what the wires do. `async with` opens and closes it."""

    driver = ""

    def __init__(self, folder: Path, io_map: str):
        self.folder = folder
        head = f"device: panel\ndriver: {self.driver}\nchip: {self.chip_word()}\n"
        self.map: Mapped = mapped(head + textwrap.dedent(io_map))
        self.device = self.map.device
        self.inputs, self.outputs = Cells(max(1, len(self.device.inputs))), Cells(max(1, len(self.device.outputs)))
        self.connection = self.connect()

    def chip_word(self) -> str:
        return "desk"

    def connect(self) -> Any:
        return driver(self.driver).connect(self.device, self.inputs, self.outputs, self.folder)

    async def __aenter__(self) -> Any:
        await self.connection.open()
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.connection.close()

    def value(self, tag: str) -> int:
        return int(self.inputs.integer[self.map.slots[tag][0]])

    def values(self, tag: str) -> list[int]:
        return [int(self.inputs.integer[slot]) for slot in self.map.slots[tag]]

    def quality(self, tag: str) -> int:
        return int(self.inputs.quality[self.map.slots[tag][0]])

    def time(self, tag: str) -> int:
        return int(self.inputs.time[self.map.slots[tag][0]])

    def want(self, **levels: bool) -> None:
        """Give the outputs `p.NAME` these values, as the scan does."""
        for name, level in levels.items():
            self.outputs.integer[self.map.slots[f"p.{name}"][0]] = level
        self.connection.write()

    @property
    def state(self) -> str:
        return DEVICE_STATES[self.connection.health().state]

    async def until(self, holds: Callable[[], Any], what: str, seconds: float = 10.0) -> Any:
        deadline = time.monotonic() + seconds
        while not (found := holds()):
            assert time.monotonic() < deadline, f"not within {seconds} s: {what}; {self.connection.status()}"
            await asyncio.sleep(0.002)
        return found

    async def online(self) -> None:
        await self.until(lambda: self.state == "online", "online")


class TwinBench(Bench):
    """The driver `simulated`, moved through its socket."""

    driver = "simulated"
    client: Client

    async def __aenter__(self) -> TwinBench:
        await super().__aenter__()
        self.client = await Client.connect(self.folder / "panel.lines")
        self.watcher = await Client.connect(self.folder / "panel.lines")
        assert await self.watcher.ask({"watch": True}) == {"ok": True}
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.client.close()
        await self.watcher.close()
        await super().__aexit__()

    async def _order(self, **order: Any) -> Any:
        answer = await self.client.ask(order)
        assert "error" not in answer, answer
        return answer

    async def pull(self, line: int, high: bool) -> None:
        await self._order(set={"ESTOP" if line == ESTOP else str(line): int(high)})

    async def level(self, line: int) -> bool:
        return bool((await self._order(get=[str(line)]))["values"][str(line)])

    async def unplug(self) -> None:
        await self._order(live=False)

    async def plug(self) -> None:
        await self._order(live=True)

    async def occupy(self, line: int) -> Callable[[], Any]:
        await self._order(busy={str(line): "another"})
        return lambda: self._order(busy={str(line): None})

    async def without_interrupts(self, monkeypatch: Any) -> None:
        """Lines that are taken from now on report no edges; those that are ours are taken again."""
        await self._order(live=False)
        await self.until(lambda: self.state == "lost", "lost")
        await self._order(interrupts=False, live=True)

    def close(self) -> None:
        """Nothing is left: the twin ended with its connection."""


class SimBench(Bench):
    """The driver `gpio` on a gpio-sim chip."""

    driver = "gpio"

    def __init__(self, folder: Path, io_map: str):
        self.chip = SimChip(f"bench-{os.getpid()}-{next(_number)}", {ESTOP: "ESTOP"})
        super().__init__(folder, io_map)

    def chip_word(self) -> str:
        return f"{{label: {self.chip.label}}}"

    async def pull(self, line: int, high: bool) -> None:
        self.chip.pull(line, high)

    async def level(self, line: int) -> bool:
        return self.chip.level(line)

    async def unplug(self) -> None:
        self.chip.live(False)

    async def plug(self) -> None:
        self.chip.live(True)

    async def occupy(self, line: int) -> Callable[[], Any]:
        import gpiod

        request = gpiod.request_lines(self.chip.path, {line: None}, consumer="another")

        async def free() -> None:
            request.release()

        return free

    async def without_interrupts(self, monkeypatch: Any) -> None:
        """The kernel's answer for a chip without interrupts, which gpio-sim cannot be: ENXIO where edges are asked for."""
        import errno

        import gpiod
        from gpiod.line import Edge

        real = gpiod.Chip.request_lines

        def request_lines(chip: Any, config: Any, **options: Any) -> Any:
            if any(settings.edge_detection is not Edge.NONE for settings in config.values()):
                raise OSError(errno.ENXIO, "No such device or address")
            return real(chip, config, **options)

        monkeypatch.setattr(gpiod.Chip, "request_lines", request_lines)
        self.chip.live(False)
        await self.until(lambda: self.state == "lost", "lost")
        self.chip.live(True)

    def close(self) -> None:
        self.chip.remove()
