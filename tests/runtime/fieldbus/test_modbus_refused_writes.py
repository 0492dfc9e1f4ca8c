"""Writes that a device does not take: its neighbours are written all the same, and a safe value that is not held is said so."""

import asyncio
from dataclasses import replace

import pytest

from runtime.fieldbus.safe import safe_steps, write_safe_values
from tests.aids.fieldbus_child import device_process
from tests.aids.modbus_talk import Talk

EVERY = "every: 50 ms"


@pytest.fixture(scope="module")
def process():
    with device_process("modbus_device", "0") as found:
        yield found


@pytest.fixture
def device(process):
    """The server as it was when it started."""
    process.ask("set", table="holding", address=0, values=[0] * 1000)
    process.ask("refuse", addresses=[])
    process.ask("refuse_function", functions={})
    process.ask("stick", addresses=[])
    process.ask("written")
    return process


def talk_to(device, outputs: str, extra: str = "") -> Talk:
    return Talk(device.ready["port"], "\n  d.lives: {register: discrete 0}", outputs, extra=f"poll: 20 ms\n{extra}")


def held(device, address: int, count: int = 1) -> list[int]:
    return device.ask("get", table="holding", address=address, count=count)


async def missed(t: Talk) -> frozenset[str]:
    """The devices that did not take their safe values."""
    return await write_safe_values(safe_steps([t.map.device]), {"d": t.connection})


# Safe values --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [1, 2, 3])
def test_a_safe_value_that_the_device_refuses_is_missed(device, code):
    async def talk():
        async with talk_to(device, "\n  d.y: {register: holding 100, safe: 0, every: 1 h}") as t:
            t.write(y=5)
            await t.until(lambda: held(device, 100) == [5], "written")
            device.ask("refuse", addresses=[["holding", 100, code]])
            assert await missed(t) == {"d"}
            assert held(device, 100) == [5]
            device.ask("refuse", addresses=[])
            assert await missed(t) == frozenset()
            assert held(device, 100) == [0]

    asyncio.run(talk())


def test_a_safe_value_that_no_register_can_carry_is_missed(device):
    device.ask("set", table="holding", address=40, values=[0x8000])  # no scale factor

    async def talk():
        outputs = "\n  d.y: {register: holding 110, safe: 5, scale_from: holding 40, unit: kW, every: 1 h}"
        async with talk_to(device, outputs) as t:
            t.write(y=500.0)
            await t.until(lambda: t.conditions() == {"outputs_unscaled"}, "unscaled")
            assert await missed(t) == {"d"}
            assert held(device, 110) == [0]
            device.ask("set", table="holding", address=40, values=[0])
            await t.until(lambda: held(device, 110) == [5], "written when it can be")
            assert await missed(t) == frozenset()

    asyncio.run(talk())


def test_a_safe_value_beside_a_refused_register_is_taken_and_the_refusal_is_still_missed(device):
    outputs = f"\n  d.a: {{register: holding 100, safe: 0, {EVERY}}}\n  d.b: {{register: holding 101, safe: 0, {EVERY}}}"
    device.ask("refuse", addresses=[["holding", 101, 2]])

    async def talk():
        async with talk_to(device, f"{outputs}\n  d.stop: {{register: holding 102, safe: 1, {EVERY}}}") as t:
            t.write(a=7, b=8, stop=9)
            await t.until(lambda: held(device, 100, 3) == [7, 0, 9], "the neighbours are written")
            assert await missed(t) == {"d"}
            assert held(device, 100, 3) == [0, 0, 1]

    asyncio.run(talk())


# Neighbours ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [1, 2, 3])
def test_a_device_that_does_not_write_several_registers_at_once_is_told_each_alone(device, code):
    device.ask("refuse_function", functions={"16": code})

    async def talk():
        outputs = f"\n  d.a: {{register: holding 200, safe: 0, {EVERY}}}\n  d.b: {{register: holding 201, safe: 0, {EVERY}}}"
        async with talk_to(device, outputs) as t:
            t.write(a=7, b=9)
            await t.until(lambda: held(device, 200, 2) == [7, 9], "written")
            await t.until(lambda: t.conditions() == set(), "nothing is refused any more")

    asyncio.run(talk())


def test_a_value_of_two_registers_is_not_torn_where_its_neighbour_is_refused(device):
    device.ask("refuse", addresses=[["holding", 102, 2]])

    async def talk():
        outputs = f"""
  d.a: {{register: holding 100, as: uint32, type: DINT, safe: 0, {EVERY}}}
  d.b: {{register: holding 102, safe: 0, {EVERY}}}"""
        async with talk_to(device, outputs) as t:
            t.write(a=0x10002, b=9)
            await t.until(lambda: held(device, 100, 3) == [1, 2, 0], "written")
            assert all(w["values"] == [1, 2] for w in device.ask("written"))

    asyncio.run(talk())


# What is written later ----------------------------------------------------------------------------------------------------


