"""What is sent when and with what in it: on change, on request, at a phase, with a CRC, and one frame for each page."""

import asyncio
from itertools import pairwise

import cantools
import numpy as np
import pytest
from crccheck.crc import Crc8SaeJ1850

from runtime.fieldbus.can_rules import has_crc
from runtime.fieldbus.can_transmit import Transmitter
from tests.aids.fieldbus import describe, mapped, problems
from tests.aids.fieldbus_dbc import write_synthetic

SITE = "site: t\nchannels: {can0: {interface: virtual}}\n"
HEAD = "device: d\ndriver: can\nchannel: can0\ndbc: dbc/{dbc}.dbc\nmin_gap: 10 ms\n"
COMMAND = HEAD.format(dbc="synthetic") + (
    "messages: {{Command: {rules}}}\n"
    "outputs:\n"
    "  a.close: {{signal: Command.Close, safe: {{value: false, after: 1 s}}}}\n"
    "  a.power: {{signal: Command.Power, safe: 0 kW}}\n"
)
# A page in a page (extended multiplexing), and a second selector beside it.
PAGES = """VERSION ""
BU_: PLC RACK
BO_ 64 Paged: 8 PLC
 SG_ Book M : 0|4@1+ (1,0) [0|15] "" RACK
 SG_ Page m1M : 4|4@1+ (1,0) [0|15] "" RACK
 SG_ First m2 : 8|16@1+ (1,0) [0|65535] "" RACK
 SG_ Second m3 : 8|16@1- (0.5,0) [-100|100] "V" RACK
 SG_ Cover m1 : 24|8@1+ (1,0) [0|255] "" RACK
 SG_ Other m2 : 4|8@1+ (1,0) [0|255] "" RACK
 SG_ Always : 56|8@1+ (1,0) [0|255] "" RACK
BO_ 65 Flexible: 12 PLC
 SG_ Far : 80|16@1+ (1,0) [0|65535] "" RACK
BO_ 66 Checked: 8 PLC
 SG_ CRC : 0|8@1+ (1,0) [0|255] "" RACK
 SG_ Count : 8|4@1+ (1,0) [0|15] "" RACK
 SG_ Value : 16|16@1+ (1,0) [0|65535] "" RACK
SG_MUL_VAL_ 64 Page Book 1-1;
SG_MUL_VAL_ 64 First Page 2-2;
SG_MUL_VAL_ 64 Second Page 3-3;
SG_MUL_VAL_ 64 Cover Book 1-1;
SG_MUL_VAL_ 64 Other Book 2-2;
"""


@pytest.fixture
def root(tmp_path):
    write_synthetic(tmp_path)
    (tmp_path / "dbc" / "pages.dbc").write_text(PAGES, encoding="utf-8")
    return tmp_path


class Line:
    """A device's transmitter whose frames land in a list; `room` says whether the bus takes them."""

    def __init__(self, io_map: str, root):
        self.map = mapped(io_map, SITE, root)
        self.sent: list[tuple[float, int, bytes]] = []
        self.room = True
        self.tries = 0
        settings = self.map.device.settings
        self.transmitter = Transmitter("d", settings.frames, self.map.device.outputs, settings.gap, self.send)
        self.cells = np.zeros(max(1, len(self.map.device.outputs)), np.int64)

    def send(self, key: int, data: bytes, fd: bool) -> bool:
        self.tries += 1
        if self.room:
            self.sent.append((asyncio.get_running_loop().time(), key, data))
        return self.room

    def write(self, **values: float) -> None:
        """Outputs by the last part of their tag; the others stay."""
        for point in self.map.device.outputs:
            name = point.tag.rpartition(".")[2]
            if name in values:
                cell = self.cells[point.slot : point.slot + 1]
                if point.type == "LREAL":
                    cell.view(np.float64)[:] = values[name]
                else:
                    cell[:] = values[name]
        self.transmitter.write(self.cells)

    async def until(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.sent) < count:
                await asyncio.sleep(0.002)


def power_of(data: bytes) -> float:
    return int.from_bytes(data[1:3], "big", signed=True) / 10


