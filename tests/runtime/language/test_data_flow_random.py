"""Any program, laid out and run, says what its data flow says: random programs against a direct evaluation, block by block."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from typing import Any

import pytest

from blocks import catalogue
from blocks.plain import Instance
from tests.aids.site_text import PlainScan, load

# name, (inputs: r a number, b a truth), output kind
TWO = {"IN1": "r", "IN2": "r"}
KINDS = [
    ("ADD", {"A": "r", "B": "r"}, "r"),
    ("SUB", {"A": "r", "B": "r"}, "r"),
    ("MAX", TWO, "r"),
    ("ABS", {"IN": "r"}, "r"),
    ("SEL", {"G": "b", "IN0": "r", "IN1": "r"}, "r"),
    ("LAG", {"IN": "r", "T": "t"}, "r"),
    ("GT", TWO, "b"),
    ("AND", {"IN1": "b", "IN2": "b"}, "b"),
    ("NOT", {"IN": "b"}, "b"),
    ("R_TRIG", {"CLK": "b"}, "b"),
    ("SR", {"S1": "b", "R": "b"}, "b"),
]
REALS = ["x.a", "x.b", "x.c"]
TRUTHS = ["x.p", "x.q"]


@dataclass
class Source:
    """What an input reads: a node's output, a tag, or a number; perhaps one scan late."""

    text: str
    node: int = -1
    tag: str = ""
    value: Any = None
    last: bool = False
    row: int = 0  # which one of an instance array; ALL for each its own


ALL = -1
COUNT = 3


@dataclass
class Drawn:
    """One node of a random program, perhaps an array of instances, and the tag that takes its output, if any."""

    kind: int
    count: int = 0
    inputs: dict[str, Source] = field(default_factory=dict)
    tag: str = ""


def output_of(kind: int) -> str:
    return catalogue()[KINDS[kind][0]].outputs[0].name


def draw(rng: random.Random, size: int) -> tuple[list[Drawn], list[int]]:
    """A program whose only loops run through `last`: `place` is a hidden order that its plain wires follow."""
    nodes = [Drawn(rng.randrange(rng.choice([3, len(KINDS)]))) for _ in range(size)]
    place = list(range(size))
    rng.shuffle(place)
    for i, node in enumerate(nodes):
        if rng.random() < 0.25:
            node.count = COUNT
        elif rng.random() < 0.3:
            node.tag = f"{'w' if KINDS[node.kind][2] == 'r' else 'v'}.t{i}"
    for i, node in enumerate(nodes):
        for pin, wanted in KINDS[node.kind][1].items():
            node.inputs[pin] = pick(rng, nodes, place, i, wanted)
    return nodes, place


def pick(rng: random.Random, nodes: list[Drawn], place: list[int], me: int, wanted: str) -> Source:
    if wanted == "t":
        return Source("50 ms", value=0.05)
    roll = rng.random()
    fitting = [j for j, n in enumerate(nodes) if KINDS[n.kind][2] == wanted]
    before = [j for j in fitting if place[j] < place[me]]
    if roll < 0.15 and fitting:
        j = rng.choice(fitting)
        return of_node(rng, nodes, me, j, last=True)
    if roll < 0.25 and any(nodes[j].tag for j in fitting):
        j = rng.choice([j for j in fitting if nodes[j].tag])
        return Source(f"last {nodes[j].tag}", tag=nodes[j].tag, last=True)
    if roll < 0.75 and before:
        j = rng.choice(before[-4:])
        if nodes[j].tag and rng.random() < 0.5:
            return Source(nodes[j].tag, tag=nodes[j].tag)
        return of_node(rng, nodes, me, j, last=False)
    if roll < 0.9:
        tag = rng.choice(REALS if wanted == "r" else TRUTHS)
        return Source(tag, tag=tag)
    value: Any = rng.choice([0.0, 1.5, -2.0]) if wanted == "r" else rng.random() < 0.5
    return Source(str(value).lower(), value=value)


def of_node(rng: random.Random, nodes: list[Drawn], me: int, j: int, last: bool) -> Source:
    """An output of node j, of one of its instances, or of each."""
    row, index = 0, ""
    if nodes[j].count:
        row = rng.choice([ALL, 0, 2]) if nodes[me].count else rng.randrange(COUNT)
        index = "[*]" if row == ALL else f"[{row + 1}]"
    return Source(f"{'last ' if last else ''}n{j}{index}.{output_of(nodes[j].kind)}", node=j, last=last, row=row)


