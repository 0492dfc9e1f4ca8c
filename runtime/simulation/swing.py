"""The power system behind the grid connection: one turning mass, its load, its governors, and what a lost unit does to it.

It must not know our site beyond the power that it feeds in. Power is in per unit of the system's rating, positive raises frequency.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from runtime.simulation.settings import GridSettings

LONGEST_STEP_S = 0.02


@dataclass(slots=True)
class Swing:
    """The state of the system: how far the frequency is off, what the governors have added, what has been lost. In per unit."""

    settings: GridSettings
    off_pu: float = 0.0
    governed_pu: float = 0.0
    lost_pu: float = 0.0
    rocof_hz_s: float = 0.0

    @property
    def off_hz(self) -> float:
        return self.off_pu * self.settings.nominal_hz


def lose(swing: Swing, mw: float) -> None:
    """A unit with this much power falls out (positive), or a load (negative); what was lost before stays lost."""
    swing.lost_pu += mw / swing.settings.system_mva


def swing_on(swing: Swing, site_kw: float, dt_s: float) -> None:
    """Let the system turn on for a time while the site feeds in this many kW more than it did at rest.

    The swing equation with load damping, and governors of first order with a limited reserve (Kundur, Power System Stability and
    Control, ch. 11; the reduced model of Anderson and Mirheydar, IEEE Trans. Power Systems 5 (1990) 720):
    2 H d(df)/dt = Pg + Ps - Plost - D df; Tg dPg/dt = -df/R - Pg. Solved by Runge-Kutta of fourth order in steps of 20 ms at most.
    """
    settings = swing.settings
    turns = max(1, math.ceil(dt_s / LONGEST_STEP_S - 1e-9))
    h = dt_s / turns
    pushed = site_kw / 1000 * settings.sites_alike / settings.system_mva - swing.lost_pu
    off, governed = swing.off_pu, swing.governed_pu
    for _ in range(turns):
        a1, b1 = _rates(settings, off, governed, pushed)
        a2, b2 = _rates(settings, off + h / 2 * a1, governed + h / 2 * b1, pushed)
        a3, b3 = _rates(settings, off + h / 2 * a2, governed + h / 2 * b2, pushed)
        a4, b4 = _rates(settings, off + h * a3, governed + h * b3, pushed)
        off += h / 6 * (a1 + 2 * a2 + 2 * a3 + a4)
        governed += h / 6 * (b1 + 2 * b2 + 2 * b3 + b4)
    swing.rocof_hz_s = (off - swing.off_pu) * settings.nominal_hz / dt_s
    swing.off_pu, swing.governed_pu = off, governed


def _rates(settings: GridSettings, off: float, governed: float, pushed: float) -> tuple[float, float]:
    wanted = -off / settings.governor_droop if settings.governor_droop else 0.0
    wanted = min(max(wanted, -settings.governor_reserve), settings.governor_reserve)
    turning = (governed + pushed - settings.load_damping * off) / (2 * settings.inertia_s)
    return turning, (wanted - governed) / settings.governor_s
