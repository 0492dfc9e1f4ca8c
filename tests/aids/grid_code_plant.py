"""A plant after IEEE 1547-2018, written from its tables, whose every duty can be spoiled; it knows none of our blocks.

Droop, volt-var and volt-watt are of first order with the open loop response times; trips count their times; the way back waits
and ramps. Rated 100 kW, it discharges half of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

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
    over_v: tuple[tuple[float, float], ...] = field(default=((1.2, 0.14), (1.1, 12.9)))
    under_v: tuple[tuple[float, float], ...] = field(default=((0.5, 1.9), (0.88, 20.9)))
    over_f: tuple[tuple[float, float], ...] = field(default=((62.0, 0.14), (61.2, 299.9)))
    under_f: tuple[tuple[float, float], ...] = field(default=((56.5, 0.14), (58.5, 299.9)))


def run(test: Sequence, code: Code, function: str, dt: float = 0.02) -> Record:
    """The record of a test; `function` is droop, var, watt or none: the one whose law moves the power."""
    t, fs, vs = test.times(dt), test.frequency(dt), test.voltage(dt)
    p_seen, q_seen = np.zeros(len(t)), np.zeros(len(t))
    stages = [
        *((True, "v", *stage) for stage in code.over_v),
        *((False, "v", *stage) for stage in code.under_v),
        *((True, "f", *stage) for stage in code.over_f),
        *((False, "f", *stage) for stage in code.under_f),
    ]
    run_for = [0.0] * len(stages)
    p, q, off, good_for, share = BEFORE, 0.0, False, 0.0, 1.0
    for i in range(len(t)):
        f, v = float(fs[i]), float(vs[i])
        wanted, lag, q_wanted = BEFORE, 0.02, 0.0
        if function == "droop":
            beyond = max(abs(f - 60.0) - code.deadband, 0.0) / (60.0 * code.droop)
            wanted, lag = BEFORE - np.sign(f - 60.0) * beyond, code.droop_time / 2.303
        elif function == "watt" and code.watt:
            wanted, lag = min(BEFORE, float(np.interp(v, WATT_V, WATT_P))), code.watt_time / 2.303
        elif function == "var":
            q_wanted = code.var_gain * float(np.interp(v, VAR_V, VAR_Q))
        p += (wanted - p) * (1.0 - np.exp(-dt / lag))
        q += (q_wanted - q) * (1.0 - np.exp(-dt * 2.303 / code.var_time))
        for k, (over, what, level, seconds) in enumerate(stages):
            value = v if what == "v" else f
            run_for[k] = run_for[k] + dt if (value > level if over else value < level) else 0.0
            late = code.slow_trip * code.early_trip if seconds > 1.0 else code.slow_trip
            if run_for[k] >= seconds * late:
                off, good_for, share = True, 0.0, 0.0
        if off:
            fine = 0.917 <= v <= 1.05 and 59.5 <= f <= 60.1
            good_for = good_for + dt if fine else 0.0
            if code.returns and good_for >= (0.5 if code.reconnects else code.delay):
                off = False
        elif share < 1.0:
            share = min(share + dt / code.ramp, 1.0)
        ceased = off or v > 1.1 or v < (0.88 if code.drops_at_low else 0.5)
        p_seen[i] = 0.0 if ceased else np.clip(p, -share, share) * min(v, 1.0)
        q_seen[i] = 0.0 if ceased else q * share
    return Record.of(t, fs, RATED * p_seen, q=RATED * q_seen, v=vs)
