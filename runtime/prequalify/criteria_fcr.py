"""The criteria of the Nordic FCR in the time domain: steady state, activation, deactivation, linearity, endurance, reservoir.

Source: Technical Requirements for FCR v1.1, 28 March 2025 (NUMBERS.md). Every function takes a record of one test and gives
findings. It knows no plant; the sines are judged in criteria_sines.py.
"""

from __future__ import annotations

import math

import numpy as np

from runtime.prequalify.criterion import Finding, Requirement
from runtime.prequalify.record import Record
from runtime.prequalify.sequence import Sequence
from runtime.prequalify.sequences_fcr import NORDIC, Product

AVERAGE = 60.0  # s before the end of a step over which the steady state is taken
SLACK = 0.00025  # of the steady power: the prescribed resolution of the meter is no sag

STEADY = Requirement(
    "fcr.steady-state", "Steady-state activation", "mean dP of the last 60 s / theory", f"{NORDIC}, 3.1", "", 0.95, 1.20
)
POWER = Requirement(
    "fcr-d.power", "Activated power", "dP(7.5 s) / dP_ss", f"{NORDIC}, FCR-D activation", "", 0.86, reduced=0.75 * 0.86
)
ENERGY = Requirement(
    "fcr-d.energy", "Activated energy", "E(7.5 s) / dP_ss", f"{NORDIC}, FCR-D activation", "s", 3.2, reduced=0.75 * 3.2
)
SUSTAIN = Requirement(
    "fcr-d.sustain",
    "No less than at 7.5 s until ramp 6",
    "min dP(t) / dP(7.5 s), 7.5 s after ramp 5 .. ramp 6",
    f"{NORDIC}, FCR-D activation",
    "",
    1.0 - SLACK,
)
DEACTIVATION = Requirement(
    "fcr-d.deactivation",
    "Deactivation",
    "max over 40 s of the integral of (dP - min(|dP_nadir|, 0.5 dP_ss)) / dP_ss",
    f"{NORDIC}, FCR-D deactivation",
    "s",
    high=2.5,
)
LINEAR = Requirement(
    "fcr.linearity",
    "Linearity",
    "(mean dP of the step - share of the band x dP_full) / dP_full, in its direction",
    f"{NORDIC}, linearity",
    "",
    -0.05,
    0.10,
)
ENDURANCE = Requirement(
    "fcr.endurance", "Endurance", "least mean dP of any 10 s of the long hold / dP_ss", f"{NORDIC}, endurance of 15 min", "", 0.95
)
BACKLASH = Requirement(
    "fcr-n.backlash",
    "Total backlash",
    "|dP(50 Hz) coming from above - coming from below| / dP_ss",
    "Supporting Document on Technical Requirements for FCR (2021), 4.1.1: at most 0.3",
    "",
    high=0.3,
)
STORE_N = Requirement(
    "fcr.reservoir-energy", "Energy of a limited reservoir", "E / C, 1 h each way", f"{NORDIC}, 3.5, table 10", "h", 2.0
)
STORE_D = Requirement(
    "fcr.reservoir-energy", "Energy of a limited reservoir", "E / C, 20 min", f"{NORDIC}, 3.5, table 10", "h", 1.0 / 3.0
)


def reserve_power(record: Record, product: Product, before: float) -> np.ndarray:
    """dP of each sample, positive in the product's direction, from the mean of the last 10 s before the test begins."""
    return product.sign * (record.dp - record.mean(record.dp, max(before - 10.0, 0.0), before))


def judge_steps(record: Record, product: Product, capacity: float, test: Sequence) -> list[Finding]:
    """Steady state of both full steps of the FCR-N step test, and what remains of one direction at 50 Hz (backlash)."""
    dp, marks = reserve_power(record, product, 30.0), test.marks
    ends = ((marks["down"], 1.0, "49.9 Hz"), (marks["back"], -1.0, "50.1 Hz"))
    found, levels = [], []
    for end, direction, note in ends:
        begin = marks["up"] + 240.0 if direction > 0.0 else marks["down"] + 240.0
        level = record.mean(dp, begin, begin + AVERAGE)
        levels.append(abs(level))
        found.append(Finding(STEADY, test.title, direction * level / capacity, (begin, begin + AVERAGE), note))
        if end - begin > 2.0 * AVERAGE:
            found.append(_endures(record, direction * dp, (begin, end), test, note))
    above, below = ((marks[name] - AVERAGE, marks[name]) for name in ("up", "end"))
    gap = abs(record.mean(dp, *below) - record.mean(dp, *above))
    full = float(np.mean(levels))
    found.append(Finding(BACKLASH, test.title, gap / full if full > 0.0 else math.nan, (above[0], below[1])))
    return found