def test_a_write_that_was_put_off_is_not_sent_on_a_scale_that_is_not_known_any_more(device):
    async def talk():
        outputs = "\n  d.y: {register: holding 110, safe: 5, scale_from: holding 40, unit: kW, every: 1 h}"
        async with talk_to(device, outputs) as t:
            t.write(y=500.0)
            await t.until(lambda: held(device, 110) == [500], "written")
            device.ask("refuse", addresses=[["holding", 110, 6]])
            t.write(y=600.0)
            await t.until(lambda: t.connection.health().errors.get("exception_6", 0) >= 1, "put off")
            device.ask("set", table="holding", address=40, values=[0x8000])
            await t.until(lambda: t.conditions() >= {"outputs_unscaled"}, "the scale is gone")
            device.ask("refuse", addresses=[])
            await t.rounds(15)  # 300 ms: it was to be sent again after 100 ms
            assert held(device, 110) == [500]
            device.ask("set", table="holding", address=40, values=[0])
            await t.until(lambda: held(device, 110) == [600], "written when the scale is known")

    asyncio.run(talk())


def test_the_code_for_no_value_is_never_written_as_a_setpoint(device):
    async def talk():
        outputs = f"\n  d.y: {{register: holding 120, as: int32, invalid: [0x80000000], unit: kW, safe: 0, {EVERY}}}"
        async with talk_to(device, outputs) as t:
            t.write(y=-7.0)
            await t.until(lambda: held(device, 120, 2) == [0xFFFF, 0xFFF9], "written")
            t.write(y=-2147483648.0)
            assert t.conditions() == {"outputs_unfit"}
            await t.rounds(5)
            assert held(device, 120, 2) == [0xFFFF, 0xFFF9], "the old value stays"

    asyncio.run(talk())


def test_a_value_of_two_registers_is_written_whole_again_where_one_of_them_differs(device):
    device.ask("stick", addresses=[131])

    async def talk():
        async with talk_to(device, "\n  d.f: {register: holding 130, as: float32, safe: 0, verify: true, every: 1 h}") as t:
            t.write(f=1.1)  # 0x3F8CCCCD
            await t.until(lambda: t.conditions() == {"mismatch"}, "it does not hold the low word")
            written = [(w["address"], w["values"]) for w in device.ask("written")]
            assert written == [(130, [0x3F8C, 0xCCCD])] * 2

    asyncio.run(talk())


# Registers that are shared with the device ----------------------------------------------------------------------------------

TWO_BITS = """
  d.run: {register: holding 120, bit: 0, safe: false, every: 1 h}
  d.main: {register: holding 120, bit: 1, safe: {value: false, after: 1 s}, every: 1 h}"""
HIGH_BIT = "\n  d.high: {register: holding 120, as: uint32, bit: 20, safe: false, every: 1 h}"


def words_written(device) -> list[tuple[int, list[int]]]:
    return [(w["address"], w["values"]) for w in device.ask("written")]


def test_a_bit_whose_time_has_not_come_and_bits_without_a_tag_keep_what_the_device_holds(device):
    device.ask("set", table="holding", address=120, values=[0x8003])

    async def talk():
        async with talk_to(device, TWO_BITS) as t:
            now, later = safe_steps([t.map.device])
            await t.until(lambda: t.connection.status()["connected"], "connected")
            assert await write_safe_values([now], {"d": t.connection}) == frozenset()
            assert words_written(device) == [(120, [0x8002])], "the contactor stays closed until its second is over"
            assert await write_safe_values([replace(later, after=0)], {"d": t.connection}) == frozenset()
            assert words_written(device) == [(120, [0x8000])]

    asyncio.run(talk())


def test_what_the_device_holds_is_seen_again_after_each_reconnect(device):
    async def talk():
        async with talk_to(device, TWO_BITS) as t:
            for kept in (0x4000, 0x2000):
                device.ask("set", table="holding", address=120, values=[kept])
                device.ask("plug") if kept != 0x4000 else None
                t.write(run=1, main=0)
                await t.until(lambda held_=kept | 1: held(device, 120) == [held_], "written")
                device.ask("unplug")
                await t.until(lambda: not t.connection.status()["connected"], "lost")
        device.ask("plug")

    asyncio.run(talk())


def test_a_bit_of_a_wide_word_leaves_both_registers_as_they_are(device):
    device.ask("set", table="holding", address=120, values=[0x0100, 0xBEEF])

    async def talk():
        async with talk_to(device, HIGH_BIT) as t:
            t.write(high=1)
            await t.until(lambda: held(device, 120, 2) == [0x0110, 0xBEEF], "written")
            assert words_written(device) == [(120, [0x0110, 0xBEEF])]

    asyncio.run(talk())


@pytest.mark.parametrize("code", [1, 2])
def test_a_register_that_cannot_be_read_is_written_once_all_its_tags_have_values(device, code):
    device.ask("refuse_function", functions={"3": code})

    async def talk():
        async with talk_to(device, TWO_BITS) as t:
            now, later = safe_steps([t.map.device])
            await t.until(lambda: t.connection.status()["connected"], "connected")
            assert await write_safe_values([now], {"d": t.connection}) == {"d"}, "the other bit would be opened too early"
            assert words_written(device) == []
            assert await write_safe_values([replace(later, after=0)], {"d": t.connection}) == frozenset()
            assert words_written(device) == [(120, [0])]

    asyncio.run(talk())


def test_a_device_that_is_busy_when_its_bits_are_read_is_asked_again(device):
    device.ask("set", table="holding", address=120, values=[0x8000])
    device.ask("refuse_function", functions={"3": 6})

    async def talk():
        async with talk_to(device, TWO_BITS) as t:
            t.write(run=1, main=1)
            await t.until(lambda: t.connection.health().errors.get("exception_6", 0) >= 3, "busy")
            assert words_written(device) == []
            device.ask("refuse_function", functions={})
            await t.until(lambda: held(device, 120) == [0x8003], "written")

    asyncio.run(talk())
