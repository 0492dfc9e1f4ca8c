"""The prequalification tests of the Nordic FCR: frequency sequences, plants behind the block, and the criteria.

Source: Technical Requirements for FCR Provision in the Nordic Synchronous Area v1.1 (NUMBERS.md). Power is positive upwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from blocks.declare import BlockType
from tests.aids.scan_table import SIGNATURE, Twin

STEPS = ((0.0, 50.0), (30.0, 49.95), (60.0, 50.0), (360.0, 49.9), (660.0, 50.1), (960.0, 50.0), (1260.0, 50.0))  # table 3: s, Hz
RAMPS = ((30.0, 49.45, 0.14), (34.9, 49.9, 0.09), (90.0, 49.5, 0.24), (390.0, 49.9, 0.24), (690.0, 49.0, 0.24), (750.0, 50.0, 0.24))
RAMP_5, RAMP_6, RAMP_END = 690.0, 750.0, 810.0
NADIRS = {"text: 4.4 s after the ramp starts": 34.4, "table: until the frequency rises at 34.9 s": 34.9}


def step_test(dt: float) -> tuple[np.ndarray, np.ndarray]:
    """The FCR-N step test: time in s and frequency in Hz."""
    t = np.arange(0.0, STEPS[-1][0], dt)
    starts = np.array([start for start, _ in STEPS])
    return t, np.array([f for _, f in STEPS])[np.searchsorted(starts, t + 1e-9, side="right") - 1]


def fast_ramp_test(dt: float, *, upwards: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """The FCR-D fast ramp test from table 4: time in s and frequency in Hz; downwards it is mirrored about 50 Hz."""
    times, values = [0.0], [49.9]
    for start, target, rate in RAMPS:
        times += [start, start + abs(target - values[-1]) / rate]
        values += [values[-1], target]
    t = np.arange(0.0, RAMP_END, dt)
    f = np.interp(t, times, values)
    return t, f if upwards else 100.0 - f


def answer(block: BlockType, f: np.ndarray, dt: float, params: Mapping[str, float]) -> np.ndarray:
    """P of the compiled block for a frequency in each scan."""
    twin = Twin(block)
    for name, value in params.items():
        twin.set(name, value)
    call, column, power = SIGNATURE(twin.kernel.address), twin.columns["F"], twin.columns["P"]
    addresses, ns = twin._addresses.ctypes.data, round(dt * 1e9)
    seen = np.zeros(len(f))
    for i, value in enumerate(f):
        column[0] = value
        call(addresses, 1, 0, ns)
        seen[i] = power[0]
    return seen


def converter(p: np.ndarray, dt: float, *, dead: float = 0.1, lag: float = 0.3) -> np.ndarray:
    """A power converter: dead time, then first order."""
    late = np.concatenate([np.full(round(dead / dt), p[0]), p])[: len(p)]
    out, share = np.zeros(len(p)), 1.0 - np.exp(-dt / lag)
    out[0] = p[0]
    for i in range(1, len(p)):
        out[i] = out[i - 1] + (late[i - 1] - out[i - 1]) * share
    return out


def swinging(p: np.ndarray, dt: float, *, omega: float = 0.6, damping: float = 0.15) -> np.ndarray:
    """A plant of second order with too little damping: it overshoots and swings back."""
    out, speed = np.zeros(len(p)), 0.0
    out[0] = p[0]
    for i in range(1, len(p)):
        speed += dt * (omega * omega * (p[i - 1] - out[i - 1]) - 2.0 * damping * omega * speed)
        out[i] = out[i - 1] + dt * speed
    return out


def clinging(p: np.ndarray, dt: float, *, late: float = 4.0) -> np.ndarray:
    """A plant that rises at once and falls so much later: it gives the most of what was asked in the last seconds."""
    width = round(late / dt)
    padded = np.concatenate([np.full(width, p[0]), p])
    return np.lib.stride_tricks.sliding_window_view(padded, width + 1).max(axis=1)


def steady_state(t: np.ndarray, p: np.ndarray, until: float, theory: float) -> float:
    """Mean of the 60 s before `until` over theory; the requirement is 0.95 to 1.20."""
    return float(np.mean(p[(t >= until - 60.0) & (t < until)])) / theory


def steady_is_right(share: float) -> bool:
    return 0.95 <= share <= 1.20


@dataclass(frozen=True)
class FastRamp:
    """What the fast ramp test says of a plant, relative to the steady-state power of ramp 3."""

    steady: float  # over the capacity
    power: float  # dP(7.5 s)
    energy: float  # E(7.5 s), in s
    keeps: bool  # never below P(7.5 s) until ramp 6
    release: float  # largest energy beyond min(|dP_nadir|, 0.5 dP_ss) within 40 s of the nadir, in s

    @property
    def reduction(self) -> float:
        """K: the share of the capacity that the power and the energy of the first 7.5 s earn."""
        return min(1.0, self.power / 0.86, self.energy / 3.2)

    @property
    def failed(self) -> tuple[str, ...]:
        """The names of the criteria that are not met; empty for a plant that passes."""
        criteria = {
            "steady": steady_is_right(self.steady),
            "reduction": self.reduction >= 0.75,
            "keeps": self.keeps,
            "release": self.release <= 2.5,
        }
        return tuple(name for name, met in criteria.items() if not met)


def judge_fast_ramp(t: np.ndarray, p: np.ndarray, capacity: float, nadir: float) -> FastRamp:
    """The criteria of FCR-D on the power of an upward test (negate a downward one); `nadir` is its time in s."""
    dt = float(t[1] - t[0])
    dp = p - p[0]
    settled = float(np.mean(dp[(t >= 330.0) & (t < 390.0)]))
    at = int(np.searchsorted(t, RAMP_5 + 7.5 - 1e-9))
    begin = int(np.searchsorted(t, RAMP_5 - 1e-9))
    until = int(np.searchsorted(t, RAMP_6 - 1e-9))
    first = int(np.searchsorted(t, nadir - 1e-9))
    window = dp[first : first + round(40.0 / dt)]
    base = min(abs(dp[first]), 0.5 * settled)
    return FastRamp(
        steady=settled / capacity,
        power=dp[at] / settled,
        energy=float(np.sum(dp[begin:at])) * dt / settled,
        keeps=bool(np.all(dp[at:until] >= dp[at] - 1e-9 * settled)),
        release=float(np.max(np.cumsum(window - base))) * dt / settled,
    )
