"""Laws that several blocks of this family share. They use numbers, arrays and blocks/arithmetic.py only."""

from __future__ import annotations

from blocks.arithmetic import clamp, div, is_finite, lerp, max, min

MANY = 2147483647


def events_in(spare, dt, cycle):
    """How many checks of `cycle` have come due with this scan; one in each scan where the cycle is 0."""
    return clamp(0, div(spare + dt, cycle), MANY) if cycle > 0 else 1


def spare_time(spare, dt, cycle):
    """The rest of a cycle that the next scan starts with."""
    return spare + dt - events_in(spare, dt, cycle) * cycle if cycle > 0 else 0


def counted(count, is_event, checks, events):
    """The event counter of a diagnosis: up while the fault is there, as far as `events`, down while it is not, as far as 0."""
    return min(count + checks, max(events, 1)) if is_event else max(count - checks, 0)


def is_beyond(value, limit, is_low, gap):
    """Whether a value stands at a limit or beyond it, the limit drawn nearer by `gap`. A NaN on either side counts as beyond."""
    return not value > limit + gap if is_low else not value < limit - gap


def watch(counts, active, seen, at, value, limits, is_low, gap, checks, events):
    """Brings three levels of one quantity up to date, [at : at + 3] of the arrays; gives the highest active one.

    `seen` remembers an event until its cycle is counted: a short one between two counts is not lost.
    """
    level = 0
    for k in range(3):
        is_event = is_beyond(value, limits[k], is_low, gap if active[at + k] else 0.0)
        seen[at + k] = seen[at + k] or is_event
        counts[at + k] = counted(counts[at + k], seen[at + k], checks, events)
        seen[at + k] = seen[at + k] and checks == 0
        active[at + k] = counts[at + k] >= max(events, 1) or (active[at + k] and counts[at + k] > 0)
        level = k + 1 if active[at + k] else level
    return level


def carry(total, error, value):
    """What the addition of `value` to `total` rounds away, added to the `error` so far (Neumaier): total + error stays exact."""
    added = total + value
    if not is_finite(added):
        return error
    if (total if total > 0.0 else 0.0 - total) >= (value if value > 0.0 else 0.0 - value):
        return error + ((total - added) + value)
    return error + ((value - added) + total)


def add(total, value):
    """`total` plus `value`; unchanged where that is no finite number."""
    added = total + value
    return added if is_finite(added) else total


KELVIN = 273.15
# 0, 5, ... 100 % of charge. Prada2013 in PyBaMM, 2.0 V to 3.6 V: LFP (Afshar 2017, lithium 0.9 to 0.0038) against graphite (Chen
# 2020, 0.0189 to 0.811)
LFP = (
    2.0000, 2.7803, 2.9755, 3.1072, 3.1658, 3.1831, 3.2037, 3.2305, 3.2505, 3.2601, 3.2641, 3.2660, 3.2672, 3.2686, 3.2731,
    3.2922, 3.3091, 3.3126, 3.3138, 3.3150, 3.5984,
)  # fmt: skip
# Chen 2020, the LG M50: NMC 811 (lithium 0.9077 to 0.2661) against graphite (0.0279 to 0.9106)
NMC = (
    2.4982, 3.0757, 3.2614, 3.3983, 3.4504, 3.4959, 3.5505, 3.5985, 3.6351, 3.6688, 3.7083, 3.7578, 3.8098, 3.8657, 3.9256,
    3.9717, 4.0218, 4.0702, 4.0941, 4.1159, 4.1929,
)  # fmt: skip


def charge_at(v, table):
    """The state of charge in % at which a rising table, from 0 to 100 % in equal gaps, reaches v; held at both ends."""
    gap = 100.0 / (len(table) - 1)
    charge = 0.0
    for i in range(1, len(table)):
        if v > table[i - 1]:
            charge = lerp(v, table[i - 1], gap * (i - 1), table[i], gap * i)
    return charge


def arrhenius(activation, t):
    """exp(activation (1/T - 1/298.15 K)): how much a resistance at t degrees is above that at 25; the exponent is held to 8.

    exp(x) as the series of x/32 to its eighth term, squared five times: within 1e-13, the same bits everywhere.
    """
    x = clamp(-8.0, activation / (t + KELVIN) - activation / (25.0 + KELVIN), 8.0) / 32.0
    series = 1.0
    for k in range(8, 0, -1):
        series = 1.0 + series * x / k
    series = series * series
    series = series * series
    series = series * series
    series = series * series
    return series * series
