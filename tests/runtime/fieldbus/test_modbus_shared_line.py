"""Many units on one Modbus line: one connection, turns, dead units that cost little, and connections that are let go."""

import asyncio
import itertools
import time
from collections import Counter

import numpy as np
import pytest

from runtime.fieldbus import modbus_line, modbus_turns
from runtime.fieldbus.modbus_errors import LostError
from runtime.fieldbus.modbus_settings import PER_POLL
from runtime.fieldbus.modbus_turns import Silence, Turns
from runtime.fieldbus.modbus_writes import WriteRun
from tests.aids.fieldbus_child import device_process
from tests.aids.modbus_lines import MS, Far, reads, run, until

UNITS = [1, 2, 3, 4, 5, 6, 7, 8]
MARGIN = 5


@pytest.fixture(scope="module")
def process():
    with device_process("modbus_faults") as device:
        yield device


@pytest.fixture
def far(process, tmp_path):
    def make(kind: str = "tcp", **listen) -> Far:
        made = Far(process, tmp_path, kind, **{"units": UNITS, **listen})
        for unit in UNITS:
            made.ask("set", table="holding", address=0, values=[unit] * 3, unit=unit)
        return made

    return make


class Links:
    """Links to several units of one server, closed at the end."""

    def __init__(self, device: Far, units=UNITS, **words):
        self.held = [device.link(unit, **words) for unit in units]

    async def __aenter__(self):
        return [link.__enter__() for link in self.held]

    async def __aexit__(self, *_):
        for link in self.held:
            link.__exit__(None, None, None)


