"""What every block must keep, without being told: plain and compiled agree, outputs stay in range, docs and tests are there."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

import numpy as np
import pytest

from blocks import catalogue
from blocks.declare import BOOL, DINT, INPUT, LREAL, OUTPUT, BlockType, Pin, Type
from runtime.engine.kernels import load_kernels
from tests.aids.scan_table import Twin, follow

pytestmark = pytest.mark.timeout(1800)  # the first test waits for all kernels where the cache has none: 6 minutes of CPU
USES = [(block, chosen) for block in catalogue().values() for chosen in (block.any_type.choices if block.any_type else (None,))]
NAMES = [f"{block.name}-{chosen}" if chosen else block.name for block, chosen in USES]
every_use = pytest.mark.parametrize(("block", "chosen"), USES, ids=NAMES)
every_block = pytest.mark.parametrize("block", catalogue().values(), ids=catalogue())
REAL_CORNERS = (0.0, -0.0, 1.0, -1.0, np.nan, np.inf, -np.inf, 1e308, -1e308, 5e-324, 2.5, 3.3, 25.0, 49.9, -0.5, 1e9)
WHOLE_CORNERS = (0, 1, -1, 2, 3, 1_000_000_000, 2**31 - 1, -(2**31), 2**53 + 1)
LONG_CORNERS = (*WHOLE_CORNERS, 2**63 - 1, -(2**63))
DTS = (10_000_000, 1, 100_000_000, 3_333_333, 1_000_000_000, 50_000_000)
SCANS = 60
NAN_BY_LAW = {  # IEC 60559 says so, and a value in its place would hide the mistake
    "DIV": "0/0 is not a number, 1/0 is infinite",
    "EXP": "overflows to infinity",
    "EXPT": "overflows to infinity",
    "LN": "0 and below have no logarithm",
    "LOG": "0 and below have no logarithm",
    "SQRT": "below 0 there is no root",
    "SCALE": "two equal points have no line; OUTSIDE tells",
    **dict.fromkeys(("FREQ_DROOP", "FREQ_DROOP4", "LFSM_O", "LFSM_U"), "a frequency that no grid has counts as NaN, and is shown"),
    "VOLTAGE_DIVIDER": "all of the voltage on one side is an open circuit",
}
finite_use = pytest.mark.parametrize(
    ("block", "chosen"),
    [use for use in USES if use[0].name not in NAN_BY_LAW],
    ids=[name for use, name in zip(USES, NAMES, strict=True) if use[0].name not in NAN_BY_LAW],
)


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    """All kernels at once: on all cores, where the cache has none."""
    load_kernels(USES)


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> np.random.Generator:
    """Random numbers that are the same in each run of a test and different in each test."""
    return np.random.default_rng(zlib.crc32(request.node.name.encode()))


def any_value(type: Type, chance: np.random.Generator) -> float | int | bool:
    """A corner of the type, or now and then something ordinary."""
    if type is BOOL:
        return bool(chance.integers(2))
    if type is LREAL:
        ordinary = chance.normal(0, 10.0 ** chance.integers(-3, 4))
        return float(chance.choice(REAL_CORNERS) if chance.random() < 0.4 else ordinary)
    corners = WHOLE_CORNERS if type is DINT else LONG_CORNERS
    return corners[chance.integers(len(corners))] if chance.random() < 0.4 else int(chance.integers(-20, 20))


def allowed_value(pin: Pin, type: Type, chance: np.random.Generator) -> float | int | bool:
    """A value inside the pin's declared range, at its ends most of the time; a NaN is always possible on an LREAL."""
    low = pin.min if pin.min is not None else -1e6
    high = pin.max if pin.max is not None else 1e6
    if type is BOOL:
        return bool(chance.integers(2))
    if type is LREAL:
        default = pin.default if isinstance(pin.default, (int, float)) else low
        return float(chance.choice([low, high, default, np.nan, (low + high) / 2, chance.uniform(low, high)]))
    return int(chance.choice([low, high, chance.integers(int(low), int(high))]))


def finite_value(pin: Pin, type: Type, chance: np.random.Generator) -> float | int | bool:
    """A finite value inside the pin's declared range; an open range is taken as a million to either side."""
    value = allowed_value(pin, type, chance)
    while not np.isfinite(value):
        value = allowed_value(pin, type, chance)
    return value


def feed(twin: Twin, value_for, chance: np.random.Generator, share: float) -> None:
    """Give new values to a share of the inputs."""
    for pin in twin.block.inputs:
        if chance.random() < share:
            type = twin.type_of(pin.name)
            count = twin.length if pin.length == "N" else int(pin.length)
            values = [value_for(pin, type) for _ in range(count)]
            twin.set(pin.name, values if pin.length else value_for(pin, type))


@every_use
@pytest.mark.parametrize("share", [1.0, 0.2], ids=["all_inputs_change", "few_inputs_change"])
def test_plain_and_compiled_agree_bit_for_bit(block: BlockType, chosen: Type | None, share: float, chance: np.random.Generator):
    for length in (1, 2, 7) if block.has_length else (0,):
        twin = Twin(block, chosen, length)
        for i in range(SCANS):
            feed(twin, lambda _, type: any_value(type, chance), chance, share)
            twin.scan(DTS[i % len(DTS)])


