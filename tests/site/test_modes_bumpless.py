"""From any mode to any other the power moves with the ramp, from where it is: every ordered pair, every scan."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

from tests.aids.bench_site import bench, failures

MODES = (
    "Passive",
    "SelfConsumption",
    "PeakShaving",
    "ExternalControl",
    "ChargeOnly",
    "GridForming",
    "LocalControl",
    "LoadMatching",
    "CostSaving",
    "Test",
)
RAMP = 40.0  # kW/s of the commercial site
STEP = RAMP * 0.05 + 0.001  # kW: what it may move in a scan of 50 ms

WATCH = """program: watch
blocks:
  step: {type: SUB, A: site.p_allowed, B: last seen.OUT}
  seen: {type: MOVE, IN: site.p_allowed}
  reached: {type: MAX, IN1: last reached.OUT, IN2: abs(site.p_allowed)}
outputs:
  bench.step: step.OUT
  bench.reached: reached.OUT
"""
TAGS = "  bench.step: {type: LREAL, unit: kW}\n  bench.reached: {type: LREAL, unit: kW}\n"

# Two racks that run, and settings that make every mode ask for something else: 0, up, -16, 40, -20, -20, -30, 10, -30, 70 kW
GIVEN = """
    - as: engineer
      write:
        set.commissioned: true
        bms.soc: 50 %
        site.stop: false
        site.zero: false
        site.closed: true
        site.test: true
        grid.in_service: true
        grid.share: 100 %
        racks.count: 2
        racks.available[1]: true
        racks.available[2]: true
        racks.zero[1]: false
        racks.zero[2]: false
        racks.p_min[1]: -40 kW
        racks.p_min[2]: -40 kW
        racks.p_max[1]: 40 kW
        racks.p_max[2]: 40 kW
        site.p_min: -80 kW
        site.p_max: 80 kW
        set.p: 40 kW
        set.p_local: -50 kW
        set.p_test: 70 kW
        set.load_base: 20 kW
        set.c_rate: 0.25 1/h
        set.price[13]: 0.05
        set.price[20]: 0.90
        set.heartbeat: 1
"""


def _pair(first: str, then: str) -> str:
    steps = [
        "{after: 100 ms, write: {set.heartbeat: 2}}",
        "{after: 100 ms, write: {set.heartbeat: 3}}",
        f"{{write: {{cmd.GoToMode_{first}: true}}, as: engineer}}",
        "{after: 3 s, write: {set.heartbeat: 4}}",
        f"{{write: {{cmd.GoToMode_{then}: true}}, as: engineer}}",
        "{after: 3 s, expect: [bench.reached < 80.5 kW]}",
    ]
    moved = "" if {first, then} <= {"Passive"} else "    - {expect: [bench.reached > 5 kW]}\n"
    return (
        f"  {first} to {then}:\n    clock: 2026-01-01T11:30:00Z\n    steps:"
        + GIVEN.replace("\n", "\n  ").rstrip()
        + "\n"
        + "".join(f"      - {step}\n" for step in steps)
        + moved.replace("    - ", "      - ")
    )


def _tests(bound: float) -> str:
    pairs = "".join(_pair(*pair) for pair in permutations(MODES, 2))
    given = "given: {panel.remote: true, grid.p: 30 kW}\n"
    return f"{given}always:\n  - abs(bench.step) <= {bound} kW\ntests:\n{pairs}"


def test_no_change_of_mode_makes_a_step_in_power(tmp_path: Path) -> None:
    site = bench(tmp_path, ("modes", "power"), more={"watch": WATCH}, tags=TAGS)
    assert failures(site, "watch", _tests(STEP)) == []


def test_the_watch_sees_a_step_that_is_a_little_larger(tmp_path: Path) -> None:
    site = bench(tmp_path, ("modes", "power"), more={"watch": WATCH}, tags=TAGS)
    assert len(failures(site, "watch", _tests(STEP - 0.1))) >= 80  # Backup and charge only ask for the same
