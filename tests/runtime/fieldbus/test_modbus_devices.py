"""How devices really behave, against pymodbus' server in another process: refusals, read-back, order, handshake, heartbeat."""

import asyncio
import time

import pytest

from runtime.fieldbus import modbus
from runtime.quality import BAD_CONFIGURATION_ERROR, BAD_DEVICE_FAILURE, BAD_NO_COMMUNICATION, BAD_SENSOR_FAILURE, GOOD
from runtime.system_tags import DEVICE_STATES
from tests.aids.fieldbus_child import device_process
from tests.aids.modbus_talk import Talk

ONLINE, DEGRADED, LOST, CLOSED = (DEVICE_STATES.index(name) for name in ("online", "degraded", "lost", "closed"))


@pytest.fixture(scope="module")
def process():
    with device_process("modbus_device", "0") as found:
        yield found


@pytest.fixture
def device(process):
    """The server as it was when it started."""
    for table in ("holding", "input", "coil", "discrete"):
        process.ask("set", table=table, address=0, values=[0] * 1000)
    process.ask("refuse", addresses=[])
    process.ask("refuse_function", functions={})
    process.ask("stick", addresses=[])
    process.ask("delay", seconds=0)
    process.ask("written")
    process.ask("requests")
    return process


def talk_to(device, inputs: str = " {}", outputs: str = " {}", extra: str = "") -> Talk:
    return Talk(device.ready["port"], inputs, outputs, f"poll: 20 ms\n{extra}")


# Reads --------------------------------------------------------------------------------------------------------------------

MANY = "".join(f"\n  d.r{a}: {{register: holding {a}}}" for a in range(16))


def test_a_register_that_does_not_exist_is_suspended_and_its_neighbours_stay_good(device):
    device.ask("refuse", addresses=[["holding", 5, 2]])

    async def talk():
        async with talk_to(device, MANY, extra="suspend: 500 ms\n") as t:
            await t.until_quality("d.r5", BAD_CONFIGURATION_ERROR)
            others = [t.quality(f"d.r{a}") for a in range(16) if a != 5]
            assert others == [GOOD] * 15
            assert t.connection.health().state == DEGRADED and t.conditions() == {"suspended"}
            assert t.connection.health().errors["exception_2"] >= 3
            device.ask("requests")
            await t.rounds(20)
            assert sum(a <= 5 < a + n for _, a, n in device.ask("requests")) <= 2, "asked seldom"
            device.ask("refuse", addresses=[])
            await t.until_quality("d.r5", GOOD)
            await t.until(lambda: t.connection.health().state == ONLINE, "online")
            assert t.conditions() == set() and t.connection.status()["read_groups"] == 1

    asyncio.run(talk())


@pytest.mark.parametrize(("code", "quality"), [(4, BAD_DEVICE_FAILURE), (8, BAD_DEVICE_FAILURE)])
def test_a_failure_marks_its_registers_and_is_asked_again_in_the_next_round(device, code, quality):
    device.ask("refuse", addresses=[["input", 10, code]])

    async def talk():
        async with talk_to(device, "\n  d.a: {register: holding 0}\n  d.f: {register: input 10}") as t:
            await t.until_quality("d.f", quality)
            await t.until_quality("d.a", GOOD)
            await t.until(lambda: t.connection.health().errors.get(f"exception_{code}", 0) >= 5, "asked again and again")
            assert t.connection.health().state == DEGRADED and not t.connection.status()["suspended"]
            device.ask("refuse", addresses=[])
            await t.until_quality("d.f", GOOD)
            assert t.connection.health().state == ONLINE

    asyncio.run(talk())


def test_a_busy_device_leaves_the_value_to_grow_old(device):
    device.ask("set", table="input", address=10, values=[7])

    async def talk():
        async with talk_to(device, "\n  d.a: {register: holding 0}\n  d.f: {register: input 10}") as t:
            await t.until_quality("d.f", GOOD)
            device.ask("refuse", addresses=[["input", 10, 6]])
            await t.until(lambda: t.connection.health().errors.get("exception_6", 0) >= 3, "busy")
            stood = t.inputs.time[t.slot("d.f")]
            await t.until(lambda: t.inputs.time[t.slot("d.a")] > stood + 50_000_000, "the other goes on")
            assert (t.value("d.f"), t.inputs.time[t.slot("d.f")]) == (7, stood), "not marked, not renewed: the scan sees its age"
            device.ask("refuse", addresses=[])
            await t.until(lambda: t.inputs.time[t.slot("d.f")] > stood, "renewed")

    asyncio.run(talk())


