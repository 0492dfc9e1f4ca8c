"""When command frames go out: at their period, at once on change, never inside the gap, with a count that never skips."""

import asyncio
from itertools import pairwise

import numpy as np
import pytest

from runtime.fieldbus.can_transmit import Transmitter
from tests.aids.fieldbus import mapped
from tests.aids.fieldbus_dbc import write_synthetic

SITE = "site: t\nchannels: {can0: {interface: virtual}}\n"
TEXT = """
device: d
driver: can
channel: can0
dbc: dbc/synthetic.dbc
messages: {Command: {alive: Alive}}
min_gap: 20 ms
outputs:
  a.close: {signal: Command.Close, safe: {value: false, after: 1 s}, every: 100 ms}
  a.power: {signal: Command.Power, safe: 0 kW, every: 100 ms}
  a.word: {signal: Slow.Word, safe: 7, every: 50 ms}
"""


class Bench:
    """A transmitter whose frames land in a list with their loop times."""

    def __init__(self, root, text: str = TEXT):
        self.map = mapped(text, SITE, root)
        self.sent: list[tuple[float, int, bytes]] = []
        self.room = True
        settings = self.map.device.settings
        self.transmitter = Transmitter("d", settings.frames, self.map.device.outputs, settings.gap, self.send)
        self.cells = np.zeros(3, np.int64)

    def send(self, key: int, data: bytes, fd: bool) -> bool:
        if self.room:
            self.sent.append((asyncio.get_running_loop().time(), key, data))
        return self.room

    def write(self, close: int = 0, power: float = 0.0, word: float = 0.0) -> None:
        self.cells[0] = close
        self.cells.view(np.float64)[1:] = (power, word)
        self.transmitter.write(self.cells)

    def of(self, key: int) -> list[tuple[float, bytes]]:
        return [(at, data) for at, found, data in self.sent if found == key]


@pytest.fixture
def bench(tmp_path):
    write_synthetic(tmp_path)
    return Bench(tmp_path)


COMMAND, SLOW = 32, 34


def test_nothing_is_sent_before_every_output_of_the_frame_has_a_value(bench):
    async def run():
        bench.transmitter.start()
        bench.transmitter.hold_safe([1, 2])  # close comes a second later
        await asyncio.sleep(0.25)
        assert not bench.of(COMMAND), "the contactor's bit is not known yet: no frame may carry one"
        assert bench.of(SLOW)
        bench.transmitter.hold_safe([0])
        await asyncio.sleep(0.25)
        assert bench.of(COMMAND)
        bench.transmitter.stop()

    asyncio.run(run())


def test_frames_go_out_at_their_period_with_a_count_that_never_skips(bench):
    async def run():
        bench.transmitter.start()
        bench.write(1, 100.0, 5.0)
        await asyncio.sleep(1.05)
        bench.transmitter.stop()
        count = len(bench.sent)
        await asyncio.sleep(0.2)
        assert len(bench.sent) == count, "stopped"

    asyncio.run(run())
    commands = bench.of(COMMAND)
    assert 9 <= len(commands) <= 13
    assert [data[0] >> 4 for _, data in commands] == [i % 16 for i in range(len(commands))]
    assert 18 <= len(bench.of(SLOW)) <= 24


def test_a_change_goes_out_at_once_and_the_period_stays(bench):
    async def run():
        bench.transmitter.start()
        bench.write(0, 10.0)
        begun = len(bench.of(COMMAND))
        while len(bench.of(COMMAND)) < begun + 2:  # the next period is 60 ms away, and the gap is over
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.04)
        before = len(bench.of(COMMAND))
        bench.write(0, 20.0)
        assert len(bench.of(COMMAND)) == before + 1, "sent in the same turn of the loop"
        bench.write(0, 20.0)
        assert len(bench.of(COMMAND)) == before + 1, "nothing changed"
        bench.transmitter.stop()

    asyncio.run(run())
    assert int.from_bytes(bench.of(COMMAND)[-1][1][1:3], "big") == 200  # 20 kW at 0.1 kW


