"""The types of tags that are whole numbers, and which numbers each of them holds. It knows no server."""

from __future__ import annotations

INTEGERS = {"DINT": 32, "LINT": 64, "TIME": 64}  # with their bits


def holds(type: str, number: int) -> bool:
    """Whether a tag of this whole-number type can have the number as its value."""
    half = 1 << INTEGERS[type] - 1
    return -half <= number < half