def test_a_gateway_that_does_not_reach_the_device_loses_it(device):
    async def talk():
        async with talk_to(device, "\n  d.a: {register: holding 0}", "\n  d.y: {register: holding 100, safe: 0, every: 10 s}") as t:
            t.write(y=5)
            await t.until_quality("d.a", GOOD)
            device.ask("refuse_function", functions={"3": 11, "6": 11, "16": 11})
            await t.until_quality("d.a", BAD_NO_COMMUNICATION)
            await t.until(lambda: t.connection.health().state == LOST, "lost")
            assert t.connection.health().errors["exception_11"] >= 2
            device.ask("set", table="holding", address=100, values=[0])
            device.ask("refuse_function", functions={})
            await t.until_quality("d.a", GOOD)
            await t.until(lambda: device.ask("get", table="holding", address=100) == [5], "it is told its outputs again")

    asyncio.run(talk())


def test_inputs_of_their_own_period_are_read_so_often(device):
    lines = "\n  d.fast: {register: holding 0}\n  d.slow: {register: holding 1, poll: 400 ms}"

    async def talk():
        async with talk_to(device, lines) as t:
            await t.until_quality("d.slow", GOOD)
            await t.rounds(60)
            reads = [address for _, address, _ in device.ask("requests")]
            assert 2 <= reads.count(1) and reads.count(0) >= 8 * reads.count(1)

    asyncio.run(talk())


def test_a_power_of_ten_that_changes_is_honoured_at_once_both_ways(device):
    device.ask("set", table="holding", address=0, values=[505, 0xFFFF])  # 505 * 10^-1
    inputs = "\n  d.p: {register: holding 0, scale_from: holding 1}"
    outputs = "\n  d.s: {register: holding 100, scale_from: holding 1, safe: 0, every: 10 s, type: LREAL}"

    async def talk():
        async with talk_to(device, inputs, outputs) as t:
            t.write(s=12.5)
            await t.until(lambda: device.ask("get", table="holding", address=100) == [125], "written with the power")
            await t.until_quality("d.p", GOOD)
            assert t.value("d.p") == 50.5
            device.ask("set", table="holding", address=0, values=[5050, 0xFFFE])
            await t.until(lambda: device.ask("get", table="holding", address=100) == [1250], "written anew")
            assert t.value("d.p") == 50.5
            device.ask("set", table="holding", address=1, values=[0x8000])
            await t.until_quality("d.p", BAD_SENSOR_FAILURE)
            device.ask("written")
            t.write(s=13.0)
            await t.rounds(10)
            assert device.ask("written") == [], "nothing is written on a scale that is not known"
            device.ask("set", table="holding", address=1, values=[0])
            await t.until(lambda: device.ask("get", table="holding", address=100) == [13], "written when it is")

    asyncio.run(talk())


def test_no_value_is_ever_shown_on_a_scale_that_it_was_not_read_on(device):
    """The power stands far from its value and changes between the two requests, again and again."""
    device.ask("set", table="holding", address=0, values=[5])
    device.ask("set", table="holding", address=500, values=[1])

    async def talk():
        async with talk_to(device, "\n  d.p: {register: holding 0, scale_from: holding 500}\n  d.q: {register: holding 1}") as t:
            await t.until_quality("d.p", GOOD)
            assert t.connection.status()["read_groups"] == 2
            for number in range(60):  # 50 is 5 * 10^1 or 50 * 10^0; both registers change in one moment
                value, power = ((50, 0), (5, 1))[number % 2]
                device.ask("scale", address=0, value=value, power_address=500, power=power)
                await t.rounds(1 + number % 5)
                assert t.value("d.p") == 50 and t.quality("d.p") == GOOD
            before = t.inputs.time[t.slot("d.p")]
            await t.until(lambda: t.inputs.time[t.slot("d.p")] > before, "it is renewed when the power rests")

    asyncio.run(talk())


