"""The criteria of the Nordic FCR in the frequency domain: the plant's transfer function from sine tests, stability, performance.

Source: Technical Requirements for FCR v1.1 (2025), stability and performance (NUMBERS.md); Supporting Document on Technical
Requirements for FCR (2021), 4.1 and 4.2, for the values between the tested periods, and table 14. It knows no plant.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from runtime.prequalify.criterion import Finding, Requirement
from runtime.prequalify.record import Record
from runtime.prequalify.sequence import Sequence
from runtime.prequalify.sequences_fcr import NORDIC, Product

F0, KF = 50.0, 0.01  # Hz; the loads' answer to frequency, per unit
CIRCLE, MARGIN = 0.43, 0.95
BETWEEN = 400  # points of the curve between the longest and the shortest period
LEAST_K = 0.9
BACKLASH_STEP = 0.01
BACKLASH_SCALE = (  # h for a total backlash of 0, 0.01 .. 0.30 of the steady power; Supporting Document, table 14
    *(1.0, 0.999, 0.998, 0.997, 0.996, 0.994, 0.992, 0.99, 0.988, 0.986, 0.984, 0.981, 0.979, 0.976, 0.974, 0.971, 0.968),
    *(0.965, 0.962, 0.959, 0.956, 0.953, 0.95, 0.946, 0.943, 0.94, 0.936, 0.932, 0.929, 0.925, 0.921),
)

STABILITY = Requirement(
    "fcr.stability",
    "Stability",
    f"least distance of F G from -1, Sn 23000 MVA, Ek 120000 MWs; negative where -1 is encircled; {CIRCLE} x {MARGIN}",
    f"{NORDIC}, 3.2",
    "",
    CIRCLE * MARGIN,
)
PERFORMANCE = Requirement(
    "fcr-n.performance",
    "Dynamic performance",
    f"K: largest share of the capacity with {MARGIN} |G / (1 + F G / K)| <= |70 s + 1|, Sn 42000 MVA, Ek 190000 MWs",
    f"{NORDIC}, 3.3",
    "",
    1.0,
    reduced=LEAST_K,
)


@dataclass(frozen=True)
class Grid:
    """The grid that the loop is closed with: rated power in MVA and kinetic energy in MWs."""

    rated: float
    kinetic: float

    def transfer(self, product: Product, omega: np.ndarray) -> np.ndarray:
        """G = (dP/df)(f0/Sn) / (2 H j w + Kf f0), H = Ek/Sn: what the whole reserve does to the frequency, in its own scale."""
        inertia = self.kinetic / self.rated
        return (product.regulating / product.band) * (F0 / self.rated) / (2.0 * inertia * 1j * omega + KF * F0)


FOR_STABILITY = Grid(23000.0, 120000.0)
FOR_PERFORMANCE = Grid(42000.0, 190000.0)


def phasor(record: Record, values: np.ndarray, period: float, begin: float, end: float) -> complex:
    """The sine of `period` in a column as a complex number, by least squares beside a constant and a drift.

    The drift is what an emptying battery or a moving baseline adds; it must not count as an answer.
    """
    inside = record.within(begin, end)
    t = record.t[inside]
    angle = 2.0 * math.pi * t / period
    terms = np.column_stack([np.ones(len(t)), (t - begin) / (end - begin), np.sin(angle), np.cos(angle)])
    _, _, sine, cosine = np.linalg.lstsq(terms, values[inside], rcond=None)[0]
    return complex(cosine, -sine)


def transfer(
    record: Record, product: Product, steady: float, test: Sequence, *, meter: float = 0.0, backlash: float = 0.0
) -> complex:
    """F at the test's period: power against frequency, 1 where all of `steady` (kW) follows at once.

    `meter` is the time constant in s of a frequency measurement that the injected signal went round; `backlash` the total one
    over the steady power, whose factor h the result is divided by.
    """
    period, begin, end = test.marks["period"], test.marks["evaluate"], test.marks["end"]
    given = phasor(record, record.dp, period, begin, end)
    seen = phasor(record, record.f, period, begin, end)
    scale = float(np.interp(backlash, np.arange(len(BACKLASH_SCALE)) * BACKLASH_STEP, BACKLASH_SCALE))
    return -given / seen * product.band / (scale * steady) / (1.0 + 2j * math.pi / period * meter)


def curve(points: Mapping[float, complex]) -> tuple[np.ndarray, np.ndarray]:
    """Angular frequencies and F between the tested periods (s): gain and phase in proportion over the logarithm of frequency."""
    periods = sorted(points, reverse=True)
    omega = np.array([2.0 * math.pi / period for period in periods])
    gain = np.log(np.maximum([abs(points[period]) for period in periods], 1e-12))
    phase = np.unwrap([cmath.phase(points[period]) for period in periods])
    fine = np.unique(np.concatenate([np.geomspace(omega[0], omega[-1], BETWEEN), omega]))
    x = np.log(fine)
    return fine, np.exp(np.interp(x, np.log(omega), gain) + 1j * np.interp(x, np.log(omega), phase))


def judge_stability(points: Mapping[float, complex], product: Product) -> Finding:
    """The least distance of the Nyquist curve from -1; negative where it passes -1 on the far side, however wide.

    A curve that comes from below must cross the real axis right of -1: where it crosses left of it, the closed loop is unstable,
    and so where the slowest sine is already answered beyond it (a plant of the wrong sign).
    """
    omega, f = curve(points)
    loop = f * FOR_STABILITY.transfer(product, omega)
    distance = np.abs(1.0 + loop)
    nearest = int(np.argmin(distance))
    side = loop.imag
    crossings = np.flatnonzero((side[:-1] < 0.0) & (side[1:] >= 0.0) & (loop.real[1:] < -1.0))
    beyond = side[0] > 0.0 and abs(loop[0]) > 1.0
    encircled = beyond or len(crossings) > 0
    where = 0 if beyond else (crossings[0] if encircled else nearest)
    value = -float(distance[nearest]) if encircled else float(distance[nearest])
    note = f"{'encircled' if encircled else 'nearest'} at a period of {2.0 * math.pi / omega[where]:.0f} s"
    return Finding(STABILITY, "sine tests, by period", value, (min(points), max(points)), note)


def judge_performance(points: Mapping[float, complex], product: Product) -> Finding:
    """Whether FCR-N damps the usual disturbance of the grid: its share K where less capacity would do it with the same plant.

    The disturbance is 1/(70 s + 1). K is ours: F of a plant that sells K of its capacity is F/K; below 0.9 it fails.
    """
    omega, f = curve(points)
    grid = FOR_PERFORMANCE.transfer(product, omega)
    bound = np.abs(70j * omega + 1.0)
    ratio = MARGIN * np.abs(grid / (1.0 + f * grid)) / bound
    worst = int(np.argmax(ratio))
    note = f"largest ratio to the bound {ratio[worst]:.3f}, at a period of {2.0 * math.pi / omega[worst]:.0f} s"
    shares = np.linspace(1.0, 0.5, 501)
    good = [k for k in shares if np.all(MARGIN * np.abs(grid / (1.0 + f / k * grid)) <= bound)]
    return Finding(PERFORMANCE, "sine tests, by period", float(good[0]) if good else 0.0, (min(points), max(points)), note)
