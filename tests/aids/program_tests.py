"""A small site whose program has one of everything that a test can look at, and its tests as text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from blocks import catalogue
from runtime.language import load_text
from runtime.language.scenario import Scenarios
from runtime.language.scenarios import read_scenarios
from runtime.model import Site
from runtime.program_tests import Outcome, run_tests
from runtime.program_tests_stand import stand
from runtime.source import Report, render
from tests.aids.site_text import DRIVERS

RACK = """device: rack
driver: fake
stale: 100 ms
timeout: 500 ms
inputs:
  bms.soc: {at: 1, known: LREAL, measured: "%", initial: 50 %, bad: hold}
  bms.t: {at: 2, known: LREAL, measured: °C, initial: 20 °C, bad: 99 °C}
  bms.cell_v: {at: 3, count: 4, known: LREAL, measured: V, initial: 3.3 V, bad: hold}
  bms.ok: {at: 4, known: BOOL, initial: true, bad: false}
  bms.state: {at: 5, known: DINT, initial: 0, bad: 2, names: {0: OFF, 1: READY, 2: GONE}}
outputs:
  bms.main: {at: 6, known: BOOL, safe: {value: false, after: 1 s}}
  pcs.p: {at: 7, known: LREAL, measured: kW, safe: 0 kW}
"""
TAGS = {
    "hmi.p": "{type: LREAL, unit: kW, range: -500..500, write: operator}",
    "hmi.close": "{type: BOOL, pulse: true, write: operator}",
    "hmi.local": "{type: BOOL, default: false, write: engineer}",
    "site.first": "{type: DINT}",
    "site.v": "{type: LREAL, unit: V}",
    "site.remote": "{type: BOOL, default: true, write: operator}",
}
PROGRAM = """program: p
blocks:
  ready: {type: INTERLOCK, PERMIT: [bms.ok, bms.ok.good, bms.t < 60 °C], RESET: hmi.close}
  slow: {type: RAMP, IN: hmi.p, UP: 100 kW/s, DOWN: 100 kW/s}
  seen: {type: CELL_STATS, V: "bms.cell_v[*]"}
  used: {type: OR, IN1: hmi.local, IN2: site.remote}
  ready_state: {type: AND, IN1: used.OUT, IN2: bms.state = 1}
modes:
  STOP: {when: not bms.ok, P: 0 kW}
  GO: {P: slow.OUT}
sequences:
  door:
    open: {goto: {shut: ready.OK and bms.soc > 10 %}}
    shut:
      do: [bms.main]
      goto: {open: not ready.OK, jammed: after 2 s}
    jammed: {goto: {open: hmi.local}}
outputs:
  pcs.p: modes.P
  site.first: ready.FIRST
  site.v: seen.MIN
alarms:
  hot: {of: bms.t, H: 50 °C, HH: 70 °C, deadband: 1 °C, severity: error, text: Too hot}
  jam: {when: door.jammed.X, severity: error, text: The door is jammed}
"""


def files(tests: str, program: str = PROGRAM, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The site's files with these tests in `programs/p.test.yaml`; none where the text is empty."""
    tags = "".join(f"  {name}: {words}\n" for name, words in TAGS.items())
    site = f"tasks:\n  main: {{interval: 10 ms, programs: [p]}}\nio: [rack]\ntags:\n{tags}authority: site.remote\n"
    found = {"config/site.yaml": site, "io_maps/rack.yaml": RACK, "programs/p.yaml": program, **(more or {})}
    return {**found, "programs/p.test.yaml": tests} if tests else found


def write(root: Path, texts: Mapping[str, str]) -> Site:
    """The site of these files, which stand under `root` too."""
    for name, text in texts.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return load_text(texts, DRIVERS, root=root)[0]


def read(root: Path, tests: str, program: str = PROGRAM, more: Mapping[str, str] | None = None) -> tuple[Site, Scenarios, Report]:
    """The site, its tests and the mistakes in them."""
    site, report = write(root, files(tests, program, more)), Report()
    return site, read_scenarios(site, catalogue(), report), report


def said(root: Path, tests: str, **more: str) -> str:
    """The mistakes of these tests as a person reads them."""
    _, _, report = read(root, tests, more=more)
    return render(sorted(dict.fromkeys(report.problems)), root)


def outcomes(root: Path, tests: str, program: str = PROGRAM, more: Mapping[str, str] | None = None) -> list[Outcome]:
    """What became of these tests; a mistake in them fails with its text."""
    site, found, report = read(root, tests, program, more)
    assert not report.problems, render(report.problems, root)
    with stand(site, found.points) as made:
        return run_tests(made, found.tests)


def steps(*lines: str) -> str:
    """One test `t` of these steps."""
    return "tests:\n  t:\n" + "".join(f"    - {{{line}}}\n" for line in lines)


def one(root: Path, *lines: str) -> Outcome:
    """What became of one test of these steps."""
    (found,) = outcomes(root, steps(*lines))
    return found