def test_changes_never_come_closer_than_the_gap_and_the_last_one_wins(bench):
    async def run():
        bench.transmitter.start()
        for power in range(100):
            bench.write(0, float(power))
            await asyncio.sleep(0.002)
        await asyncio.sleep(0.1)
        bench.transmitter.stop()

    asyncio.run(run())
    times = [at for at, _ in bench.of(COMMAND)]
    assert min(b - a for a, b in pairwise(times)) > 0.018
    assert int.from_bytes(bench.of(COMMAND)[-1][1][1:3], "big") == 990


def test_safe_values_ignore_the_gap_and_wait_for_room_on_the_bus(bench):
    async def run():
        bench.transmitter.start()
        bench.write(1, 50.0, 1.0)
        bench.room = False
        waiting = asyncio.create_task(bench.transmitter.flush(bench.transmitter.hold_safe([1])))
        await asyncio.sleep(0.05)
        assert not waiting.done()
        bench.room = True
        await asyncio.wait_for(waiting, 1.0)
        assert bench.of(COMMAND)[-1][1][1:3] == b"\x00\x00"
        assert bench.of(COMMAND)[-1][1][0] & 1 == 1, "the contactor is held until its own time"
        bench.transmitter.stop()

    asyncio.run(run())


def test_flushing_ends_when_the_bus_goes_down(bench):
    async def run():
        bench.transmitter.start()
        bench.write(1, 50.0)
        bench.room = False
        waiting = asyncio.create_task(bench.transmitter.flush(bench.transmitter.hold_safe([1])))
        await asyncio.sleep(0.02)
        bench.transmitter.stop()
        await asyncio.wait_for(waiting, 1.0)

    asyncio.run(run())


def test_frames_of_equal_period_are_spread(bench):
    """Two messages of one device do not start together: each has its own phase."""

    async def run():
        bench.write(1, 1.0, 1.0)
        bench.transmitter.start()
        phases = list(bench.transmitter._cycle)
        bench.transmitter.stop()
        return phases

    phases = asyncio.run(run())
    assert len(set(phases)) == len(phases)


def test_a_stalled_process_does_not_send_the_missed_frames_in_a_row(bench):
    import time

    async def run():
        bench.transmitter.start()
        bench.write(1, 1.0, 1.0)
        await asyncio.sleep(0.1)
        before = len(bench.of(SLOW))
        time.sleep(0.5)
        await asyncio.sleep(0.03)
        bench.transmitter.stop()
        return len(bench.of(SLOW)) - before

    assert asyncio.run(run()) <= 2


def test_outputs_that_nobody_has_written_are_not_sent_even_where_a_message_has_none(tmp_path):
    """`--inhibit-outputs` never writes: a message with nothing but a count in it is a command all the same."""
    write_synthetic(tmp_path)
    bench = Bench(tmp_path, TEXT.partition("outputs:")[0].replace("{alive: Alive}", "{alive: Alive, every: 10 ms}"))

    async def run():
        bench.transmitter.start()
        await asyncio.sleep(0.1)
        assert not bench.sent
        bench.transmitter.write(bench.cells)
        async with asyncio.timeout(5):
            while len(bench.sent) < 3:
                await asyncio.sleep(0.005)
        bench.transmitter.stop()

    asyncio.run(run())
    assert [data[0] >> 4 for _, data in bench.of(COMMAND)][:3] == [0, 1, 2]


def test_safe_values_release_the_outputs_too(tmp_path):
    write_synthetic(tmp_path)
    bench = Bench(tmp_path, TEXT.partition("outputs:")[0].replace("{alive: Alive}", "{alive: Alive, every: 10 ms}"))

    async def run():
        bench.transmitter.start()
        bench.transmitter.hold_safe([])
        async with asyncio.timeout(5):
            while not bench.sent:
                await asyncio.sleep(0.005)
        bench.transmitter.stop()

    asyncio.run(run())