def test_raw_values_that_mean_nothing_are_bad_and_fields_of_bits_are_cut_out(device):
    device.ask("set", table="holding", address=0, values=[0x8000, 0x1234])
    inputs = "\n  d.t: {register: holding 0, as: int16, invalid: [0x8000], scale: 0.1}\n  d.f: {register: holding 1, bits: 4..11}"

    async def talk():
        async with talk_to(device, inputs) as t:
            await t.until_quality("d.t", BAD_SENSOR_FAILURE)
            assert (t.value("d.f"), t.quality("d.f")) == (0x23, GOOD)
            device.ask("set", table="holding", address=0, values=[0x7FFF])
            await t.until_quality("d.t", GOOD)

    asyncio.run(talk())


# Writes -------------------------------------------------------------------------------------------------------------------


def test_outputs_that_change_together_are_written_in_their_order(device):
    outputs = """
  d.enable: {register: coil 1, safe: false, order: 3, every: 10 s}
  d.mode: {register: holding 101, safe: 0, order: 2, every: 10 s}
  d.p: {register: holding 100, safe: 0, order: 2, every: 10 s}
  d.limit: {register: holding 102, safe: 0, order: 1, every: 10 s}
"""

    async def talk():
        async with talk_to(device, outputs=outputs) as t:
            t.write(enable=1, mode=2, p=3, limit=4)
            await t.until(lambda: device.ask("get", table="coil", address=1) == [1], "the last")
            written = [(w["table"], w["address"], w["values"]) for w in device.ask("written")]
            assert written == [("holding", 102, [4]), ("holding", 100, [3, 2]), ("coil", 1, [1])], "by order, then by address"
            await t.connection.write_safe([t.slot(f"d.{name}") for name in ("enable", "p", "limit")])
            assert [(w["table"], w["address"]) for w in device.ask("written")] == [("holding", 102), ("holding", 100), ("coil", 1)]

    asyncio.run(talk())


def test_a_device_that_does_not_hold_what_was_written_is_a_mismatch_until_it_does(device):
    outputs = """
  d.y: {register: holding 100, safe: 0, verify: true, every: 100 ms}
  d.z: {register: holding 101, safe: 0, every: 1 h}
"""
    device.ask("stick", addresses=[100])

    async def talk():
        async with talk_to(device, "\n  d.a: {register: holding 0}", outputs) as t:
            t.write(y=5, z=6)
            await t.until(lambda: t.conditions() == {"mismatch"}, "mismatch")
            assert t.connection.health().state == DEGRADED and t.connection.health().errors["mismatches"] >= 1
            assert sum(w["address"] <= 100 for w in device.ask("written")) >= 2, "tried twice"
            assert t.quality("d.a") == GOOD
            device.ask("stick", addresses=[])
            await t.until(lambda: t.conditions() == set(), "agrees after a refresh")
            assert device.ask("get", table="holding", address=100, count=2) == [5, 6]
            assert t.connection.health().state == ONLINE

    asyncio.run(talk())


def test_bits_that_others_own_do_not_disturb_the_read_back(device):
    outputs = "\n  d.b: {register: holding 100, bit: 2, safe: false, verify: true, every: 30 ms}"

    async def talk():
        async with talk_to(device, outputs=outputs) as t:
            t.write(b=1)
            await t.until(lambda: device.ask("get", table="holding", address=100) == [4], "written")
            device.ask("stick", addresses=[100])
            device.ask("set", table="holding", address=100, values=[0x8004])  # the device's own bit 15
            await t.rounds(10)
            assert t.conditions() == set()

    asyncio.run(talk())


def test_a_refused_write_is_a_condition_and_never_stops_the_reads(device):
    device.ask("refuse", addresses=[["holding", 100, 1], ["holding", 101, 3]])
    outputs = "\n  d.y: {register: holding 100, safe: 0, every: 50 ms}\n  d.z: {register: holding 103, safe: 0, every: 50 ms}"

    async def talk():
        async with talk_to(device, "\n  d.a: {register: holding 0}", outputs) as t:
            t.write(y=5, z=6)
            await t.until(lambda: t.conditions() == {"outputs_refused"}, "refused")
            await t.until(lambda: device.ask("get", table="holding", address=103) == [6], "the others are written")
            before = t.inputs.time[t.slot("d.a")]
            await t.until(lambda: t.inputs.time[t.slot("d.a")] > before, "and the inputs read")
            device.ask("refuse", addresses=[])
            await t.until(lambda: t.conditions() == set(), "taken at the refresh")
            assert device.ask("get", table="holding", address=100) == [5]

    asyncio.run(talk())


