"""The bench's door to a running site, with a plant's socket, a scan and an audit log that write down what they are told."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from runtime.prequalify.bench import NotReadyError
from runtime.prequalify.live import LiveDoor, NoPlantError, Plant
from runtime.prequalify.orders import Order


class PlantSocket:
    """The far end of a plant's control socket: obeys everything but a frequency above 80 Hz."""

    def __init__(self) -> None:
        ours, self.line = socket.socketpair()
        self.told: list[tuple[str, float | None]] = []
        self._thread = threading.Thread(target=self._obey, args=(ours,), daemon=True)
        self._thread.start()

    def _obey(self, line: socket.socket) -> None:
        with line, line.makefile("rw") as talk:
            for asked in talk:
                word = json.loads(asked)
                refused = word["what"] == "frequency_hz" and (word["value"] or 0.0) > 80.0
                self.told.append((word["what"], word["value"]))
                talk.write(json.dumps({"ok": False, "error": "too fast"} if refused else {"ok": True}) + "\n")
                talk.flush()


@dataclass
class Running:
    """A site with three tags; its scan takes every command but those of `set.ffr`."""

    values: dict[str, float] = field(default_factory=lambda: {"set.fcr_n": 7.0, "set.ffr": 0.0, "cmd.go": 0.0, "grid.p": 12.5})
    written: list[tuple[str, float]] = field(default_factory=list)
    deeds: list[Any] = field(default_factory=list)
    age: float = 0.0

    @property
    def site(self) -> Any:
        return SimpleNamespace(schedule=SimpleNamespace(tags=[self.tag(name) for name in self.values]), constants={"f0": "60 Hz"})

    def tag(self, name: str) -> Any:
        return SimpleNamespace(name=name, pulse=name.startswith("cmd."), type="LREAL")

    def value(self, tag: Any) -> float:
        return self.values[tag.name]

    def refresh(self) -> bool:
        return True

    def flush(self) -> bool:
        return True

    def keep(self, deed: Any) -> None:
        self.deeds.append(deed)

    def ask(self, put: Any) -> Any:
        put(self)
        refused = self.written[-1][0] == "set.ffr"
        return SimpleNamespace(is_taken=not refused, text="refused: outside the tag's range" if refused else "taken", scan=41)

    def write(self, tag: Any, value: float, role: str) -> int:
        assert role == "engineer"
        self.written.append((tag.name, value))
        self.values[tag.name] = value
        return 1


@pytest.fixture
def plant() -> Iterator[PlantSocket]:
    made = PlantSocket()
    with made.line:
        yield made


@pytest.fixture
def running() -> Running:
    return Running()


@pytest.fixture
def door(plant: PlantSocket, running: Running) -> LiveDoor:
    return LiveDoor(running, running, Plant(plant.line), running)  # type: ignore[arg-type]


def test_the_load_beside_the_battery_is_taken_away_and_only_what_changes_is_told(door, plant):
    for f in (60.0, 60.0, 59.9):
        door.apply(f, 1.0)
    assert plant.told == [("load_kw", 0.0), ("pv_kw", 0.0), ("frequency_hz", 60.0), ("voltage_v", 230.9), ("frequency_hz", 59.9)]
    assert door.nominal == 60.0


def test_what_was_set_is_set_again_and_the_grid_goes_its_own_way(door, plant, running):
    """A command that acts once is nothing to put back."""
    for order in (Order("set.fcr_n", 100.0), Order("set.fcr_n", 200.0), Order("cmd.go", True)):
        door.write(order)
    door.give_back()
    assert running.written[-1] == ("set.fcr_n", 7.0) and len(running.written) == 4
    assert plant.told[-4:] == [("frequency_hz", None), ("voltage_v", None), ("load_kw", None), ("pv_kw", None)]


def test_every_command_stands_in_the_audit_log_also_a_refused_one(door, running):
    door.write(Order("set.fcr_n", 100.0))
    with pytest.raises(NotReadyError, match=r"the site refuses set\.ffr = 5: refused: outside the tag's range"):
        door.write(Order("set.ffr", 5))
    lines = [(d.action, d.subject, d.old, d.new, d.taken, d.scan) for d in running.deeds]
    assert lines == [("prequalify", "set.fcr_n", 7.0, 100.0, True, 41), ("prequalify", "set.ffr", 0.0, 5, False, 41)]


def test_import_at_the_meter_is_power_that_the_plant_takes(door):
    assert door.meter() == (-12.5, 0.0)


def test_a_plant_that_refuses_or_is_gone_ends_the_test(door, plant):
    with pytest.raises(NoPlantError, match=r"refuses frequency_hz = 99\.0: too fast"):
        door.apply(99.0, 1.0)
    plant.line.shutdown(socket.SHUT_RDWR)
    with pytest.raises(NoPlantError, match="does not answer any more"):
        door.apply(50.0, 1.0)


def test_steps_are_counted_from_the_beginning_and_late_ones_are_told(door):
    door._begun -= 1.0  # the computer stood still for a second
    door.step(10)
    door.step(100)
    assert door.seconds == pytest.approx(1.1)
    assert door.late >= 1 and door.latest > 0.85
    assert door.keeping().startswith(f"{door.late} steps ended more than 20 ms late, the latest ")
