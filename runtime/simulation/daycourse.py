"""What the site draws and what its roof gives over the day: the course of load and sun, steps of load, clouds.

It must not know the grid or the battery.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from runtime.simulation.settings import GridSettings


@dataclass(slots=True)
class DayCourse:
    """The state of the day. `stepped` is true while the large load is on, `clouded` while a cloud stands before the sun."""

    settings: GridSettings
    random: np.random.Generator
    hour: float
    stepped: bool = False
    clouded: bool = False
    shade: float = 0.0  # 0 clear, 1 behind the cloud
    load_kw: float = 0.0
    pv_kw: float = 0.0


def pass_time(day: DayCourse, day_s: float) -> None:
    """Move the day on. Steps and clouds come and go at random (telegraph processes); a cloud's edge is a first order.

    What is not asked for draws no random number, so a plant without clouds stays the same plant.
    """
    settings = day.settings
    day.hour = (day.hour + day_s / 3600) % 24
    if settings.load_step_kw and _happens(day, settings.load_step_every_s, day_s):
        day.stepped = not day.stepped
    if settings.cloud_depth:
        if _happens(day, settings.cloud_s if day.clouded else settings.cloud_every_s, day_s):
            day.clouded = not day.clouded
        day.shade += (float(day.clouded) - day.shade) * -math.expm1(-day_s / settings.cloud_edge_s)
    evening = math.cos((day.hour - 19.0) / 24 * 2 * math.pi)
    sun = max(math.sin((day.hour - 6.0) / 12 * math.pi), 0.0) if 6.0 <= day.hour <= 18.0 else 0.0
    day.load_kw = settings.load_base_kw + settings.load_swing_kw * evening + day.stepped * settings.load_step_kw
    day.pv_kw = settings.pv_peak_kw * sun * (1.0 - settings.cloud_depth * day.shade)


def _happens(day: DayCourse, every_s: float, day_s: float) -> bool:
    return bool(day.random.random() < -math.expm1(-day_s / every_s))