def test_safe_values_for_a_busy_device_are_sent_until_it_takes_them(device):
    async def talk():
        async with talk_to(device, "\n  d.a: {register: holding 0}", "\n  d.y: {register: holding 100, safe: 3, every: 1 h}") as t:
            t.write(y=5)
            await t.until(lambda: device.ask("get", table="holding", address=100) == [5], "written")
            device.ask("refuse", addresses=[["holding", 100, 6]])
            safe = asyncio.ensure_future(t.connection.write_safe([t.slot("d.y")]))
            await t.until(lambda: t.connection.health().errors.get("exception_6", 0) >= 2, "tried again")
            assert not safe.done() and t.conditions() == {"outputs_refused"}
            device.ask("refuse", addresses=[])
            await asyncio.wait_for(safe, 5.0)
            assert device.ask("get", table="holding", address=100) == [3] and t.conditions() == set()

    asyncio.run(talk())


def test_every_condition_and_error_has_its_sentence(device):
    async def talk():
        async with talk_to(device, "\n  d.a: {register: holding 0}") as t:
            await t.until_quality("d.a", GOOD)
            assert set(t.connection._record.holding(t.connection._plan)) == set(modbus.CONDITIONS)
            assert set(t.connection.health().errors) <= set(modbus.ERRORS)

    asyncio.run(talk())


def test_a_value_that_fits_no_register_is_a_condition_while_it_is_wanted(device):
    async def talk():
        async with talk_to(device, "\n  d.a: {register: holding 0}", "\n  d.y: {register: holding 100, safe: 0}") as t:
            t.write(y=70000)
            await t.until(lambda: t.conditions() == {"outputs_unfit"}, "unfit")
            assert t.connection.health().errors["outputs_unfit"] == 1
            t.write(y=7)
            assert t.conditions() == set()

    asyncio.run(talk())


def test_the_heartbeat_counts_while_the_scan_speaks_and_stops_with_it(device):
    extra = "heartbeat: {register: holding 200, every: 30 ms, limit: 3}\n"

    async def talk():
        async with talk_to(device, "\n  d.a: {register: holding 0}", "\n  d.y: {register: holding 100, safe: 0}", extra) as t:
            await t.until_quality("d.a", GOOD)
            await t.rounds(5)
            assert device.ask("written") == [], "not before the scan has spoken"
            beats: list[int] = []
            deadline = time.monotonic() + 10
            while len(beats) < 6 and time.monotonic() < deadline:
                t.write(y=1)
                await asyncio.sleep(0.01)
                beats += [w["values"][0] for w in device.ask("written") if w["address"] == 200]
            assert beats[:6] == [1, 2, 3, 0, 1, 2]
            t.write(y=1)
            await t.connection.write_safe([t.slot("d.y")])
            device.ask("written")
            await t.rounds(10)
            assert not [w for w in device.ask("written") if w["address"] == 200], "no beat without the scan"

    asyncio.run(talk())


@pytest.mark.parametrize("known", [True, False])
def test_writes_and_reads_share_a_request_where_the_device_knows_it(device, known):
    if not known:
        device.ask("refuse_function", functions={"23": 1})

    async def talk():
        outputs = "\n  d.y: {register: holding 100, safe: 0, every: 10 s}"
        async with talk_to(device, "\n  d.a: {register: holding 0}", outputs, "read_write: true\n") as t:
            await t.until_quality("d.a", GOOD)
            functions: set[int] = set()
            for number in range(1, 200):
                t.write(y=number)
                await t.rounds(1)
                functions |= {function for function, _, _ in device.ask("requests")}
                if {23} <= functions and (known or 6 in functions):
                    break
            assert 23 in functions
            await t.until(lambda: device.ask("get", table="holding", address=100) == [number], "written all the same")
            assert t.quality("d.a") == GOOD

    asyncio.run(talk())


# Handshake ----------------------------------------------------------------------------------------------------------------

HANDSHAKE = """
handshake:
  - {register: holding 10, as: uint32, equals: 0x53756e53, text: SunSpec marker}
  - {register: input 0, in: [3, 4]}
"""


