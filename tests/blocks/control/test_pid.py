"""PID: the textbook's law, and what happens when something breaks or stands at a limit."""

from __future__ import annotations

import math

import pytest

from blocks.control.pid import PID
from tests.aids.scan_table import Twin, scan

WIDE = {"OUT_MIN": -1000.0, "OUT_MAX": 1000.0}
MS = 1_000_000


def pid(**params: float) -> Twin:
    twin = Twin(PID)
    for name, value in params.items():
        twin.set(name, value)
    return twin


def test_proportional_and_feed_forward_add_up():
    scan(
        PID,
        KP=2.0,
        **WIDE,
        table="""
        SP PV FF | OUT LIMITED HELD
        10 9  0  | 2   0       0
        10 12 0  | -4  0       0
        10 9  50 | 52  0       0
    """,
    )


def test_a_constant_error_is_integrated_with_the_true_time():
    """u = KP e (1 + t/TI): the gain once more after each TI, however long the scans are."""
    scan(
        PID,
        KP=2.0,
        TI=1.0,
        SP=10.0,
        PV=9.0,
        **WIDE,
        table="""
        dt    x  | OUT
        100ms 1  | 2
        100ms 10 | 4
        500ms 2  | 6
        1ms   1  | 6.002
    """,
    )


def test_the_derivative_sees_the_measured_value_only():
    scan(
        PID,
        KP=2.0,
        TD=1.0,
        **WIDE,
        dt="100ms",
        table="""
        SP  PV | OUT
        10  10 | 0
        100 10 | 180     # no kick
        100 10 | 180
    """,
    )


def test_the_derivative_is_filtered_by_td_over_n():
    """PV rises by 1 a second: D tends to -KP TD, as 1 - exp(-t N/TD) (Astrom & Hagglund, 3.3)."""
    twin = pid(KP=2.0, TD=1.0, N=10.0, SP=0.0, **WIDE)
    for i in range(1001):
        twin.set("PV", i * 1e-3)
        twin.scan(MS)
        if i in (50, 100, 300, 1000):
            t = i * 1e-3
            assert twin.get("OUT") == pytest.approx(-2.0 * t - 2.0 * (1.0 - math.exp(-10.0 * t)), abs=0.01)


def test_a_pi_loop_whose_integral_time_cancels_the_plants_pole_answers_as_first_order(deviation):
    """Plant 1/(1 + 5 s), PI with TI = 5 s and KP = 10: the loop is 10/(5 s), so PV = 1 - exp(-2 t)."""
    twin = pid(KP=10.0, TI=5.0, SP=1.0, **WIDE)
    pv, worst = 0.0, 0.0
    for i in range(2000):
        worst = max(worst, abs(pv - (1.0 - math.exp(-2.0 * i * 1e-3))))
        twin.set("PV", pv)
        twin.scan(MS)
        decay = math.exp(-1e-3 / 5.0)
        pv = pv * decay + float(twin.get("OUT")) * (1.0 - decay)
    deviation("PID", "1 - exp(-2 t)", "PI loop with the plant's pole cancelled", worst, 1e-3)


