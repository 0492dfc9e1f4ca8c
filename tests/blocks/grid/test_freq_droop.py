"""FREQ_DROOP against IEEE 1547-2018 and EPRI's OpenDER."""

from __future__ import annotations

import math

import pytest

from blocks.grid.freq_droop import FREQ_DROOP
from tests.aids.scan_table import Twin, scan

NORTH_AMERICA = {"F0": 60.0, "P_RATED": 100.0, "P_SET": 20.0, "DEADBAND": 0.036, "DROOP": 0.05}


def test_the_check_values_of_the_standards_law():
    """20 kW of a 100 kW battery: 59.5 Hz asks for 35.467 kW, 59.97 Hz lies inside the deadband (NUMBERS.md)."""
    scan(
        FREQ_DROOP,
        **NORTH_AMERICA,
        table="""
        F     | P        ANSWERING
        60    | 20       0
        59.97 | 20       0
        59.5  | ~35.467  1
        60.5  | ~4.533   1
        60.03 | 20       0
        55    | 100      1
        66    | ~-100    1
    """,
    )


def test_a_narrow_deadband_in_millihertz_at_50_hz():
    """(0.1 - 0.02) / (50 * 0.05) * 500 kW = 16 kW."""
    scan(FREQ_DROOP, P_RATED=500.0, DEADBAND="20mHz", table="F | P\n 49.9 | ~16.000\n 50.1 | ~-16.000\n 50.019 | 0")


def test_90_percent_of_the_answer_after_the_open_loop_response_time():
    twin = Twin(FREQ_DROOP)
    for name, value in (NORTH_AMERICA | {"OLRT": 5.0, "F": 60.0}).items():
        twin.set(name, value)
    twin.scan(10_000_000)
    twin.set("F", 59.5)
    asked = (0.5 - 0.036) / (60.0 * 0.05) * 100.0
    for i in range(1, 1001):
        twin.scan(10_000_000)
        exact = 20.0 + asked * (1.0 - 10.0 ** (-i / 500.0))
        assert twin.get("P") == pytest.approx(exact, abs=1e-4)
        if i == 500:
            assert twin.get("P") == pytest.approx(33.898, abs=0.03)  # NUMBERS.md, with a time constant of OLRT/2.3
    assert math.isclose(20.0 + 0.99 * asked, float(twin.get("P")), abs_tol=1e-3)


@pytest.mark.parametrize("frequency", [59.5, 59.9, 59.97, 60.2, 60.5])
def test_it_follows_opender_in_time(frequency, deviation):
    """OpenDER answers by a trapezoidal filter of OLRT/2.3 with the same step; both run 10 s of 10 ms scans."""
    from opender import DER, DER_BESS

    DER.t_s = 0.01
    der = DER_BESS(
        NP_P_MAX=100e3,
        NP_VA_MAX=100e3,
        NP_P_MAX_CHARGE=100e3,
        NP_APPARENT_POWER_CHARGE_MAX=100e3,
        NP_BESS_CAPACITY=1e9,
        BESS_SOC_INIT=0.5,
        NP_EFFICIENCY=1.0,
        PF_OLRT=5.0,
        PF_DBOF=0.036,
        PF_DBUF=0.036,
        PF_KOF=0.05,
        PF_KUF=0.05,
    )
    twin = Twin(FREQ_DROOP)
    for name, value in (NORTH_AMERICA | {"OLRT": 5.0, "F": 60.0}).items():
        twin.set(name, value)

    def step(f: float) -> tuple[float, float]:
        der.update_der_input(p_dem_kw=20.0, v_pu=1.0, f=f)
        der.run()
        twin.set("F", f)
        twin.scan(10_000_000)
        return der.p_out_kw, float(twin.get("P"))

    for _ in range(100):
        theirs, ours = step(60.0)
    assert theirs == pytest.approx(20.0, abs=1e-3)
    assert ours == 20.0
    worst = 0.0
    for _ in range(1000):
        theirs, ours = step(frequency)
        worst = max(worst, abs(ours - theirs))
    deviation("FREQ_DROOP", "opender 2.2", f"P after a step to {frequency} Hz", worst, 0.1, "kW of 100")


def test_a_broken_frequency_is_shown_and_forgotten():
    scan(FREQ_DROOP, **NORTH_AMERICA, OLRT=1.0, table="F | P\n 60 | 20\n nan | nan\n 60 | 20")
    scan(FREQ_DROOP, F=50.0, P_RATED=100.0, table="P_SET | P\n 10 | 10\n nan | nan\n 10 | 10")


def test_a_wild_sample_does_not_stand_in_the_answer():
    scan(
        FREQ_DROOP,
        **NORTH_AMERICA,
        OLRT=5.0,
        table="F | P\n 60 | 20\n 6553.5 | nan\n 60 | 20\n 0 | nan\n 60 | 20\n inf | nan\n 60 | 20",
    )


def test_the_answer_heads_for_no_more_than_the_plant_has():
    """72 Hz would ask for -399 kW: the answer heads for -120 kW, and is back by nine tenths, 8 kW, after 5 s."""
    scan(FREQ_DROOP, **NORTH_AMERICA, OLRT=5.0, table="x F | P\n 1 60 | 20\n 9000 72 | ~-100.00\n 500 60 | ~8.00")


def test_one_lost_sample_does_not_drop_the_support():
    scan(FREQ_DROOP, **NORTH_AMERICA, OLRT=5.0, table="x F | P\n 9000 59.5 | ~35.467\n 1 nan | nan\n 1 59.5 | ~35.467")


@pytest.mark.parametrize("pin", ["P_RATED", "DEADBAND", "DROOP", "F0"])
def test_a_broken_setting_is_shown(pin):
    scan(FREQ_DROOP, **(NORTH_AMERICA | {pin: math.nan}), table="F | P\n 60 | nan\n 59.5 | nan")
