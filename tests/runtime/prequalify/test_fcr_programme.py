"""The whole prequalification of the FCR products: plants with one weakness fail the requirement of that weakness and no other."""

from __future__ import annotations

import dataclasses
from functools import cache, partial

import numpy as np
import pytest

from blocks.grid.fcr import FCR_D_DOWN, FCR_D_UP, FCR_N
from runtime.prequalify import sequences_fcr as fcr
from runtime.prequalify.criteria_fcr import judge_ramps
from runtime.prequalify.criterion import Outcome, failed, overall, reduction
from runtime.prequalify.programme import Evaluation, Terms, evaluate, sequences_of
from runtime.prequalify.record import Record, RecordRefused
from tests.aids import reserve_plants as plants

SHORT = ("ramp", "sines", "linearity")  # all of FCR-D but the long hold
TERMS = Terms(capacity=1000.0, rated=1340.0, energy=2000.0, most=(1340.0, 1340.0))


def weak(p, dt):
    return 0.9 * plants.converter(p, dt)


def strong(p, dt):
    return 1.3 * plants.converter(p, dt)


def wrong_way(p, dt):
    return -plants.converter(p, dt)


ideal = plants.converter
FAIL_FCR_D = {
    "ideal": (ideal, set()),
    "too weak": (weak, {"fcr.steady-state"}),
    "too strong": (strong, {"fcr.steady-state"}),
    "too slow": (partial(plants.converter, lag=6.5), {"fcr-d.power"}),
    "with dead time": (partial(plants.converter, dead=2.4), {"fcr.stability"}),
    "asleep": (plants.sleeping, {"fcr-d.energy"}),
    "overshooting": (plants.overloading, {"fcr-d.sustain"}),
    "letting go late": (plants.reluctant, {"fcr-d.deactivation"}),
    "bent": (plants.curved, {"fcr.linearity"}),
    "soon empty": (plants.emptying, {"fcr.endurance"}),
}
FAIL_FCR_N = {
    "ideal": (ideal, set()),
    "too weak": (weak, {"fcr.steady-state"}),
    "too strong": (strong, {"fcr.steady-state"}),
    "too slow": (plants.lazy, {"fcr-n.performance"}),
    "with dead time": (partial(plants.converter, dead=1.0, lag=2.8), {"fcr.stability"}),
    "bent": (plants.curved, {"fcr.linearity"}),
    "soon empty": (plants.emptying, {"fcr.endurance"}),
}


@cache
def run(service: str, plant: plants.Plant) -> Evaluation:
    product = fcr.PRODUCTS[service]
    records = {s.kind: plants.record_of(s, product, plant, product.log_every) for s in sequences_of(service, TERMS)}
    return evaluate(service, TERMS, records)


@pytest.mark.parametrize("service", ["fcr-d-up", "fcr-d-down"])
@pytest.mark.parametrize("kind", FAIL_FCR_D)
def test_a_plant_of_fcr_d_fails_exactly_what_is_wrong_with_it(service, kind):
    plant, wanted = FAIL_FCR_D[kind]
    assert failed(run(service, plant).findings) == wanted


@pytest.mark.parametrize("kind", FAIL_FCR_N)
def test_a_plant_of_fcr_n_fails_exactly_what_is_wrong_with_it(kind):
    plant, wanted = FAIL_FCR_N[kind]
    assert failed(run("fcr-n", plant).findings) == wanted


@pytest.mark.parametrize("service", fcr.PRODUCTS)
def test_a_plant_that_answers_the_wrong_way_is_unstable_and_passes_nothing_that_needs_power(service):
    assert {"fcr.steady-state", "fcr.stability"} <= failed(run(service, wrong_way).findings)


@pytest.mark.parametrize("service", fcr.PRODUCTS)
def test_an_ideal_plant_passes_all_of_it_with_its_whole_capacity(service):
    found = run(service, ideal).findings
    assert (overall(found), reduction(found)) == (Outcome.PASS, 1.0)
    ids = {f.requirement.id for f in found}
    common = {"fcr.steady-state", "fcr.stability", "fcr.linearity", "fcr.endurance", "fcr.reservoir-energy", "fcr.reservoir-power"}
    own = (
        {"fcr-n.backlash", "fcr-n.performance"}
        if service == "fcr-n"
        else {"fcr-d.power", "fcr-d.energy", "fcr-d.sustain", "fcr-d.deactivation"}
    )
    assert ids == common | own


@pytest.mark.parametrize(("service", "block"), [("fcr-n", FCR_N), ("fcr-d-up", FCR_D_UP), ("fcr-d-down", FCR_D_DOWN)])
def test_our_blocks_with_a_converter_pass_the_whole_programme(service, block):
    product, records = fcr.PRODUCTS[service], {}
    for test in sequences_of(service, TERMS):
        f = test.frequency(product.log_every)
        asked = plants.answer(block, f, product.log_every, {"CAPACITY": 1000.0})
        records[test.kind] = Record.of(test.times(product.log_every), f, plants.converter(asked, product.log_every))
    found = evaluate(service, TERMS, records).findings
    assert (overall(found), reduction(found)) == (Outcome.PASS, 1.0)


