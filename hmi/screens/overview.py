"""The overview: how power flows through the plant now, and what limits it."""

from __future__ import annotations

from hmi.hall import Visit
from hmi.parts.values import put, rows


def build(visit: Visit) -> None:
    """Draw the screen."""
    put(rows(visit.hall, [("State of charge", "bms.soc"), ("Power", "site.p")]))
