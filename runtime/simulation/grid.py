"""The grid connection: frequency and voltage that wander, a load, a solar roof, and the meter at the point of connection.

It must not know the battery; it is told what power the converter feeds in. The meter counts import as positive.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from runtime.simulation.settings import GridSettings


@dataclass(slots=True)
class Grid:
    """The state of the connection. `*_set` is None, or the value that somebody fixed by hand."""

    settings: GridSettings
    random: np.random.Generator
    hour: float
    wander_hz: float = 0.0
    event_hz: float = 0.0
    wander_v: float = 0.0
    frequency_set: float | None = None
    load_set: float | None = None
    pv_set: float | None = None
    load_kw: float = 0.0
    pv_kw: float = 0.0
    p_kw: float = 0.0
    q_kvar: float = 0.0
    import_kwh: float = 0.0
    export_kwh: float = 0.0

    @property
    def frequency_hz(self) -> float:
        if self.frequency_set is not None:
            return self.frequency_set
        return self.settings.nominal_hz + self.wander_hz + self.event_hz

    @property
    def voltage_v(self) -> float:
        return self.settings.nominal_v + self.wander_v


def build_grid(settings: GridSettings, random: np.random.Generator) -> Grid:
    grid = Grid(settings, random, settings.start_hour)
    _follow_the_day(grid, 0.0)
    return grid


def disturb(grid: Grid, hz: float) -> None:
    """A disturbance: the frequency jumps by this and comes back with the settings' time constant."""
    grid.event_hz += hz


def turn(grid: Grid, p_pcs_kw: float, q_pcs_kvar: float, dt_s: float, day_s: float) -> None:
    """One step of the grid. `day_s` is how far the time of day moves.

    Frequency and voltage are Ornstein-Uhlenbeck processes in their exact discrete form, so their spread does not depend
    on the step.
    """
    settings = grid.settings
    drawn = grid.random.standard_normal(3)
    grid.wander_hz = _wander(grid.wander_hz, settings.frequency_sigma_hz, settings.frequency_tau_s, drawn[0], dt_s)
    grid.wander_v = _wander(grid.wander_v, settings.voltage_sigma_v, settings.voltage_tau_s, drawn[1], dt_s)
    grid.event_hz *= math.exp(-dt_s / settings.event_tau_s)
    if settings.event_every_s > 0 and grid.random.random() < -math.expm1(-dt_s / settings.event_every_s):
        disturb(grid, settings.event_sigma_hz * float(drawn[2]))
    _follow_the_day(grid, day_s)
    grid.p_kw = grid.load_kw - grid.pv_kw - p_pcs_kw
    grid.q_kvar = 0.2 * grid.load_kw - q_pcs_kvar
    grid.import_kwh += max(grid.p_kw, 0.0) * dt_s / 3600
    grid.export_kwh += max(-grid.p_kw, 0.0) * dt_s / 3600


def _wander(value: float, sigma: float, tau: float, drawn: float, dt_s: float) -> float:
    fade = math.exp(-dt_s / tau)
    return value * fade + sigma * math.sqrt(1 - fade * fade) * float(drawn)


def _follow_the_day(grid: Grid, day_s: float) -> None:
    settings = grid.settings
    grid.hour = (grid.hour + day_s / 3600) % 24
    evening = math.cos((grid.hour - 19.0) / 24 * 2 * math.pi)
    sun = max(math.sin((grid.hour - 6.0) / 12 * math.pi), 0.0) if 6.0 <= grid.hour <= 18.0 else 0.0
    grid.load_kw = grid.load_set if grid.load_set is not None else settings.load_base_kw + settings.load_swing_kw * evening
    grid.pv_kw = grid.pv_set if grid.pv_set is not None else settings.pv_peak_kw * sun
