"""RESISTANCE: only real steps are measured, and the temperature law is Arrhenius's."""

from __future__ import annotations

import math

import numpy as np
import pytest

from blocks.cells.resistance import RESISTANCE
from tests.aids.scan_table import Twin, scan
from tests.blocks.cells.true_cells import estimates, nmc, thevenin

SECOND = 1_000_000_000


def test_both_directions_and_both_signs_give_the_same_resistance():
    """0.5 mOhm, at 3.3 V: charging raises the voltage."""
    scan(
        RESISTANCE,
        SPAN="1s",
        dt="1s",
        table="""
        V    I    | R       DONE COUNT
        3.30 0    | 0       0    0
        3.35 -100 | 0       0    0
        3.35 -100 | 0.5mOhm 1    1
        3.25 100  | 0.5mOhm 0    1
        3.25 100  | 0.5mOhm 1    2       # through zero
        3.30 0    | 0.5mOhm 0    2
        3.30 0    | 0.5mOhm 1    3
    """,
    )


def test_a_slow_ramp_a_short_pulse_and_a_small_step_are_no_steps():
    ramp = "\n".join(f"{3.3 - 5e-4 * i:.4f} {i} | 0" for i in range(0, 200, 4))
    scan(RESISTANCE, SPAN="1s", dt="100ms", table=f"V I | COUNT\n{ramp}")
    faster = "\n".join(f"{3.3 - 5e-4 * i:.4f} {i} | 0" for i in range(0, 200, 8))
    scan(RESISTANCE, SPAN="1s", dt="100ms", table=f"x V I | COUNT\n{faster}\n 30 3.2040 192 | 0".replace("\n3", "\n1 3"))
    scan(RESISTANCE, SPAN="1s", dt="400ms", table="x V I | COUNT\n 9 3.3 0 | 0\n 1 3.25 100 | 0\n 9 3.3 0 | 0")
    scan(RESISTANCE, SPAN="1s", dt="400ms", table="x V I | COUNT\n 9 3.3 0 | 0\n 9 3.28 40 | 0")


def test_a_ramp_within_span_is_measured_when_it_has_settled():
    scan(
        RESISTANCE,
        SPAN="1s",
        dt="250ms",
        table="""
        V     I   | COUNT R
        3.3   0   | 0     0
        3.285 30  | 0     0
        3.27  60  | 0     0
        3.25  100 | 0     0
        3.25  100 | 0     0
        3.25  101 | 0     0
        3.25  99  | 0     0
        3.25  100 | 1     0.5mOhm
    """,
    )


@pytest.mark.parametrize("celsius", [-10.0, 0.0, 25.0, 45.0])
def test_the_temperature_law_is_arrhenius(celsius, deviation):
    """30.3 kJ/mol over 8.314 are 3644 K; the block's own exponential is good to 1e-13."""
    twin = Twin(RESISTANCE)
    for name, value in {"V": 3.3, "I": 0.0, "T": celsius, "SPAN": 0}.items():
        twin.set(name, value)
    twin.scan(SECOND)
    twin.set("V", 3.25)
    twin.set("I", 100.0)
    twin.scan(SECOND)
    expected = 0.0005 / math.exp(3644.0 * (1.0 / (celsius + 273.15) - 1.0 / 298.15))
    error = abs(twin.get("R25") / expected - 1.0)
    deviation("RESISTANCE", "math.exp, Arrhenius", f"R25 from {celsius:.0f} degrees", error, 1e-12)


def test_without_a_temperature_there_is_no_normal_resistance():
    scan(RESISTANCE, SPAN=0, table="V I T | R R25\n 3.3 0 nan | 0 0\n 3.25 100 nan | 0.5mOhm 0\n 3.3 0 25 | 0.5mOhm 0.5mOhm")


def test_new_measurements_count_as_much_as_weight_says():
    scan(
        RESISTANCE,
        SPAN=0,
        WEIGHT=0.25,
        table="V I | R25\n 3.3 0 | 0\n 3.2 100 | 1mOhm\n 3.4 0 | 1.25mOhm",
    )


def test_a_result_that_cannot_be_is_dropped():
    scan(RESISTANCE, SPAN=0, table="V I | R COUNT DROPPED\n 3.3 0 | 0 0 0\n 3.4 100 | 0 0 1\n 3.4 0 | 0 0 2\n -20 100 | 0 0 3")


@pytest.mark.parametrize("dead", ["nan 100", "3.25 nan", "inf 100"])
def test_a_dead_sensor_drops_the_step(dead):
    scan(
        RESISTANCE,
        SPAN="1s",
        dt="500ms",
        table=f"""
        V I | COUNT R
        3.3 0 | 0 0
        3.25 100 | 0 0
        {dead} | 0 0
        3.25 100 | 0 0
        3.25 100 | 0 0
        3.25 100 | 0 0
        3.3 0 | 0 0
        3.3 0 | 0 0
        3.3 0 | 1 0.5mOhm
    """,
    )


def test_on_pybamms_circuit_it_finds_what_acts_within_span(deviation):
    """R0 + R1 (1 - exp(-t/tau)) at 1 s. The step takes a second, so t is 1.5 s on average: 1.6 %; 1 mV steps of 43 mV: 2.3 %."""
    i = np.concatenate([np.full(60, amps) for amps in (0.0, 140.0, 0.0, -140.0, 70.0, -70.0)])
    truth = thevenin(nmc, i, 280.0, 3e-4, [(3e-4, 30.0)])
    v, measured = truth.measured(v_noise=1e-4, i_noise=1e-4)
    seen = estimates(RESISTANCE, [{"STEP": 50.0}], v, measured, ["R", "COUNT"])
    assert seen["COUNT"][-1, 0] == 5
    found = seen["R"][seen["R"][:, 0] > 0.0, 0]
    expected = 3e-4 + 3e-4 * (1.0 - math.exp(-1.0 / 30.0))
    deviation("RESISTANCE", "pybamm 26.10 Thevenin", "R of five steps", np.max(np.abs(found / expected - 1.0)), 0.04)


@pytest.mark.parametrize("celsius", ["-327.68", "-40.1", "90.1", "nan", "3276"])
def test_a_temperature_that_no_cell_has_leaves_r25_alone(celsius):
    """The first measurement would be kept as it is: 0.5 mOhm at -327 °C are an ohm and more at 25 °C."""
    scan(
        RESISTANCE,
        SPAN="1s",
        dt="1s",
        table=f"""
        V    I   T | R R25 COUNT
        3.30 0   {celsius} | 0 0 0
        3.25 100 {celsius} | 0 0 0
        3.25 100 {celsius} | 0.5mOhm 0 1
        3.30 0   25 | 0.5mOhm 0 1
        3.30 0   25 | 0.5mOhm 0.5mOhm 2
    """,
    )
