"""CC_CV: stable with a cold cell, calm after one wrong sample, and in series with what else limits a charge."""

from __future__ import annotations

import pytest

from blocks.charge.cc_cv import CC_CV, PHASES, REASONS
from blocks.charge.charge_limiter import CHARGE_LIMITER
from blocks.charge.charge_window import CHARGE_WINDOW
from tests.aids.scan_table import Twin, scan
from tests.blocks.control.compiled import Compiled

CAPACITY = 280.0
SECOND = 1_000_000_000
CALM = {"CAPACITY": CAPACITY, "V_CV": 3.65, "KP": 2.0, "TI": 1e6, "dt": "1s"}
IDLE, CURRENT, VOLTAGE, WAITING, FULL, BAD = range(6)


@pytest.mark.parametrize("late", [1, 3, 10])
@pytest.mark.parametrize("ohm", [0.0006, 0.002, 0.003])
def test_the_voltage_is_held_without_a_swing_also_with_a_cold_old_cell(ohm, late, deviation):
    """KP CAPACITY R = 0.5 * 280 * 3 mOhm = 0.42 < 1: a step of the current comes back smaller each time, however late.

    The cell has 3.50 V at rest, so 50 mV/R flow in the end. `late` scans of 100 ms pass until the voltage is seen.
    """
    charger = Compiled(CC_CV, EN=True, CAPACITY=CAPACITY, END_TIME=10**15)
    pipe, seen = [0.0] * late, []
    for _ in range(1200):
        current = pipe[0]
        charger.set(V_CELL=3.50 + ohm * current, I=-current)
        charger.scan(SECOND // 10)
        pipe = [*pipe[1:], -charger.get("I_SET")]
        seen.append(3.50 + ohm * current)
    wanted = min(3.55, 3.50 + ohm * 140.0)
    # the last 20 s: settled; and never beyond the end voltage by more than the window's 50 mV
    deviation(
        "CC_CV", "V_CV", f"settled, {1000 * ohm:g} mOhm, {late / 10:g} s late", max(abs(v - wanted) for v in seen[-200:]), 1e-3, "V"
    )
    assert max(seen) < 3.6


def test_a_limit_in_series_is_named_also_below_the_end_voltage():
    limited = REASONS.index("current limited from outside")
    scan(
        CC_CV,
        **CALM,
        EN=True,
        V_CELL=3.2,
        I=0.0,
        table=f"I_MIN | I_SET WHY\n -inf | -140 2\n -50 | -50 {limited}\n 0 | 0 {limited}",
    )


@pytest.mark.parametrize("volts", ["0", "1.49", "-3.2"])
def test_a_cell_that_reads_0_v_is_not_charged(volts):
    scan(
        CC_CV,
        **CALM,
        EN=True,
        I=0.0,
        table=f"V_CELL | I_SET PHASE\n 3.2 | -140 {CURRENT}\n {volts} | 0 {BAD}\n 3.2 | -140 {CURRENT}",
    )


@pytest.mark.parametrize("volts", ["0", "nan", "3.0"])
def test_one_wrong_sample_does_not_charge_a_full_battery_again(volts):
    scan(
        CC_CV,
        **CALM,
        EN=True,
        END_TIME="0s",
        table=f"""
        x  V_CELL  I  | I_SET FULL
        1  3.645   -3 | 0     1
        1  {volts} 0  | 0     1
        9  3.40    0  | 0     1
        10 3.29    0  | 0     1
        1  3.29    0  | -140  0     # below for 10 s
    """,
    )


def test_one_wrong_sample_does_not_forget_how_long_it_has_waited_for_balancing():
    given_up = REASONS.index("full, but balancing took too long")
    scan(
        CC_CV,
        **CALM,
        EN=True,
        BALANCED=False,
        I=-1.0,
        END_TIME="0s",
        WAIT_MAX="5s",
        table=f"""
        x V_CELL | PHASE     WAITED WHY
        1 3.648  | {WAITING} 0s     6
        3 3.648  | {WAITING} 3s     6
        2 nan    | {BAD}     3s     7
        1 3.648  | {WAITING} 4s     6
        1 3.648  | {FULL}    5s     {given_up}
        1 nan    | {BAD}     5s     7
        1 3.648  | {FULL}    0s     {given_up}
    """,
    )
    assert PHASES[WAITING] == "waiting for balancing"


def test_with_the_limiter_and_the_window_of_the_house_a_charge_comes_to_its_end():
    """V_FULL above V_CV, as CC_CV asks for: the limiter tapers, CC_CV ends it below the window's 3.6 V.

    A cell with 0.6 mOhm whose voltage at rest rises from 3.33 V by 3 V over the last three per cent of its charge.
    """
    limiter = Compiled(CHARGE_LIMITER, P_RATED=112.0, V_FULL=3.6, T_MIN=25.0, T_MAX=25.0)
    window = Compiled(CHARGE_WINDOW, T_HIGH=25.0, T_LOW=25.0)
    charger = Compiled(CC_CV, CAPACITY=CAPACITY)
    z, current, highest = 0.95, 0.0, 0.0
    for _ in range(6 * 3600):
        volts = 3.33 + max(0.0, z - 0.97) * 3.0 + 0.0006 * current
        highest = max(highest, volts)
        limiter.set(V_CELL=volts, SOC=min(100.0 * z, 100.0))
        window.set(V_HIGH=volts, V_LOW=volts)
        limiter.scan(SECOND)
        window.scan(SECOND)
        charger.set(V_CELL=volts, I=-current, I_MIN=limiter.get("P_MIN") * 1000.0 / 800.0, EN=bool(window.get("CHARGE_OK")))
        charger.scan(SECOND)
        current = -charger.get("I_SET")
        z += current / 3600.0 / CAPACITY
        if charger.get("FULL"):
            break
    assert charger.get("FULL")
    assert highest < 3.56


def test_it_has_one_voltage_less_than_its_neighbours():
    """The goal below the stop, the stop below the ceiling."""
    assert CC_CV.pin("V_CV").default < CHARGE_WINDOW.pin("MAX_CHARGE_V").default < CHARGE_WINDOW.pin("V_CEILING").default


def test_at_the_default_gain_the_first_scan_starts_softly():
    twin = Twin(CC_CV)
    for name, value in {"EN": True, "V_CELL": 3.2, "I": 0.0, "CAPACITY": CAPACITY}.items():
        twin.set(name, value)
    for _ in range(30):
        twin.scan(SECOND // 10)
    assert twin.get("I_SET") == pytest.approx(-140.0, abs=0.1)
