"""A dead SCADA leaves no setpoint standing: fallbacks, time-outs, and heartbeats both ways, with pymodbus as SCADA."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymodbus.client import ModbusTcpClient

from runtime.engine import north
from runtime.language.loader import read_yaml
from runtime.quality import BAD_NOT_CONNECTED, UNCERTAIN_LAST_USABLE
from runtime.servers.audit import Deed, Who
from runtime.servers.door import Door
from runtime.servers.modbus.guard import Guard
from runtime.servers.modbus.image import RegisterImage
from runtime.servers.modbus.map_words import describe_map
from runtime.source import Report
from tests.aids.servers_process import ServerProcess, eventually, serving
from tests.aids.servers_scan import TestScan

MAP = """
hmi.p_set: {register: holding 0, as: int16, scale: 0.1, fallback: 5 kW, timeout: 400 ms}
hmi.limit: {register: holding 1, as: int16, fallback: -1, timeout: never}
hmi.steps: {register: holding 2, as: float32, fallback: 0, timeout: 300 ms}
hmi.enable: coil 0
bms.soc: {register: input 0, bad: exception}
bms.current: {register: input 2, as: int16, bad: nan}
bms.cycles: {register: input 3, as: int16}
bms.ok: {register: discrete 0, bad: exception}
qualities: discrete 100
heartbeat: {register: input 60, every: 20 ms, limit: 999}
expect: {register: holding 50, within: 1 s, status: discrete 60, tag: hmi.enable}
"""
SCADA = Who("eva", "operator", "10.0.0.9:4711")


class Bench:
    """A guard over a test scan, without a server: `look` is called by hand."""

    def __init__(self, scan: TestScan, text: str):
        report = Report()
        section = read_yaml("io_maps/scada.yaml", text, report)
        assert section is not None
        entries = describe_map(section, scan.tags, report)
        assert not report.problems, report.problems
        self.scan, self.image = scan, RegisterImage(entries, scan.region, "refuse")
        self.door = Door(scan.order("modbus"))
        self.deeds: list[Deed] = []
        self.door.keep.append(self.deeds.append)
        self.guard = Guard(self.door)
        self.guard.follow(self.image)

    async def write(self, name: str, value: Any, who: Who = SCADA, element: int = 0) -> None:
        assert (await self.door.write(self.scan.by_name[name], value, who, element)).is_taken

    async def until(self, condition: Any, seconds: float = 5) -> None:
        until = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < until, "still not so"
            await self.guard.look()
            await asyncio.sleep(0.01)

    async def seen(self) -> None:
        await self.until(lambda: not self.door.is_stale())

    async def for_a_while(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            await self.guard.look()
            await asyncio.sleep(0.01)


@pytest.fixture
def scan(tmp_path: Path) -> Iterator[TestScan]:
    scan = TestScan(tmp_path)
    yield scan
    scan.stop()


def on(scan: TestScan, text: str, story: Any) -> Bench:
    bench = Bench(scan, text)
    try:
        asyncio.run(story(bench))
    finally:
        bench.door.close()
    return bench


P_SET = "hmi.p_set: {register: holding 0, fallback: 5, timeout: 300 ms}"


def test_a_setpoint_that_is_not_written_again_falls_back_and_the_audit_says_who_did_it(scan: TestScan) -> None:
    async def story(bench: Bench) -> None:
        scan.set("hmi.p_set", 5.0)
        await bench.seen()
        await bench.write("hmi.p_set", 100.0)
        await bench.until(lambda: scan.get("hmi.p_set") == 5.0)

    deed = on(scan, P_SET, story).deeds[-1]
    assert (deed.who.user, deed.who.role, deed.who.peer) == ("timeout", "operator", "modbus")
    assert (deed.subject, deed.old, deed.new, deed.taken) == ("hmi.p_set", 100.0, 5.0, True)


def test_writing_again_keeps_the_setpoint_and_each_write_starts_the_time_anew(scan: TestScan) -> None:
    async def story(bench: Bench) -> None:
        await bench.seen()
        for n in range(8):
            await bench.write("hmi.p_set", 100.0 + n % 2)
            await bench.for_a_while(0.1)
            assert scan.get("hmi.p_set") >= 100.0
        await bench.until(lambda: scan.get("hmi.p_set") == 5.0)
        await bench.write("hmi.p_set", 50.0)
        await bench.until(lambda: scan.get("hmi.p_set") == 5.0)

    on(scan, P_SET.replace("300 ms", "600 ms"), story)


def test_a_setpoint_that_stood_when_the_server_started_has_the_time_too(scan: TestScan) -> None:
    async def story(bench: Bench) -> None:
        await bench.until(lambda: scan.get("hmi.p_set") == 5.0)

    scan.set("hmi.p_set", 77.0)
    assert on(scan, P_SET, story).guard.fallbacks == 1


def test_a_value_at_its_fallback_is_left_alone(scan: TestScan) -> None:
    async def story(bench: Bench) -> None:
        await bench.seen()
        await bench.write("hmi.p_set", 5.0)
        await bench.for_a_while(0.6)

    scan.set("hmi.p_set", 5.0)
    assert on(scan, P_SET, story).guard.fallbacks == 0


def test_what_somebody_else_has_written_since_is_theirs(scan: TestScan) -> None:
    async def story(bench: Bench) -> None:
        await bench.seen()
        await bench.write("hmi.p_set", 100.0)
        scan.set("hmi.p_set", 42.0)  # as OPC UA or the HMI does: their commands come through other rings
        await bench.for_a_while(0.6)

    scan.set("hmi.p_set", 5.0)
    assert on(scan, P_SET, story).guard.fallbacks == 0
    assert scan.get("hmi.p_set") == 42.0


def test_each_element_of_an_array_has_its_own_time(scan: TestScan) -> None:
    async def story(bench: Bench) -> None:
        await bench.seen()
        await bench.write("hmi.steps", 9.0, element=1)
        await bench.until(lambda: scan.get("hmi.steps") == [0.0, 0.0, 0.0])

    bench = on(scan, "hmi.steps: {register: holding 0, fallback: 0, timeout: 200 ms}", story)
    assert [deed.element for deed in bench.deeds if deed.who.user == "timeout"] == [2]


def test_in_local_control_it_is_tried_until_the_scan_takes_it_and_told_once(scan: TestScan) -> None:
    async def story(bench: Bench) -> None:
        await bench.seen()
        await bench.write("hmi.p_set", 100.0)
        scan.answer = north.REMOTE_LOCKED
        await bench.for_a_while(2.7)
        assert scan.get("hmi.p_set") == 100.0
        scan.answer = 0
        await bench.until(lambda: scan.get("hmi.p_set") == 5.0)

    scan.set("hmi.p_set", 5.0)
    answers = [(deed.answer, deed.taken) for deed in on(scan, P_SET, story).deeds if deed.who.user == "timeout"]
    assert answers == [("refused: the site is in local control", False), ("taken", True)]


def test_a_restarted_scan_starts_the_time_anew_with_what_it_restored(scan: TestScan) -> None:
    async def story(bench: Bench) -> None:
        await bench.seen()
        await bench.for_a_while(0.1)
        scan.stop()
        scan.set("hmi.p_set", 88.0)
        scan.start()
        await bench.until(lambda: scan.get("hmi.p_set") == 5.0)

    scan.set("hmi.p_set", 5.0)
    on(scan, P_SET, story)


BEAT = """
hmi.limit: {register: holding 1, fallback: -1, timeout: never}
expect: {register: holding 50, within: 300 ms, status: discrete 60, tag: hmi.enable}
"""


def test_a_missed_heartbeat_writes_every_fallback_at_once_and_the_program_is_told(scan: TestScan) -> None:
    async def story(bench: Bench) -> None:
        beat = bench.image.beat
        assert beat is not None
        await bench.seen()
        beat.take(1)
        await bench.until(lambda: scan.get("hmi.enable") == 1)
        await bench.write("hmi.limit", 7, Who("eva", "engineer", "10.0.0.9:1"))
        await bench.until(lambda: scan.get("hmi.limit") == -1)
        assert not beat.is_alive
        await bench.until(lambda: scan.get("hmi.enable") == 0)
        await bench.write("hmi.limit", 8, Who("eva", "engineer", "10.0.0.9:1"))  # nor does a later one stand while it is missed
        await bench.until(lambda: scan.get("hmi.limit") == -1)
        await bench.until(lambda: beat.take(beat.value + 1) or scan.get("hmi.enable") == 1)

    bench = on(scan, BEAT, story)
    assert [(d.old, d.new) for d in bench.deeds if d.action == "heartbeat"] == [(True, False), (False, True)]


def test_the_same_number_again_is_no_sign_of_life(scan: TestScan) -> None:
    async def story(bench: Bench) -> None:
        beat = bench.image.beat
        assert beat is not None
        beat.take(1)
        until = time.monotonic() + 5
        while beat.is_alive:
            beat.take(1)
            await bench.guard.look()
            assert time.monotonic() < until

    on(scan, BEAT, story)


def test_another_map_goes_on_with_the_times_of_the_one_before(scan: TestScan) -> None:
    async def story(bench: Bench) -> None:
        await bench.seen()
        await bench.write("hmi.p_set", 100.0)
        bench.guard.follow(RegisterImage(bench.image.entries, scan.region, "refuse"))
        await bench.until(lambda: scan.get("hmi.p_set") == 5.0)

    scan.set("hmi.p_set", 5.0)
    on(scan, P_SET, story)


# the whole server, as SCADA meets it


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestScan, ServerProcess, int]]:
    folder = tmp_path_factory.mktemp("guard")
    (folder / "scada.yaml").write_text(MAP)
    scan = TestScan(folder)
    scan.set("hmi.p_set", 5.0)
    with serving(scan.order("modbus", map="scada.yaml")) as (server, port):
        yield scan, server, port
    scan.stop()


@pytest.fixture
def client(plant: Any) -> Iterator[ModbusTcpClient]:
    with ModbusTcpClient("127.0.0.1", port=plant[2], timeout=3, retries=0) as client:
        yield client


def bits(client: ModbusTcpClient, address: int, count: int) -> list[bool]:
    return client.read_discrete_inputs(address, count=count, device_id=1).bits[:count]


def test_scada_that_stops_writing_gets_its_setpoint_taken_back(plant: Any, client: ModbusTcpClient) -> None:
    scan, server, _ = plant
    assert not client.write_register(0, 1000, device_id=1).isError()
    assert scan.get("hmi.p_set") == 100.0
    eventually(lambda: scan.get("hmi.p_set") == 5.0)
    said = eventually(lambda: [line for line in server.lines() if (line.get("user"), line.get("tag")) == ("timeout", "hmi.p_set")])
    (line,) = said
    assert line["audit"] and line["old"] == 100.0 and line["value"] == 5.0
    eventually(lambda: server.status()["fallbacks"] >= 1)


def test_our_heartbeat_counts_while_the_scan_lives_and_stops_when_it_hangs(plant: Any, client: ModbusTcpClient) -> None:
    scan = plant[0]

    def count() -> int:
        answer = client.read_input_registers(60, count=1, device_id=1)
        return -1 if answer.isError() else answer.registers[0]

    counts = set[int]()
    eventually(lambda: counts.add(count()) or len(counts) > 4)
    assert 0 <= min(counts) and max(counts) <= 999
    scan.frozen = True
    eventually(lambda: count() == -1)  # a scan that hangs for a second is exception 04, and before that the count stood still
    scan.frozen = False
    eventually(lambda: count() >= 0)


def test_their_heartbeat_shows_in_the_status_bit_and_can_be_read_back(plant: Any, client: ModbusTcpClient) -> None:
    for n in range(1, 4):
        assert not client.write_register(50, n, device_id=1).isError()
        eventually(lambda n=n: client.read_holding_registers(50, count=1, device_id=1).registers == [n])
        assert bits(client, 60, 1) == [True]
    eventually(lambda: bits(client, 60, 1) == [False])


def test_a_read_that_touches_a_bad_tag_is_exception_04_where_the_line_says_so(plant: Any, client: ModbusTcpClient) -> None:
    scan = plant[0]
    scan.spoil("bms.soc", BAD_NOT_CONNECTED)
    eventually(lambda: client.read_input_registers(0, count=2, device_id=1).isError())
    assert client.read_input_registers(0, count=4, device_id=1).exception_code == 4
    assert not client.read_input_registers(2, count=2, device_id=1).isError()
    scan.spoil("bms.soc", UNCERTAIN_LAST_USABLE)  # usable is usable; only its bit says that it is not good
    eventually(lambda: not client.read_input_registers(0, count=2, device_id=1).isError())
    scan.spoil("bms.ok", BAD_NOT_CONNECTED)
    eventually(lambda: client.read_discrete_inputs(0, count=1, device_id=1).isError())
    scan.spoil("bms.soc", 0)
    scan.spoil("bms.ok", 0)


def test_one_bit_a_mapped_tag_says_whether_it_is_good(plant: Any, client: ModbusTcpClient) -> None:
    """In the order of the map: p_set, limit, steps, enable, soc, current, cycles, ok."""
    scan = plant[0]
    assert eventually(lambda: bits(client, 100, 8) == [True] * 8)
    for name, place in (("bms.soc", 4), ("bms.cycles", 6)):
        for quality in (BAD_NOT_CONNECTED, UNCERTAIN_LAST_USABLE):
            scan.spoil(name, quality)
            eventually(lambda place=place: bits(client, 100, 8) == [n != place for n in range(8)])
        scan.spoil(name, 0)
    assert client.read_discrete_inputs(108, count=1, device_id=1).exception_code == 2
