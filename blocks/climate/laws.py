"""Laws that several blocks of climate control share."""

from __future__ import annotations

from blocks.arithmetic import clamp, is_nan


def full_if_nan(share):
    """A share of 0 to 100 %; what nobody knows counts as 100 %, since a battery must not overheat."""
    return 100.0 if is_nan(share) else clamp(0.0, share, 100.0)
