"""How a device on CAN is, as its tags tell it: state, conditions, errors by kind, and how soon its inputs are bad."""

import asyncio
import time
from collections.abc import Callable
from types import SimpleNamespace

import can
import pytest

from runtime.fieldbus import can as driver
from runtime.fieldbus.can_health import BUS_ERRORS, BUS_STATES, HELD, BusCounts
from runtime.fieldbus.can_rules import LAWS, CrcRule, put_crc
from runtime.fieldbus.can_tables import Bits
from runtime.quality import BAD_NO_COMMUNICATION, BAD_SENSOR_FAILURE, GOOD
from runtime.system_tags import DEVICE_STATES
from tests.aids.fieldbus import Cells, mapped
from tests.aids.fieldbus_dbc import write_synthetic

CLOSED, CONNECTING, ONLINE, DEGRADED, LOST = range(len(DEVICE_STATES))
MARGIN = 5
TIMEOUT, STALE = 0.2, 0.3  # s
TEXT = """
    device: d
    driver: can
    channel: can0
    dbc: dbc/synthetic.dbc
    messages:
      Protected: {cycle: 50 ms, timeout: 200 ms, alive: Alive, crc: {signal: CRC, kind: sae_j1850, data_id: 0x3A}}
    inputs:
      d.value: {signal: Protected.Value}
      d.word: {signal: Slow.Word}
      d.pressure: {signal: Words.Pressure}
      d.temperature: {signal: Named.Temperature}
    outputs:
      d.mode: {signal: Command.Mode, safe: 0}
"""
CAN_ERR_BUSOFF = 0x40  # linux/can/error.h
CRC = CrcRule(Bits(0, 1, 0, 8), LAWS["sae_j1850"], before=b"\x3a")
VALUE, WORD, PRESSURE = range(3)


class Rack:
    """A rack on a virtual bus, and the connection to it."""

    def __init__(self, folder):
        write_synthetic(folder)
        self.name = f"health-{folder.name}"
        site = f"site: t\nchannels: {{can0: {{interface: virtual, channel: {self.name}}}}}"
        self.device = mapped(TEXT, site, folder).device
        self.cells, self.outbox = Cells(4), Cells(1)
        self.connection = driver.connect(self.device, self.cells, self.outbox, folder)
        self.bus = can.Bus(interface="virtual", channel=self.name)
        self.count = 0

    async def __aenter__(self):
        await self.connection.open()
        return self

    async def __aexit__(self, *_):
        await self.connection.close()
        self.bus.shutdown()

    def send(self, identifier: int, data: bytes) -> None:
        self.bus.send(can.Message(arbitration_id=identifier, is_extended_id=False, data=data))

    def protected(self, value: int, *, step: int = 1, flip: int = 0) -> None:
        """Send a `Protected` frame with its next count and its CRC."""
        self.count = (self.count + step) % 16
        frame = bytearray([0, self.count, *value.to_bytes(2, "little", signed=True), 0, 0, 0, 0])
        put_crc(frame, CRC)
        frame[2] ^= flip
        self.send(29, bytes(frame))

    def all_well(self, value: int = 1) -> None:
        self.protected(value)
        self.send(34, value.to_bytes(2, "little"))
        self.send(30, bytes([0, value, 0, 0]))
        self.send(25, bytes([0, value]))

    @property
    def health(self):
        return self.connection.health()


async def until(holds: Callable[[], bool], limit: float, what: str, meanwhile: Callable[[], None] | None = None) -> float:
    """Wait for the condition, doing `meanwhile` every 20 ms; returns the seconds it took."""
    begun = time.monotonic()
    while not holds():
        assert time.monotonic() - begun < limit, f"not within {limit} s: {what}"
        if meanwhile is not None:
            meanwhile()
        await asyncio.sleep(0.02)
    return time.monotonic() - begun


@pytest.fixture
def rack(tmp_path):
    return Rack(tmp_path)