def test_a_message_sent_on_change_is_silent_without_one(root):
    line = Line(COMMAND.format(rules="{send: change, every: 20 ms}"), root)

    async def run():
        line.transmitter.start()
        line.write(close=0, power=5)
        await line.until(1)
        await asyncio.sleep(0.1)
        assert len(line.sent) == 1, "five periods, and nothing changed"
        line.write(power=6)
        await line.until(2)
        line.transmitter.stop()
        line.transmitter.start()  # the bus was lost and came back
        await line.until(3)
        line.transmitter.stop()

    asyncio.run(run())
    assert [power_of(data) for _, _, data in line.sent] == [5, 6, 6]


def test_a_change_that_finds_no_room_is_tried_again_without_haste(root):
    line = Line(COMMAND.format(rules="{send: change}"), root)

    async def run():
        line.transmitter.start()
        line.room = False
        line.write(close=0, power=5)
        await asyncio.sleep(0.2)
        assert 2 <= line.tries <= 30, "every gap, not in every turn of the loop"
        line.room = True
        await line.until(1)
        line.transmitter.stop()

    asyncio.run(run())
    assert power_of(line.sent[0][2]) == 5


def test_a_requested_message_goes_out_once_for_each_rising_edge(root):
    line = Line(COMMAND.format(rules="{send: request}"), root)

    async def run():
        line.transmitter.start()
        line.write(close=0, power=1)
        line.write(power=2)
        await asyncio.sleep(0.05)
        assert not line.sent, "values alone request nothing"
        line.write(close=1)
        line.write(close=0, power=3)  # the pulse is over before the next frame could go out
        line.write(close=1, power=4)
        await line.until(2)
        line.write(close=1, power=5)
        await asyncio.sleep(0.05)
        line.transmitter.stop()

    asyncio.run(run())
    assert [(data[0] & 1, power_of(data)) for _, _, data in line.sent] == [(1, 2), (1, 4)]


def test_a_request_of_before_the_loss_of_the_bus_is_not_sent_after_it(root):
    line = Line(COMMAND.format(rules="{send: request}"), root)

    async def run():
        line.transmitter.start()
        line.write(close=0, power=1)
        line.room = False
        line.write(close=1)
        line.transmitter.stop()
        line.room = True
        line.transmitter.start()
        await asyncio.sleep(0.05)
        line.transmitter.stop()

    asyncio.run(run())
    assert not line.sent


def test_safe_values_of_a_requested_message_are_sent_all_the_same(root):
    line = Line(COMMAND.format(rules="{send: request}"), root)

    async def run():
        line.transmitter.start()
        line.write(close=0, power=100)
        line.write(close=1)
        await line.until(1)
        await line.transmitter.flush(line.transmitter.hold_safe([0, 1]))
        line.transmitter.stop()

    asyncio.run(run())
    assert [(data[0] & 1, power_of(data)) for _, _, data in line.sent] == [(1, 100), (0, 0)]


def test_a_request_that_stood_before_the_start_is_not_made_again(root):
    """A restarted fieldbus takes over a scan that runs: what was requested long ago must not act once more."""
    line = Line(COMMAND.format(rules="{send: request}"), root)

    async def run():
        line.transmitter.start()
        line.write(close=1, power=5)
        line.write(close=1, power=6)
        await asyncio.sleep(0.05)
        assert not line.sent
        line.write(close=0)
        line.write(close=1)
        await line.until(1)
        line.transmitter.stop()

    asyncio.run(run())
    assert [(data[0] & 1, power_of(data)) for _, _, data in line.sent] == [(1, 6)]


def test_what_is_sent_on_change_only_is_sent_again_where_the_bus_lost_frames(root):
    line = Line(COMMAND.format(rules="{send: change}"), root)

    async def run():
        line.transmitter.again()
        line.transmitter.start()
        line.write(close=0, power=5)
        await line.until(1)
        line.transmitter.again()
        await line.until(2)
        line.transmitter.stop()

    asyncio.run(run())
    assert [power_of(data) for _, _, data in line.sent] == [5, 5]


def test_a_request_needs_a_switch(root):
    text = problems(
        HEAD.format(dbc="synthetic") + "messages: {Slow: {send: request}}\noutputs: {a.w: {signal: Slow.Word, safe: 0}}\n",
        SITE,
        root,
    )
    assert "E669" in text and "it has no BOOL output" in text