async def poll(link, every: float, found: list, until_time: float) -> None:
    """Ask as a device's worker does: on a grid, again after a pause when it is lost."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    while loop.time() < until_time:
        answer = await reads(link)
        found.append((loop.time(), answer))
        if isinstance(answer, str):
            link.lost = None
            link.close()
            await asyncio.sleep(0.05)
        due = max(due + every, loop.time())
        await asyncio.sleep(due - loop.time())


@pytest.mark.parametrize("kind", ["tcp", "rtu_over_tcp", "rtu"])
def test_units_share_one_connection_and_each_gets_its_own_answers(far, kind):
    device = far(kind)

    async def talk():
        async with Links(device) as links:
            for _ in range(5):
                assert await asyncio.gather(*map(reads, links)) == [[unit] * 3 for unit in UNITS]

    run(talk())
    if kind != "rtu":
        assert device.ask("connections")["accepted"] == 1


def test_more_connections_are_used_where_the_io_map_allows_them(far):
    device = far()

    async def talk():
        async with Links(device, connections=3) as links:
            for _ in range(3):
                assert await asyncio.gather(*map(reads, links)) == [[unit] * 3 for unit in UNITS]
            await until(lambda: device.ask("connections")["open"] == 3, "three are open")

    run(talk())
    assert device.ask("connections")["accepted"] == 3


def test_a_device_with_one_socket_serves_eight_units(far):
    device = far(sockets=1)

    async def talk():
        async with Links(device) as links:
            assert await asyncio.gather(*map(reads, links)) == [[unit] * 3 for unit in UNITS]

    run(talk())
    assert device.ask("connections") == {"open": 1, "accepted": 1} or device.ask("connections")["accepted"] == 1


def test_units_take_turns(far):
    """While everybody asks without a pause, nobody is served twice before the others are served once."""
    device = far()
    device.ask("fault", name="slow", value=5)

    async def talk():
        async with Links(device, UNITS[:4]) as links:

            async def greedy(link):
                for _ in range(10):
                    assert await reads(link) == [link.unit] * 3

            await asyncio.gather(*map(greedy, links))

    run(talk())
    order = [request[0] for request in device.ask("requests")]
    assert len(order) == 40
    rounds = [sorted(order[at : at + 4]) for at in range(0, 40, 4)]
    assert rounds == [UNITS[:4]] * 10


def test_a_write_goes_before_the_reads_that_wait(far):
    device = far()

    async def talk():
        async with Links(device) as links:
            await asyncio.gather(*map(reads, links))
            device.ask("requests")
            device.ask("fault", name="slow", value=150, unit=1, times=1)
            waiting = [asyncio.create_task(reads(link)) for link in links[:7]]
            await until(lambda: asyncio.sleep(0, device.ask("count") == 1), "the first is on its way")
            await links[7].write(WriteRun("holding", 50, 0, np.array([5], np.uint16)))
            await asyncio.gather(*waiting)

    run(talk())
    order = [(request[0], request[1]) for request in device.ask("requests")]
    assert order.index((8, 6)) == 1, order


def test_writes_without_end_do_not_starve_the_reads(monkeypatch):
    monkeypatch.setattr(modbus_turns, "PATIENCE", 0.08)

    async def talk():
        turns, served = Turns(), []
        end = asyncio.get_running_loop().time() + 1.2

        async def ask(name, is_write):
            while asyncio.get_running_loop().time() < end:
                await turns.take(is_write)
                served.append(name)
                await asyncio.sleep(0.01)
                turns.give()

        await asyncio.gather(ask("w1", True), ask("w2", True), ask("w3", True), ask("r", False))
        assert turns.is_idle
        return Counter(served)

    served = run(talk())
    assert served["r"] >= 5
    assert served["w1"] + served["w2"] + served["w3"] > 3 * served["r"], "but writes go first"


def test_who_gives_up_waiting_loses_no_turn():
    async def talk():
        turns = Turns()
        await turns.take(False)
        second = asyncio.create_task(turns.take(False))
        third = asyncio.create_task(turns.take(False))
        await asyncio.sleep(0)
        turns.give()  # it is the second's turn, which is cancelled before it knows
        second.cancel()
        await asyncio.wait_for(third, 1.0)
        turns.give()
        assert turns.is_idle

    run(talk())


@pytest.mark.parametrize("kind", ["tcp", "rtu"])
def test_a_dead_unit_costs_the_others_little(far, kind):
    """Units 1 and 2 never answer: that may cost a few time-outs, and the others lose nothing else."""
    device = far(kind)
    limit = 0.1
    for unit in (1, 2):
        device.ask("fault", name="timeout", unit=unit)

    async def talk():
        async with Links(device, [1, 2, 3, 4], request_timeout=int(limit * 1e9)) as links:
            for link in links[2:]:
                assert await reads(link) == [link.unit] * 3
            device.ask("requests")
            end = asyncio.get_running_loop().time() + 1.5
            found = [[] for _ in links]
            await asyncio.gather(*(poll(link, 0.03, answers, end) for link, answers in zip(links, found)))
            return found

    found = run(talk())
    asked = Counter(request[0] for request in device.ask("requests"))
    assert 4 <= asked[1] + asked[2] <= 8, "two each at first, then together a tenth of the time"
    for unit, answers in zip((3, 4), found[2:]):
        assert all(values == [unit] * 3 for _, values in answers)
        times = [at for at, _ in answers]
        gaps = sorted(b - a for a, b in itertools.pairwise(times))
        assert gaps[-1] < MARGIN * limit, "one time-out, not the other unit's as well"
        assert sum(gap > 0.1 for gap in gaps) <= 6, "few gaps at all"


def test_a_dead_unit_that_comes_back_is_found(far):
    device = far()
    device.ask("fault", name="timeout", unit=1)

    async def talk():
        async with Links(device, [1, 2], request_timeout=50 * MS) as (dead, good):
            found, others = [], []
            loop = asyncio.get_running_loop()
            polling = asyncio.create_task(poll(dead, 0.05, found, loop.time() + 20))
            neighbour = asyncio.create_task(poll(good, 0.05, others, loop.time() + 20))
            await until(lambda: [a for _, a in found].count("timeout") >= 3, "it is dead")
            device.ask("clear")
            began = loop.time()
            await until(lambda: found[-1][1] == [1] * 3, "it answers")
            assert loop.time() - began < MARGIN * modbus_turns.SHARE * 0.05
            for task in (polling, neighbour):
                task.cancel()
            await asyncio.wait([polling, neighbour])

    run(talk())


def test_when_nobody_answers_nobody_waits_for_the_others_rest():
    """The cable behind the gateway is cut: every unit is asked in its own rhythm, and the line is not held back."""

    async def talk():
        silence = Silence()
        for _ in range(3):
            for unit in UNITS:
                silence.missed(unit, 0.3, time.monotonic(), may_come_late=False)
        began = time.monotonic()
        await asyncio.gather(*(silence.admit(unit, others_answer=False) for unit in UNITS))
        assert time.monotonic() - began < MARGIN * 0.1
        silence.answered(1)
        await asyncio.wait_for(silence.admit(1, others_answer=True), 1.0)

    run(talk())


def test_a_gateway_that_speaks_for_a_dead_unit_has_it_held_back(far):
    device = far()
    device.ask("fault", name="exception", value=11, unit=1)

    async def talk():
        async with Links(device, [1, 2]) as (dead, good):
            await good.connect()
            assert await reads(dead) == "exception_11"
            assert dead.is_up, "once is an exception like any other"
            with pytest.raises(LostError) as lost:
                await dead.read_table("holding", 0, 3)
            assert lost.value.kind == "exception_11"
            assert await reads(good) == [2] * 3

    run(talk())
    assert device.ask("connections")["accepted"] == 1, "an exception is a sound answer"


def test_a_fault_of_one_unit_is_no_loss_of_the_others(far):
    device = far()

    async def talk():
        async with Links(device, [1, 2], request_timeout=100 * MS) as (bad, good):
            assert await reads(good) == [2] * 3
            for fault in ("timeout", "wrong_unit", "garbage", "short"):
                device.ask("fault", name=fault, unit=1, times=1)
                assert isinstance(await reads(bad), str)
                assert good.is_up
                assert await reads(good) == [2] * 3
                bad.close()

    run(talk())


def test_a_connection_that_breaks_is_a_loss_of_all(far):
    device = far()

    async def talk():
        async with Links(device, [1, 2, 3]) as links:
            await asyncio.gather(*map(reads, links))
            device.ask("unplug")
            await until(lambda: not any(link.is_up for link in links), "all are lost")
            assert {link.lost.kind for link in links} == {"reset"}

    run(talk())


def test_attempts_to_connect_are_those_of_the_line_not_of_each_unit(far):
    """Eight devices on a port that refuses: they wait for the same attempts, which come at growing distances."""
    device = far()
    device.ask("unplug")

    async def talk():
        async with Links(device) as links:
            end = asyncio.get_running_loop().time() + 0.75
            found = [[] for _ in links]
            await asyncio.gather(*(poll(link, 0.05, answers, end) for link, answers in zip(links, found)))
            return found

    for answers in run(talk()):
        assert {answer for _, answer in answers} == {"refused"}
        assert 2 <= len(answers) <= 6, "after 0, 0.1, 0.3, 0.7 s"


def test_an_idle_connection_is_closed_and_opened_again_without_a_loss(far):
    device = far()

    async def talk():
        async with Links(device, [1, 2], idle=100 * MS) as links:
            for round_ in range(1, 4):
                assert await asyncio.gather(*map(reads, links)) == [[1] * 3, [2] * 3]
                await until(lambda: device.ask("connections")["open"] == 0, "closed")
                assert all(link.is_up for link in links)
                assert device.ask("connections")["accepted"] == round_

    run(talk())


def test_a_connection_per_poll_lasts_one_round(far):
    device = far()

    async def talk():
        async with Links(device, [1], idle=PER_POLL) as (link,):
            for round_ in range(1, 4):
                for _ in range(5):
                    assert await reads(link) == [1] * 3
                await until(lambda: device.ask("connections")["open"] == 0, "closed")
                assert device.ask("connections")["accepted"] == round_

    run(talk())


def test_the_last_device_that_leaves_closes_the_connection(far):
    device = far()

    async def talk():
        async with Links(device, [1, 2]) as (one, two):
            await asyncio.gather(reads(one), reads(two))
            one.close()
            assert await reads(two) == [2] * 3
            two.close()
            await until(lambda: device.ask("connections")["open"] == 0, "closed")

    run(talk())


def test_a_gateway_gets_its_pause_between_requests(far):
    device = far()

    async def talk():
        async with Links(device, UNITS[:4], pause=40 * MS) as links:
            for _ in range(3):
                await asyncio.gather(*map(reads, links))

    run(talk())
    times = [request[3] for request in device.ask("requests")]
    assert min(b - a for a, b in itertools.pairwise(times)) >= 25 * MS


def test_two_devices_that_describe_one_line_differently_are_told(far):
    device = far("rtu")

    async def talk():
        async with Links(device, [1]) as (one,):
            assert await reads(one) == [1] * 3
            with device.link(2, baud=9600) as other:
                with pytest.raises(LostError, match="`baud` 9600 and 115200") as lost:
                    await other.connect()
                assert lost.value.kind == "conflict"
            assert await reads(one) == [1] * 3

    run(talk())


def test_a_shared_line_goes_silent_before_each_request_on_rtu(far):
    """At 1,200 baud three and a half characters are 32 ms."""
    device = far("rtu")

    async def talk():
        async with Links(device, UNITS[:3], baud=1200) as links:
            for _ in range(2):
                await asyncio.gather(*map(reads, links))

    run(talk())
    times = [request[3] for request in device.ask("requests")]
    assert min(b - a for a, b in itertools.pairwise(times)) >= 20 * MS


def test_who_joins_a_line_that_is_just_being_given_up_is_served(far, monkeypatch):
    """The last device leaves while the line is being opened, and that takes a moment to end."""
    device, opened = far(), []
    open_wire = modbus_line.open_wire

    async def slow(*details):
        opened.append(details)
        try:
            await asyncio.sleep(60 if len(opened) == 1 else 0)
        except asyncio.CancelledError:
            await asyncio.sleep(0.02)
            raise
        return await open_wire(*details)

    monkeypatch.setattr(modbus_line, "open_wire", slow)

    async def talk():
        async with Links(device, [1, 2]) as (one, other):
            leaving = asyncio.create_task(one.connect())
            await until(lambda: opened, "the line is being opened")
            leaving.cancel()
            one.close()
            joining = asyncio.create_task(reads(other))
            assert await joining == [2, 2, 2]
            assert await reads(one) == [1, 1, 1]

    run(talk())
    assert len(opened) == 2


def test_who_waits_for_a_line_that_is_given_up_is_told_so(far, monkeypatch):
    device = far()

    async def talk():
        with device.link(1) as link:
            monkeypatch.setattr(modbus_line, "open_wire", lambda *_: asyncio.sleep(60))
            line = modbus_line.join_line(device.settings(1).line, link)
            waiting = asyncio.create_task(line.up())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            line.leave(link)
            with pytest.raises(LostError) as lost:
                await waiting
            assert lost.value.kind == "closed"

    run(talk())


def test_a_write_is_served_on_a_line_whose_reads_have_all_waited_too_long(monkeypatch):
    monkeypatch.setattr(modbus_turns, "PATIENCE", -1.0)  # s: every read that waits has waited longer
    order = []

    async def talk():
        turns = Turns()

        async def ask(name: str, is_write: bool, times: int) -> None:
            for _ in range(times):
                await turns.take(is_write)
                await asyncio.sleep(0)
                order.append(name)
                turns.give()

        reads_ = [asyncio.create_task(ask("read", False, 20)) for _ in range(4)]
        await asyncio.sleep(0)
        writes = [asyncio.create_task(ask("write", True, 5)) for _ in range(2)]
        await asyncio.gather(*reads_, *writes)

    run(talk())
    last = len(order) - order[::-1].index("write")
    assert Counter(order[:last])["read"] <= 12, "they take turns: one read goes before each write, and no more"
    assert Counter(order) == {"read": 80, "write": 10}
