"""IEEE 1547 driven through a controller and its plant on a grid of 60 Hz: trips in time, rides through, and what is wrong fails.

Voltage and frequency go through the meter's registers, the compiled programs of the site and the converter's registers. The delay
of entering service is shorter here than its 300 s: which stage trips, and when, does not depend on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from runtime.app import read_site
from runtime.prequalify import sequences_1547
from runtime.prequalify.bench import Bench
from runtime.prequalify.criteria_1547 import judge_ride, judge_trip
from runtime.prequalify.criterion import Finding, failed
from runtime.prequalify.orders import Order, functions_for, settings_for
from runtime.prequalify.programme import Terms
from runtime.prequalify.simulated import SimulatedDoor
from runtime.program_tests_stand import stand
from runtime.simulate_world import World
from runtime.simulation.settings import read_settings
from runtime.site_files import plant_of
from tests.aids.us_site import RATED, us_site

CLOCK = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z
TERMS = Terms(RATED, RATED, before=0.5)
SOON = {"reconnect_after": "35 s", "return_ramp": "1 s", "start_ramp": "0 s"}
TRIPS = {stage.name: stage for stage in sequences_1547.STAGES}
RIDES = {ride.name: ride for ride in sequences_1547.RIDES}
Drive = Callable[..., list[Finding]]


@contextmanager
def driver(folder: Path, **constants: str) -> Iterator[Drive]:
    """Drives tests one after another on a site with these constants, and with a converter that is spoiled in these ways."""
    file = us_site(folder, **(SOON | constants))
    settings = read_settings(plant_of(file))
    with stand(read_site(file)[0]) as made:

        def drive(*names: str, **pcs: float) -> list[Finding]:
            plant = replace(settings, pcs=replace(settings.pcs, **pcs))
            bench, found = Bench(SimulatedDoor(World(made.site, plant, made, CLOCK), CLOCK), "ieee1547", TERMS), list[Finding]()
            for name in names:
                if name in TRIPS:
                    test = sequences_1547.trip_test(TRIPS[name])
                    found += judge_trip(bench.run(test), test, TRIPS[name], RATED)
                else:
                    test = sequences_1547.ride_through_test(RIDES[name])
                    found += judge_ride(bench.run(test), test, RIDES[name], RATED)
            return found

        yield drive


@pytest.fixture(scope="module")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drive]:
    with driver(tmp_path_factory.mktemp("us")) as found:
        yield found


@pytest.mark.slow
def test_the_site_trips_in_time_and_rides_through_what_it_must(drive: Drive) -> None:
    found = drive("UV2", "OF2", "LowVoltage", "Rocof")
    assert failed(found) == set()
    seen = {one.requirement.id: one.value for one in found}
    assert 0.06 < seen["1547.trip.OF2.clearing"] <= 0.16, "the stage's own 60 ms, and what meter, scan and converter need"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("weakness", "fails"),
    [
        ({"start_s": 0.5}, {"1547.ride.low-voltage.continues"}),  # blocked below a tenth of the voltage, and not back in 0.4 s
        ({"dead_time_s": 0.1}, {"1547.ride.low-voltage.ceases"}),
    ],
    ids=["starts slowly", "dead time"],
)
def test_a_plant_that_is_too_slow_fails_what_it_is_too_slow_for(drive: Drive, weakness: dict[str, float], fails: set[str]) -> None:
    assert failed(drive("LowVoltage", **weakness)) == fails


@pytest.mark.slow
def test_a_wrong_setting_fails_the_stage_that_it_belongs_to_and_no_other(tmp_path: Path) -> None:
    """A frequency stage with all of the 0.16 s as its own delay is late at the meter; a voltage stage set too high trips inside."""
    with driver(tmp_path, over_f2_time="160 ms", under_v2="0.53") as wrong:
        assert failed(wrong("OF2", "UF2", "UV2")) == {"1547.trip.OF2.clearing", "1547.trip.UV2.inside"}


def test_a_function_works_in_its_own_test_alone() -> None:
    """Droop would take the power to 0 before a frequency stage could show its trip; reactive power would hide that power fell."""
    tags = {"set.droop", "set.q_mode", "set.lfsm", "set.p", "set.mode", "cmd.GoToState_Running", "site.closed"}
    switched = {kind: functions_for("ieee1547", kind, tags) for kind in ("Droop", "VoltVar", "TripOF1", "RideLowVoltage")}
    assert switched["Droop"] == [Order("set.droop", True), Order("set.q_mode", 0)]
    assert switched["VoltVar"] == [Order("set.droop", False), Order("set.q_mode", 1)]
    assert switched["TripOF1"] == switched["RideLowVoltage"] == [Order("set.droop", False), Order("set.q_mode", 0)]
    assert Order("set.lfsm", False, "engineer") in settings_for("ieee1547", TERMS, tags)
    assert functions_for("fcr-n", "Step", tags) == []