def test_a_device_is_connecting_then_online_and_closed_after_close(rack):
    async def run() -> None:
        assert rack.health.state == CONNECTING
        async with rack:
            await until(lambda: rack.connection.status()["connected"], 5, "the bus is open")
            assert rack.health.state == CONNECTING and rack.health.exchanges == 0
            await until(lambda: rack.health.state == ONLINE, 5, "frames come", rack.all_well)
            health = rack.health
            assert health.exchanges > 0 and health.last_good <= time.monotonic_ns() and health.last_good > 0
            assert health.conditions == frozenset()
        assert rack.health.state == CLOSED

    asyncio.run(run())


def test_every_kind_and_condition_that_is_told_is_in_the_drivers_lists(rack):
    assert set(rack.health.errors) == set(driver.ERRORS)
    assert set(BUS_ERRORS.values()) <= set(driver.ERRORS)
    assert {*BUS_STATES.values(), "message_missing", "frames_refused", "receive_overflow"} == set(driver.CONDITIONS)


def test_a_device_that_never_speaks_is_lost(rack):
    async def run() -> None:
        async with rack:
            await until(lambda: rack.health.state == LOST, (STALE + 1) * MARGIN, "it is given up")
            assert rack.health.conditions == {"message_missing"}

    asyncio.run(run())


def test_a_message_that_stops_makes_its_inputs_bad_before_they_are_stale_and_the_device_degraded(rack):
    async def run() -> None:
        async with rack:
            await until(lambda: rack.health.state == ONLINE, 5, "all is well", rack.all_well)
            others = lambda: rack.send(34, b"\x05\x00")  # noqa: E731
            spent = await until(lambda: rack.cells.quality[VALUE] == BAD_NO_COMMUNICATION, TIMEOUT * MARGIN, "time-out", others)
            assert spent > TIMEOUT * 0.5
            assert rack.health.state == DEGRADED and rack.health.conditions == {"message_missing"}
            assert rack.health.errors["timeout"] >= 1
            assert (rack.cells.quality[WORD], rack.cells.lreal[WORD]) == (GOOD, 5.0)
            await until(lambda: rack.health.state == ONLINE, 5, "it is back", rack.all_well)
            assert rack.cells.quality[VALUE] == GOOD

    asyncio.run(run())


def test_a_message_without_rules_is_missed_after_three_cycles_of_the_dbc(rack):
    """`Named` comes every 100 ms, as its GenMsgCycleTime says; it is judged no sooner than inputs are stale."""

    async def run() -> None:
        def others() -> None:
            rack.protected(1)
            rack.send(34, b"\x05\x00")

        async with rack:
            await until(lambda: rack.health.state == ONLINE, 5, "all is well", rack.all_well)
            spent = await until(lambda: rack.health.state == DEGRADED, STALE * MARGIN, "it is missed", others)
            assert spent > STALE * 0.5 and rack.health.conditions == {"message_missing"}
            assert rack.health.errors["timeout"] == 0, "nothing was said of a time-out"
            await until(lambda: rack.health.state == ONLINE, 5, "it is back", rack.all_well)

    asyncio.run(run())


def test_a_device_that_falls_silent_is_lost_and_comes_back(rack):
    async def run() -> None:
        async with rack:
            await until(lambda: rack.health.state == ONLINE, 5, "all is well", rack.all_well)
            await until(lambda: rack.health.state == LOST, STALE * MARGIN, "it is silent")
            await until(lambda: rack.health.state == ONLINE, 5, "it is back", rack.all_well)

    asyncio.run(run())


def test_after_a_loss_of_the_bus_counts_and_cycles_begin_anew(rack):
    async def run() -> None:
        async with rack:
            await until(lambda: rack.health.state == ONLINE, 5, "all is well", rack.all_well)
            before = rack.health.errors
            rack.connection.went_down("the cable is out")
            assert rack.health.state == LOST and set(rack.cells.quality) == {BAD_NO_COMMUNICATION}
            rack.connection.went_up()
            rack.protected(33, step=0)  # a controller that was restarted may begin with any count
            await until(lambda: rack.cells.quality[VALUE] == GOOD, 5, "the first frame is taken")
            assert rack.cells.lreal[VALUE] == pytest.approx(3.3)
            counted = {kind: rack.health.errors[kind] for kind in ("alive", "late", "lost_frames")}
            assert counted == {kind: before[kind] for kind in counted}

    asyncio.run(run())


