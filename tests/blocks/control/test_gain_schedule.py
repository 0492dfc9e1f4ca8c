"""GAIN_SCHEDULE: settings over the operating point, and a loop that stays calm while they change."""

from __future__ import annotations

import numpy as np

from blocks.control.gain_schedule import GAIN_SCHEDULE
from blocks.control.pid_full import PID_FULL
from tests.aids.scan_table import Twin, scan
from tests.blocks.control.compiled import Compiled

TABLE = {"XS": [0.0, 10.0, 50.0], "KPS": [8.0, 4.0, 1.0], "TIS": [5.0, 10.0, 30.0], "TDS": [0.0, 0.0, 2.0]}


def test_it_is_linear_between_the_points_and_flat_beyond(deviation):
    twin = Twin(GAIN_SCHEDULE, length=3)
    for name, values in TABLE.items():
        twin.set(name, values)
    worst = 0.0
    for x in np.linspace(-10.0, 70.0, 161):
        twin.set("X", x)
        twin.scan(10_000_000)
        for pin, name in (("KP", "KPS"), ("TI", "TIS"), ("TD", "TDS")):
            worst = max(worst, abs(float(twin.get(pin)) - np.interp(x, TABLE["XS"], TABLE[name])))
    deviation("GAIN_SCHEDULE", "numpy.interp", "table of 3 points", worst, 1e-12)


def test_a_broken_operating_point_or_table_keeps_the_settings():
    scan(
        GAIN_SCHEDULE,
        XS=[0.0, 10.0],
        TIS=[5.0, 10.0],
        TDS=[0.0, 0.0],
        table="""
        X    KPS     | KP TI HELD
        5    [8,4]   | 6  7.5 0
        nan  [8,4]   | 6  7.5 1
        -inf [8,4]   | 6  7.5 1
        9    [nan,4] | 6  7.5 1
        -5   [8,nan] | 6  7.5 1      # a point that X does not need
        10   [8,4]   | 4  10  0
    """,
    )


def test_before_the_first_good_scan_the_first_point_counts():
    scan(
        GAIN_SCHEDULE,
        XS=[0.0, 10.0],
        KPS=[8.0, 4.0],
        TIS=[5.0, 10.0],
        TDS=[1.0, 3.0],
        table="X | KP TI TD HELD\n nan | 8 5 1 1\n 5 | 6 7.5 2 0",
    )


def test_one_point_is_a_constant():
    scan(GAIN_SCHEDULE, XS=[5.0], KPS=[8.0], TIS=[5.0], TDS=[1.0], table="X | KP TI TD\n 0 | 8 5 1\n 99 | 8 5 1")


def test_a_schedule_at_work_does_not_move_out_by_itself():
    """A constant error of 0 less the integral's work: X sweeps from end to end, and OUT stays where the integral holds it."""
    schedule = Twin(GAIN_SCHEDULE, length=3)
    for name, values in TABLE.items():
        schedule.set(name, values)
    pid = Compiled(PID_FULL, SP=50.0, PV=50.0, B=0.4, INIT=40.0, OUT_MIN=-1e3, OUT_MAX=1e3)
    start = None
    for x in np.linspace(0.0, 60.0, 200):
        schedule.set("X", x)
        schedule.scan(10_000_000)
        pid.set(**{name: float(schedule.get(name)) for name in ("KP", "TI", "TD")})
        pid.scan(10_000_000)
        start = pid.get("OUT") if start is None else start
        assert abs(pid.get("OUT") - start) < 1e-9


def test_no_integral_at_a_point_is_none_up_to_its_neighbours():
    """Between a TI of 0 (none) and one of 10 s a straight line would pass through 0.01 s, the fastest integral of all."""
    scan(
        GAIN_SCHEDULE,
        XS=[0.0, 10.0, 20.0, 30.0],
        KPS=[1.0, 1.0, 1.0, 1.0],
        TIS=[4.0, 8.0, 0.0, 6.0],
        TDS=[0.0, 0.0, 0.0, 0.0],
        table="X | TI\n -5 | 4\n 5 | 6\n 10 | 8\n 10.01 | 0\n 20 | 0\n 29.9 | 0\n 30 | 6\n 40 | 6",
    )
    scan(
        GAIN_SCHEDULE,
        XS=[0.0, 9.0],
        KPS=[1.0, 1.0],
        TIS=[0.0, 5.0],
        TDS=[0.0, 0.0],
        table="X | TI\n -1 | 0\n 0 | 0\n 1 | 0\n 9 | 5",
    )
