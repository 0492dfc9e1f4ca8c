"""Sixteen racks, 15 % apart and unequal in capacity and resistance, on the simulated plant with the programs that ship.

A day of dispatch brings them together; and under load one rack trips, is mended and joins, another is taken out and put back.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.aids.fleet import Fleet, Sight, faster, in_proportion, load_fleet, run_fleet
from tests.aids.places import ROOT
from tests.bench.measure import Result

DAY, LEAVES = (ROOT / "config/scenarios" / name for name in ("fleet_day.yaml", "rack_leaves.yaml"))
TOLERANCE_KW = 0.001
SETTLED_S = 70.0  # by then all racks are connected and the plant has entered service
TIMES = 4  # charge and heat run faster, contactors, ramps, limits and time-outs at their own pace: a day in 6 h, of minutes each


def run() -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="bessplc-fleet-") as name:
        folder = Path(name)
        fleet = load_fleet(folder)
        return [*_day(fleet, folder), *_leaves(fleet, folder)]


def _day(fleet: Fleet, folder: Path) -> list[Result]:
    begun = time.process_time()
    day = fleet.scenario(faster(in_proportion(DAY.read_text()), TIMES), folder)
    sight = run_fleet(replace(fleet, plant=replace(fleet.plant, speed=float(TIMES))), day)
    cost = 1000 * (time.process_time() - begun) / sight.record.simulated_s
    spread = np.ptp(sight["soc"], axis=1)
    return [
        Result("fleet, a day: spread of the racks' charge at its begin, by the plant's truth", spread[0], "%"),
        Result("fleet, a day: spread at its end", spread[-1], "%", 1.0),
        Result("fleet, a day: hours until the spread stayed below 1 %", TIMES * _settled_h(sight["time"], spread), "h"),
        *_sums("fleet, a day", sight),
        Result("fleet, a day: a simulated second of 16 racks", cost, "ms"),
    ]


def _settled_h(time: np.ndarray, spread: np.ndarray) -> float:
    """When the spread was last 1 % or more."""
    wide = np.flatnonzero(spread >= 1.0)
    return float(time[wide[-1]]) / 3600 if len(wide) else 0.0


def _leaves(fleet: Fleet, folder: Path) -> list[Result]:
    what = "fleet, a rack leaves and joins"
    sight = run_fleet(fleet, fleet.scenario(in_proportion(LEAVES.read_text()), folder))
    energy, amperes = sight.record.energy, fleet.site.constants["i_rack_max"].removesuffix(" A")
    gone, settled = len(sight.record.faults), sight["time"] > SETTLED_S
    allowed = sight["allowed"][:, 0]
    off = settled & (np.abs(sight["given"] - allowed) > 0.01 * np.abs(allowed))
    return [
        *_sums(what, sight),
        Result(f"{what}: least of all setpoints together", sight["p_cmd"].sum(axis=1)[settled].min(), "kW"),
        Result(f"{what}: the plant's power was more than 1 % off for", _seconds(sight["time"], off), "s"),
        Result(f"{what}: contactors opened under load, but by the trip itself", max(energy.under_load - gone, 0), "", 0),
        Result(f"{what}: greatest rush of current into a joining rack", sight["inrush"].max(), "A", float(amperes)),
        Result(f"{what}: trips without a fault", sum(trip.is_false for trip in sight.record.trips), "", 0),
    ]


def _seconds(time: np.ndarray, holds: np.ndarray) -> float:
    """How long something held at the ends of the turns."""
    return float(np.diff(time, prepend=0.0)[holds].sum())


def _sums(what: str, sight: Sight) -> Sequence[Result]:
    """The racks' setpoints against what is allowed, and against each rack's own limits."""
    setpoints = sight["p_cmd"]
    off = np.abs(setpoints.sum(axis=1) - sight["allowed"][:, 0])
    beyond = np.maximum(setpoints - sight["p_max"], sight["p_min"] - setpoints).max()
    return [
        Result(f"{what}: greatest |sum of setpoints - allowed|", off.max(), "kW", TOLERANCE_KW),
        Result(f"{what}: greatest setpoint beyond its rack's limit", max(beyond, 0.0), "kW", TOLERANCE_KW),
        Result(f"{what}: conditions broken (judged in every scan)", len(sight.record.breaches), "", 0),
    ]
