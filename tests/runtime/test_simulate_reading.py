"""A scenario says what it means, and a wrong one names all its mistakes with file, line and column."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.app import read_site
from runtime.model import Site
from runtime.simulate_faults import Breakable, draw
from runtime.simulate_field import parts_of
from runtime.simulate_reading import read_scenario
from runtime.simulate_scenario import HOUR, SECOND, RandomFaults, SimulationScenario
from runtime.simulation.settings import read_settings
from runtime.source import Report
from tests.aids.places import DEMO

PARTS = Breakable(256, ("BMS_Status", "Module_1"), ("pcs", "meter", "panel"))
MINUTE = 60 * SECOND


@pytest.fixture(scope="module")
def demo() -> Site:
    return read_site(DEMO / "config/site.yaml")[0]


def read(demo: Site, folder: Path, text: str) -> tuple[SimulationScenario | None, Report]:
    path, report = folder / "one.yaml", Report()
    path.write_text(text)
    return read_scenario(path, demo, PARTS, report), report


def test_the_scenarios_of_the_demo_have_no_mistake(demo: Site) -> None:
    parts = parts_of(read_settings(DEMO / "config/plant.yaml"))
    for path in sorted((DEMO / "config/scenarios").glob("*.yaml")):
        report = Report()
        assert read_scenario(path, demo, parts, report) is not None, report.problems
        assert report.problems == []


def test_a_scenario_says_what_happens_when(demo: Site, tmp_path: Path) -> None:
    found, _ = read(
        demo,
        tmp_path,
        """
scenario: One
seed: 7
duration: 1 h
start: {soc: 80 %, hour: 13, ambient: 30 °C}
commands:
  - {at: 1 min, write: {hmi.p_set: 0.05 MW}, every: 10 min}
  - {at: 2 min, press: reset}
  - {at: 3 min, set: {load: 100 kW, frequency: free}}
faults:
  - {at: 10 min, for: 30 s, fault: over_heat_cell, cell: 12, celsius: 70 °C}
never: [cell_v > 3650 mV, bms.t_cell_max > 50 °C]
demands:
  - {fault: stop_message, message: BMS_Status, stood: 1 s, within: 6 s, of: rack}
  - {fault: smoke, within: 6 s, of: site}
beyond:
  - {cell_v: 2500..3650 mV, for: 2 s}
  - {cell_t: 0..45 °C, for: 3 s, charging: 0.02 1/h}
""",
    )
    assert found is not None
    assert (found.name, found.seed, found.duration) == ("One", 7, HOUR)
    assert (found.start.soc, found.start.hour, found.start.ambient) == (80, 13, 30)
    write, button, fixed = found.commands
    assert (write.time, write.every, write.writes[0].tag, write.writes[0].value) == (MINUTE, 10 * MINUTE, "hmi.p_set", 50)
    assert button.presses == ("reset",)
    assert fixed.sets == (("load", 100.0), ("frequency", None))
    (fault,) = found.faults
    assert (fault.time, fault.lasts, fault.kind) == (10 * MINUTE, 30 * SECOND, "over_heat_cell")
    assert fault.details == {"cell": 12, "celsius": 70.0}
    (bound,) = found.bounds
    assert (bound.name, bound.operator, bound.limit, bound.wanted) == ("cell_v", ">", 3.65, False)
    assert [check.text for check in found.checks] == ["bms.t_cell_max > 50 °C"]
    silent, smoke = found.demands
    assert (silent.kind, silent.stood, silent.within, silent.of) == ("stop_message", SECOND, 6 * SECOND, "rack")
    assert (silent.details, smoke.stood) == ({"message": "BMS_Status"}, 0)
    volts, plating = found.limits
    assert (volts.name, volts.low, volts.high, volts.lasts, volts.charging) == ("cell_v", 2.5, 3.65, 2 * SECOND, None)
    assert (plating.low, plating.high, plating.charging) == (0, 45, 0.02)


WRONG = """scenario: Wrong
seed: -3
duration: 0 s
strat: {soc: 50 %}
start: {soc: 150 %, clock: yesterday}
commands:
  - {at: 1 s, write: {hmi.p_sett: 5 kW}}
  - {at: 1 s, write: {hmi.p_set: 5 V}}
  - {at: 1 s, write: {bms.soc: 5 %}}
  - {write: {hmi.close: true}}
  - {at: 2 s}
  - {at: 2 s, press: rest}
  - {at: 2 s, set: {frequency: 500 Hz, wind: 3 kW}}
faults:
  - {at: 1 s, fault: erth_fault}
  - {at: 1 s, fault: over_heat_cell}
  - {at: 1 s, fault: over_heat_cell, cell: 300}
  - {at: 1 s, fault: drop_link, link: can1}
  - {at: 1 s, fault: pcs_fault, celsius: 5 °C}
  - {random: {rate: often, kinds: [pcs_flaut], for: 9 s..3 s}}
