"""SOC_DEGRADATION: a drift must be large, sure and lasting before it counts."""

from __future__ import annotations

import math

import pytest

from blocks.cells.soc_degradation import SOC_DEGRADATION
from tests.aids.scan_table import Twin, scan


def test_it_must_last_without_a_break():
    scan(
        SOC_DEGRADATION,
        COUNTED=60.0,
        T=0.0,
        HOLD="20min",
        RATE=0.0,
        dt="10min",
        table="""
        ESTIMATE | DEVIATION DRIFTED REQUEST
        50       | 10        0       0
        50       | 10        0       0
        58       | 2         0       0
        70       | -10       0       0        # in either direction
        70       | -10       0       0
        70       | -10       1       1
        60       | 0         0       1        # the request stays
    """,
    )


def test_an_estimate_that_knows_little_accuses_nobody():
    scan(
        SOC_DEGRADATION,
        COUNTED=60.0,
        ESTIMATE=48.0,
        T=0.0,
        HOLD=0,
        table="SIGMA | DRIFTED\n 4.1 | 0\n 3.9 | 1\n 4.1 | 0",
    )


def test_the_deviation_is_filtered(deviation):
    """First order: 10 (1 - exp(-t/T)); the filter's approximation is 1e-4 of the step at T/10 a scan (DESIGN: settling)."""
    twin, worst = Twin(SOC_DEGRADATION), 0.0
    for name, value in {"COUNTED": 50.0, "ESTIMATE": 50.0, "T": 600.0}.items():
        twin.set(name, value)
    twin.scan(1_000_000_000)
    twin.set("COUNTED", 60.0)
    for i in range(1, 120):
        twin.scan(60_000_000_000)
        worst = max(worst, abs(twin.get("DEVIATION") - 10.0 * (1.0 - math.exp(-i / 10.0))))
    deviation("SOC_DEGRADATION", "exact first order", "step of 10 %, T = 10 scans", worst, 0.01, "%")


def test_a_reset_forgets_on_its_edge_only_and_a_stuck_one_does_nothing():
    scan(
        SOC_DEGRADATION,
        COUNTED=60.0,
        ESTIMATE=50.0,
        T=0.0,
        HOLD=0,
        RATE=3600.0,
        dt="1s",
        table="""
        RESET | REQUEST CORRECTION SOC
        1     | 1       -1         59      # true since the start: no edge
        1     | 1       -2         58
        0     | 1       -3         57
        1     | 1       -1         59      # an edge, but the deviation is still there: it starts over
        1     | 1       -2         58
    """,
    )


def test_the_correction_goes_to_the_deviation_and_no_further():
    scan(
        SOC_DEGRADATION,
        COUNTED=60.0,
        ESTIMATE=50.0,
        T=0.0,
        HOLD=0,
        RATE=14400.0,
        dt="1s",
        table="x | SOC\n 1 | 56\n 1 | 52\n 1 | 50\n 9 | 50",
    )
    scan(SOC_DEGRADATION, COUNTED=2.0, ESTIMATE=50.0, T=0.0, HOLD=0, RATE=1e6, dt="1s", table="x | SOC CORRECTION\n 1 | 50 48")


@pytest.mark.parametrize("pin", ["COUNTED", "ESTIMATE", "SIGMA"])
def test_a_dead_input_proves_nothing_and_is_not_remembered(pin):
    good = {"COUNTED": "60", "ESTIMATE": "50", "SIGMA": "1"}
    dead = good | {pin: "nan"}
    scan(
        SOC_DEGRADATION,
        HOLD="20min",
        RATE=0.0,
        dt="10min",
        table=f"""
        {" ".join(good)} | DRIFTED DEVIATION SOC HELD
        {" ".join(good.values())} | 0 10 60 0
        {" ".join(good.values())} | 0 10 60 0
        {" ".join(dead.values())} | 0 10 60 1
        {" ".join(good.values())} | 0 10 60 0
        {" ".join(good.values())} | 0 10 60 0
        {" ".join(good.values())} | 1 10 60 0
        {" ".join(dead.values())} | 1 10 60 1
    """,
    )


def test_a_counter_that_has_mended_itself_is_believed_again():
    """At full the counter starts anew: a correction from before would show 92 % of a full battery, or 8 % of an empty one."""
    scan(
        SOC_DEGRADATION,
        T=0.0,
        HOLD=0,
        RATE=28800.0,
        dt="1s",
        table="""
        COUNTED ESTIMATE | CORRECTION SOC REQUEST
        50      42       | -8         42  1
        100     97       | -3         97  1       # no more than the deviation explains
        100     100      | 0          100 1
        42      50       | 8          50  1
        0       0        | 0          0   1
    """,
    )


def test_a_dead_estimate_acquits_nobody():
    scan(
        SOC_DEGRADATION,
        T=0.0,
        HOLD=0,
        RATE=28800.0,
        dt="1s",
        table="COUNTED ESTIMATE | CORRECTION SOC\n 50 42 | -8 42\n 50 nan | -8 42\n 60 nan | -8 52",
    )
