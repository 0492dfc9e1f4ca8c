"""The photovoltaic inverters of the site, as VDE-AR-N 4105:2018 (EN 50549-1) wants them: what they make of the sun and the grid.

Above 50.2 Hz they give 40 % a hertz less of what they gave when it was passed, from 51.5 Hz on nothing; once off they wait a minute
of a good grid and come back by 10 % a minute. They know no batteries and no site.
"""

from __future__ import annotations

from dataclasses import dataclass

START_HZ, OFF_HZ, LOW_HZ, BACK_HZ = 0.2, 1.5, -2.5, 0.1  # beside the nominal frequency: 50.2, 51.5, 47.5, 50.1 Hz
DROOP_PER_HZ = 0.4
TRIP_S = 0.1  # how long the frequency must be outside
RIDE_S = 0.2  # how long they bear that there is no voltage
WAIT_S = 60.0
RETURN_PER_S = 0.1 / 60
ANSWER_S = 0.5  # time constant of a change of power


@dataclass(slots=True)
class Solar:
    """All inverters as one; `share` is the part of the sun that they let through, `kw` what they give."""

    nominal_hz: float
    kw: float = 0.0
    share: float = 1.0
    is_off: bool = False
    outside_s: float = 0.0
    good_s: float = 0.0
    frozen_kw: float | None = None  # what they gave when the frequency went beyond the start of the droop


def shine(solar: Solar, sun_kw: float, hz: float, dt_s: float) -> None:
    """One step with this much sun, at this frequency of the grid that they stand on; 0 Hz is none."""
    off_hz = hz - solar.nominal_hz
    _judge(solar, off_hz, hz > 0.0, dt_s)
    if solar.is_off or hz <= 0.0:
        solar.kw, solar.frozen_kw = 0.0, None
        return
    solar.share = min(solar.share + RETURN_PER_S * dt_s, 1.0)
    wanted = solar.share * sun_kw
    if off_hz <= START_HZ:
        solar.kw, solar.frozen_kw = wanted, None
        return
    if solar.frozen_kw is None:
        solar.frozen_kw = solar.kw
    most = solar.frozen_kw * max(1.0 - DROOP_PER_HZ * (off_hz - START_HZ), 0.0)
    solar.kw += (min(wanted, most) - solar.kw) * min(dt_s / ANSWER_S, 1.0)


def _judge(solar: Solar, off_hz: float, is_live: bool, dt_s: float) -> None:
    """Whether they are off: at once beyond the limits, and until the grid has been good for a minute."""
    is_outside = not is_live or not LOW_HZ <= off_hz <= OFF_HZ
    solar.outside_s = solar.outside_s + dt_s if is_outside else 0.0
    if solar.outside_s > (TRIP_S if is_live else RIDE_S):
        solar.is_off, solar.share = True, 0.0
    solar.good_s = solar.good_s + dt_s if is_live and LOW_HZ <= off_hz <= BACK_HZ else 0.0
    if solar.is_off and solar.good_s >= WAIT_S:
        solar.is_off = False
