"""IEEE 1547: a plant written from the standard's tables passes everything; with one duty spoiled it fails that one and no other."""

from __future__ import annotations

from functools import cache, partial

import numpy as np
import pytest

from runtime.prequalify import criteria_1547, sequences_1547
from runtime.prequalify.criterion import failed
from runtime.prequalify.programme import Evaluation, Terms, evaluate, sequences_of
from runtime.prequalify.record import Record
from runtime.prequalify.sequence import Sequence
from tests.aids.grid_code_plant import RATED, Code, run
from tests.blocks.grid.opender_battery import battery, their_run

TERMS = Terms(capacity=100.0, rated=RATED, before=0.5)
FUNCTIONS = {"Droop": "droop", "VoltVar": "var", "VoltWatt": "watt"}


@cache
def prequalify(code: Code) -> Evaluation:
    records = {s.kind: run(s, code, FUNCTIONS.get(s.kind, "none")) for s in sequences_of("ieee1547", TERMS)}
    return evaluate("ieee1547", TERMS, records)


def test_a_plant_after_the_standard_passes_every_requirement():
    found = prequalify(Code()).findings
    assert failed(found) == set()
    assert {f.requirement.id for f in found} == {
        *("1547.frequency-droop.curve", "1547.frequency-droop.response", "1547.volt-var.curve", "1547.volt-var.response"),
        *("1547.volt-watt.curve", "1547.volt-watt.response", "1547.trip.clearing", "1547.trip.stays-off"),
        *("1547.ride.mandatory", "1547.ride.restores", "1547.enter.delay", "1547.enter.ramp", "1547.enter.returns"),
    }


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        (Code(droop=0.10), {"1547.frequency-droop.curve"}),
        (Code(droop_time=15.0), {"1547.frequency-droop.response"}),
        (Code(var_gain=0.6), {"1547.volt-var.curve"}),
        (Code(watt_time=30.0), {"1547.volt-watt.response"}),
        (Code(slow_trip=1.2), {"1547.trip.clearing", "1547.trip.stays-off"}),
        (Code(reconnects=True), {"1547.trip.stays-off", "1547.enter.delay", "1547.enter.ramp"}),
        (Code(early_trip=0.4), {"1547.ride.mandatory", "1547.ride.restores"}),
        (Code(drops_at_low=True), {"1547.ride.mandatory"}),
        (Code(delay=250.0), {"1547.enter.delay", "1547.enter.ramp"}),
        (Code(ramp=60.0), {"1547.enter.ramp"}),
        (Code(returns=False), {"1547.enter.returns", "1547.enter.delay"}),
        (Code(droop=1e9), {"1547.frequency-droop.curve"}),
        (Code(var_gain=0.0), {"1547.volt-var.curve"}),
        (Code(watt=False), {"1547.volt-watt.curve"}),
    ],
    ids=[
        "weak droop",
        "slow droop",
        "weak volt-var",
        "slow volt-watt",
        "late trips",
        "comes back at once",
        "trips while it must ride",
        "ceases",
        "waits too short",
        "ramps too fast",
        "never comes back",
        "no droop",
        "no volt-var",
        "no volt-watt",
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


def test_the_clearing_time_is_what_passes_from_the_disturbance_to_the_last_current():
    stage = sequences_1547.STAGES[0]
    test = sequences_1547.trip_test(stage)
    record = run(test, Code(over_v=((1.2, 0.10),)), "none", dt=0.01)
    clearing, out = criteria_1547.judge_trip(record, test, stage, RATED)
    assert clearing.value == 0.0, "above 1.1 of the voltage it gives nothing from the first sample on"
    assert out.value == 0.0
    uv1 = sequences_1547.STAGES[2]
    test = sequences_1547.trip_test(uv1)
    clearing, _ = criteria_1547.judge_trip(run(test, Code(), "none", dt=0.02), test, uv1, RATED)
    assert clearing.value == pytest.approx(20.9, abs=0.041)


def test_a_plant_that_gives_nothing_proves_nothing():
    """A trip of a plant that is off already is no proof."""
    stage = sequences_1547.STAGES[3]
    test = sequences_1547.trip_test(stage)
    record = run(test, Code(over_v=((0.0, 0.0),)), "none")
    assert failed(criteria_1547.judge_trip(record, test, stage, RATED)) == {"1547.trip.clearing"}


def opender_record(test: Sequence, dt: float, **settings) -> Record:
    """EPRI's OpenDER 2.2 as a 100 kW battery that discharges half of it, through one test."""
    f, v = test.frequency(dt), test.voltage(dt)
    given = [{"p_dem_kw": 50.0, "v_pu": float(a), "f": float(b)} for a, b in zip(v, f, strict=True)]
    p, q = np.array([(p, q) for p, q, _ in their_run(battery(**settings), dt, given)]).T
    return Record.of(test.times(dt), f, p, q=q, v=v)


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
        dt = 0.02 if stage.seconds < 5.0 else 0.1
        test = s.trip_test(stage)
        found += c.judge_trip(opender_record(test, dt), test, stage, RATED)
        if stage.ride > 0.0:
            test = s.ride_through_test(stage)
            found += c.judge_ride_through(opender_record(test, dt), test, stage, RATED)
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
    assert failed(c.judge_trip(late, test, uv1, RATED)) == {"1547.trip.clearing", "1547.trip.stays-off"}
