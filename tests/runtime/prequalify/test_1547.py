"""IEEE 1547: a plant written from the standard's tables passes everything; with one duty spoiled it fails that one and no other."""

from __future__ import annotations

from functools import cache, partial

import numpy as np
import pytest

from runtime.prequalify import criteria_1547, sequences_1547
from runtime.prequalify.criterion import failed
from runtime.prequalify.programme import Evaluation, Terms, evaluate, logging, sequences_of
from runtime.prequalify.record import Record
from runtime.prequalify.sequence import Sequence
from tests.aids.grid_code_plant import RATED, Code, run
from tests.blocks.grid.opender_battery import battery, their_run

TERMS = Terms(capacity=100.0, rated=RATED, before=0.5)
FUNCTIONS = {"Droop": "droop", "VoltVar": "var", "VoltWatt": "watt"}


@cache
def prequalify(code: Code) -> Evaluation:
    records = {
        s.kind: run(s, code, FUNCTIONS.get(s.kind, "none"), logging("ieee1547", TERMS, s).every)
        for s in sequences_of("ieee1547", TERMS)
    }
    return evaluate("ieee1547", TERMS, records)


STAGES, OUT = ("OV2", "OV1", "UV1", "UV2", "OF2", "OF1", "UF1", "UF2"), "stays-off"
RIDES = ("low-voltage", "high-voltage", "low-frequency", "high-frequency", "rate-of-change-of-frequency")
ROCOF = f"1547.ride.{RIDES[4]}"


def trips(words: str, *stages: str) -> set[str]:
    return {f"1547.trip.{stage}.{word}" for stage in stages for word in words.split()}


def rides(words: str, *names: str) -> set[str]:
    return {f"1547.ride.{name}.{word}" for name in names for word in words.split()}


def test_a_plant_after_the_standard_passes_every_requirement():
    found = prequalify(Code()).findings
    assert failed(found) == set()
    assert {f.requirement.id for f in found} == {
        *("1547.frequency-droop.curve", "1547.frequency-droop.response", "1547.volt-var.curve", "1547.volt-var.response"),
        *("1547.volt-watt.curve", "1547.volt-watt.response"),
        *(trips("inside clearing stays-off", *STAGES) - trips("inside", "OV2")),
        *(rides("continues restores", *RIDES) - rides("continues", "high-voltage")),
        *rides("ceases", "low-voltage", "high-voltage"),
        *("1547.enter.criteria", "1547.enter.delay", "1547.enter.ramp", "1547.enter.returns"),
    }


