"""Test sequences and laws of IEEE 1547-2018 at its default settings: category III for abnormal conditions, B for voltage.

Source: IEEE 1547-2018 defaults as in EPRI's OpenDER and Sandia's procedures (NUMBERS.md); the order of the steps, ramps of the
category's rate of change, trips, rides and enter service after IEEE 1547.1-2020, 5.4 to 5.6, 5.14 and 5.15, as ua-kxie/UL1741SB
quotes them. It knows no criterion and no plant.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from runtime.prequalify.sequence import ONE, Lines, Sequence, ramps, stairs

F_NOMINAL = 60.0
DEADBAND, DROOP, DROOP_TIME = 0.036, 0.05, 5.0  # Hz, per unit, s to 90 %
VOLT_VAR = ((0.92, 0.44), (0.98, 0.0), (1.02, 0.0), (1.08, -0.44))  # category B, Q over the rated power
VOLT_VAR_TIME = 5.0
VOLT_WATT = ((1.06, 1.0), (1.10, 0.0))  # P over the rated power; P2 is 0 where the plant may charge, 0.2 where not
VOLT_WATT_TIME = 10.0
ROCOF = 3.0  # Hz/s, category III
ENTER_DELAY, ENTER_RAMP = 300.0, 300.0  # s
T_ACCURACY, CYCLES = 0.01, 2.0 / 60.0  # accuracy of times, table 3: 1 %, and below 5 s two cycles
NEAR = 0.02  # of nominal, or Hz: twice the accuracy of a voltage and of a frequency
REST = 10.0  # s at nominal before a disturbance
SWEEP = 1.0  # Hz/s where the rate of change itself is not tested
AWAY = 1.2  # times the delay of entering service, for which each bad condition is held: a ramp shows after it
FREQUENCIES = (60.0, 59.97, 59.8, 59.5, 58.8, 60.0, 60.03, 60.2, 60.5, 61.2, 60.0)  # to the ends of the continuous range
VAR_VOLTAGES = (1.0, 0.99, 0.97, 0.95, 0.93, 0.90, 0.95, 1.0, 1.01, 1.03, 1.05, 1.07, 1.09, 1.05, 1.0)
WATT_VOLTAGES = (1.0, 1.05, 1.07, 1.08, 1.099, 1.08, 1.0, 1.099, 1.0)  # below 1.1, beyond which nothing may flow


def droop(f: np.ndarray, before: float) -> np.ndarray:
    """Power over the rated power at a frequency in Hz, from the share `before`: P = before -+ (|f - 60| - db) / (60 k), to +-1."""
    off = np.asarray(f) - F_NOMINAL
    beyond = np.maximum(np.abs(off) - DEADBAND, 0.0)
    return np.clip(before - np.sign(off) * beyond / (F_NOMINAL * DROOP), -1.0, 1.0)


def volt_var(v: np.ndarray) -> np.ndarray:
    """Reactive power over the rated power at a voltage over the nominal one, injecting positive; straight between the points."""
    return _between(VOLT_VAR, v)


def volt_watt(v: np.ndarray, before: float) -> np.ndarray:
    """Power over the rated power: `before`, and never more than the curve allows at this voltage."""
    return np.minimum(before, _between(VOLT_WATT, v))


def _between(points: tuple[tuple[float, float], ...], x: np.ndarray) -> np.ndarray:
    return np.asarray(np.interp(x, [a for a, _ in points], [b for _, b in points]))


@dataclass(frozen=True)
class Stage:
    """One trip stage at its default: its threshold (of nominal, or Hz) and its clearing time in s.

    `goes_on` is false where the plant gives nothing on the near side of the threshold either: between 1.1 and 1.2 of the voltage.
    """

    name: str
    quantity: str
    threshold: float
    seconds: float
    goes_on: bool = True

    @property
    def inside(self) -> float:
        """A level on the near side, twice the accuracy away: there it must go on for longer than the clearing time."""
        return round(self.threshold + (-NEAR if self.is_over else NEAR), 6)

    @property
    def beyond(self) -> float:
        """A level on the far side, twice the accuracy away: there it must trip."""
        return round(self.threshold + (NEAR if self.is_over else -NEAR), 6)

    @property
    def is_over(self) -> bool:
        """It trips above its threshold."""
        return self.name.startswith("O")

    @property
    def accuracy(self) -> float:
        """How exact its time must be, in s: two cycles below 5 s, else 1 %."""
        return CYCLES if self.seconds < 5.0 else T_ACCURACY * self.seconds


STAGES = (
    Stage("OV2", "v", 1.2, 0.16, goes_on=False),
    Stage("OV1", "v", 1.1, 13.0),
    Stage("UV1", "v", 0.88, 21.0),
    Stage("UV2", "v", 0.5, 2.0),
    Stage("OF2", "f", 62.0, 0.16),
    Stage("OF1", "f", 61.2, 300.0),
    Stage("UF1", "f", 58.5, 300.0),
    Stage("UF2", "f", 56.5, 0.16),
)


@dataclass(frozen=True)
class Leg:
    """One level of a disturbance, for how many s, and whether the plant goes on there or may give nothing."""

    level: float
    seconds: float
    goes_on: bool = True


@dataclass(frozen=True)
class Ride:
    """One disturbance that must be ridden through: its legs one after another, between them `rate` Hz/s; a voltage steps."""

    name: str
    title: str
    quantity: str
    legs: tuple[Leg, ...]
    rate: float = 1.0


RIDES = (  # tables 16 and 19, 98 % of each time, near the far end of each region; no trip is due yet
    Ride(
        "LowVoltage",
        "low voltage",
        "v",
        (Leg(0.48, 0.49, goes_on=False), Leg(0.03, 0.49, goes_on=False), Leg(0.52, 8.8), Leg(0.72, 9.8)),
    ),
    Ride("HighVoltage", "high voltage", "v", (Leg(1.18, 11.76, goes_on=False),)),
    Ride("LowFrequency", "low frequency", "f", (Leg(57.02, 293.0),)),
    Ride("HighFrequency", "high frequency", "f", (Leg(61.78, 293.0),)),
    Ride("Rocof", "rate of change of frequency", "f", (Leg(57.2, 5.0), Leg(61.6, 5.0)), ROCOF),
)

NOMINAL = Lines(((0.0, F_NOMINAL),))


def droop_test() -> Sequence:
    """Frequencies below and above 60 Hz, ramped at 3 Hz/s, each held for four response times."""
    hold = 4.0 * DROOP_TIME
    course = ramps(F_NOMINAL, tuple((i * hold, f, ROCOF) for i, f in enumerate(FREQUENCIES) if i > 0))
    source = "IEEE 1547-2018, 6.5.2.7, table 24; IEEE 1547.1-2020, 5.15"
    return Sequence("Droop", "frequency droop", source, len(FREQUENCIES) * hold, course, marks={"hold": hold})


def volt_var_test() -> Sequence:
    """Voltages through the whole curve and back, each held for four response times."""
    return _voltages("VoltVar", "volt-var", VAR_VOLTAGES, VOLT_VAR_TIME, "IEEE 1547-2018, 5.3.3, table 8; IEEE 1547.1-2020, 5.14")


def volt_watt_test() -> Sequence:
    """Voltages through the whole curve and back, each held for four response times."""
    return _voltages(
        "VoltWatt", "volt-watt", WATT_VOLTAGES, VOLT_WATT_TIME, "IEEE 1547-2018, 5.4.2, table 10; IEEE 1547.1-2020, 5.14"
    )


def _voltages(kind: str, title: str, levels: tuple[float, ...], response: float, source: str) -> Sequence:
    hold = 4.0 * response
    course = stairs(tuple((i * hold, level) for i, level in enumerate(levels)))
    return Sequence(kind, title, source, len(levels) * hold, NOMINAL, course, marks={"hold": hold})


def trip_test(stage: Stage) -> Sequence:
    """Just inside the threshold for longer than the clearing time, just beyond it for longer, then 30 s of nominal again."""
    held = stage.seconds + 2.0 * stage.accuracy if stage.goes_on else 0.0
    lasts = stage.seconds + max(1.0, 0.1 * stage.seconds)
    legs = ((stage.inside, held),) if stage.goes_on else ()
    course, starts, end = _disturbance(stage.quantity, (*legs, (stage.beyond, lasts)), SWEEP)
    marks = {"inside": starts[0], "begin": starts[-1], "end": end}
    begin = marks["begin"]
    views = (("beginning of the disturbance", begin - 0.1, begin + 0.4),) if stage.seconds < 1.0 else ()
    source = f"IEEE 1547-2018, table {13 if stage.quantity == 'v' else 18}; IEEE 1547.1-2020, 5.4, 5.5 and A.3"
    return _test(f"Trip{stage.name}", f"trip {stage.name}", source, stage.quantity, course, end + 30.0, marks, views)


def ride_through_test(ride: Ride) -> Sequence:
    """Every leg of a disturbance that must be ridden through, then 20 s of nominal again."""
    course, starts, end = _disturbance(ride.quantity, tuple((leg.level, leg.seconds) for leg in ride.legs), ride.rate)
    marks = {f"leg {i}": start for i, start in enumerate(starts)} | {"begin": starts[0], "end": end}
    source = f"IEEE 1547-2018, {'table 16' if ride.quantity == 'v' else 'tables 19 and 21'}; IEEE 1547.1-2020, 5.4 and 5.5"
    return _test(f"Ride{ride.name}", f"ride through {ride.title}", source, ride.quantity, course, end + 20.0, marks, ())


def _disturbance(quantity: str, legs: tuple[tuple[float, float], ...], rate: float) -> tuple[Lines, list[float], float]:
    """The course from nominal through all legs and back, when each level is reached, and when it is nominal again.

    A voltage steps. A frequency moves with `rate` Hz/s; a change within the accuracies is a step.
    """
    nominal = 1.0 if quantity == "v" else F_NOMINAL
    points, starts = [(0.0, nominal), (REST, nominal)], list[float]()
    for level, seconds in (*legs, (nominal, 0.0)):
        at, last = points[-1]
        moves = abs(level - last) / rate if quantity == "f" and abs(level - last) > 2.5 * NEAR else 0.0
        starts.append(round(at + moves, 6))
        points += [(starts[-1], level), (round(starts[-1] + seconds, 6), level)]
    return Lines(tuple(points)), starts[:-1], starts[-1]


def _test(
    kind: str,
    title: str,
    source: str,
    quantity: str,
    course: Lines,
    seconds: float,
    marks: dict[str, float],
    views: tuple[tuple[str, float, float], ...],
) -> Sequence:
    f, v = (NOMINAL, course) if quantity == "v" else (course, ONE)
    return Sequence(kind, title, source, seconds, f, v, marks=marks, views=views)


BAD = (  # voltage and frequency with which a plant must not enter service, one condition of four missed in each
    ("voltage too low", 0.897, F_NOMINAL),
    ("voltage too high", 1.07, F_NOMINAL),
    ("frequency too low", 1.0, 59.48),
    ("frequency too high", 1.0, 60.12),
)
GOOD_V = 0.937


def enter_service_test() -> Sequence:
    """Out by an undervoltage; each bad condition alone for longer than the delay; good for a quarter of it, 0.1 s bad; and good."""
    trip = REST
    first = trip + 3.0
    starts = [first + i * AWAY * ENTER_DELAY for i in range(len(BAD) + 1)]
    dip = starts[-1] + 0.25 * ENTER_DELAY
    good = dip + 0.1
    volts, hertz = [*(v for _, v, _ in BAD), GOOD_V], [*(f for *_, f in BAD), F_NOMINAL]
    v = stairs(((0.0, 1.0), (trip, 0.30), *zip(starts, volts, strict=True), (dip, 0.897), (good, GOOD_V)))
    f = stairs(((0.0, F_NOMINAL), *zip(starts, hertz, strict=True)))
    marks = {"trip": trip, "good": good} | {f"bad {i}": start for i, start in enumerate(starts)}
    seconds = good + ENTER_DELAY + ENTER_RAMP + 30.0
    source = "IEEE 1547-2018, 4.10; IEEE 1547.1-2020, 5.6, table 11, cases 1 and 2"
    return Sequence("Enter", "enter service", source, seconds, f, v, marks=marks)


def sequences() -> list[Sequence]:
    """All tests of IEEE 1547, the short ones first."""
    trips, rides = [trip_test(stage) for stage in STAGES], [ride_through_test(ride) for ride in RIDES]
    return [droop_test(), volt_var_test(), volt_watt_test(), *trips, *rides, enter_service_test()]