@every_use
def test_outputs_stay_in_their_declared_range(block: BlockType, chosen: Type | None, chance: np.random.Generator):
    ranged = [pin for pin in block.of_kind(OUTPUT) if pin.min is not None or pin.max is not None]
    twin = Twin(block, chosen, 3 if block.has_length else 0)
    for i in range(2 * SCANS):
        feed(twin, lambda pin, type: allowed_value(pin, type, chance), chance, 0.5)
        twin.scan(DTS[i % len(DTS)])
        for pin in ranged:
            value = twin.get(pin.name)
            assert pin.min is None or value >= pin.min, f"{pin.name} = {value}"
            assert pin.max is None or value <= pin.max, f"{pin.name} = {value}"


@every_use
def test_two_runs_are_equal(block: BlockType, chosen: Type | None):
    def run() -> list[str]:
        chance = np.random.default_rng(7)
        twin = Twin(block, chosen, 3 if block.has_length else 0)
        seen = []
        for i in range(SCANS // 3):
            feed(twin, lambda _, type: any_value(type, chance), chance, 0.5)
            twin.scan(DTS[i % len(DTS)])
            seen.append(repr([twin.get(pin.name) for pin in block.pins]))
        return seen

    assert run() == run()


@every_block
def test_no_broken_number_is_remembered(block: BlockType):
    """One scan with NaN, then one with infinities on all inputs: with good inputs every output is a number again."""
    twin = Twin(block, LREAL if block.any_type and LREAL in block.any_type.choices else None, 3 if block.has_length else 0)
    reals = [pin for pin in block.inputs if twin.type_of(pin.name) is LREAL]

    def give(*values: float) -> None:
        for i, pin in enumerate(reals):
            if pin.required or not np.isfinite(values[0]):
                value = 50.0 if pin.unit == "Hz" and np.isfinite(values[0]) else values[i % len(values)]  # F has a sense
                count = twin.length if pin.length == "N" else int(pin.length)
                twin.set(pin.name, [value] * count if pin.length else value)
            else:
                default = pin.default
                twin.set(pin.name, [default] * twin.length if pin.length == "N" and not isinstance(default, tuple) else default)

    good = [float(i + 1) for i in range(len(reals) + 1)]
    for broken in (np.nan, np.inf, -np.inf):
        give(*good)
        twin.scan(10_000_000)
        give(broken)
        twin.scan(10_000_000)
        give(*good)
        for _ in range(3):
            twin.scan(10_000_000)
        for pin in block.outputs:
            value = twin.get(pin.name)
            assert np.all(np.isfinite(np.asarray(value, dtype=float))), f"{pin.name} = {value} after {broken}"


@every_block
def test_it_is_documented(block: BlockType):
    assert block.doc.splitlines()[0].rstrip().endswith((".", ":")) or "\n" in block.doc
    assert len(block.source) > 10
    for pin in block.pins:
        assert len(pin.doc) >= 3, pin.name
        for named in re.findall(r"\{(\w+)\}", pin.unit):
            assert block.pin(named) is not None, f"{pin.name} has the unit of {named}, which is no pin"
        if pin.names:
            assert (pin.min, pin.max) == (0, len(pin.names) - 1), f"{pin.name}: the range is that of its names"


@every_block
def test_a_default_is_inside_its_range(block: BlockType):
    for pin in block.of_kind(INPUT):
        for value in pin.default if isinstance(pin.default, tuple) else () if pin.required else (pin.default,):
            assert pin.min is None or value >= pin.min
            assert pin.max is None or value <= pin.max


@every_block
def test_it_has_a_test_that_names_it(block: BlockType):
    folder = Path(__file__).parent / block.family
    texts = [path.read_text(encoding="utf-8") for path in folder.glob("test_*.py")]
    assert any(re.search(rf"\b{block.name}\b", text) for text in texts), f"no test in {folder} names {block.name}"


@every_block
def test_it_follows_its_own_example(block: BlockType):
    assert block.example is not None, f"{block.name} has no example"
    follow(block, block.example)


@finite_use
def test_finite_inputs_in_range_give_finite_outputs(block: BlockType, chosen: Type | None, chance: np.random.Generator):
    twin = Twin(block, chosen, 3 if block.has_length else 0)
    for i in range(2 * SCANS):
        feed(twin, lambda pin, type: finite_value(pin, type, chance), chance, 0.5)
        twin.scan(DTS[i % len(DTS)])
        for pin in block.outputs:
            value = twin.get(pin.name)
            given = {p.name: twin.get(p.name) for p in block.inputs}
            assert np.all(np.isfinite(np.asarray(value, dtype=float))), f"{pin.name} = {value} for {given}"


@every_use
def test_its_state_is_all_in_its_pins(block: BlockType, chosen: Type | None):
    """What is saved of an instance and restored into a fresh one goes on with the same bits."""
    chance = np.random.default_rng(11)
    first = Twin(block, chosen, 3 if block.has_length else 0)
    for i in range(SCANS // 3):
        feed(first, lambda pin, type: finite_value(pin, type, chance), chance, 0.5)
        first.scan(DTS[i % len(DTS)])
    saved = {pin.name: first.get(pin.name) for pin in block.pins}
    second = Twin(block, chosen, first.length)
    for name, value in saved.items():
        second.set(name, value)
    for i in range(SCANS // 3):
        feed(first, lambda pin, type: finite_value(pin, type, chance), chance, 0.5)
        for pin in block.inputs:
            second.set(pin.name, first.get(pin.name))
        first.scan(DTS[i % len(DTS)])
        second.scan(DTS[i % len(DTS)])
        assert repr([first.get(pin.name) for pin in block.pins]) == repr([second.get(pin.name) for pin in block.pins])
