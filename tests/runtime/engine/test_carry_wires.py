"""An online change of the demo while it discharges: the contactors stay closed, and a jump of power is what a hand calculates."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from runtime.engine import online
from runtime.engine.carry_wires import fed_inputs
from runtime.engine.online import find_jumps
from tests.aids.recorded import DemoBench, demo

RUNNING = {
    "panel.remote": 1,
    "bms.precharge_fb": 1,
    "bms.main_fb": 1,
    "bms.p_discharge_max": 230.0,
    "bms.p_charge_max": 230.0,
    "bms.v_cell_min": 3.3,
    "bms.v_cell_max": 3.3,
    "bms.t_cell_min": 25.0,
}
MORE = ("programs/dispatch.yaml", "IN0: modes.P, IN1: droop.P}", "IN0: modes.P + 40 kW, IN1: droop.P}")


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> DemoBench:
    """The demo with closed contactors, giving 80 kW."""
    folder = tmp_path_factory.mktemp("wires")
    bench = DemoBench(folder, demo(folder / "site"))
    bench.values |= RUNNING
    bench._slots = {name: bench.slot(name) for name in bench.values}
    ring = bench.commands("hmi")
    bench.pass_time(60)
    for name, value, scans in (
        ("hmi.reset", True, 80),
        ("hmi.close", True, 100),
        ("hmi.support", False, 2),
        ("hmi.p_set", 80.0, 2),
        ("hmi.enable", True, 200),
    ):
        ring.write(bench.schedule.tag(name), value, "operator")
        bench.pass_time(scans)
    assert (bench.value("site.closed"), bench.value("pcs.p_cmd")) == (True, 80.0)
    return bench


def test_the_same_program_again_moves_nothing(bench: DemoBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """80 kW on both sides: a wire that is lost on both would make them equal, too."""
    compared: list[float] = []
    slot, differences = bench.slot("pcs.p_cmd"), online._differences
    monkeypatch.setattr(online, "_differences", lambda *both: compared.extend(one[slot] for one in both) or differences(*both))
    assert find_jumps(bench.plc, bench.schedule) == ()
    assert compared == [80.0, 80.0]


def test_an_instance_that_is_written_in_other_letters_keeps_what_it_was_fed(bench: DemoBench) -> None:
    """Names mean the same in capital letters, as those of tags and of instances do."""
    schedule = bench.schedule
    capitals = replace(schedule, pins={name.upper(): pin for name, pin in schedule.pins.items()})
    assert list(fed_inputs(schedule, capitals)) == list(fed_inputs(schedule, schedule)) != []


def test_forty_more_kilowatts_are_seen_as_the_first_step_of_the_ramp(bench: DemoBench, tmp_path: Path) -> None:
    """100 kW/s and a task of 50 ms: 5 kW. A goto whose `not` lost its wire opens the contactors: 0 kW on both sides."""
    [jump] = find_jumps(bench.plc, demo(tmp_path / "edited", MORE).schedule)
    assert (jump.before, jump.after) == (80.0, pytest.approx(85.0))