def test_just_beyond_a_threshold_it_trips_in_the_time_of_its_stage():
    """This plant: 0.1 s or a cycle before it. Above 1.1 and below 0.5 of the voltage nothing flows from the first sample on."""
    seen = {f.requirement.id: f.value for f in prequalify(Code()).findings}
    times = {stage: seen[f"1547.trip.{stage}.clearing"] for stage in STAGES}
    quiet = dict.fromkeys(("OV2", "OV1", "UV2"), 0.0)
    assert times == pytest.approx(quiet | {"UV1": 20.9, "OF2": 0.14, "OF1": 299.9, "UF1": 299.9, "UF2": 0.14}, abs=0.041)


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        (Code(droop=0.10), {"1547.frequency-droop.curve"}),
        (Code(droop_time=15.0), {"1547.frequency-droop.response"}),
        (Code(droop=1e9), {"1547.frequency-droop.curve"}),
        (Code(var_gain=0.6), {"1547.volt-var.curve"}),
        (Code(var_gain=0.0), {"1547.volt-var.curve"}),
        (Code(watt_time=30.0), {"1547.volt-watt.response"}),
        (Code(watt=False), {"1547.volt-watt.curve"}),
        (Code(under_v=((0.5, 1.9), (0.88, 22.0))), trips("clearing", "UV1")),
        (Code(under_v=((0.5, 1.9), (0.88, 30.0))), trips("clearing stays-off", "UV1")),
        (Code(under_v=((0.5, 1.9), (0.91, 20.9))), trips("inside", "UV1")),
        (Code(under_v=((0.47, 1.9), (0.88, 20.9))), trips(OUT, "UV2")),  # it ceases, and comes back
        (Code(over_v=((1.2, 0.14), (1.1, 11.0))), rides("restores", "high-voltage")),
        (Code(over_f=((62.0, 0.25), (61.2, 299.9))), trips("clearing", "OF2")),
        (Code(over_f=((62.0, 0.14), (61.25, 299.9))), trips("clearing stays-off", "OF1")),
        (Code(over_f=((62.0, 0.14), (61.2, 250.0))), rides("continues restores", "high-frequency")),
        (Code(under_f=((56.5, 0.14), (58.55, 299.9))), trips("inside", "UF1")),
        (Code(under_f=((57.1, 0.14), (58.5, 299.9))), trips("inside", "UF2") | rides("continues restores", "low-frequency")),
        (Code(reconnects=True), trips(OUT, *STAGES) | {"1547.enter.delay"}),
        (Code(drops_at_low=True), rides("continues", "low-voltage") | trips("inside", "UV2")),
        (Code(cease_late=0.2), rides("ceases", "low-voltage", "high-voltage")),
        (Code(back_late=0.5), rides("continues", "low-voltage") | rides("restores", "high-voltage")),
        (Code(most_rocof=2.5), {f"{ROCOF}.continues", f"{ROCOF}.restores", "1547.frequency-droop.curve"}),
        (Code(enter_v=(0.85, 1.05)), {"1547.enter.criteria"}),
        (Code(enter_v=(0.917, 1.1)), {"1547.enter.criteria"}),
        (Code(enter_f=(59.4, 60.1)), {"1547.enter.criteria"}),
        (Code(enter_f=(59.5, 60.5)), {"1547.enter.criteria"}),
        (Code(delay=250.0), {"1547.enter.delay"}),
        (Code(forgets=True), {"1547.enter.delay"}),
        (Code(ramp=60.0), {"1547.enter.ramp"}),
        (Code(returns=False), {"1547.enter.returns"}),
    ],
    ids=[
        *("weak droop", "slow droop", "no droop", "weak volt-var", "no volt-var", "slow volt-watt", "no volt-watt"),
        *("UV1 a second late", "UV1 much too late", "UV1 too soon a threshold", "UV2 too low a threshold", "OV1 too early"),
        *("OF2 late", "OF1 too high a threshold", "OF1 while it must ride", "UF1 too high a threshold", "UF2 while it must ride"),
        *("comes back at once", "ceases where it must go on", "ceases late", "comes back late", "trips by the rate of change"),
        *("enters at too low a voltage", "at too high a voltage", "at too low a frequency", "at too high a frequency"),
        *("waits too short", "does not wait anew", "ramps too fast", "never comes back"),
    ],
)
def test_a_spoiled_duty_fails_its_own_requirements(code, wanted):
    assert failed(prequalify(code).findings) == wanted


def test_the_laws_agree_with_the_numbers_of_the_reference_packages():
    """20 kW of a 100 kW battery at 59.5 Hz goes to 35.467 kW, and nothing changes at 59.97 Hz (OpenDER, NUMBERS.md)."""
    assert 100.0 * sequences_1547.droop(np.array([59.5]), 0.2)[0] == pytest.approx(35.467, abs=5e-4)
    assert sequences_1547.droop(np.array([59.97]), 0.2)[0] == 0.2
    np.testing.assert_allclose(
        sequences_1547.volt_var(np.array([0.9, 0.92, 0.95, 1.0, 1.05, 1.08, 1.2])), [0.44, 0.44, 0.22, 0, -0.22, -0.44, -0.44]
    )
    np.testing.assert_allclose(sequences_1547.volt_watt(np.array([1.0, 1.06, 1.08, 1.1]), 1.0), [1.0, 1.0, 0.5, 0.0], atol=1e-12)