@pytest.mark.parametrize(("kind", "fault"), [("crc", {"flip": 0x40}), ("alive", {"step": 0})])
def test_refused_frames_never_reach_the_tag_and_the_message_times_out(rack, kind, fault):
    async def run() -> None:
        def faulty() -> None:
            rack.protected(999, **fault)
            rack.send(34, b"\x01\x00")

        async with rack:
            await until(lambda: rack.health.state == ONLINE, 5, "all is well", rack.all_well)
            await until(lambda: rack.health.errors[kind] > 0, 5, "it is counted", faulty)
            assert rack.cells.lreal[VALUE] == pytest.approx(0.1), "the last good value stays"
            assert "frames_refused" in rack.health.conditions and rack.health.state == DEGRADED
            await until(lambda: rack.cells.quality[VALUE] == BAD_NO_COMMUNICATION, TIMEOUT * MARGIN, "it is bad", faulty)
            assert rack.cells.lreal[VALUE] == pytest.approx(0.1)
            assert rack.connection.status()["messages"]["Protected"][kind] == rack.health.errors[kind]
            await until(lambda: rack.health.state == ONLINE, 5, "it is back", rack.all_well)
            assert rack.cells.quality[VALUE] == GOOD

    asyncio.run(run())


def test_a_stuck_counter_is_not_good_again_after_a_reconnect(rack):
    async def run() -> None:
        async with rack:
            await until(lambda: rack.health.state == ONLINE, 5, "all is well", rack.all_well)
            await until(lambda: rack.health.errors["alive"] > 0, 5, "it is stuck", lambda: rack.protected(999, step=0))
            for _ in range(3):
                rack.connection.went_down("the cable is out")
                rack.connection.went_up()
                refused = rack.health.errors["alive"]
                await until(
                    lambda before=refused: rack.health.errors["alive"] > before, 5, "still", lambda: rack.protected(999, step=0)
                )
                assert rack.cells.quality[VALUE] == BAD_NO_COMMUNICATION
                assert rack.cells.lreal[VALUE] == pytest.approx(0.1)
            await until(lambda: rack.cells.quality[VALUE] == GOOD, 5, "it counts again", lambda: rack.protected(20))

    asyncio.run(run())


def test_lost_short_broken_and_odd_values_are_counted_by_kind(rack):
    async def run() -> None:
        async with rack:
            await until(lambda: rack.health.state == ONLINE, 5, "all is well", rack.all_well)
            rack.protected(5, step=4)
            rack.send(34, b"\x01")
            rack.send(30, b"\x00\xff\x00\x00")
            await until(lambda: rack.cells.quality[PRESSURE] == BAD_SENSOR_FAILURE, 5, "the sensor says that it has no value")
            rack.send(30, b"\x00\xc8\x00\x00")  # 200 bar of 100
            await until(lambda: rack.cells.quality[PRESSURE] == GOOD, 5, "it is back")
            errors = rack.health.errors
            assert (errors["lost_frames"], errors["short_frame"], errors["broken_value"], errors["out_of_range"]) == (3, 1, 1, 1)

    asyncio.run(run())


def test_a_refused_output_is_counted(rack):
    async def run() -> None:
        async with rack:
            rack.outbox.integer[0] = 9  # Mode has three bits
            rack.connection.write()
            assert rack.health.errors["refused_output"] == 1

    asyncio.run(run())


# What the bus tells -------------------------------------------------------------------------------------------------------


def wire(state: str = "active", **counts: int) -> SimpleNamespace:
    return SimpleNamespace(state=state, counts={"error_frames": 0, "overflow": 0} | counts)


def test_the_counters_of_a_bus_go_on_when_it_is_reopened():
    counts = BusCounts()
    counts.look(wire(error_frames=3, bus_off=1))
    counts.look(None)
    assert counts.errors()["error_frame"] == 3
    counts.look(wire(error_frames=2))
    assert (counts.errors()["error_frame"], counts.errors()["bus_off"]) == (5, 1)


