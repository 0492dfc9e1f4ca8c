"""The tags of a device: what its connection says of its health, in the slots that the scan reads, ten times a second."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import structlog

from runtime import child
from runtime.contract import Health
from runtime.fieldbus import station as room
from runtime.fieldbus.station import Station
from runtime.model import Device, Point
from runtime.quality import GOOD
from runtime.system_tags import DEVICE_STATES, DEVICE_TAGS
from tests.aids.fieldbus import Cells, FieldbusRun, fieldbus_run, mapped
from tests.aids.fieldbus_child import DeviceProcess, until

CLOSED, CONNECTING, ONLINE, DEGRADED, LOST = range(5)
ADDRESSES = {
    **{name: type for name, type, _, _ in DEVICE_TAGS},
    "errors_timeout": "LINT",
    "errors_crc": "LINT",
    "suspended": "BOOL",
}


def diagnostics(first: int, name: str = "d") -> tuple[Point, ...]:
    """The points that the language gives a device whose driver knows these kinds and conditions."""
    return tuple(Point(f"device.{name}.{a}", 0, type, first + i, a) for i, (a, type) in enumerate(ADDRESSES.items()))


DEVICE = Device("d", "scripted", None, (Point("d.in", 0, "LREAL", 0, None),), (), 0, 0, diagnostics=diagnostics(1))


class Scripted:
    """A driver whose connections say what the test wants, or raise."""

    def __init__(self) -> None:
        self.said = Health(CONNECTING, math.nan, 0, 0, {})
        self.bug = False
        self.connections = 0

    def connect(self, device: Device, inputs: Any, outputs: Any, run_dir: Path) -> Scripted:
        self.connections += 1
        return self

    def health(self) -> Health:
        if self.bug:
            raise RuntimeError("a bug in health")
        return self.said

    def status(self) -> dict[str, Any]:
        return {"connected": True}

    async def open(self) -> None:
        return None

    async def close(self) -> None:
        return None


class Bench:
    """A station, its cells, and what stands in each of the device's tags."""

    def __init__(self) -> None:
        self.driver, self.cells = Scripted(), Cells(1 + len(ADDRESSES))
        self.station = Station(self.driver, DEVICE, self.cells, Cells(0), Path())  # type: ignore[arg-type]

    def show(self, **said: Any) -> None:
        self.driver.said = replace(self.driver.said, **said)
        self.station.show_health()

    def __getitem__(self, address: str) -> float | int:
        slot = next(p.slot for p in DEVICE.diagnostics if p.address == address)
        return (self.cells.lreal if ADDRESSES[address] == "LREAL" else self.cells.integer)[slot].item()


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(room, "PAUSE", 0.01)
    return Bench()


async def until_true(condition: Any) -> None:
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not within 5 s")


def test_every_tag_says_what_the_connection_says(bench: Bench) -> None:
    async def run() -> None:
        bench.station.connect()
        await bench.station.open()
        good = time.monotonic_ns() - 3_000_000_000
        bench.show(
            state=DEGRADED,
            round_trip=0.0042,
            exchanges=77,
            last_good=good,
            errors={"timeout": 2, "crc": 1},
            conditions=frozenset({"suspended"}),
        )
        assert {address: bench[address] for address in ADDRESSES if address != "last_good"} == {
            "state": DEGRADED,
            "lost": 0,
            "round_trip": pytest.approx(4.2),
            "exchanges": 77,
            "errors": 3,
            "errors_timeout": 2,
            "errors_crc": 1,
            "suspended": 1,
        }
        assert abs(bench["last_good"] - (time.time_ns() - 3_000_000_000)) < 1_000_000_000
        assert (bench.cells.quality[1:] == GOOD).all() and (time.monotonic_ns() - bench.cells.time[1:] < 5e9).all()
        assert bench.cells.quality[0] != GOOD, "the device's own input is none of its business"
        assert bench.cells.changes

    asyncio.run(run())


@pytest.mark.parametrize("state", range(len(DEVICE_STATES)))
def test_only_a_lost_device_is_lost(bench: Bench, state: int) -> None:
    async def run() -> None:
        bench.station.connect()
        await bench.station.open()
        bench.show(state=state)
        assert (bench["state"], bench["lost"]) == (state, int(DEVICE_STATES[state] == "lost"))

    asyncio.run(run())


def test_where_nothing_is_asked_the_round_trip_is_0_and_before_the_first_contact_last_good_is_0(bench: Bench) -> None:
    async def run() -> None:
        bench.station.connect()
        await bench.station.open()
        bench.show(round_trip=math.nan)
        assert (bench["round_trip"], bench["last_good"]) == (0.0, 0)

    asyncio.run(run())


def test_the_time_of_the_last_good_answer_stands_while_none_comes(bench: Bench) -> None:
    async def run() -> None:
        bench.station.connect()
        await bench.station.open()
        bench.show(last_good=time.monotonic_ns())
        first = bench["last_good"]
        for _ in range(50):
            bench.show()
        assert bench["last_good"] == first

    asyncio.run(run())


def test_a_change_of_state_is_logged_once(bench: Bench) -> None:
    async def run() -> None:
        bench.station.connect()
        await bench.station.open()
        for state in (CONNECTING, ONLINE, ONLINE, LOST, LOST, LOST, ONLINE):
            bench.show(state=state)

    with structlog.testing.capture_logs() as log:
        bench.station._log = structlog.get_logger()
        asyncio.run(run())
    assert [(e["log_level"], e["was"], e["now"]) for e in log if e["event"] == "device state"] == [
        ("info", "connecting", "online"),
        ("warning", "online", "lost"),
        ("info", "lost", "online"),
    ]