def test_a_plant_that_gives_nothing_proves_nothing():
    """A trip of a plant that is off already is no proof, and so is riding through."""
    off = Code(over_v=((0.0, 0.0),))
    stage, ride = sequences_1547.STAGES[3], sequences_1547.RIDES[0]
    test = sequences_1547.trip_test(stage)
    assert failed(criteria_1547.judge_trip(run(test, off, "none"), test, stage, RATED)) == trips("clearing", "UV2")
    test = sequences_1547.ride_through_test(ride)
    assert failed(criteria_1547.judge_ride(run(test, off, "none"), test, ride, RATED)) == rides("restores", "low-voltage")


def opender_record(test: Sequence, dt: float, **settings) -> Record:
    """EPRI's OpenDER 2.2 as a 100 kW battery that discharges half of it, through one test."""
    f, v = test.frequency(dt), test.voltage(dt)
    given = [{"p_dem_kw": 50.0, "v_pu": float(a), "f": float(b)} for a, b in zip(v, f, strict=True)]
    p, q = np.array([(p, q) for p, q, _ in their_run(battery(**settings), dt, given)]).T
    return Record.of(test.times(dt), f, p, q=q, v=v)


def step_for(seconds: float) -> float:
    """Short enough for what happens in a test, and no shorter: OpenDER takes its time."""
    return 0.02 if seconds < 5.0 else (0.1 if seconds < 100.0 else 0.5)


@pytest.mark.slow
def test_the_reference_of_epri_passes_every_requirement():
    """OpenDER knows the standard and nothing of us: what it does must pass, in every test of the programme."""
    s, c, found = sequences_1547, criteria_1547, []
    test = s.droop_test()
    found += c.judge_curve(opender_record(test, 0.1), test, "f", "p", RATED, lambda f: s.droop(f, 0.5), s.DROOP_TIME)
    test = s.volt_var_test()
    record = opender_record(test, 0.1, QV_MODE_ENABLE=True, QV_OLRT=5.0)
    found += c.judge_curve(record, test, "v", "q", RATED, s.volt_var, s.VOLT_VAR_TIME)
    test = s.volt_watt_test()
    record = opender_record(test, 0.1, PV_MODE_ENABLE=True, PV_OLRT=10.0)
    found += c.judge_curve(record, test, "v", "p", RATED, lambda v: s.volt_watt(v, 0.5), s.VOLT_WATT_TIME)
    for stage in s.STAGES:
        test = s.trip_test(stage)
        found += c.judge_trip(opender_record(test, step_for(stage.seconds), PF_MODE_ENABLE=False), test, stage, RATED)
    for ride in s.RIDES:
        test = s.ride_through_test(ride)
        shortest = min(leg.seconds for leg in ride.legs)
        found += c.judge_ride(opender_record(test, step_for(shortest), PF_MODE_ENABLE=False), test, ride, RATED)
    test = s.enter_service_test()
    found += c.judge_enter_service(opender_record(test, 0.1), test, RATED)
    assert failed(found) == set()
    assert {f.requirement.id for f in found} == {f.requirement.id for f in prequalify(Code()).findings}


def test_the_reference_of_epri_without_a_function_fails_that_function():
    s, c = sequences_1547, criteria_1547
    test = s.volt_var_test()
    assert failed(c.judge_curve(opender_record(test, 0.1), test, "v", "q", RATED, s.volt_var, 5.0)) == {"1547.volt-var.curve"}
    test = s.volt_watt_test()
    law = partial(s.volt_watt, before=0.5)
    assert failed(c.judge_curve(opender_record(test, 0.1), test, "v", "p", RATED, law, 10.0)) == {"1547.volt-watt.curve"}
    uv1 = s.STAGES[2]
    test = s.trip_test(uv1)
    late = opender_record(test, 0.1, UV1_TRIP_T=30.0)
    assert failed(c.judge_trip(late, test, uv1, RATED)) == trips("clearing stays-off", "UV1")
    soon = opender_record(test, 0.1, UV1_TRIP_V=0.91)
    assert failed(c.judge_trip(soon, test, uv1, RATED)) == trips("inside", "UV1")