@pytest.mark.parametrize(
    ("state", "conditions"),
    [("active", set()), ("warning", set()), ("passive", {"error_passive"}), ("bus_off", {"bus_off"})],
)
def test_the_state_of_the_controller_is_a_condition(state, conditions):
    counts = BusCounts()
    counts.look(wire(state))
    assert counts.conditions() == conditions


def test_dropped_frames_are_a_condition_for_a_while():
    now = [100.0]
    counts = BusCounts(lambda: now[0])
    bus = wire(overflow=7)
    counts.look(bus)
    assert counts.conditions() == {"receive_overflow"}
    now[0] += HELD + 1
    counts.look(bus)
    assert counts.conditions() == frozenset()


def test_a_controller_that_left_the_bus_is_a_lost_device(rack):
    async def run() -> None:
        async with rack:
            await until(lambda: rack.health.state == ONLINE, 5, "all is well", rack.all_well)
            rack.bus.send(can.Message(is_error_frame=True, arbitration_id=CAN_ERR_BUSOFF, data=bytes(8)))
            await until(lambda: rack.health.errors["bus_off"] == 1, 5, "it is counted")
            health = rack.health
            assert (health.state, "bus_off" in health.conditions) == (LOST, True)

    asyncio.run(run())


# Outputs ------------------------------------------------------------------------------------------------------------------


class Far:
    """The channel of a connection whose bus the test plays."""

    frames_out = losses = 0
    last_error = ""
    is_idle = True

    def __init__(self) -> None:
        self.wire = wire(not_sent=0)
        self.sent: list[int] = []

    @property
    def state(self) -> str:
        return self.wire.state

    def send(self, key: int, data: bytes, fd: bool) -> bool:
        self.sent.append(key)
        return True


async def played(tmp_path, io_map: str):
    """A connection on a bus that the test plays, up and with its first outputs written."""
    write_synthetic(tmp_path)
    device = mapped(io_map, "site: t\nchannels: {can0: {interface: virtual}}\n", tmp_path).device
    connection = driver.connect(device, Cells(4), Cells(1), tmp_path)
    connection._channel = far = Far()
    connection.went_up()
    connection.write()
    return connection, far


ON_CHANGE = TEXT.replace("messages:\n", "messages:\n      Command: {send: change}\n")


@pytest.mark.parametrize("how", ["not_sent", "bus_off"])
def test_a_frame_that_the_bus_swallowed_is_sent_again(tmp_path, how):
    async def run() -> None:
        connection, far = await played(tmp_path, ON_CHANGE)
        await until(lambda: far.sent == [32], 5, "the first one")
        connection.health()
        if how == "not_sent":
            far.wire.counts["not_sent"] += 1
        else:
            far.wire.state = "bus_off"
            connection.health()
            far.wire.state = "active"
        connection.health()
        await until(lambda: far.sent == [32, 32], 5, "once more")
        connection.health()
        await asyncio.sleep(0.05)
        assert far.sent == [32, 32], "and only once"
        connection.went_down("the end")

    asyncio.run(run())


def test_a_bus_that_is_off_takes_no_safe_values(tmp_path):
    async def run() -> None:
        connection, far = await played(tmp_path, TEXT)
        assert connection.status()["connected"] is True
        far.wire.state = "bus_off"
        assert connection.status()["connected"] is False
        connection.went_down("the end")

    asyncio.run(run())


def test_a_safe_value_that_does_not_fit_counts_as_missed(tmp_path):
    async def run() -> None:
        connection, _ = await played(tmp_path, TEXT.replace("safe: 0", "safe: 9"))  # three bits, of which 0 to 4 are used
        with pytest.raises(ValueError, match="does not fit"):
            await connection.write_safe([0])
        connection.went_down("the end")

    asyncio.run(run())


def test_the_first_frame_after_the_bus_is_opened_anew_may_carry_the_old_count(rack):
    async def run() -> None:
        async with rack:
            await until(lambda: rack.health.state == ONLINE, 5, "all is well", rack.all_well)
            rack.connection.went_down("lost")
            rack.connection.went_up()
            rack.protected(2, step=0)
            await until(lambda: rack.cells.quality[VALUE] == GOOD, 5, "a device that counted on meanwhile may be anywhere")

    asyncio.run(run())
