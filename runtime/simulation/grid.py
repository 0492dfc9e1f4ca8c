"""The grid connection: frequency and voltage that wander and answer, the breaker, the island behind it, and the meter.

It must not know the battery; it is told what power the converters feed in, and which frequency and voltage they form in an island.
The meter counts import as positive.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from runtime.simulation.daycourse import DayCourse, pass_time
from runtime.simulation.settings import GridSettings
from runtime.simulation.solar import Solar, shine
from runtime.simulation.swing import Swing, lose, swing_on

# What island and grid may differ by when the breaker closes: IEEE 1547-2018, table 5, plants above 1.5 MVA.
IN_STEP_DEG, IN_STEP_HZ, IN_STEP_V = 10.0, 0.1, 0.03


@dataclass(slots=True)
class Grid:
    """The state of the connection. `*_set` is None, or the value that somebody fixed by hand.

    `lost` is an outage of the grid beyond the breaker. `formed` is the frequency and voltage that converters make on site, None
    while nobody forms a grid. `angle_deg` is how far the site's voltage is ahead of the grid's while they are apart.
    """

    settings: GridSettings
    random: np.random.Generator
    day: DayCourse
    swing: Swing
    wander_hz: float = 0.0
    event_hz: float = 0.0
    wander_v: float = 0.0
    answer_v: float = 0.0
    frequency_set: float | None = None
    voltage_set: float | None = None
    load_set: float | None = None
    pv_set: float | None = None
    load_on: float = 1.0  # part of the load that the feeders leave on
    wanted_kw: float = 0.0  # what the loads would take
    load_kw: float = 0.0
    solar: Solar = field(init=False)
    p_kw: float = 0.0
    q_kvar: float = 0.0
    import_kwh: float = 0.0
    export_kwh: float = 0.0
    breaker_closed: bool = True
    lost: bool = False
    formed: tuple[float, float] | None = None
    angle_deg: float = 0.0
    closed_out_of_step: int = 0
    unserved_kwh: float = 0.0

    @property
    def hour(self) -> float:
        return self.day.hour

    @hour.setter
    def hour(self, hour: float) -> None:
        self.day.hour = hour % 24

    def __post_init__(self) -> None:
        self.solar = Solar(self.settings.nominal_hz)

    @property
    def pv_kw(self) -> float:
        """What the photovoltaics give."""
        return self.solar.kw

    @property
    def connected(self) -> bool:
        """Whether the site stands on a living grid."""
        return self.breaker_closed and not self.lost

    @property
    def upstream_hz(self) -> float:
        """The grid's own frequency, whether the site is connected or not; 0 in an outage."""
        if self.lost:
            return 0.0
        if self.frequency_set is not None:
            return self.frequency_set
        return self.settings.nominal_hz + self.wander_hz + self.event_hz + self.swing.off_hz

    @property
    def frequency_hz(self) -> float:
        """What the site sees: the grid's, its own island's, or 0 where nothing turns."""
        if self.connected:
            return self.upstream_hz
        return self.formed[0] if self.formed is not None else 0.0

    @property
    def upstream_v(self) -> float:
        """The grid's own voltage, line to neutral, whether the site is connected or not; 0 in an outage."""
        if self.lost:
            return 0.0
        if self.voltage_set is not None:
            return self.voltage_set
        return self.settings.nominal_v + self.wander_v + self.answer_v

    @property
    def voltage_v(self) -> float:
        """What the site sees, line to neutral."""
        if self.connected:
            return self.upstream_v
        return self.formed[1] if self.formed is not None else 0.0


def build_grid(settings: GridSettings, random: np.random.Generator) -> Grid:
    grid = Grid(settings, random, DayCourse(settings, random, settings.start_hour), Swing(settings))
    _follow_the_day(grid, 0.0, 0.0)
    return grid


def disturb(grid: Grid, hz: float) -> None:
    """A disturbance: the frequency jumps by this and comes back with the settings' time constant."""
    grid.event_hz += hz


def lose_unit(grid: Grid, mw: float) -> None:
    """The system loses a unit of this power and falls by its inertia; needs a system that can be moved (`system_mva`)."""
    if not grid.settings.system_mva:
        raise ValueError("this grid has no inertia to fall by: give grid.system_mva")
    lose(grid.swing, mw)


def open_breaker(grid: Grid) -> None:
    """Open the breaker at the point of connection: the site is an island."""
    grid.breaker_closed = False


def close_breaker(grid: Grid) -> bool:
    """Close the breaker; true if island and grid were in step, or one of them was dead."""
    apart = not grid.breaker_closed and not grid.lost and grid.formed is not None
    in_step = not apart or (
        abs(grid.angle_deg) <= IN_STEP_DEG
        and abs(grid.frequency_hz - grid.upstream_hz) <= IN_STEP_HZ
        and abs(grid.voltage_v - grid.upstream_v) <= IN_STEP_V * grid.settings.nominal_v
    )
    grid.closed_out_of_step += not in_step
    grid.breaker_closed = True
    return in_step


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
    _follow_the_day(grid, dt_s, day_s)
    if settings.system_mva:
        swing_on(grid.swing, p_pcs_kw if grid.connected else 0.0, dt_s)
    _meter(grid, p_pcs_kw, q_pcs_kvar, dt_s)


def _meter(grid: Grid, p_pcs_kw: float, q_pcs_kvar: float, dt_s: float) -> None:
    """What flows at the point of connection, and what that does to the voltage: dV/V = (R P + X Q) / V², exported positive."""
    settings = grid.settings
    if grid.connected:
        grid.angle_deg = 0.0
        grid.p_kw = grid.load_kw - grid.pv_kw - p_pcs_kw
        grid.q_kvar = 0.2 * grid.load_kw - q_pcs_kvar
    else:
        grid.p_kw = grid.q_kvar = 0.0
        ahead = grid.angle_deg + 360.0 * (grid.frequency_hz - grid.upstream_hz) * dt_s
        grid.angle_deg = (ahead + 180.0) % 360.0 - 180.0
    served = grid.load_kw if grid.connected or grid.formed is not None else 0.0
    grid.unserved_kwh += (grid.wanted_kw - served) * dt_s / 3600
    if settings.short_circuit_mva:
        z = settings.x_over_r
        r_part, x_part = 1 / math.hypot(1.0, z), z / math.hypot(1.0, z)
        per_unit = -(r_part * grid.p_kw + x_part * grid.q_kvar) / 1000 / settings.short_circuit_mva
        grid.answer_v = settings.nominal_v * per_unit
    grid.import_kwh += max(grid.p_kw, 0.0) * dt_s / 3600
    grid.export_kwh += max(-grid.p_kw, 0.0) * dt_s / 3600


def _wander(value: float, sigma: float, tau: float, drawn: float, dt_s: float) -> float:
    fade = math.exp(-dt_s / tau)
    return value * fade + sigma * math.sqrt(1 - fade * fade) * float(drawn)


def _follow_the_day(grid: Grid, dt_s: float, day_s: float) -> None:
    day = grid.day
    pass_time(day, day_s)
    grid.wanted_kw = grid.load_set if grid.load_set is not None else day.load_kw
    grid.load_kw = grid.wanted_kw * grid.load_on
    shine(grid.solar, grid.pv_set if grid.pv_set is not None else day.pv_kw, grid.frequency_hz, dt_s)
