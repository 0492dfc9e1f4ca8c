"""The criteria of IEEE 1547: curves within their bands, responses in their times, trips, ride-through, enter service.

Source: IEEE 1547-2018 and the accuracies of its table 3; evaluation after IEEE 1547.1-2020, 4.2 and 5.15.2.3 (a value Y(X) is right
within 1.5 times the accuracies of X and Y; after the response time 90 % of the change must be there). It knows no plant.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import numpy as np

from runtime.prequalify.criterion import Finding, Requirement
from runtime.prequalify.record import Record
from runtime.prequalify.sequence import Sequence
from runtime.prequalify.sequences_1547 import ENTER_DELAY, ENTER_RAMP, Stage

Law = Callable[[np.ndarray], np.ndarray]
F_ACCURACY, V_ACCURACY, P_ACCURACY, T_ACCURACY = 0.01, 0.01, 0.05, 0.01  # Hz, of nominal, of rated, of the time; table 3
CYCLES = 2.0 / 60.0  # s: the accuracy of times below 5 s
WIDE = 1.5
OFF = 0.05  # of rated: below this nothing is exchanged
RESTORED = 0.8  # of the power before
WITHIN = {"v": 0.4, "f": 15.0}  # s after the disturbance; after a frequency the droop's response goes before
STANDARD = "IEEE 1547-2018"

BAND = Requirement(
    "1547.{}.curve", "{}: steady state on the curve", "mean of the last quarter of the step, over rated", STANDARD, ""
)
RESPONSE = Requirement("1547.{}.response", "{}: open loop response", "Y(Tr) over rated, against 90 % of the change", STANDARD, "")
CLEARING = Requirement("1547.trip.clearing", "Clearing time", "t(S < 5 % and stays) - t(disturbance)", f"{STANDARD}, 6.4, 6.5", "s")
STAYS = Requirement(
    "1547.trip.stays-off",
    "Stays out after a trip",
    "max S over rated, 1 s .. 30 s after the disturbance",
    f"{STANDARD}, 6.4, 6.5",
    "",
    high=OFF,
)
CONTINUES = Requirement(
    "1547.ride.mandatory",
    "Keeps on in mandatory operation",
    "min S / (S before x voltage), from 0.5 s on",
    f"{STANDARD}, 6.4.2",
    "",
    RESTORED,
)
RESTORES = Requirement(
    "1547.ride.restores",
    "Restores its output",
    "S / S before, 0.4 s after a voltage, 15 s after a frequency",
    f"{STANDARD}, 6.4.2",
    "",
    RESTORED,
)
WAITS = Requirement(
    "1547.enter.delay",
    "Enter service: delay",
    "t(S > 5 %) - t(grid good for good)",
    f"{STANDARD}, 4.10.3",
    "s",
    0.985 * ENTER_DELAY,
)
RAMPS = Requirement(
    "1547.enter.ramp",
    "Enter service: ramp",
    "max (S over rated - (t - delay) / ramp)",
    f"{STANDARD}, 4.10.3",
    "",
    high=WIDE * P_ACCURACY,
)
RETURNS = Requirement(
    "1547.enter.returns",
    "Enter service: comes back",
    "S at the end / S before the trip; the test ends at 0.937 of the voltage",
    f"{STANDARD}, 4.10.3",
    "",
    0.9,
)
REQUIREMENTS = (BAND, RESPONSE, CLEARING, STAYS, CONTINUES, RESTORES, WAITS, RAMPS, RETURNS)


def judge_curve(record: Record, test: Sequence, x: str, y: str, rated: float, law: Law, response: float) -> list[Finding]:
    """Every step of a test: `y` (p or q, over `rated` in kW) on the law of `x` (f or v), and 90 % of the way after `response` s."""
    hold, found = test.marks["hold"], []
    given, seen = getattr(record, y) / rated, getattr(record, x)
    width = WIDE * (F_ACCURACY if x == "f" else V_ACCURACY)
    for begin in np.arange(1, round(test.seconds / hold)) * hold:
        end = float(begin) + hold
        settled = (end - 0.25 * hold, end)
        level, last = record.mean(given, *settled), record.mean(given, begin - 0.25 * hold, begin)
        at = record.mean(seen, *settled)
        expected = law(np.linspace(at - width, at + width, 101))
        note = f"{x} = {at:.3f}"
        low, high = float(np.min(expected)) - WIDE * P_ACCURACY, float(np.max(expected)) + WIDE * P_ACCURACY
        found.append(Finding(_named(BAND, test, low, high), test.title, level, settled, note))
        times = np.array([1.0 - WIDE * T_ACCURACY, 1.0 + WIDE * T_ACCURACY])
        way = level + (last - level) * 0.1**times
        low, high = float(np.min(way)) - WIDE * P_ACCURACY, float(np.max(way)) + WIDE * P_ACCURACY
        reached = record.at(given, begin + response)
        found.append(Finding(_named(RESPONSE, test, low, high), test.title, reached, (float(begin), begin + response), note))
    return found


def _named(requirement: Requirement, test: Sequence, low: float, high: float) -> Requirement:
    """The requirement of one function, with the limits of one step."""
    word, title = test.title.replace(" ", "-"), test.title.capitalize()
    return dataclasses.replace(
        requirement, id=requirement.id.format(word), title=requirement.title.format(title), source=test.source, low=low, high=high
    )


def exchanged(record: Record, rated: float) -> np.ndarray:
    """Apparent power over the rated power."""
    return np.hypot(record.p, record.q) / rated


def judge_trip(record: Record, test: Sequence, stage: Stage, rated: float) -> list[Finding]:
    """It ceases within the clearing time, and is still out when the grid is back: a trip, not a pause."""
    s, begin, end = exchanged(record, rated), test.marks["begin"], test.marks["end"]
    inside = record.within(begin, end)
    alive = record.t[inside & (s >= OFF)]
    step = float(np.median(np.diff(record.t)))
    value = float(alive[-1]) + step - begin if len(alive) else 0.0
    if len(alive) and alive[-1] >= end - 1.5 * step:
        value = math.inf
    exact = CYCLES if stage.seconds < 5.0 else T_ACCURACY * stage.seconds
    note = f"{stage.name}: {stage.threshold:g} {'of nominal' if stage.quantity == 'v' else 'Hz'}, {stage.seconds:g} s"
    limit = dataclasses.replace(CLEARING, high=stage.seconds + exact)
    before = record.mean(s, 0.0, begin)
    if before < 4.0 * OFF:
        return [Finding(limit, test.title, math.nan, (0.0, begin), f"{note}; it gave next to nothing before")]
    after = s[record.within(end + 1.0, test.seconds)]
    return [
        Finding(limit, test.title, value, (begin, end), note),
        Finding(STAYS, test.title, float(np.max(after)) if len(after) else math.nan, (end + 1.0, test.seconds), note),
    ]


def judge_ride_through(record: Record, test: Sequence, stage: Stage, rated: float) -> list[Finding]:
    """It goes on while it must, and gives its power again after the disturbance.

    While a frequency is disturbed the droop moves the power, also to 0: there only what it does afterwards is judged.
    """
    s, begin, end = exchanged(record, rated), test.marks["begin"], test.marks["end"]
    before, found = record.mean(s, 0.0, begin), []
    if not before > 4.0 * OFF:
        return [Finding(RESTORES, test.title, math.nan, (0.0, begin), "it gave next to nothing before")]
    if stage.quantity == "v" and not stage.cessation:
        kept = s[record.within(begin + 0.5, end)] / (before * stage.level)
        found.append(Finding(CONTINUES, test.title, float(np.min(kept)), (begin + 0.5, end), stage.name))
    at = end + WITHIN[stage.quantity]
    found.append(Finding(RESTORES, test.title, record.at(s, at) / before, (at, at), stage.name))
    return found


def judge_enter_service(record: Record, test: Sequence, rated: float) -> list[Finding]:
    """It waits for the whole delay since the grid is good for good, ramps no faster than it may, and comes back at last."""
    s, good = exchanged(record, rated), test.marks["good"]
    before = record.mean(s, 0.0, test.marks["trip"])
    out = record.t[record.within(test.marks["low"], test.seconds) & (s > OFF)]
    # what flows before the grid is good counts against it, as a negative time
    waited = float(out[0]) - good if len(out) else math.nan
    line = (record.t - good - 0.985 * ENTER_DELAY) / ENTER_RAMP
    inside = record.within(good + 0.985 * ENTER_DELAY, good + ENTER_DELAY + ENTER_RAMP)
    steepest = float(np.max((s - np.clip(line, 0.0, 1.0))[inside]))
    last = (test.seconds - 10.0, test.seconds)
    return [
        Finding(WAITS, test.title, waited, (test.marks["low"], test.seconds)),
        Finding(RAMPS, test.title, steepest, (good + ENTER_DELAY, good + ENTER_DELAY + ENTER_RAMP)),
        Finding(RETURNS, test.title, record.mean(s, *last) / before if before > OFF else math.nan, last),
    ]