def test_the_empty_battery_has_given_what_it_held():
    """0.23 h of 1000 kW are 828 MWs; the first ramp takes its share of it."""
    test = fcr.ramp_test(fcr.FCR_D_UP, endurance=True)
    record = plants.record_of(test, fcr.FCR_D_UP, plants.emptying)
    assert record.integral(record.p, 0.0, 990.0) == pytest.approx(828e3, rel=1e-3)
    endurance = next(f for f in judge_ramps(record, fcr.FCR_D_UP, 1000.0, test) if f.requirement.id == "fcr.endurance")
    assert (endurance.value, endurance.interval) == (0.0, (330.0, 990.0))


def test_the_numbers_of_the_ramp_test_are_those_of_a_hand_calculation():
    """At 0.24 Hz/s the band of 0.4 Hz takes 1.667 s and half of it is lost; dead time and lag delay by 0.4 s together.

    E(7.5 s) = 7.5 - 0.833 - 0.4 = 6.267 s. After the nadir at 34.4 s the frequency stays below 49.5 until 35.456 s
    and reaches 49.7, half of the power, at 37.678 s: (1.056 + 0.4) x 0.5 + 2.222 x 0.25 = 1.283 s above half of the steady power.
    """
    test = fcr.ramp_test(fcr.FCR_D_UP)
    found = {
        f.requirement.id: f for f in judge_ramps(plants.record_of(test, fcr.FCR_D_UP, ideal, 0.01), fcr.FCR_D_UP, 1000.0, test)
    }
    assert found["fcr-d.energy"].value == pytest.approx(6.267, abs=0.02)
    assert found["fcr-d.energy"].interval == (690.0, 697.5)
    assert found["fcr-d.deactivation"].value == pytest.approx(1.283, abs=0.05)
    assert found["fcr-d.power"].value == pytest.approx(1.0, abs=1e-6)


def test_a_battery_with_less_energy_than_a_limited_reservoir_needs_fails_that_and_no_other():
    """FCR-N asks for 1 h each way, FCR-D for 20 min; 1.34 C each way, C and 0.20 C."""
    for service, energy, wanted in (
        ("fcr-n", 1990.0, True),
        ("fcr-n", 2000.0, False),
        ("fcr-d-up", 330.0, True),
        ("fcr-d-up", 334.0, False),
    ):
        terms = dataclasses.replace(TERMS, energy=energy, tests=("step", *SHORT))
        product = fcr.PRODUCTS[service]
        records = {s.kind: plants.record_of(s, product, ideal, product.log_every) for s in sequences_of(service, terms)}
        assert failed(evaluate(service, terms, records).findings) == ({"fcr.reservoir-energy"} if wanted else set())
    terms = dataclasses.replace(terms, most=(1000.0, 190.0))
    assert failed(evaluate("fcr-d-up", terms, records).findings) == {"fcr.reservoir-power"}


def test_a_missing_record_and_one_with_a_gap_are_refused_in_words():
    terms = dataclasses.replace(TERMS, tests=SHORT)
    records = {s.kind: plants.record_of(s, fcr.FCR_D_UP, ideal, 0.1) for s in sequences_of("fcr-d-up", terms)}
    with pytest.raises(LookupError, match="no record of: sine of 25 s"):
        evaluate("fcr-d-up", terms, {kind: r for kind, r in records.items() if kind != "Sine25s"})
    ramp = records["Ramp"]
    keep = np.abs(ramp.t - 691.0) > 0.25
    columns = {name: getattr(ramp, name)[keep] for name in ("t", "f", "p", "p_set", "soc", "q", "v", "status")}
    with pytest.raises(RecordRefused, match=r"no sample between 690\.700 s and 691\.300 s"):
        evaluate("fcr-d-up", terms, records | {"Ramp": dataclasses.replace(ramp, **columns)})


def test_the_steady_state_is_the_mean_of_the_last_minute_and_no_more():
    """A battery that gives 800 kW from 360 s on: the mean of 330 .. 390 s is (30 x 1000 + 30 x 800) / 60 = 900 kW."""
    test = fcr.ramp_test(fcr.FCR_D_UP)
    record = plants.record_of(test, fcr.FCR_D_UP, ideal)
    sagging = dataclasses.replace(record, p=np.where((record.t >= 360.0) & (record.t < 390.0), 800.0, record.p))
    steady = judge_ramps(sagging, fcr.FCR_D_UP, 1000.0, test)[0]
    assert (steady.value, steady.interval, steady.outcome) == (pytest.approx(0.9, abs=1e-3), (330.0, 390.0), Outcome.FAIL)


def test_the_baseline_of_the_plant_is_not_its_answer():
    """A battery that charges with 200 kW beside the reserve, more and more: dP is what the meter shows less the baseline."""
    test = fcr.ramp_test(fcr.FCR_D_UP)
    record = plants.record_of(test, fcr.FCR_D_UP, ideal)
    drift = -200.0 - 0.1 * record.t
    moved = dataclasses.replace(record, p=record.p + drift, p_set=drift)
    plain, beside = (judge_ramps(r, fcr.FCR_D_UP, 1000.0, test) for r in (record, moved))
    assert [f.value for f in beside] == pytest.approx([f.value for f in plain])