def test_nothing_is_written_to_a_device_that_is_not_the_right_one(device):
    device.ask("set", table="holding", address=10, values=[0x5375, 0x6E53])
    device.ask("set", table="input", address=0, values=[9])

    async def talk():
        outputs = "\n  d.y: {register: holding 100, safe: 7, every: 20 ms}"
        async with talk_to(device, "\n  d.a: {register: holding 0}", outputs, HANDSHAKE) as t:
            t.write(y=5)
            await t.until_quality("d.a", BAD_CONFIGURATION_ERROR)
            await t.until(lambda: t.connection.health().errors.get("not_verified", 0) >= 2, "tried again")
            assert t.conditions() == {"not_verified"} and t.connection.health().state == DEGRADED
            assert "input 0 holds 9, not 3 or 4" in t.connection.status()["last_error"]
            await asyncio.wait_for(t.connection.write_safe([t.slot("d.y")]), 2.0)
            assert device.ask("written") == [], "not even a safe value: it is somebody else's"
            t.write(y=5)
            device.ask("set", table="input", address=0, values=[4])
            await t.until_quality("d.a", GOOD)
            await t.until(lambda: device.ask("get", table="holding", address=100) == [5], "written now")
            assert t.conditions() == set()
        assert t.connection.health().state == CLOSED

    asyncio.run(talk())


def test_another_device_in_the_place_of_the_right_one_is_noticed_after_a_reconnect(device):
    device.ask("set", table="holding", address=10, values=[0x5375, 0x6E53])
    device.ask("set", table="input", address=0, values=[3])

    async def talk():
        outputs = "\n  d.y: {register: holding 100, safe: 0, every: 20 ms}"
        async with talk_to(device, "\n  d.a: {register: holding 0}", outputs, HANDSHAKE) as t:
            t.write(y=5)
            await t.until(lambda: device.ask("get", table="holding", address=100) == [5], "written")
            device.ask("unplug")
            await t.until_quality("d.a", BAD_NO_COMMUNICATION)
            device.ask("set", table="holding", address=10, values=[0, 0])
            device.ask("set", table="holding", address=100, values=[0])
            device.ask("written")
            device.ask("plug")
            await t.until(lambda: "not_verified" in t.conditions(), "not verified")
            assert device.ask("written") == []
            assert "SunSpec marker: holding 10 to 11 holds 0, not 0x53756e53" in t.connection.status()["last_error"]

    asyncio.run(talk())


@pytest.mark.parametrize("code", [6, 11])
def test_a_device_that_cannot_be_asked_now_is_lost_and_not_a_wrong_one(device, code):
    device.ask("set", table="holding", address=10, values=[0x5375, 0x6E53])
    device.ask("set", table="input", address=0, values=[3])
    device.ask("refuse", addresses=[["input", 0, code]])

    async def talk():
        async with talk_to(device, "\n  d.a: {register: holding 0}", extra=HANDSHAKE) as t:
            await t.until_quality("d.a", BAD_NO_COMMUNICATION)
            assert t.conditions() == set() and t.connection.health().state == LOST
            device.ask("refuse", addresses=[])
            await t.until_quality("d.a", GOOD)

    asyncio.run(talk())


def test_a_value_is_as_old_as_its_request_however_late_the_answer_is_taken(device):
    async def talk():
        async with talk_to(device, "\n  d.a: {register: holding 0}") as t:
            await t.until_quality("d.a", GOOD)
            device.ask("delay", seconds=0.2)
            await t.rounds(1)
            await t.rounds(1)
            assert time.monotonic_ns() - t.inputs.time[t.slot("d.a")] >= 0.19e9
            device.ask("delay", seconds=0)

    asyncio.run(talk())


def test_a_question_that_the_device_refuses_is_a_wrong_answer(device):
    device.ask("refuse", addresses=[["input", 0, 2]])
    device.ask("set", table="holding", address=10, values=[0x5375, 0x6E53])

    async def talk():
        async with talk_to(device, "\n  d.a: {register: holding 0}", extra=HANDSHAKE) as t:
            await t.until_quality("d.a", BAD_CONFIGURATION_ERROR)
            assert "the device refuses input 0" in t.connection.status()["last_error"]

    asyncio.run(talk())