class Direct:
    """Evaluates the drawn program as its meaning says: each node once a scan, after what it reads."""

    def __init__(self, nodes: list[Drawn], place: list[int]):
        self.nodes = nodes
        self.order = sorted(range(len(nodes)), key=place.__getitem__)
        self.instances = [[Instance(catalogue()[KINDS[n.kind][0]]) for _ in range(n.count or 1)] for n in nodes]
        zero = {"r": 0.0, "b": False}
        self.out: dict[int, list[Any]] = {i: [zero[KINDS[n.kind][2]]] * (n.count or 1) for i, n in enumerate(nodes)}
        self.tags: dict[str, Any] = dict.fromkeys(REALS, 0.0) | dict.fromkeys(TRUTHS, False)
        self.tags |= {n.tag: (0.0 if n.tag[0] == "w" else False) for n in nodes if n.tag}

    def scan(self, fed: dict[str, Any]) -> None:
        self.tags.update(fed)
        out_before, tags_before = dict(self.out), dict(self.tags)
        for i in self.order:
            now = []
            for row, instance in enumerate(self.instances[i]):
                for pin, source in self.nodes[i].inputs.items():
                    if source.tag:
                        value = (tags_before if source.last else self.tags)[source.tag]
                    elif source.node >= 0:
                        value = (out_before if source.last else self.out)[source.node][row if source.row == ALL else source.row]
                    else:
                        value = source.value
                    setattr(instance, pin, value)
                instance.scan(10_000_000)
                now.append(getattr(instance, output_of(self.nodes[i].kind)))
            self.out[i] = now
            if self.nodes[i].tag:
                self.tags[self.nodes[i].tag] = now[0]


def as_text(rng: random.Random, nodes: list[Drawn]) -> tuple[str, str]:
    names = list(range(len(nodes)))
    rng.shuffle(names)
    lines = ["blocks:"]
    for i in names:
        pins = ", ".join(f"{pin}: '{source.text}'" for pin, source in nodes[i].inputs.items())
        count = f"count: {nodes[i].count}, " if nodes[i].count else ""
        lines.append(f"  n{i}: {{type: {KINDS[nodes[i].kind][0]}, {count}{pins}}}")
    written = [n for n in nodes if n.tag]
    if written:
        lines.append("outputs:")
        lines += [f"  {n.tag}: n{nodes.index(n)}.{output_of(n.kind)}" for n in written]
    tags = [f"{t}: {{type: LREAL, write: operator}}" for t in REALS] + [f"{t}: {{type: BOOL, write: operator}}" for t in TRUTHS]
    tags += [f"{n.tag}: {{type: {'LREAL' if n.tag[0] == 'w' else 'BOOL'}}}" for n in written]
    rng.shuffle(tags)
    return "\n".join(lines) + "\n", "\n".join(tags)


def same(a: Any, b: Any) -> bool:
    return bool(a == b) or (isinstance(b, float) and math.isnan(a) and math.isnan(b))


@pytest.mark.parametrize("seed", range(200))
def test_a_laid_out_program_says_what_its_data_flow_says(seed: int) -> None:
    rng = random.Random(seed)
    nodes, place = draw(rng, rng.choice([3, 8, 20, 40]))
    program, tags = as_text(rng, nodes)
    laid, direct = PlainScan(load(program, tags).schedule), Direct(nodes, place)
    for scan in range(5):
        fed: dict[str, Any] = {t: rng.choice([0.0, 1.0, -3.5, 7.25]) for t in REALS} | {t: rng.random() < 0.5 for t in TRUTHS}
        for name, value in fed.items():
            laid[name] = value
        laid.scan()
        direct.scan(fed)
        for i, node in enumerate(nodes):
            for row in range(node.count or 1):
                pin = f"p.n{i}{f'[{row + 1}]' if node.count else ''}.{output_of(node.kind)}"
                assert same(laid[pin], direct.out[i][row]), f"scan {scan}: {pin} is {laid[pin]}, not {direct.out[i]}\n{program}"
            if node.tag:
                assert same(laid[node.tag], direct.tags[node.tag]), f"scan {scan}: {node.tag}\n{program}"
