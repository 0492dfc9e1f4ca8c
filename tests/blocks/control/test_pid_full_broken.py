"""PID_FULL's own ways to break: a dead input, setting or EXT, and what was tracked meanwhile. test_pid_broken.py has the rest."""

from __future__ import annotations

import math

import pytest

from blocks.control.pid_full import PID_FULL
from tests.aids.scan_table import scan
from tests.blocks.control.compiled import Compiled

WIDE = {"OUT_MIN": -1000.0, "OUT_MAX": 1000.0}
MS = 1_000_000


def test_a_dead_ext_freezes_the_integral_and_the_proportional_part_goes_on():
    scan(
        PID_FULL,
        KP=2.0,
        TI=1.0,
        SP=1.0,
        EXT_RESET=True,
        **WIDE,
        dt="100ms",
        table="""
        x  PV EXT | OUT  HELD I_PART
        1  0  2   | 2    0    0
        1  0  2   | 2.2  0    0.2
        50 0  nan | -    1    0.2
        1  2  nan | -1.8 1    0.2
        1  2  2   | -1.8 0    0.2
    """,
    )


@pytest.mark.parametrize("pin", ["SP", "PV", "FF", "KP"])
@pytest.mark.parametrize("bad", ["nan", "inf", "-inf"])
def test_a_dead_input_holds_the_output_and_freezes_the_integral(pin, bad):
    good = {"SP": "10", "PV": "9", "FF": "0", "KP": "2"}
    dead = good | {pin: bad}
    scan(
        PID_FULL,
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


@pytest.mark.parametrize("pin", ["DEADBAND", "B", "C", "TD", "TI"])
def test_a_dead_setting_holds_too_and_is_forgotten(pin):
    pid = Compiled(PID_FULL, KP=2.0, TI=1.0, TD=0.5, SP=10.0, PV=9.0, **WIDE)
    for _ in range(11):
        pid.scan(100 * MS)
    kept = pid.get(pin)
    pid.set(**{pin: math.nan})
    for _ in range(100):
        pid.scan(100 * MS)
    assert pid.get("OUT") == pytest.approx(4.0)
    assert pid.get("HELD")
    pid.set(**{pin: kept})
    pid.scan(100 * MS)
    pid.scan(100 * MS)
    assert pid.get("OUT") == pytest.approx(4.2)


def test_a_dead_rate_holds_the_output():
    scan(PID_FULL, KP=2.0, SP=10.0, **WIDE, table="PV RATE | OUT\n 9 0 | 2\n 0 nan | 2\n 0 0 | 20")


def test_a_measured_value_that_comes_back_elsewhere_is_no_slope():
    scan(PID_FULL, KP=1.0, TD=1.0, SP=0.0, **WIDE, dt="100ms", table="PV | OUT HELD\n 1 | -1 0\n nan | -1 1\n 5 | -5 0\n 5 | -5 0")


def test_manual_still_works_while_the_sensor_is_dead():
    scan(PID_FULL, KP=2.0, TI=1.0, SP=10.0, **WIDE, table="AUTO MAN PV | OUT HELD\n 1 0 9 | 2 0\n 0 7 nan | 7 0\n 0 8 nan | 8 0")


def test_what_was_tracked_while_the_sensor_was_dead_is_where_it_carries_on():
    scan(
        PID_FULL,
        KP=2.0,
        TI=1.0,
        SP=10.0,
        TRACK_VALUE=30.0,
        **WIDE,
        dt="100ms",
        table="""
        x   PV  TRACK | OUT  HELD
        501 9   0     | 102  0
        9   nan 1     | 30   0
        1   nan 0     | 30   1
        1   9   0     | 30   0
        1   9   0     | 30.2 0
    """,
    )


def test_manual_with_a_rate_works_also_before_the_sensor_has_ever_lived():
    scan(
        PID_FULL,
        KP=2.0,
        SP=10.0,
        AUTO=False,
        MAN=25.0,
        RATE=100.0,
        **WIDE,
        dt="100ms",
        table="PV | OUT\n nan | 10\n nan | 20\n nan | 25",
    )