def test_a_driver_that_raises_in_health_is_lost_and_mended_and_its_counters_go_on(bench: Bench) -> None:
    async def run() -> None:
        bench.station.connect()
        await bench.station.open()
        bench.show(state=ONLINE, exchanges=100, errors={"timeout": 4})
        bench.driver.bug = True
        bench.station.show_health()
        assert (bench["state"], bench["lost"]) == (LOST, 1)
        bench.driver.bug = False
        bench.driver.said = Health(ONLINE, math.nan, 0, 0, {})
        await until_true(lambda: bench.driver.connections == 2)
        bench.show(exchanges=5, errors={"timeout": 1, "crc": 2})
        assert (bench["state"], bench["exchanges"], bench["errors_timeout"], bench["errors_crc"]) == (ONLINE, 105, 5, 2)
        assert bench["errors"] == 8, "seven of the device, and the driver's failure"
        await bench.station.close()

    asyncio.run(run())


def test_one_bug_is_one_failure_however_often_health_is_asked(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "PAUSE", 60.0)

    async def run() -> None:
        bench.station.connect()
        await bench.station.open()
        bench.driver.bug = True
        for _ in range(20):
            bench.station.show_health()
            await asyncio.sleep(0)
        assert bench.station.status()["failures"] == 1 and bench["errors"] == 1
        await bench.station.close()

    asyncio.run(run())


def test_after_the_end_the_state_is_closed_and_the_counters_stand(bench: Bench) -> None:
    async def run() -> None:
        bench.station.connect()
        await bench.station.open()
        bench.show(state=ONLINE, exchanges=9, errors={"crc": 3})
        await bench.station.close()
        bench.station.show_health()
        assert (bench["state"], bench["lost"], bench["exchanges"], bench["errors_crc"]) == (CLOSED, 0, 9, 3)

    asyncio.run(run())


# --- through the real process and a real device ----------------------------------------------------------------------

PCS = """
    device: pcs
    driver: modbus
    host: 127.0.0.1
    port: PORT
    poll: 20 ms
    inputs:
      pcs.p: {register: input 0}
    outputs:
      pcs.p_cmd: {register: holding 0, safe: 0, every: 200 ms}
"""


@pytest.fixture
def pcs() -> Iterator[DeviceProcess]:
    made = DeviceProcess("fieldbus_modbus", "0")
    yield made
    made.close()


@pytest.fixture
def run(tmp_path: Path, pcs: DeviceProcess) -> Iterator[FieldbusRun]:
    device = mapped(PCS.replace("PORT", str(pcs.ready["port"]))).device
    with fieldbus_run(tmp_path, [replace(device, diagnostics=diagnostics(1, "pcs"))]) as running:
        yield running


def tags(run: FieldbusRun) -> dict[str, Any]:
    """What the scan sees of the device's tags; nothing where one of them is not good."""
    box = run.inbox()
    points = run.order.devices[0].diagnostics
    if any(box["quality"][p.slot] != GOOD for p in points):
        return {}
    return {str(p.address): box["lreal" if p.type == "LREAL" else "integer"][p.slot] for p in points}


def test_the_scan_sees_a_device_come_go_and_come_back(run: FieldbusRun, pcs: DeviceProcess) -> None:
    run.start()
    scan = run.start_scan()
    scan.ask("set", values={0: 5})
    until(lambda: tags(run).get("state") == ONLINE, 20, "online")
    before = tags(run)
    assert before["lost"] == 0 and before["round_trip"] > 0 and before["exchanges"] > 0
    assert abs(time.time_ns() - before["last_good"]) < 10e9
    until(lambda: tags(run)["exchanges"] > before["exchanges"], 5, "exchanges are counted")
    pcs.ask("unplug")
    until(lambda: tags(run).get("lost") == 1, 10, "lost")
    gone = tags(run)
    assert gone["state"] == LOST
    until(lambda: tags(run)["errors"] > 0, 5, "errors are counted")
    stood = tags(run)["last_good"]
    pcs.ask("plug")
    until(lambda: tags(run).get("state") in (ONLINE, DEGRADED), 20, "back")
    until(lambda: tags(run)["last_good"] > stood, 5, "the time of the last good answer goes on")
    states = [(e["was"], e["now"]) for e in run.log() if e["event"] == "device state"]
    assert ("online", "lost") in states and len(states) <= 6, "a line for each change"
    assert run.stop() == 0
    assert tags(run)["state"] == CLOSED


def test_a_device_that_did_not_take_its_safe_values_is_told_by_exit_code_and_status(run: FieldbusRun, pcs: DeviceProcess) -> None:
    run.start()
    run.start_scan().ask("set", values={0: 5})
    until(lambda: tags(run).get("state") == ONLINE, 20, "online")
    pcs.ask("unplug")
    until(lambda: tags(run).get("lost") == 1, 10, "lost")
    assert run.stop() == child.EXIT_MISSED
    assert run.status()["missed"] == ["pcs"]
    assert run.status()["devices"]["pcs"]["state"] == "closed"


def test_a_device_that_came_back_before_the_end_is_not_missed(run: FieldbusRun, pcs: DeviceProcess) -> None:
    run.start()
    scan = run.start_scan()
    scan.ask("set", values={0: 5})
    until(lambda: tags(run).get("state") == ONLINE, 20, "online")
    pcs.ask("unplug")
    until(lambda: tags(run).get("lost") == 1, 10, "lost")
    scan.ask("state", state=2)
    until(lambda: run.folder.joinpath("fieldbus.json").exists() and run.status()["missed"] == ["pcs"], 10, "the stop missed it")
    pcs.ask("plug")
    until(lambda: tags(run).get("state") in (ONLINE, DEGRADED), 20, "back")
    assert run.stop() == 0
    assert run.status()["missed"] == []
    assert pcs.ask("written")[-1]["values"] == [0]