def test_a_phase_places_two_messages_of_one_period(root):
    io_map = HEAD.format(dbc="pages") + (
        "messages:\n  Paged: {every: 100 ms, phase: 0 ms}\n  Checked: {every: 100 ms, phase: 50 ms}\n"
        "outputs:\n  a.always: {signal: Paged.Always, safe: 0}\n  a.value: {signal: Checked.Value, safe: 0}\n"
    )
    line = Line(io_map, root)

    async def run():
        line.transmitter.start()
        phases = [cycle % 0.1 for cycle in line.transmitter._cycle]
        line.transmitter.stop()
        return phases

    first, second = asyncio.run(run())
    assert (second - first) % 0.1 == pytest.approx(0.05, abs=1e-6)


def test_sixteen_racks_share_out_one_period(root):
    """No two of sixteen devices send their command within a hundredth of the period."""
    racks = [Line(COMMAND.format(rules="{every: 130 ms}"), root) for _ in range(16)]

    async def run():
        for rack in racks:
            rack.transmitter.start()
        phases = sorted(rack.transmitter._cycle[0] % 0.13 for rack in racks)
        for rack in racks:
            rack.transmitter.stop()
        return phases

    phases = asyncio.run(run())
    apart = [b - a for a, b in pairwise([*phases, phases[0] + 0.13])]
    assert min(apart) > 0.0013 * 2


def test_crc_and_count_are_filled_in_as_a_third_party_computes_them(root):
    io_map = HEAD.format(dbc="pages") + (
        "messages:\n  Checked: {every: 10 ms, alive: {signal: Count, modulus: 15}, "
        "crc: {signal: CRC, kind: sae_j1850, data_id: 0x3A}}\n"
        "outputs: {a.value: {signal: Checked.Value, safe: 0}}\n"
    )
    line = Line(io_map, root)

    async def run():
        line.transmitter.start()
        line.write(value=513)
        await line.until(18)
        line.transmitter.stop()

    asyncio.run(run())
    frames = [data for _, _, data in line.sent]
    assert [data[1] & 15 for data in frames] == [i % 15 for i in range(len(frames))]
    for data in frames:
        assert data[2:4] == b"\x01\x02"
        assert data[0] == Crc8SaeJ1850.calc(b"\x3a" + data[1:])


def test_the_crc_of_a_flexible_frame_covers_the_message_and_not_its_padding(root):
    """A message of 13 bytes travels in a frame of 16; who receives it takes the CRC over the 13 that the DBC knows."""
    dbc = (
        'VERSION ""\nBU_: PLC RACK\nBO_ 70 Long: 13 PLC\n'
        ' SG_ CRC : 0|8@1+ (1,0) [0|255] "" RACK\n SG_ Far : 96|8@1+ (1,0) [0|255] "" RACK\n'
    )
    (root / "dbc" / "long.dbc").write_text(dbc, encoding="utf-8")
    io_map = HEAD.format(dbc="long") + (
        "messages: {Long: {every: 10 ms, crc: {signal: CRC, kind: sae_j1850}}}\noutputs: {a.far: {signal: Long.Far, safe: 0}}\n"
    )
    line = Line(io_map, root)

    async def run():
        line.transmitter.start()
        line.write(far=7)
        await line.until(1)
        line.transmitter.stop()

    asyncio.run(run())
    data = line.sent[0][2]
    assert (len(data), data[12], data[13:]) == (16, 7, bytes(3))
    assert data[0] == Crc8SaeJ1850.calc(data[1:13])
    received, report = describe(
        HEAD.format(dbc="long") + "messages: {Long: {crc: {signal: CRC, kind: sae_j1850}}}\ninputs: {a.far: {signal: Long.Far}}\n",
        SITE,
        root,
    )
    assert not report.problems
    assert has_crc(data[:13], received.settings.rules[0].crc)