def test_the_integral_does_not_wind_up_at_a_limit():
    """However long OUT stood at its limit, it leaves it within the integral time once the error turns over."""
    twin = pid(KP=1.0, TI=2.0, OUT_MIN=0.0, OUT_MAX=10.0, SP=20.0, PV=0.0)
    for _ in range(100_000 // 100):
        twin.scan(100 * MS)
    assert twin.get("OUT") == 10.0
    assert twin.get("LIMITED")
    twin.set("PV", 30.0)
    scans = 0
    while twin.get("OUT") >= 10.0:
        twin.scan(100 * MS)
        scans += 1
        assert scans <= 20, "still at the limit after TI"


def test_the_integral_follows_a_limit_that_moves():
    """The limit falls to 10 and opens again: OUT starts again near 10, not where it was before."""
    twin = pid(KP=1.0, TI=1.0, OUT_MIN=0.0, OUT_MAX=500.0, SP=1.0, PV=0.0)
    for _ in range(4000):
        twin.scan(100 * MS)
    assert twin.get("OUT") > 390.0
    twin.set("OUT_MAX", 10.0)
    twin.scan(100 * MS)
    assert twin.get("OUT") == 10.0
    for _ in range(200):
        twin.scan(100 * MS)
    twin.set("OUT_MAX", 500.0)
    twin.scan(100 * MS)
    assert 10.0 <= twin.get("OUT") < 12.0


def test_manual_to_automatic_and_back_has_no_bump():
    scan(
        PID,
        KP=2.0,
        TI=10.0,
        SP=10.0,
        PV=9.0,
        **WIDE,
        dt="100ms",
        table="""
        AUTO MAN FF | OUT
        1    0   0  | 2
        0    70  0  | 70
        0    40  0  | 40
        1    40  0  | 40      # carries on from the operator's value
        1    0   0  | 40.02
        0    40  0  | 40
        0    40  5  | 40
        1    0   5  | 40
    """,
    )


def test_manual_is_held_inside_the_limits_and_automatic_starts_there():
    scan(
        PID,
        KP=0.0,
        TI=10.0,
        SP=0.0,
        PV=0.0,
        OUT_MIN=-5.0,
        OUT_MAX=5.0,
        table="""
        AUTO MAN | OUT LIMITED
        0    70  | 5   1
        1    70  | 5   0
    """,
    )


def test_without_an_integral_nothing_stays_from_manual():
    scan(PID, KP=2.0, SP=10.0, PV=9.0, **WIDE, table="AUTO MAN | OUT\n 0 70 | 70\n 1 70 | 2\n 1 70 | 2")


@pytest.mark.parametrize("pin", ["SP", "PV", "FF", "KP"])
def test_a_dead_input_holds_the_output_and_freezes_the_integral(pin):
    good = {"SP": "10", "PV": "9", "FF": "0", "KP": "2"}
    dead = good | {pin: "nan"}
    scan(
        PID,
        TI=1.0,
        TD=0.5,
        **WIDE,
        dt="100ms",
        table=f"""
        x   SP PV FF KP               | OUT HELD
        1   {" ".join(good.values())} | 2   0
        10  {" ".join(good.values())} | 4   0
        100 {" ".join(dead.values())} | 4   1
        1   {" ".join(good.values())} | 4   0
        1   {" ".join(good.values())} | 4.2 0
    """,
    )


def test_a_dead_integral_time_freezes_the_integral():
    scan(
        PID,
        KP=2.0,
        SP=10.0,
        PV=9.0,
        **WIDE,
        dt="100ms",
        table="""
        x   TI  | OUT
        1   1   | 2
        10  1   | 4
        100 nan | 4
        1   1   | 4
        1   1   | 4.2
    """,
    )


def test_a_measured_value_that_comes_back_elsewhere_is_no_slope():
    scan(PID, KP=1.0, TD=1.0, SP=0.0, **WIDE, dt="100ms", table="PV | OUT HELD\n 1 | -1 0\n nan | -1 1\n 5 | -5 0\n 5 | -5 0")


def test_a_held_output_still_obeys_limits_that_close():
    scan(PID, KP=2.0, SP=10.0, OUT_MIN=0.0, table="PV OUT_MAX | OUT\n 5 100 | 10\n nan 100 | 10\n nan 3 | 3\n 5 3 | 3")


def test_manual_still_works_while_the_sensor_is_dead():
    scan(PID, KP=2.0, TI=1.0, SP=10.0, **WIDE, table="AUTO MAN PV | OUT HELD\n 1 0 9 | 2 0\n 0 7 nan | 7 0\n 0 8 nan | 8 0")


def test_where_the_limits_cross_the_upper_one_counts():
    scan(
        PID,
        KP=2.0,
        SP=10.0,
        PV=9.0,
        table="""
        OUT_MIN OUT_MAX | OUT HELD
        -100    100     | 2   0
        20      0       | 0   1     # an upper limit that falls must not be switched off by the lower one
        5       -5      | -5  1
        -100    1       | 1   0
    """,
    )


def test_a_late_scan_longer_than_the_integral_time_does_not_overshoot():
    scan(PID, KP=1.0, TI=0.1, SP=1.0, PV=0.0, **WIDE, table="dt | OUT\n 10ms | 1\n 10s | 2\n 1ms | 2.01")


def test_after_crossed_limits_the_integral_carries_on_from_the_limit():
    """OUT stood at 0: the integral part is 0 by then, and OUT starts again with KP times the error, not at 102."""
    scan(
        PID,
        KP=2.0,
        TI=1.0,
        SP=10.0,
        PV=9.0,
        dt="100ms",
        table="""
        x   OUT_MIN OUT_MAX | OUT HELD
        501 0       500     | 102 0
        199 20      0       | 0   1
        1   0       500     | ~2.00 0
    """,
    )


def test_an_integral_that_is_switched_off_is_gone_a_scan_later():
    scan(PID, KP=2.0, SP=10.0, PV=9.0, **WIDE, dt="100ms", table="x TI | OUT\n 11 1 | 4\n 1 0 | 4\n 9 0 | 2")
