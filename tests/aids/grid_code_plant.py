"""A plant after IEEE 1547-2018, written from its tables, whose every duty can be spoiled; it knows none of our blocks.

Droop, volt-var and volt-watt are of first order with the open loop response times; trips count their times; the way back waits
and ramps. Rated 100 kW, it discharges half of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numba import njit
from scipy.signal import lfilter

from runtime.prequalify.record import Record
from runtime.prequalify.sequence import Sequence

RATED, BEFORE = 100.0, 0.5
VAR_V, VAR_Q = (0.92, 0.98, 1.02, 1.08), (0.44, 0.0, 0.0, -0.44)
WATT_V, WATT_P = (1.06, 1.10), (1.0, 0.0)


@dataclass(frozen=True)
class Code:
    """The duties, at their right values."""

    droop: float = 0.05
    deadband: float = 0.036
    droop_time: float = 5.0
    var_gain: float = 1.0
    var_time: float = 5.0
    watt_time: float = 10.0
    watt: bool = True
    slow_trip: float = 1.0  # times the clearing time
    early_trip: float = 1.0
    reconnects: bool = False  # comes back from a trip at once
    drops_at_low: bool = False  # ceases below 0.88 as if it were below 0.5
    delay: float = 300.0
    ramp: float = 300.0
    returns: bool = True
    forgets: bool = False  # goes on counting the delay where it should begin anew
    enter_v: tuple[float, float] = (0.917, 1.05)
    enter_f: tuple[float, float] = (59.5, 60.1)
    most_rocof: float = 5.0  # Hz/s, beyond which it trips
    cease_late: float = 0.0  # s
    back_late: float = 0.0  # s
    over_v: tuple[tuple[float, float], ...] = field(default=((1.2, 0.14), (1.1, 12.9)))
    under_v: tuple[tuple[float, float], ...] = field(default=((0.5, 1.9), (0.88, 20.9)))
    over_f: tuple[tuple[float, float], ...] = field(default=((62.0, 0.14), (61.2, 299.9)))
    under_f: tuple[tuple[float, float], ...] = field(default=((56.5, 0.14), (58.5, 299.9)))


def run(test: Sequence, code: Code, function: str, dt: float = 0.02) -> Record:
    """The record of a test; `function` is droop, var, watt or none: the one whose law moves the power."""
    t, fs, vs = test.times(dt), test.frequency(dt), test.voltage(dt)
    stages = np.array(
        [
            *((1.0, 0.0, *stage) for stage in code.over_v),
            *((-1.0, 0.0, *stage) for stage in code.under_v),
            *((1.0, 1.0, *stage) for stage in code.over_f),
            *((-1.0, 1.0, *stage) for stage in code.under_f),
        ]
    )
    late = np.where(stages[:, 3] > 1.0, code.slow_trip * code.early_trip, code.slow_trip)
    stages[:, 3] *= late
    wanted, lag, q_wanted = np.full(len(t), BEFORE), 0.02, np.zeros(len(t))
    if function == "droop":
        beyond = np.maximum(np.abs(fs - 60.0) - code.deadband, 0.0) / (60.0 * code.droop)
        wanted, lag = BEFORE - np.sign(fs - 60.0) * beyond, code.droop_time / 2.303
    elif function == "watt" and code.watt:
        wanted, lag = np.minimum(BEFORE, np.interp(vs, WATT_V, WATT_P)), code.watt_time / 2.303
    elif function == "var":
        q_wanted = code.var_gain * np.interp(vs, VAR_V, VAR_Q)
    p, q = _lagged(wanted, lag, dt, BEFORE), _lagged(q_wanted, code.var_time / 2.303, dt, 0.0)
    low, high = code.enter_v
    fine = (vs >= low) & (vs <= high) & (fs >= code.enter_f[0]) & (fs <= code.enter_f[1])
    rocof = np.abs(np.diff(fs, prepend=fs[0])) > code.most_rocof * dt
    off, share = _service(
        fs, vs, stages, rocof, fine, dt, 0.5 if code.reconnects else code.delay, code.ramp, code.forgets, code.returns
    )
    ceased = (vs > 1.1) | (vs < (0.88 if code.drops_at_low else 0.5))
    ceased = off | _held(ceased, round(code.cease_late / dt), round(code.back_late / dt))
    p_seen = np.where(ceased, 0.0, np.clip(p, -share, share) * np.minimum(vs, 1.0))
    return Record.of(t, fs, RATED * p_seen, q=RATED * np.where(ceased, 0.0, q * share), v=vs)


def _lagged(wanted: np.ndarray, lag: float, dt: float, start: float) -> np.ndarray:
    """First order, from `start` on."""
    keep = np.exp(-dt / lag)
    return np.asarray(lfilter([1.0 - keep], [1.0, -keep], wanted, zi=[keep * start])[0])


def _held(ceased: np.ndarray, late: int, back: int) -> np.ndarray:
    """Cessation that comes so many samples late, and goes so many late."""
    found = ceased.copy()
    if late:
        found = np.array([ceased[max(i - late, 0) : i + 1].all() for i in range(len(ceased))])
    return np.array([found[max(i - back, 0) : i + 1].any() for i in range(len(found))]) if back else found


@njit(cache=False)
def _service(
    f: np.ndarray,
    v: np.ndarray,
    stages: np.ndarray,
    fast: np.ndarray,
    fine: np.ndarray,
    dt: float,
    delay: float,
    ramp: float,
    forgets: bool,
    returns: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """Whether the plant is out, and what of its power it may give, sample by sample."""
    run_for = np.zeros(len(stages))
    out, allowed = np.zeros(len(f), np.bool_), np.ones(len(f))
    off, good_for, share = False, 0.0, 1.0
    for i in range(len(f)):
        for k in range(len(stages)):
            side, what, level, seconds = stages[k]
            value = f[i] if what else v[i]
            run_for[k] = run_for[k] + dt if side * (value - level) > 0.0 else 0.0
            if run_for[k] >= seconds or fast[i]:
                off, good_for, share = True, 0.0, 0.0
        if off:
            if fine[i]:
                good_for += dt
            elif not forgets:
                good_for = 0.0
            if returns and good_for >= delay:
                off = False
        elif share < 1.0:
            share = min(share + dt / ramp, 1.0)
        out[i], allowed[i] = off, share
    return out, allowed
