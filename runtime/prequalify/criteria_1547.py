"""The criteria of IEEE 1547: curves within their bands, responses in their times, trips, ride-through, enter service.

Source: IEEE 1547-2018 and the accuracies of its table 3; evaluation after IEEE 1547.1-2020, 4.2 and 5.15.2.3 (a value Y(X) is right
within 1.5 times the accuracies of X and Y; after the response time 90 % of the change must be there). It knows no plant.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np

from runtime.prequalify.criterion import Finding, Requirement
from runtime.prequalify.record import Record
from runtime.prequalify.sequence import Sequence
from runtime.prequalify.sequences_1547 import BAD, CYCLES, ENTER_DELAY, ENTER_RAMP, T_ACCURACY, Ride, Stage

Law = Callable[[np.ndarray], np.ndarray]
F_ACCURACY, V_ACCURACY, P_ACCURACY = 0.01, 0.01, 0.05  # Hz, of nominal, of rated; table 3
WIDE = 1.5
OFF = 0.05  # of rated: below this nothing is exchanged
STARTS = 0.01  # of rated: from here on a ramp counts
RESTORED = 0.8  # of the power before
WITHIN = 0.4  # s, until the output is there again
CEASED = 0.083  # s, until nothing flows in momentary cessation; category III
SHARP = 0.985  # of the delay: IEEE 1547.1-2020, 5.6
STANDARD = "IEEE 1547-2018"

BAND = Requirement(
    "1547.{}.curve", "{}: steady state on the curve", "mean of the last quarter of the step, over rated", STANDARD, ""
)
RESPONSE = Requirement("1547.{}.response", "{}: open loop response", "Y(Tr) over rated, against 90 % of the change", STANDARD, "")
INSIDE = Requirement(
    "1547.trip.{}.inside",
    "{}: goes on just inside its threshold",
    "min S / (S before x voltage), second half of the hold",
    f"{STANDARD}, 6.4, 6.5",
    "",
    RESTORED,
)
CLEARING = Requirement(
    "1547.trip.{}.clearing", "{}: clearing time", "t(S < 5 % and stays) - t(beyond)", f"{STANDARD}, 6.4, 6.5", "s"
)
STAYS = Requirement(
    "1547.trip.{}.stays-off",
    "{}: stays out",
    "max S over rated, 1 s .. 30 s after the disturbance",
    f"{STANDARD}, 6.4, 6.5",
    "",
    high=OFF,
)
CONTINUES = Requirement(
    "1547.ride.{}.continues",
    "Keeps on through {}",
    f"min S / (S before x voltage), from {WITHIN} s on",
    f"{STANDARD}, 6.4.2, 6.5.2",
    "",
    RESTORED,
)
CEASES = Requirement(
    "1547.ride.{}.ceases",
    "Momentary cessation in {}",
    "t(S < 5 % and stays) - t(disturbance)",
    f"{STANDARD}, table 16",
    "s",
    high=CEASED + CYCLES,
)
RESTORES = Requirement(
    "1547.ride.{}.restores",
    "Gives its power again after {}",
    f"P / P before, {WITHIN} s after the disturbance",
    f"{STANDARD}, 6.4.2.7",
    "",
    RESTORED,
)
CRITERIA = Requirement(
    "1547.enter.criteria",
    "Enter service: only on a good grid",
    "max S over rated, each condition missed alone",
    f"{STANDARD}, 4.10.2",
    "",
    high=OFF,
)
WAITS = Requirement(
    "1547.enter.delay",
    "Enter service: delay",
    "t(S > 5 %) - t(grid good for good)",
    f"{STANDARD}, 4.10.3",
    "s",
    SHARP * ENTER_DELAY,
)
RAMPS = Requirement(
    "1547.enter.ramp",
    "Enter service: ramp",
    "max (P over rated - (t - t(P > 1 %)) / ramp)",
    f"{STANDARD}, 4.10.3",
    "",
    high=WIDE * P_ACCURACY,
)
RETURNS = Requirement(
    "1547.enter.returns",
    "Enter service: comes back",
    "P at the end / P before the trip; the test ends at 0.937 of the voltage",
    f"{STANDARD}, 4.10.3",
    "",
    0.9,
)
REQUIREMENTS = (BAND, RESPONSE, INSIDE, CLEARING, STAYS, CONTINUES, CEASES, RESTORES, CRITERIA, WAITS, RAMPS, RETURNS)


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
    """It goes on just inside the threshold, ceases just beyond it in time, and is still out when the grid is back."""
    s, inside, begin, end = exchanged(record, rated), *(test.marks[name] for name in ("inside", "begin", "end"))
    unit = "of nominal" if stage.quantity == "v" else "Hz"
    limit = _for(CLEARING, stage.name, stage.name, high=stage.seconds + stage.accuracy)
    before = record.mean(s, 0.0, inside)
    if before < 4.0 * OFF:
        return [Finding(limit, test.title, math.nan, (0.0, inside), "it gave next to nothing before, which proves nothing")]
    after = s[record.within(end + 1.0, test.seconds)]
    found = [
        Finding(limit, test.title, _ceased(record, s, begin, end), (begin, end), f"{stage.beyond:g} {unit}, {stage.seconds:g} s"),
        Finding(
            _for(STAYS, stage.name, stage.name),
            test.title,
            float(np.max(after)) if len(after) else math.nan,
            (end + 1.0, test.seconds),
        ),
    ]
    if stage.goes_on:
        held = (0.5 * (inside + begin), begin)
        level = stage.inside if stage.quantity == "v" else 1.0
        value = _least(record, s, before * min(level, 1.0), *held)
        found.insert(0, Finding(_for(INSIDE, stage.name, stage.name), test.title, value, held, f"{stage.inside:g} {unit}"))
    return found


def judge_ride(record: Record, test: Sequence, ride: Ride, rated: float) -> list[Finding]:
    """It goes on or ceases on every leg as it must, and gives its power again right after the disturbance."""
    s, begin, end = exchanged(record, rated), test.marks["begin"], test.marks["end"]
    word, found = ride.title.replace(" ", "-"), list[Finding]()
    before, power = record.mean(s, 0.0, begin - 2.0), record.mean(record.p, 0.0, begin - 2.0)
    restores = _for(RESTORES, word, ride.title)
    if not before > 4.0 * OFF:
        note = "it gave next to nothing before, which proves nothing"
        return [Finding(restores, test.title, math.nan, (0.0, begin), note)]
    for at, leg in enumerate(ride.legs):
        start = test.marks[f"leg {at}"]
        stop, note = start + leg.seconds, f"{leg.level:g} {'of nominal' if ride.quantity == 'v' else 'Hz'}"
        if leg.goes_on:
            held = (start + WITHIN, stop)
            value = _least(record, s, before * (min(leg.level, 1.0) if ride.quantity == "v" else 1.0), *held)
            found.append(Finding(_for(CONTINUES, word, ride.title), test.title, value, held, note))
        else:
            value = _ceased(record, s, start, stop)
            found.append(Finding(_for(CEASES, word, ride.title), test.title, value, (start, stop), note))
    at_last = end + WITHIN
    return [*found, Finding(restores, test.title, record.at(record.p, at_last) / power if power else math.nan, (at_last, at_last))]


def _for(requirement: Requirement, word: str, title: str, high: float | None = None) -> Requirement:
    """The requirement of one stage or one disturbance."""
    found = dataclasses.replace(requirement, id=requirement.id.format(word), title=requirement.title.format(title))
    return found if high is None else dataclasses.replace(found, high=high)


def _least(record: Record, s: np.ndarray, of: float, begin: float, end: float) -> float:
    """The least of what flows, over this."""
    inside = s[record.within(begin, end)]
    return float(np.min(inside)) / of if len(inside) else math.nan


def _ceased(record: Record, s: np.ndarray, begin: float, end: float) -> float:
    """How long something still flows from `begin` on; infinite where it flows at the end."""
    alive = record.t[record.within(begin, end) & (s >= OFF)]
    step = float(np.median(np.diff(record.t)))
    if len(alive) and alive[-1] >= end - 1.5 * step:
        return math.inf
    return float(alive[-1]) + step - begin if len(alive) else 0.0


def judge_enter_service(record: Record, test: Sequence, rated: float) -> list[Finding]:
    """It stays out on a bad grid, waits for the whole delay since the grid is good for good, ramps, and comes back at last.

    Active power is what ramps: the voltage of this test may ask for reactive power from the beginning.
    """
    s, p, good = exchanged(record, rated), np.abs(record.p) / rated, test.marks["good"]
    starts = [test.marks[f"bad {i}"] for i in range(len(BAD) + 1)]
    most = [(float(np.max(s[record.within(a, b)])), a, b) for a, b in pairwise(starts)]
    worst = int(np.argmax([value for value, *_ in most]))
    value, *bad = most[worst]
    criteria = Finding(CRITERIA, test.title, value, (bad[0], bad[1]), BAD[worst][0] if value > 0.0 else "")
    if criteria.margin < 0.0:
        return [criteria]  # a plant that is in service already neither waits nor ramps
    out = record.t[record.within(starts[-1], test.seconds) & (s > OFF)]
    waited = float(out[0]) - good if len(out) else math.inf  # before the grid is good for good: a negative time
    flows = np.flatnonzero((record.t >= starts[-1]) & (p > STARTS))
    line = (record.t - record.t[flows[0]]) / ENTER_RAMP if len(flows) else np.zeros(len(p))
    climbs = record.t >= (record.t[flows[0]] if len(flows) else good)
    before, last = record.mean(record.p, 0.0, test.marks["trip"]), (test.seconds - 10.0, test.seconds)
    return [
        criteria,
        Finding(WAITS, test.title, waited, (starts[-1], test.seconds)),
        Finding(RAMPS, test.title, float(np.max((p - line)[climbs])), (good + ENTER_DELAY, good + ENTER_DELAY + ENTER_RAMP)),
        Finding(RETURNS, test.title, record.mean(record.p, *last) / before if abs(before) > OFF * rated else math.nan, last),
    ]