@pytest.mark.parametrize("start", ["1e300", "-1e300"])
def test_a_start_value_that_no_signal_can_carry_is_refused(root, start):
    dbc = (
        'VERSION ""\nBU_: PLC RACK\nBO_ 70 Float: 8 PLC\n'
        ' SG_ Level : 0|32@1- (1,0) [0|0] "V" RACK\n SG_ Word : 32|16@1+ (1,0) [0|0] "" RACK\n'
        'BA_DEF_ SG_ "GenSigStartValue" FLOAT -1e308 1e308;\nBA_DEF_DEF_ "GenSigStartValue" 0;\n'
        f'BA_ "GenSigStartValue" SG_ 70 Level {start};\nSIG_VALTYPE_ 70 Level : 1;\n'
    )
    (root / "dbc" / "start.dbc").write_text(dbc, encoding="utf-8")
    text = problems(HEAD.format(dbc="start") + "outputs:\n  a.word: {signal: Float.Word, safe: 0}\n", SITE, root)
    assert "io_maps/device.yaml:7:20: error[E669]: the DBC's start value of `Float.Level` does not fit the signal" in text


def test_a_negative_cycle_of_the_dbc_does_not_flood_the_bus(root):
    dbc = (
        'VERSION ""\nBU_: PLC RACK\nBO_ 70 Cyclic: 8 PLC\n SG_ Word : 32|16@1+ (1,0) [0|0] "" RACK\n'
        'BA_DEF_ BO_ "GenMsgCycleTime" INT -10 65535;\nBA_DEF_DEF_ "GenMsgCycleTime" 0;\n'
        'BA_ "GenMsgCycleTime" BO_ 70 -10;\n'
    )
    (root / "dbc" / "cycle.dbc").write_text(dbc, encoding="utf-8")
    for section in ("outputs: {a.word: {signal: Cyclic.Word, safe: 0}}\n", "messages: {Cyclic: {send: cyclic}}\n"):
        found, report = describe(HEAD.format(dbc="cycle") + section, SITE, root)
        assert not report.problems
        assert found.settings.frames[0].every == 100_000_000


def test_every_combination_of_nested_pages_gets_its_frame(root):
    io_map = HEAD.format(dbc="pages") + (
        "outputs:\n"
        "  a.first: {signal: Paged.First, safe: 0, every: 20 ms}\n"
        "  a.second: {signal: Paged.Second, safe: 0 V, every: 20 ms}\n"
        "  a.cover: {signal: Paged.Cover, safe: 0, every: 20 ms}\n"
        "  a.other: {signal: Paged.Other, safe: 0, every: 20 ms}\n"
        "  a.always: {signal: Paged.Always, safe: 0, every: 20 ms}\n"
    )
    line = Line(io_map, root)
    message = cantools.database.load_file(root / "dbc" / "pages.dbc").get_message_by_name("Paged")

    async def run():
        line.transmitter.start()
        line.write(first=1234, second=-7.5, cover=9, other=77, always=200)
        await line.until(6)
        line.transmitter.stop()

    asyncio.run(run())
    told = {tuple(sorted(message.decode(data).items())) for _, _, data in line.sent}
    assert told == {
        tuple(sorted({"Book": 1, "Page": 2, "First": 1234, "Cover": 9, "Always": 200}.items())),
        tuple(sorted({"Book": 1, "Page": 3, "Second": -7.5, "Cover": 9, "Always": 200}.items())),
        tuple(sorted({"Book": 2, "Other": 77, "Always": 200}.items())),
    }


def test_a_selector_is_filled_in_by_us(root):
    io_map = HEAD.format(dbc="pages") + "outputs:\n  a.p: {signal: Paged.Page, safe: 0}\n  a.f: {signal: Paged.First, safe: 0}\n"
    assert "the selector of `Paged` is mapped as an output" in problems(io_map, SITE, root)


def test_a_flexible_message_needs_a_flexible_channel(root):
    io_map = HEAD.format(dbc="pages") + "outputs: {a.far: {signal: Flexible.Far, safe: 0}}\n"
    classic = "site: t\nchannels: {can0: {interface: socketcan, channel: can7}}\n"
    text = problems(io_map, classic, root)
    assert "E670" in text and "`Flexible` is a CAN FD message of 12 bytes" in text and "fd: true" in text
    assert "E670" not in problems(io_map, classic.replace("can7", "can7, fd: true"), root)
