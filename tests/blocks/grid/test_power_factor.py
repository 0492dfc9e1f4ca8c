"""POWER_FACTOR against IEEE 1547-2018 and EPRI's OpenDER."""

from __future__ import annotations

import numpy as np
import pytest

from blocks.grid.power_factor import POWER_FACTOR
from tests.aids.scan_table import scan
from tests.blocks.grid.opender_battery import battery, our_run, steps, their_run


def test_three_four_five():
    """PF 0.8: P 80, Q 60, S 100; PF 0.6: P 60, Q 80."""
    scan(
        POWER_FACTOR,
        OLRT=0.0,
        table="P PF INJECT | Q\n 80 0.8 1 | 60\n 60 0.6 1 | 80\n 80 0.8 0 | -60\n 80 1 0 | 0\n 0 0.8 1 | 0",
    )


def test_the_side_holds_while_charging():
    scan(POWER_FACTOR, OLRT=0.0, PF=0.8, table="P INJECT | Q\n -80 1 | 60\n -80 0 | -60")


@pytest.mark.parametrize(("p", "pf"), [("nan", "0.8"), ("80", "nan"), ("80", "0"), ("80", "1.2")])
def test_a_broken_input_fades_the_reactive_power_and_is_forgotten(p, pf):
    scan(
        POWER_FACTOR,
        INJECT=True,
        OLRT=1.0,
        table=f"x P PF | Q BAD\n 1000 80 0.8 | ~60.00 0\n 100 {p} {pf} | ~6.00 1\n 1000 80 0.8 | ~60.00 0",
    )


@pytest.mark.parametrize(("side", "inject"), [("INJ", True), ("ABS", False)])
def test_it_follows_opender_while_discharging(side, inject, deviation):
    """Charging is left out: there OpenDER turns the side over.

    Their filter is half a scan ahead (trapezoidal, 2.3e-3 of a step) with OLRT/2.3 (0.4e-3): 2.7e-3 of the greatest step, 39 kvar.
    """
    p = steps((200, 0), (1500, 80), (1500, 30), (1000, 60))
    series = [{"p_dem_kw": x, "v_pu": 1.0, "f": 60.0} for x in p]
    der = battery(CONST_PF_MODE_ENABLE=True, CONST_PF=0.9, CONST_PF_EXCITATION=side, CONST_PF_RT=5.0)
    theirs = np.array([q for _, q, _ in their_run(der, 0.01, series)])
    ours = our_run(POWER_FACTOR, {"PF": 0.9, "INJECT": inject, "OLRT": 5.0}, 0.01, {"P": p}, "Q")
    assert np.max(np.abs(theirs)) > 38.0
    deviation("POWER_FACTOR", "opender 2.2", f"Q over power steps, {side}", np.max(np.abs(ours - theirs)), 0.105, "kvar of 100")