def judge_ramps(record: Record, product: Product, capacity: float, test: Sequence) -> list[Finding]:
    """The FCR-D fast ramp test: steady state, power and energy of 7.5 s, that it lasts, and the deactivation after the nadir.

    The nadir's time is read in two ways, of which the worse counts.
    """
    marks = test.marks
    dp = reserve_power(record, product, marks["ramp 1"])
    steady = record.mean(dp, marks["steady"] - AVERAGE, marks["steady"])
    found = [Finding(STEADY, test.title, steady / capacity, (marks["steady"] - AVERAGE, marks["steady"]), "49.5 Hz or 50.5 Hz")]
    if not steady > 0.0:
        note = "no steady power in the asked direction to compare with"
        return found + [Finding(r, test.title, math.nan, (0.0, test.seconds), note) for r in (POWER, ENERGY, SUSTAIN, DEACTIVATION)]
    begin, last = marks["ramp 5"], marks["ramp 6"]
    at = begin + 7.5
    power = record.at(dp, at)
    held = dp[record.within(at, last)]
    found += [
        Finding(POWER, test.title, power / steady, (at, at)),
        Finding(ENERGY, test.title, record.integral(dp, begin, at) / steady, (begin, at)),
        Finding(SUSTAIN, test.title, float(np.min(held)) / power if power > 0.0 else math.nan, (at, last)),
        max((_released(record, dp, steady, marks[n], test) for n in ("nadir, text", "nadir, table")), key=lambda f: f.value),
    ]
    if marks["ramp 4"] - marks["steady"] > 0.0:
        found.append(_endures(record, dp, (marks["steady"] - AVERAGE, marks["ramp 4"]), test, "15 min at full"))
    return found


def _released(record: Record, dp: np.ndarray, steady: float, nadir: float, test: Sequence) -> Finding:
    """Energy above the power at the nadir, or above half of the steady power where that is less: the most in any time to 40 s."""
    base = min(abs(record.at(dp, nadir)), 0.5 * steady)
    inside = record.within(nadir, nadir + 40.0)
    widths = np.diff(record.t, append=2.0 * record.t[-1] - record.t[-2])
    most = float(np.max(np.cumsum((dp - base)[inside] * widths[inside])))
    return Finding(DEACTIVATION, test.title, max(most, 0.0) / steady, (nadir, nadir + 40.0), f"nadir at {nadir:.1f} s")


def _endures(record: Record, dp: np.ndarray, interval: tuple[float, float], test: Sequence, note: str) -> Finding:
    """The weakest 10 s of a long hold over the steady power, which is the mean of its first minute."""
    begin, end = interval
    steady = record.mean(dp, begin, begin + AVERAGE)
    means = [record.mean(dp, start, start + 10.0) for start in np.arange(begin, end - 9.999, 10.0)]
    return Finding(ENDURANCE, test.title, min(means) / steady if steady > 0.0 else math.nan, interval, note)


def judge_linearity(record: Record, product: Product, test: Sequence) -> list[Finding]:
    """The worst step above and the worst below its share of the full activation of this same test.

    Full is what the plant gives at the end of its band, not what it promised: that is the steady state's question.
    """
    hold = test.marks["hold"]
    dp = reserve_power(record, product, hold)
    window = min(AVERAGE, 0.5 * hold)
    ends = np.arange(1, round(test.seconds / hold) + 1) * hold
    levels = np.array([record.mean(dp, end - window, end) for end in ends])
    shares = product.sign * (product.start - test.f.at(ends - 0.5 * hold)) / product.band
    full = float(np.mean(np.abs(levels[np.abs(np.abs(shares) - 1.0) < 1e-6])))
    if not full > 0.0:
        return [Finding(LINEAR, test.title, math.nan, (0.0, test.seconds), "no activation at the end of the band")]
    directions = np.where(shares < 0.0, -1.0, 1.0)
    off = directions * (levels - shares * full) / full
    worst = {int(np.argmin(off)), int(np.argmax(off))}
    return [
        Finding(LINEAR, test.title, float(off[i]), (ends[i] - window, ends[i]), f"{abs(shares[i]) * 100.0:.0f} % of the band")
        for i in sorted(worst)
    ]


def judge_reservoir(product: Product, capacity: float, energy: float, most: tuple[float, float]) -> list[Finding]:
    """A limited reservoir (less than 2 h): energy in kWh, and the power in kW that it can discharge and charge, over C.

    FCR-N: 1.34 C each way and 1 h each way; FCR-D: C in its direction, 0.20 C in the other, and 20 min.
    """
    along, against = most if product.sign > 0.0 else most[::-1]
    asked = (1.34, 1.34) if product.is_symmetric else (1.0, 0.20)
    store = STORE_N if product.is_symmetric else STORE_D
    found = [Finding(store, "data of the reservoir", energy / capacity, (0.0, 0.0))]
    for word, value, low in (("its", along, asked[0]), ("the other", against, asked[1])):
        text = f"Power of a limited reservoir in {word} direction"
        need = Requirement("fcr.reservoir-power", text, "P / C", f"{NORDIC}, 3.5, table 10", "", low)
        found.append(Finding(need, "data of the reservoir", value / capacity, (0.0, 0.0)))
    return found
