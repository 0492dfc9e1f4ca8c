"""The next memory is a function of memory, inbox, commands and dt: two runs are bit-equal, and equal to plain Python."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blocks import catalogue
from blocks.plain import Instance
from runtime.engine.kernels import load_kernels
from runtime.model import Site
from runtime.quality import BAD_NOT_CONNECTED, GOOD
from tests.aids.engine import GENERATION, MS, Bench, stable_memory
from tests.aids.site_text import load, load_all

RACK = """
device: rack
driver: fake
stale: 100 ms
timeout: 1 s
inputs:
  bms.v: {at: a, type: LREAL, initial: 3.3, bad: hold}
  bms.x: {at: e, type: LREAL, initial: 0, bad: 1}
  bms.i: {at: b, type: LREAL, unit: A, initial: 0 A, bad: 0 A}
  bms.cell: {at: c, count: 5, type: LREAL, unit: V, initial: 3.3 V, bad: 3 V}
outputs:
  pcs.p: {at: d, type: LREAL, safe: 0}
"""
CONTROL = """
program: control
blocks:
  slow: {type: LAG, IN: bms.x, T: 0.3 s}
  pid: {type: PID, SP: hmi.p, PV: slow.OUT, KP: 2, TI: 1 s, TD: 0.1 s, OUT_MIN: -100, OUT_MAX: 100}
  ramp: {type: RAMP, IN: pid.OUT, UP: 50, DOWN: 70}
  late: {type: TON, IN: ramp.OUT > 10 and bms.v.good, PT: 130 ms}
  closes: {type: ADD, A: last closes.OUT, B: one.OUT}
  one: {type: SEL, G: hmi.close, IN0: 0.0, IN1: 1.0}
outputs: {pcs.p: ramp.OUT / hmi.p, x.late: late.Q, x.closes: closes.OUT}
"""
CELLS = """
program: cells
blocks:
  soc: {type: CELL_EKF, count: 5, V: "bms.cell[*]", I: bms.i}
  stats: {type: CELL_STATS, V: "bms.cell[*]"}
outputs: {x.spread: stats.MAX - stats.MIN, x.soc: "soc[*].SOC"}
"""
SITE = """
tasks:
  control: {interval: 10 ms, programs: [control]}
  cells: {interval: 50 ms, phase: 20 ms, programs: [cells]}
io: [rack]
tags:
  hmi.p: {type: LREAL, range: -50..50, write: operator}
  hmi.close: {type: BOOL, pulse: true, write: operator}
  x.late: {type: BOOL}
  x.closes: {type: LREAL}
  x.spread: {type: LREAL, unit: V}
  x.soc: {type: "LREAL[5]", unit: "%"}
"""


def real_site() -> Site:
    return load_all(
        {"config/site.yaml": SITE, "programs/control.yaml": CONTROL, "programs/cells.yaml": CELLS, "io_maps/rack.yaml": RACK}
    )


def play(bench: Bench, seed: int, scans: int) -> Iterator[None]:
    """A night with everything in it: readings, lost devices, NaN, commands good and bad, missed ticks; one scan a step."""
    rng = random.Random(seed)
    ring = bench.commands("hmi")
    for _ in range(scans):
        if rng.random() < 0.6:
            bench.feed("bms.v", rng.uniform(2, 4))
            bench.feed("bms.x", rng.choice([rng.uniform(-200, 200), math.nan]), rng.choice([GOOD, GOOD, BAD_NOT_CONNECTED]))
            bench.feed("bms.i", rng.uniform(-200, 200))
            bench.feed("bms.cell", rng.uniform(2.5, 3.6), element=rng.randrange(5))
        if rng.random() < 0.2:
            ring.write(bench.schedule.tag("hmi.p"), rng.uniform(-70, 70), "operator")
        if rng.random() < 0.1:
            ring.write(bench.schedule.tag("hmi.close"), True, rng.choice(["operator", "viewer"]))
        bench.scan(ticks=rng.choice([1, 1, 1, 1, 2, 13]))
        list(ring.replies())
        yield


@contextmanager
def two_benches(folder: Path) -> Iterator[tuple[Bench, Bench]]:
    places = folder / "one", folder / "two"
    for place in places:
        place.mkdir()
    yield Bench(places[0], real_site()), Bench(places[1], real_site())


def test_two_runs_of_the_same_night_are_bit_equal(tmp_path: Path) -> None:
    with two_benches(tmp_path) as (one, two):
        for number, _ in enumerate(zip(play(one, 7, 500), play(two, 7, 500), strict=True)):
            if number % 50 == 0:
                assert np.array_equal(stable_memory(one.plc), stable_memory(two.plc)), f"scan {number}"
        assert np.array_equal(stable_memory(one.plc), stable_memory(two.plc))
        assert one.outbox().integer.tolist() == two.outbox().integer.tolist()
        assert one.value("plc.scan") == 500 and one.value("x.closes") > 5 and one.value("plc.not_finite") > 0, (
            "the night was eventful"
        )


def test_another_night_gives_another_memory(tmp_path: Path) -> None:
    with two_benches(tmp_path) as (one, two):
        for _ in zip(play(one, 7, 50), play(two, 8, 50), strict=True):
            continue
        assert not np.array_equal(stable_memory(one.plc), stable_memory(two.plc))


# --- a laid-out program against plain Python instances in data-flow order ---------------------------------------------

KINDS = (
    ("ADD", ("A", "B"), "OUT", True),
    ("SUB", ("A", "B"), "OUT", True),
    ("MUL", ("A", "B"), "OUT", True),
    ("MIN", ("IN1", "IN2"), "OUT", True),
    ("RAMP", ("IN",), "OUT", True),
    ("ABS", ("IN",), "OUT", True),
    ("GT", ("IN1", "IN2"), "OUT", False),
    ("AND", ("IN1", "IN2"), "OUT", False),
    ("XOR", ("IN1", "IN2"), "OUT", False),
    ("SR", ("S1", "R"), "Q1", False),
    ("R_TRIG", ("CLK",), "Q", False),
)
TRUTH_PINS = {"AND", "XOR", "SR", "R_TRIG"}
REALS, TRUTHS = ("hmi.a", "hmi.b"), ("hmi.p", "hmi.q")
DT = 10 * MS


@dataclass
class Node:
    """One instance of a drawn program: a kind, and for each pin a tag's name, an earlier node, or any node's last value."""

    kind: int
    feeds: list[tuple[str, Any]] = field(default_factory=list)

    @property
    def is_real(self) -> bool:
        return KINDS[self.kind][3]


@st.composite
def programs(draw: Any) -> list[Node]:
    """Nodes in data-flow order; a wire to a later node is a `last`."""
    kinds = draw(st.lists(st.integers(0, len(KINDS) - 1), min_size=2, max_size=24))
    nodes = [Node(kind) for kind in kinds]
    for number, node in enumerate(nodes):
        name, pins, _, _ = KINDS[node.kind]
        wants_real = name not in TRUTH_PINS
        fitting = [i for i, other in enumerate(nodes) if other.is_real == wants_real]
        for _ in pins:
            earlier = [i for i in fitting if i < number]
            ways = ["tag"] + ["wire", "wire", "wire"] * bool(earlier) + ["last"] * bool(fitting)
            way = draw(st.sampled_from(ways))
            if way == "tag":
                node.feeds.append((way, draw(st.sampled_from(REALS if wants_real else TRUTHS))))
            else:
                node.feeds.append((way, draw(st.sampled_from(earlier if way == "wire" else fitting))))
    return nodes


def text_of(nodes: list[Node], order: list[int]) -> str:
    """The program with its instances written in this order, and every node's output in a tag of its own."""
    lines = ["blocks:"]
    for number in order:
        name, pins, _, _ = KINDS[nodes[number].kind]
        wired = []
        for pin, (way, what) in zip(pins, nodes[number].feeds, strict=True):
            source = what if way == "tag" else f"{'last ' if way == 'last' else ''}n{what}.{KINDS[nodes[what].kind][2]}"
            wired.append(f"{pin}: {source}")
        extra = ", UP: 30, DOWN: 20" if name == "RAMP" else ""
        lines.append(f"  n{number}: {{type: {name}, {', '.join(wired)}{extra}}}")
    lines.append("outputs:")
    lines += [f"  x.n{i}: n{i}.{KINDS[node.kind][2]}" for i, node in enumerate(nodes)]
    return "\n".join(lines) + "\n"