recover: {after: 5 s}
never:
  - cell_v > 3 A
  - bms.volts > 3 V
  - pcs.p
  - cell_v > 3.7 V and pcs.p > 5 kW
safe: {cell_v: 3, cell_w: 3..4}
picture: {bms.sok: soc, bms.soc: charge, bms.cell_v: soc}
demands:
  - {fault: erth_fault, within: 1 s, of: rack}
  - {fault: smoke, within: 1 s, of: rack}
  - {fault: smoke, stood: 2 s, within: 1 s, of: plant}
  - {fault: earth_fault, link: pcs, of: rack}
  - {fault: drop_link, link: psc, within: 1 s, of: site}
beyond:
  - {cell_v: 2.5..3.65 V}
  - {cell_v: 2.5..3.65 A, for: 2 s, charging: 3 V}
  - {cell_v: 2..3 V, current: 1..2 A, for: 2 s}
"""


def test_a_wrong_scenario_names_all_its_mistakes(demo: Site, tmp_path: Path) -> None:
    found, report = read(demo, tmp_path, WRONG)
    assert found is None
    lines = {problem.at.line for problem in report.errors}
    assert lines == {2, 3, 4, 5, *range(7, 14), *range(15, 22), *range(23, 29), *range(30, 35), *range(36, 39)}
    assert len([p for p in report.errors if p.at.line == 13]) == 2, "each of two wrong quantities"
    assert len([p for p in report.errors if p.at.line == 20]) == 3, "rate, kind and durations"
    assert len([p for p in report.errors if p.at.line == 28]) == 3, "no tag, no truth, an array beside one value"
    assert len([p for p in report.errors if p.at.line == 32]) == 2, "never due, and no such goal"
    assert len([p for p in report.errors if p.at.line == 33]) == 2, "no time, and no link of this fault"
    assert all(problem.at.column > 1 for problem in report.errors if problem.at.line > 5)


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("commands: [{at: 1 s, write: {hmi.p_sett: 5 kW}}]", "did you mean `hmi.p_set`?"),
        ("faults: [{at: 1 s, fault: erth_fault}]", "did you mean `earth_fault`?"),
        ("durration: 5 s", "did you mean `duration`?"),
        ("commands: [{at: 2 s, press: rest}]", "did you mean `reset`?"),
        ("general: not_redy", "did you mean `not_ready`?"),
    ],
)
def test_a_slip_of_the_pen_is_guessed(demo: Site, tmp_path: Path, line: str, hint: str) -> None:
    _, report = read(demo, tmp_path, f"duration: 1 min\n{line}\n")
    assert [problem.hint for problem in report.errors] == [hint]


def test_what_comes_after_the_end_is_a_warning(demo: Site, tmp_path: Path) -> None:
    found, report = read(demo, tmp_path, "duration: 1 min\ncommands: [{at: 2 min, press: reset}]\n")
    assert found is not None
    assert [problem.severity for problem in report.problems] == ["warning"]


# Faults by chance -------------------------------------------------------------------------------------------------------------


def test_faults_by_chance_come_as_often_as_asked_and_depend_on_the_seed_only() -> None:
    """A Poisson process: 20 an hour over 100 hours is 2000 with a standard deviation of sqrt(2000), about 45."""
    asked = (RandomFaults(20.0, ("earth_fault", "over_heat_cell", "drop_link"), 5 * SECOND, 60 * SECOND),)
    drawn = draw(asked, 1, 100 * HOUR, PARTS)
    assert abs(len(drawn) - 2000) < 4 * 45
    assert drawn == draw(asked, 1, 100 * HOUR, PARTS)
    assert drawn != draw(asked, 2, 100 * HOUR, PARTS)
    assert all(5 * SECOND <= fault.lasts <= 60 * SECOND for fault in drawn)
    assert {fault.kind for fault in drawn} == {"earth_fault", "over_heat_cell", "drop_link"}
    assert {fault.details["link"] for fault in drawn if fault.kind == "drop_link"} == {"can0", "pcs", "meter", "panel"}
    assert all(1 <= fault.details["cell"] <= 256 for fault in drawn if fault.kind == "over_heat_cell")


def test_every_sort_of_message_is_as_likely_however_many_there_are_of_it() -> None:
    """One message of the rack's state and sixteen of its cells: 1000 draws give 500 of each, with a deviation of about 16."""
    parts = Breakable(256, ("BMS_Status", *(f"Module_{number}" for number in range(1, 17))), ())
    drawn = draw((RandomFaults(100.0, ("stop_message",), SECOND, SECOND),), 1, 10 * HOUR, parts)
    state = sum(fault.details["message"] == "BMS_Status" for fault in drawn)
    assert abs(state - len(drawn) / 2) < 4 * 16
    assert len({fault.details["message"] for fault in drawn}) == 17
