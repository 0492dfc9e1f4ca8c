"""Fieldbus tests in short: an io_map's text becomes a described device, and a fieldbus process beside a test's scan."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from runtime import child
from runtime.child import FieldbusOrder
from runtime.contract import Description, PointText
from runtime.fieldbus import driver
from runtime.language.loader import read_yaml
from runtime.model import Device, Point
from runtime.quality import BAD_WAITING_FOR_INITIAL_DATA
from runtime.source import Report, Section, Text, render
from tests.aids.fieldbus_child import ROOT, DeviceProcess, until

COLD_S = 90  # a machine whose cache is empty compiles the drivers' kernels first

GENERATION = 77
NS = {"ms": 10**6, "s": 10**9}


def section(text: str, file: str = "io_maps/device.yaml") -> Section:
    """YAML text as the language reads it."""
    report = Report()
    found = read_yaml(file, textwrap.dedent(text), report)
    assert found is not None and not report.problems, report.problems
    return found


def describe(io_map: str, site: str = "site: test", root: Path = ROOT) -> tuple[Description, Report]:
    """What the io_map's driver makes of it, and its problems."""
    device = section(io_map)
    report = Report()
    found = driver(device[Text("driver")]).describe(device, points_of(device), section(site, "config/site.yaml"), root, report)
    return found, report


def points_of(device: Section) -> list[PointText]:
    return [
        PointText(tag, words, part == "outputs")
        for part in ("inputs", "outputs")
        for tag, words in device.get(Text(part), Section()).items()
    ]


def problems(io_map: str, site: str = "site: test", root: Path = ROOT) -> str:
    """The problems as the engineer reads them; the io_map must be the text of a file below `root` for carets."""
    _, report = describe(io_map, site, root)
    (root / "io_maps").mkdir(exist_ok=True)
    (root / "io_maps" / "device.yaml").write_text(textwrap.dedent(io_map), encoding="utf-8")
    return render(sorted(report.problems), root)


@dataclass
class Mapped:
    """A described device laid out as the language does: every element a slot, in the order of the io_map."""

    device: Device
    slots: dict[str, tuple[int, ...]] = field(default_factory=dict)


def mapped(io_map: str, site: str = "site: test", root: Path = ROOT, first_input: int = 0, first_output: int = 0) -> Mapped:
    """The device of an io_map without mistakes."""
    description, report = describe(io_map, site, root)
    assert not report.problems, render(report.problems, root)
    text = section(io_map)
    slots: dict[str, tuple[int, ...]] = {}
    points: dict[bool, list[Point]] = {False: [], True: []}
    following = {False: first_input, True: first_output}
    for point in points_of(text):
        described = description.points[str(point.tag)]
        safe, after = _safe(point.section)
        start = following[point.is_output]
        for element, address in enumerate(described.addresses):
            kind = described.type or str(point.section[Text("type")])
            keeps = point.section.get("safe") == "keep"
            made = Point(str(point.tag), element, kind, start + element, address, safe, after, keeps=keeps)
            points[point.is_output].append(made)
        following[point.is_output] += len(described.addresses)
        slots[str(point.tag)] = tuple(range(start, following[point.is_output]))
    name, key = str(text[Text("device")]), str(text[Text("driver")])
    device = Device(name, key, description.settings, tuple(points[False]), tuple(points[True]), 300_000_000, 500_000_000)
    return Mapped(device, slots)


def _safe(words: Section) -> tuple[Any, int]:
    safe = words.get(Text("safe"), "0")
    after = 0
    if isinstance(safe, Section):
        number, unit = safe[Text("after")].split()
        after = int(float(number) * NS[unit])
        safe = safe[Text("value")]
    return {"true": 1, "false": 0, "keep": 0}[safe] if safe in ("true", "false", "keep") else float(safe.split()[0]), after


class Cells:
    """Inputs and Outputs of the contract, without shared memory."""

    def __init__(self, points: int):
        self.integer = np.zeros(points, np.int64)
        self.lreal = self.integer.view(np.float64)
        self.quality = np.full(points, BAD_WAITING_FOR_INITIAL_DATA, np.uint32)
        self.time = np.zeros(points, np.int64)
        self.changes = 0

    def changed(self) -> None:
        self.changes += 1


class FieldbusRun:
    """A fieldbus process under test, and the scan process that it serves."""

    def __init__(self, folder: Path, devices: Sequence[Device], *, inhibit: bool = False, scan_timeout: float = 0.3):
        self.folder = folder
        self.points = sum(len(d.inputs) + len(d.diagnostics) for d in devices)
        self.outputs = sum(len(d.outputs) for d in devices)
        self.wake = os.eventfd(0, os.EFD_NONBLOCK)
        self.order = FieldbusOrder(
            str(folder),
            str(ROOT),
            GENERATION,
            tuple(devices),
            self.points,
            self.outputs,
            self.wake,
            int(scan_timeout * 1e9),
            inhibit,
        )
        self.scan: DeviceProcess | None = None
        self.process: subprocess.Popen[bytes] | None = None
        self.log_path = folder / "fieldbus.log"
        self.is_up = False

    def start(self) -> None:
        with self.log_path.open("ab") as log:
            self.process = child.start("runtime.fieldbus.process", self.order, pass_fds=(self.wake,), stderr=log)

    def start_scan(self) -> DeviceProcess:
        self.scan = DeviceProcess(
            "fieldbus_scan", str(self.folder), str(GENERATION), str(self.outputs), str(self.wake), pass_fds=(self.wake,)
        )
        return self.scan

    def inbox(self) -> dict[str, Any]:
        """What the scan sees of the inputs; on a cold machine the fieldbus compiles before it publishes an inbox."""
        assert self.scan is not None
        if not self.is_up:
            said = '"event": "fieldbus up"'
            until(lambda: self.log_path.exists() and said in self.log_path.read_text(), COLD_S, "the fieldbus is up")
            self.is_up = True
        return self.scan.ask("inbox", points=self.points)  # type: ignore[no-any-return]

    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log_path.read_text().splitlines() if line.startswith("{")]

    def status(self) -> dict[str, Any]:
        return json.loads((self.folder / "fieldbus.json").read_text())  # type: ignore[no-any-return]

    def stop(self, seconds: float = 15.0) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.scan is not None:
            self.scan.close()
        os.close(self.wake)


@contextmanager
def fieldbus_run(folder: Path, devices: Sequence[Device], **options: Any) -> Iterator[FieldbusRun]:
    run = FieldbusRun(folder, devices, **options)
    try:
        yield run
    finally:
        run.close()
        if sys.exc_info()[0] is not None and run.log_path.exists():
            print(run.log_path.read_text()[-6000:])


def now() -> int:
    return time.monotonic_ns()
