"""Test sequences and laws of IEEE 1547-2018 at its default settings: category III for abnormal conditions, B for voltage.

Source: IEEE 1547-2018 defaults as in EPRI's OpenDER and Sandia's procedures (NUMBERS.md); the order of the steps, ramps of the
category's rate of change, and enter service case 1 after IEEE 1547.1-2020, 5.6, 5.14 and 5.15, as ua-kxie/UL1741SB quotes them.
It knows no criterion and no plant.
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
REST = 10.0  # s at nominal before a disturbance
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
    """One trip stage at its default: threshold and clearing time in s, a level beyond it, and the ride-through asked there.

    `ride` is 0 where the plant must trip without one; `cessation` is where it may give nothing while it rides through.
    """

    name: str
    quantity: str
    threshold: float
    seconds: float
    level: float
    ride: float = 0.0
    cessation: bool = False


STAGES = (
    Stage("OV2", "v", 1.2, 0.16, 1.22),
    Stage("OV1", "v", 1.1, 13.0, 1.15, ride=12.0, cessation=True),
    Stage("UV1", "v", 0.88, 21.0, 0.80, ride=20.0),
    Stage("UV2", "v", 0.5, 2.0, 0.30, ride=1.0, cessation=True),
    Stage("OF2", "f", 62.0, 0.16, 62.2),
    Stage("OF1", "f", 61.2, 300.0, 61.5, ride=299.0),
    Stage("UF1", "f", 58.5, 300.0, 58.2, ride=299.0),
    Stage("UF2", "f", 56.5, 0.16, 56.3),
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
    """The level beyond the threshold for a tenth (at least 1 s) longer than the clearing time, then 30 s of nominal again."""
    lasts = stage.seconds + max(1.0, 0.1 * stage.seconds)
    source = "IEEE 1547-2018, tables 13 and 18; IEEE 1547.1-2020, 5.4 and 5.5"
    return _disturbed(f"Trip{stage.name}", f"trip {stage.name}", stage, lasts, 30.0, source)


def ride_through_test(stage: Stage) -> Sequence:
    """The same level for 98 % of the time that must be ridden through, then 20 s of nominal again."""
    source = "IEEE 1547-2018, tables 16 and 19; IEEE 1547.1-2020, 5.4 and 5.5"
    return _disturbed(f"Ride{stage.name}", f"ride through {stage.name}", stage, 0.98 * stage.ride, 20.0, source)


def _disturbed(kind: str, title: str, stage: Stage, lasts: float, after: float, source: str) -> Sequence:
    nominal = 1.0 if stage.quantity == "v" else F_NOMINAL
    begin, end = REST, REST + lasts
    course = stairs(((0.0, nominal), (begin, stage.level), (end, nominal)))
    f, v = (NOMINAL, course) if stage.quantity == "v" else (course, ONE)
    views = (("beginning of the disturbance", begin - 0.1, begin + 0.4),) if stage.seconds < 1.0 else ()
    return Sequence(kind, title, source, end + after, f, v, marks={"begin": begin, "end": end}, views=views)


def enter_service_test() -> Sequence:
    """Out by an undervoltage; too low, good for a quarter of the delay, too low for 0.1 s, and then good: case 1 of table 11."""
    trip, low, short = REST, REST + 3.0, REST + 63.0
    dip = short + 0.25 * ENTER_DELAY
    good = dip + 0.1
    course = stairs(((0.0, 1.0), (trip, 0.30), (low, 0.897), (short, 0.937), (dip, 0.897), (good, 0.937)))
    seconds = good + ENTER_DELAY + ENTER_RAMP + 30.0
    source = "IEEE 1547-2018, 4.10; IEEE 1547.1-2020, 5.6, table 11, case 1"
    return Sequence("Enter", "enter service", source, seconds, NOMINAL, course, marks={"trip": trip, "low": low, "good": good})


def sequences() -> list[Sequence]:
    """All tests of IEEE 1547, the short ones first."""
    trips = [trip_test(stage) for stage in STAGES]
    rides = [ride_through_test(stage) for stage in STAGES if stage.ride > 0.0]
    return [droop_test(), volt_var_test(), volt_watt_test(), *trips, *rides, enter_service_test()]