class Direct:
    """The same nodes as plain instances, each stepped after what it reads."""

    def __init__(self, nodes: list[Node]):
        self.nodes = nodes
        self.instances = [Instance(catalogue()[KINDS[node.kind][0]]) for node in nodes]
        for node, instance in zip(nodes, self.instances, strict=True):
            if KINDS[node.kind][0] == "RAMP":
                instance.UP, instance.DOWN = 30.0, 20.0
        self.out: list[Any] = [0.0 if node.is_real else False for node in nodes]

    def scan(self, tags: dict[str, Any]) -> None:
        before = list(self.out)
        for number, (node, instance) in enumerate(zip(self.nodes, self.instances, strict=True)):
            for pin, (way, what) in zip(KINDS[node.kind][1], node.feeds, strict=True):
                setattr(instance, pin, tags[what] if way == "tag" else (before if way == "last" else self.out)[what])
            instance.scan(DT)
            self.out[number] = getattr(instance, KINDS[node.kind][2])


def bits(value: Any) -> bytes:
    """A value as the wire carries it, any NaN alike."""
    return b"nan" if value != value else np.float64(value).tobytes()


@pytest.fixture(scope="module")
def _compiled() -> None:
    """A kernel that does not compile is one failure here, and not a search for the smallest program that has it."""
    load_kernels([(catalogue()[name], kind.choices[0] if (kind := catalogue()[name].any_type) else None) for name, *_ in KINDS])


@pytest.mark.usefixtures("_compiled")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(nodes=programs(), seed=st.integers(0, 2**16))
def test_a_compiled_program_says_bit_for_bit_what_plain_python_says(nodes: list[Node], seed: int) -> None:
    rng = random.Random(seed)
    order = list(range(len(nodes)))
    rng.shuffle(order)
    tags = [f"{t}: {{type: LREAL, write: operator}}" for t in REALS] + [f"{t}: {{type: BOOL, write: operator}}" for t in TRUTHS]
    tags += [f"x.n{i}: {{type: {'LREAL' if node.is_real else 'BOOL'}}}" for i, node in enumerate(nodes)]
    program = text_of(nodes, order)
    with TemporaryDirectory() as folder:
        bench, direct = Bench(Path(folder), load(program, "\n".join(tags))), Direct(nodes)
        assert bench.plc.generation == GENERATION
        for scan in range(6):
            fed: dict[str, Any] = {t: rng.choice([0.0, -0.0, 1.5, -40.0, 1e308, math.inf, math.nan]) for t in REALS}
            fed |= {t: rng.random() < 0.5 for t in TRUTHS}
            for name, value in fed.items():
                bench.plc.set(name, value)
            bench.scan()
            direct.scan(fed)
            for i, expected in enumerate(direct.out):
                found = bench.value(f"x.n{i}")
                assert bits(found) == bits(expected), f"scan {scan}, n{i}: {found}, not {expected}\n{program}"
