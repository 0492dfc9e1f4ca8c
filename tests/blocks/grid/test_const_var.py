"""CONST_VAR against EPRI's OpenDER."""

from __future__ import annotations

import numpy as np
import pytest

from blocks.grid.const_var import CONST_VAR
from tests.aids.scan_table import scan
from tests.blocks.grid.opender_battery import battery, our_run, their_run

PLANT = {"Q_INJECT": 44.0, "Q_ABSORB": 25.0}


def test_it_stays_inside_what_the_converter_can_do():
    scan(
        CONST_VAR,
        **PLANT,
        OLRT=0.0,
        table="Q_SET | Q LIMITED\n 30 | 30 0\n 44 | 44 0\n 50 | 44 1\n -25 | -25 0\n -30 | -25 1",
    )


@pytest.mark.parametrize("pin", ["Q_SET", "Q_INJECT", "Q_ABSORB"])
def test_a_broken_input_fades_the_reactive_power_and_is_forgotten(pin):
    good = {"Q_SET": "40", "Q_INJECT": "44", "Q_ABSORB": "25"}
    dead = good | {pin: "nan"}
    scan(
        CONST_VAR,
        OLRT=1.0,
        table=f"""
        x    {" ".join(good)}          | Q      BAD
        1000 {" ".join(good.values())} | ~40.00 0
        100  {" ".join(dead.values())} | ~4.00  1
        1000 {" ".join(good.values())} | ~40.00 0
    """,
    )


def test_it_follows_opender(deviation):
    """Theirs starts at the setpoint, so a step follows.

    Their filter is half a scan ahead (trapezoidal, 2.3e-3 of a step) with OLRT/2.3 (0.4e-3): 2.7e-3 of the greatest step, 40 kvar.
    """
    der = battery(CONST_Q_MODE_ENABLE=True, CONST_Q=0.0, CONST_Q_RT=5.0)
    idle = {"p_dem_kw": 10.0, "v_pu": 1.0, "f": 60.0}
    theirs = their_run(der, 0.01, [idle] * 50)
    der.der_file.CONST_Q = 0.4
    theirs += their_run(der, 0.01, [idle] * 1500)
    q = np.array([q for _, q, _ in theirs])
    ours = our_run(CONST_VAR, PLANT | {"OLRT": 5.0}, 0.01, {"Q_SET": np.where(np.arange(len(q)) < 50, 0.0, 40.0)}, "Q")
    assert q[-1] > 39.9
    deviation("CONST_VAR", "opender 2.2", "Q after a step of the setpoint", np.max(np.abs(ours - q)), 0.108, "kvar of 100")


def test_a_limit_that_closes_holds_the_reactive_power_at_once():
    scan(
        CONST_VAR,
        OLRT=10.0,
        table="""
        x    Q_SET Q_INJECT Q_ABSORB | Q
        9000 60    44       44       | ~44.00
        1    60    0        44       | 0
        9000 -60   0        44       | ~-44.00
        1    -60   0        10       | -10
        1    nan   0        5        | -5
    """,
    )
