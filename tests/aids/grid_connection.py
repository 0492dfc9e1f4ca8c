"""A site behind one meter: loads, a battery behind its converter, and a meter that is read late."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from blocks.declare import BlockType
from blocks.plain import Instance


@dataclass(frozen=True)
class Course:
    """What happened, one element a scan: grid (import positive), battery (discharge positive), setpoint and state of charge."""

    grid: np.ndarray
    battery: np.ndarray
    asked: np.ndarray
    soc: np.ndarray


def run_site(
    block: BlockType,
    load: Sequence[float] | np.ndarray,
    params: Mapping[str, float],
    *,
    dt: float = 0.1,
    lag: float = 0.3,
    meter_delay: float = 0.3,
    battery_delay: float | None = None,
    battery_gain: float = 1.0,
    energy: float = 1e9,
    soc: float = 50.0,
    limits: Callable[[float], tuple[float, float]] | None = None,
) -> Course:
    """The block in a closed loop: grid = load - battery; the converter is of first order, meter and battery are read late.

    `limits` gives P_MIN and P_MAX for a state of charge. The battery's own measurement is read as late as the meter unless
    `battery_delay` says otherwise, and `battery_gain` falsifies it: 0 is stuck, -1 has the wrong sign.
    """
    one = Instance(block)
    names = {pin.name for pin in block.inputs}
    for name, value in params.items():
        setattr(one, name, value)
    late, share, ns = round(meter_delay / dt), 1.0 - np.exp(-dt / lag), round(dt * 1e9)
    battery_late = late if battery_delay is None else round(battery_delay / dt)
    grid, battery, asked, charge = (np.zeros(len(load)) for _ in range(4))
    power = 0.0
    for i, demand in enumerate(load):
        grid[i], battery[i], charge[i] = demand - power, power, soc
        one.P_GRID = grid[max(i - late, 0)]
        if "P_BATTERY" in names:
            one.P_BATTERY = battery_gain * battery[max(i - battery_late, 0)]
        if "SOC" in names:
            one.SOC = soc
        if limits:
            one.P_MIN, one.P_MAX = limits(soc)
        one.scan(ns)
        asked[i] = one.P
        power += (float(one.P) - power) * share
        soc -= power * dt / 3600.0 / energy * 100.0
    return Course(grid, battery, asked, charge)
