"""PQ_PRIORITY: circles by hand, and against EPRI's OpenDER."""

from __future__ import annotations

import math

import numpy as np
import pytest

from blocks.grid.pq_priority import PQ_PRIORITY
from tests.aids.scan_table import Twin, scan
from tests.blocks.grid.opender_battery import battery, their_run


def test_what_fits_passes_unchanged_whatever_the_priority():
    for priority in range(3):
        scan(PQ_PRIORITY, S_RATED=100.0, PRIORITY=priority, table="P_SET Q_SET | P Q LIMITED\n 60 80 | 60 80 0\n -100 0 | -100 0 0")


def test_active_priority_takes_the_reactive_power_first():
    scan(
        PQ_PRIORITY,
        S_RATED=100.0,
        PRIORITY=0,
        table="P_SET Q_SET | P Q LIMITED\n 80 90 | 80 60 1\n -80 -90 | -80 -60 1\n 130 50 | 100 0 1",
    )


def test_active_priority_leaves_the_least_that_must_be_there():
    """0.6 of 100 kVA stay for Q, so 80 kW are left for P; a smaller Q leaves more."""
    scan(
        PQ_PRIORITY,
        S_RATED=100.0,
        PRIORITY=0,
        Q_KEEP=0.6,
        table="P_SET Q_SET | P Q\n 100 90 | 80 60\n 130 -28 | 96 -28\n 50 90 | 50 ~86.603",
    )


def test_reactive_priority_takes_the_active_power_first():
    scan(PQ_PRIORITY, S_RATED=100.0, PRIORITY=1, table="P_SET Q_SET | P Q\n 90 60 | 80 60\n -90 60 | -80 60\n 90 -130 | 0 -100")


def test_power_factor_priority_keeps_the_ratio():
    scan(PQ_PRIORITY, S_RATED=100.0, PRIORITY=2, table="P_SET Q_SET | P Q\n 150 200 | 60 80\n -300 400 | -60 80")


@pytest.mark.parametrize("priority", [0, 1, 2])
def test_it_never_leaves_the_circle_nor_adds_nor_turns_a_sign(priority):
    twin = Twin(PQ_PRIORITY)
    twin.set("PRIORITY", priority)
    chance = np.random.default_rng(3)
    for _ in range(300):
        rated, p, q, keep = 100.0 * chance.random(), *chance.normal(0, 100, 2), chance.random()
        for name, value in {"S_RATED": rated, "P_SET": p, "Q_SET": q, "Q_KEEP": keep}.items():
            twin.set(name, value)
        twin.scan(1)
        assert math.hypot(twin.get("P"), twin.get("Q")) <= rated * (1 + 1e-12)
        assert 0.0 <= twin.get("P") / p <= 1.0
        assert 0.0 <= twin.get("Q") / q <= 1.0


def test_a_broken_setpoint_counts_as_nothing_and_a_broken_rating_leaves_nothing():
    scan(
        PQ_PRIORITY,
        table="P_SET Q_SET S_RATED | P Q BAD\n nan 60 100 | 0 60 1\n 60 inf 100 | 60 0 1\n 60 60 nan | 0 0 1\n 60 60 100 | 60 60 0",
    )


@pytest.mark.parametrize(("p", "q"), [(99.0, 0.44), (95.0, -0.44), (-99.0, 0.3), (50.0, 0.44)])
def test_reactive_priority_agrees_with_opender(p, q, deviation):
    """Constant-var mode with REACTIVE priority, settled: the same circle, so only rounding is left."""
    der = battery(CONST_Q_MODE_ENABLE=True, CONST_Q=q, CONST_Q_RT=0.0, NP_PRIO_OUTSIDE_MIN_Q_REQ="REACTIVE")
    their_p, their_q, _ = their_run(der, 1.0, [{"p_dem_kw": p, "v_pu": 1.0, "f": 60.0}] * 30)[-1]
    twin = Twin(PQ_PRIORITY)
    for name, value in {"S_RATED": 100.0, "P_SET": p, "Q_SET": q * 100.0}.items():
        twin.set(name, value)
    twin.scan(1)
    error = math.hypot(twin.get("P") - their_p, twin.get("Q") - their_q)
    deviation("PQ_PRIORITY", "opender 2.2", f"reactive priority at P {p}", error, 1e-6, "kVA of 100")
