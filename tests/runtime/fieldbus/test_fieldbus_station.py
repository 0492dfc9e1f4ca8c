"""A driver with a bug costs its own device a moment, and no other device anything."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from runtime.fieldbus import station as room
from runtime.fieldbus.safe import safe_steps, write_safe_values
from runtime.fieldbus.station import Station
from runtime.fieldbus.tend import Backoff, end_task, tend
from runtime.model import Device, Point
from runtime.quality import BAD_NO_COMMUNICATION
from tests.aids.fieldbus import Cells

POINTS = (Point("d.in", 0, "LREAL", 0, None),)
DEVICE = Device("d", "buggy", None, POINTS, (Point("d.out", 0, "BOOL", 0, None), Point("d.late", 0, "BOOL", 1, None)), 0, 0)


class Buggy:
    """A driver whose first connection raises in the method that the test names; the later ones work."""

    def __init__(self, where: str):
        self.where = where
        self.connections: list[Any] = []

    def connect(self, device: Device, inputs: Any, outputs: Any, run_dir: Path) -> "Buggy.Connection":
        connection = Buggy.Connection(self.where if not self.connections else "")
        self.connections.append(connection)
        return connection

    class Connection:
        def __init__(self, where: str):
            self.where, self.calls = where, []

        def _do(self, what: str) -> None:
            self.calls.append(what)
            if what == self.where:
                raise RuntimeError(f"a bug in {what}")

        async def open(self) -> None:
            self._do("open")

        def write(self) -> None:
            self._do("write")

        async def write_safe(self, slots: Any) -> None:
            self._do("write_safe")
            self.calls.append(tuple(sorted(slots)))

        async def close(self) -> None:
            self._do("close")

        def status(self) -> dict[str, Any]:
            return {"driver": "buggy", "connected": True}


def make(where: str) -> tuple[Buggy, Station, Cells]:
    driver, cells = Buggy(where), Cells(1)
    cells.quality[0] = 0
    return driver, Station(driver, DEVICE, cells, Cells(2), Path()), cells  # type: ignore[arg-type]


async def mended(driver: Buggy) -> None:
    for _ in range(500):
        if len(driver.connections) > 1 and "open" in driver.connections[1].calls:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not restarted")


def test_a_bug_marks_the_inputs_and_a_fresh_connection_takes_over(monkeypatch):
    monkeypatch.setattr(room, "PAUSE", 0.02)

    async def run(where: str) -> None:
        driver, station, cells = make(where)
        station.connect()
        await station.open()
        station.write()
        await station.write_safe([0])
        assert cells.quality[0] == BAD_NO_COMMUNICATION
        await mended(driver)
        station.write()
        assert driver.connections[1].calls[-1] == "write"
        assert station.status()["failures"] == 1
        await station.close()
        assert driver.connections[1].calls[-1] == "close"

    for where in ("open", "write", "write_safe"):
        asyncio.run(run(where))


def test_a_restarted_driver_is_told_which_outputs_are_at_their_safe_values(monkeypatch):
    monkeypatch.setattr(room, "PAUSE", 0.02)

    async def run() -> None:
        driver, station, _ = make("write_safe")
        station.connect()
        await station.open()
        await station.write_safe([0])
        await station.write_safe([1])
        await mended(driver)
        await asyncio.sleep(0.01)
        assert driver.connections[1].calls[-1] == (0, 1)
        await station.close()

    asyncio.run(run())


def test_safe_values_that_a_driver_failed_to_write_are_missed():
    async def run() -> None:
        _, station, _ = make("write_safe")
        station.connect()
        await station.open()
        assert station.status()["connected"] is True
        assert await write_safe_values(safe_steps([DEVICE]), {"d": station}) == {"d"}
        assert station.status()["connected"] is False, "it is being mended"
        await station.close()

    asyncio.run(run())


@pytest.mark.parametrize(("answer", "missed"), [(None, set()), (True, set()), (False, {"d"})])
def test_a_driver_that_says_no_to_safe_values_has_missed_them(answer, missed):
    async def run() -> None:
        driver, station, _ = make("")
        station.connect()
        await station.open()

        async def write_safe(slots: Any) -> bool | None:
            return answer

        driver.connections[0].write_safe = write_safe
        assert await write_safe_values(safe_steps([DEVICE]), {"d": station}) == missed
        await station.close()

    asyncio.run(run())


def test_a_bug_while_closing_does_not_stop_the_end():
    async def run() -> None:
        _, station, cells = make("close")
        station.connect()
        await station.open()
        await station.close()
        assert cells.quality[0] == BAD_NO_COMMUNICATION
        assert station.status()["connected"] is False

    asyncio.run(run())


def test_a_task_that_fails_is_started_again_and_says_why(monkeypatch):
    from runtime.fieldbus import tend as tend_room

    monkeypatch.setattr(tend_room, "PAUSE", 0.01)
    failures: list[str] = []
    runs = 0

    async def work() -> None:
        nonlocal runs
        runs += 1
        if runs < 3:
            raise ValueError(f"bug {runs}")
        await asyncio.sleep(60)

    async def run() -> None:
        task = asyncio.create_task(tend("d", work, lambda error: failures.append(str(error))))
        while runs < 3:
            await asyncio.sleep(0.005)
        await end_task(task)

    asyncio.run(run())
    assert failures == ["bug 1", "bug 2"]


def test_a_task_that_swallows_its_cancellation_is_ended_all_the_same():
    async def stubborn() -> None:
        for _ in range(3):
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                continue

    async def run() -> None:
        task = asyncio.create_task(stubborn())
        await asyncio.sleep(0)
        await asyncio.wait_for(end_task(task), 2.0)

    asyncio.run(run())


def test_pauses_double_up_to_the_limit_and_begin_again():
    backoff = Backoff(0.1, 2.0)
    pauses = [backoff.pause() for _ in range(7)]
    for pause, expected in zip(pauses, (0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0)):
        assert 0.9 * expected <= pause <= 1.1 * expected
    backoff.reset()
    assert backoff.pause() <= 0.11
