"""The laws that several blocks of charge management share: the strictest of the limits, bands, and powers from currents."""

from __future__ import annotations

import math

from blocks.arithmetic import interpolate, is_finite, is_nan, max, min

OFF = math.inf
BAD_INPUT = 7
NO_RATING = 12


def power_by_table(x, points, shares, rated):
    """The share of the rated power that a table gives at x; a NaN on x gives the smallest share."""
    return interpolate(x, points, shares) * rated


def nan_if_broken(points, shares):
    """0 where all of a table are numbers, else NaN: also a point that is not needed now must not be broken."""
    total = 0.0
    for i in range(len(points)):
        total = total + points[i] * 0.0 + shares[i] * 0.0
    return total


def power_of(factor, other):
    """A limit that is a product (current and voltage, rate and energy); one that is off stays off, whatever the other is."""
    return OFF if factor == OFF else factor * other


def strictest(rated, voltage, cold, heat, charge, bms, pack, health, rate, grid, rise):
    """The smallest of the limits of a rack; a NaN is left out, so the caller closes on it."""
    by_cells = min(charge, min(heat, min(cold, min(voltage, rated))))
    by_design = min(grid, min(rate, min(health, min(pack, min(bms, by_cells)))))
    return min(rise, by_design)


def what_limits(limit, rated, voltage, cold, heat, charge, bms, pack, health, rate, grid):
    """The number of the limit that is the strictest one; the earlier one where two are equal, and the rise after all."""
    number = 6
    number = 11 if grid == limit else number
    number = 10 if rate == limit else number
    number = 9 if health == limit else number
    number = 8 if pack == limit else number
    number = 5 if bms == limit else number
    number = 4 if charge == limit else number
    number = 3 if heat == limit else number
    number = 2 if cold == limit else number
    number = 1 if voltage == limit else number
    return 0 if rated == limit else number


def is_known(measured, tables, limits):
    """Whether a limit may be believed: the measurements and their tables are numbers, and no limit is NaN (off is infinite)."""
    return is_finite(measured + tables) and not is_nan(limits)


def slowest_band(low, high, edges, rates):
    """The smallest rate of all bands that the span from low to high touches; at an edge both bands count.

    Band 1 lies below the first edge, the last one above the last edge. A NaN anywhere counts as touching, a NaN rate as 0.
    """
    slowest = OFF
    for i in range(len(rates)):
        above = i == 0 or not high < edges[max(i - 1, 0)]
        below = i == len(rates) - 1 or not low > edges[min(i, len(edges) - 1)]
        if above and below:
            slowest = min(max(rates[i], 0.0), slowest)
    return slowest if slowest < OFF else 0.0
