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
from runtime.model import Tag
from runtime.quality import BAD_NOT_CONNECTED, UNCERTAIN_LAST_USABLE
from runtime.servers.audit import Deed, Who
from runtime.servers.door import NO_ANSWER
from runtime.servers.modbus.image import RegisterImage
from tests.aids.servers_guard import SCADA, Bench, on
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


@pytest.fixture
def scan(tmp_path: Path) -> Iterator[TestScan]:
    scan = TestScan(tmp_path)
    yield scan
    scan.stop()


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


@pytest.mark.parametrize(
    ("service", "value", "seconds_ago", "is_taken_back_at_once"),
    [
        ("modbus", 77.0, 3600, True),  # its time is over: the server was away, or starts again and again
        ("modbus", 77.0, 0, False),
        ("modbus", 77.0, -3600, False),  # the clock was set back since
        ("modbus", 76.0, 3600, False),  # something else stands there: nobody knows who wrote it
    ],
)
def test_the_time_of_a_setpoint_goes_on_while_the_server_is_away(
    scan: TestScan, service: str, value: float, seconds_ago: int, is_taken_back_at_once: bool
) -> None:
    async def story(bench: Bench) -> None:
        await bench.for_a_while(0.2)

    scan.set("hmi.p_set", 77.0)
    deed = Deed(service, SCADA, "write", "hmi.p_set", "Good", True, new=value, time=time.time_ns() - seconds_ago * 10**9)
    text = P_SET.replace("300 ms", "60 s")
    assert on(scan, text, story, {"hmi.p_set": deed}).guard.fallbacks == is_taken_back_at_once


def test_what_an_opc_ua_client_wrote_before_the_server_started_is_theirs(scan: TestScan) -> None:
    async def story(bench: Bench) -> None:
        await bench.for_a_while(0.6)

    scan.set("hmi.p_set", 77.0)
    deed = Deed("opcua", SCADA, "write", "hmi.p_set", "Good", True, new=77.0, time=time.time_ns() - 10**9)
    assert on(scan, P_SET, story, {"hmi.p_set": deed}).guard.fallbacks == 0


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


def test_a_setpoint_that_was_written_just_before_the_heartbeat_came_back_keeps_its_own_time(scan: TestScan) -> None:
    async def story(bench: Bench) -> None:
        await bench.seen()
        await bench.until(lambda: bool(bench.guard._is_missed))
        await bench.write("hmi.limit", 7, Who("eva", "engineer", "10.0.0.9:1"))
        until = time.monotonic() + 1.0
        while time.monotonic() < until:
            bench.image.beat.take(bench.image.beat.value + 1)  # type: ignore[union-attr]
            await bench.for_a_while(0.05)
        assert scan.get("hmi.limit") == 7

    on(scan, BEAT, story)


def test_a_write_that_got_no_answer_may_be_carried_out_later_and_is_taken_back_then_too(scan: TestScan) -> None:
    async def story(bench: Bench) -> None:
        await bench.seen()
        await bench.until(lambda: scan.get("hmi.p_set") == 5.0)
        scan.silent = True
        assert (await bench.door.write(scan.by_name["hmi.p_set"], 100.0, SCADA)).answer == NO_ANSWER
        scan.silent = False
        await bench.until(lambda: scan.get("hmi.p_set") == 100.0)
        await bench.until(lambda: scan.get("hmi.p_set") == 5.0)

    on(scan, P_SET.replace("300 ms", "1500 ms"), story)


def test_of_two_writes_whose_order_nobody_knows_either_is_taken_back(scan: TestScan) -> None:
    """What is reported last need not stand: a block of one client may be told of after the single value of another."""

    async def story(bench: Bench) -> None:
        await bench.seen()
        await bench.write("hmi.p_set", 200.0)
        bench.guard._hear(Deed("modbus", SCADA, "write", "hmi.p_set", "taken", True, 0, 5.0, 100.0, 1))
        await bench.until(lambda: scan.get("hmi.p_set") == 5.0)

    on(scan, P_SET, story)


def test_a_hundred_fallbacks_are_written_in_a_few_scans(tmp_path: Path) -> None:
    """Each alone takes a scan and a half: the last one of a site with many setpoints must not wait for all before it."""
    many = Tag("hmi.many", "LREAL", 100, 0, 0, "memory", owner="operator", write="operator")
    scan = TestScan(tmp_path, [many])
    scans = list[int]()

    async def story(bench: Bench) -> None:
        done = asyncio.create_task(bench.until(lambda: len(scan.taken) == 100, 20))
        while not scan.taken and not done.done():
            await asyncio.sleep(0.001)
        scans.append(int(scan.stamps[0]))
        await done
        scans.append(int(scan.stamps[0]))

    scan.set("hmi.many", 7.0)
    on(scan, "hmi.many: {register: holding 0, as: float32, fallback: 0, timeout: 100 ms}", story)
    scan.stop()
    assert scans[1] - scans[0] < 50


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


def test_a_server_that_was_killed_takes_back_the_setpoint_that_it_left_standing(tmp_path: Path) -> None:
    (tmp_path / "scada.yaml").write_text("hmi.p_set: {register: holding 0, as: int16, fallback: 5, timeout: 2 s}\n")
    scan = TestScan(tmp_path)
    order = scan.order("modbus", map="scada.yaml")
    server = ServerProcess(order)
    with ModbusTcpClient("127.0.0.1", port=server.wait_until_listening(), timeout=3, retries=0) as client:
        assert not client.write_register(0, 100, device_id=1).isError()
    server.process.kill()
    server.process.wait(5)
    assert scan.get("hmi.p_set") == 100.0
    server.end()
    with serving(order):
        eventually(lambda: scan.get("hmi.p_set") == 5.0, timeout=15)
    scan.stop()


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
