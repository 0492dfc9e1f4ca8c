"""WATT_VAR against IEEE 1547-2018 and EPRI's OpenDER."""

from __future__ import annotations

import numpy as np
import pytest

from blocks.grid.watt_var import WATT_VAR
from tests.aids.scan_table import scan
from tests.blocks.grid.opender_battery import battery, our_run, steps, their_run


def test_the_default_curve_is_category_b_on_both_sides():
    """IEEE 1547-2018, table 9: nothing to half of the rated power, 44 % of the rated apparent power at all of it."""
    scan(
        WATT_VAR,
        P_RATED=100.0,
        S_RATED=200.0,
        OLRT=0.0,
        table="P | Q\n 0 | 0\n 50 | 0\n 75 | -44\n 100 | -88\n 130 | -88\n -50 | 0\n -75 | 44\n -100 | 88\n -200 | 88",
    )


def test_90_percent_of_a_step_after_the_response_time():
    scan(WATT_VAR, P_RATED=100.0, S_RATED=100.0, table="x P | Q\n 1 0 | 0\n 1000 100 | ~-39.6\n 4000 100 | ~-44.00")


@pytest.mark.parametrize("pin", ["P", "P_RATED", "S_RATED"])
def test_a_broken_input_fades_the_reactive_power_and_is_forgotten(pin):
    good = {"P": "100", "P_RATED": "100", "S_RATED": "100"}
    dead = good | {pin: "nan"}
    scan(
        WATT_VAR,
        OLRT=1.0,
        table=f"""
        x    {" ".join(good)}          | Q      BAD
        1000 {" ".join(good.values())} | ~-44.00 0
        100  {" ".join(dead.values())} | ~-4.40  1
        1000 {" ".join(good.values())} | ~-44.00 0
    """,
    )


def test_it_follows_opender(deviation):
    """P small enough that nothing meets the circle.

    Their filter is half a scan ahead (trapezoidal, 2.3e-3 of a step) with OLRT/2.3 (0.4e-3): 2.7e-3 of the greatest step, 57 kvar.
    """
    p = steps((200, 0), (900, 70), (900, 85), (1200, -80), (600, 30), (600, -60))
    series = [{"p_dem_kw": x, "v_pu": 1.0, "f": 60.0} for x in p]
    theirs = np.array([q for _, q, _ in their_run(battery(QP_MODE_ENABLE=True, QP_RT=5.0), 0.01, series)])
    ours = our_run(WATT_VAR, {"P_RATED": 100.0, "S_RATED": 100.0, "OLRT": 5.0}, 0.01, {"P": p}, "Q")
    assert np.max(theirs) > 25.0
    deviation("WATT_VAR", "opender 2.2", "Q over a series of power steps", np.max(np.abs(ours - theirs)), 0.155, "kvar of 100")


@pytest.mark.parametrize(
    "points", [(-1.0, float("nan"), -0.2, 0.2, 0.5, 1.0), (-1.0, -0.5, -0.6, 0.2, 0.5, 1.0)], ids=["a NaN", "falling"]
)
def test_a_broken_curve_takes_the_reactive_power_to_0(points):
    scan(WATT_VAR, P_RATED=100.0, S_RATED=100.0, OLRT=0.0, POINTS=points, table="P | Q BAD\n -100 | 0 1\n 100 | 0 1")
