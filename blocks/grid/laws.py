"""Laws that blocks of the grid family share: numbers and arrays in, a number out."""

from __future__ import annotations

import math

from blocks.arithmetic import clamp, cosine_of_turns, div, floor, is_finite, max, min, seconds, settling, to_int, to_lreal

NOT_A_NUMBER = math.nan
LN_10 = 2.302585092994046
NORDIC_GRID = 50.0
PRODUCTS = ("FCR-N", "FCR-D up", "FCR-D down")


def reservoir_soc(capacity, energy, minutes):
    """The state of charge in % that holds `minutes` of full activation of `capacity` (kW) in a reservoir of `energy` (kWh).

    Nordic FCR v1.1, 3.5, table 10: C m / 60 / E. A reservoir that is not above 0 gives NaN, which no state of charge is below.
    """
    return capacity * minutes / 60.0 / energy * 100.0 if energy > 0.0 else NOT_A_NUMBER


def grid_frequency(f, nominal):
    """`f` where a grid can have it, from 0.8 to 1.2 of nominal; elsewhere, as a dead or wild measurement has it, NaN."""
    return f if f >= 0.8 * nominal and f <= 1.2 * nominal else NOT_A_NUMBER


def is_curve(xs, ys):
    """Whether the points of a table are numbers, and `xs` rises or stays."""
    total = xs[0] + ys[0]
    falls = False
    for i in range(1, len(xs)):
        total = total + xs[i] + ys[i]
        falls = falls or xs[i] < xs[i - 1]
    return is_finite(total) and not falls


def fill(amount, weights, rooms, filled):
    """Water-filling: spreads `amount` >= 0 over places in proportion to their weights, none beyond its room; returns what is left.

    A place whose part exceeds its room is filled and leaves; the rest is spread anew, at most once a place. What places of weight 0
    must take, because all others are full, they take in proportion to their rooms. All weights and rooms are finite and >= 0.
    """
    count = len(weights)
    for i in range(count):
        filled[i] = 0.0
    left = amount
    for _turn in range(count):
        weight = 0.0
        for i in range(count):
            weight = weight + (weights[i] if filled[i] < rooms[i] else 0.0)
        level = left / weight if weight * 1e300 > left else 0.0  # not infinite: it would overfill
        has_full = False
        for i in range(count):
            if filled[i] < rooms[i] and weights[i] * level >= rooms[i]:
                filled[i] = rooms[i]
                left = left - rooms[i]
                has_full = True
        if not has_full and level > 0.0:
            for i in range(count):
                if filled[i] < rooms[i]:
                    filled[i] = weights[i] * level
            left = 0.0
        left = max(left, 0.0)
    room = 0.0
    for i in range(count):
        room = room + (rooms[i] - filled[i] if left > 0.0 else 0.0)
    part = min(left / room, 1.0) if room > 0.0 else 0.0
    for i in range(count):
        filled[i] = min(filled[i] + (rooms[i] - filled[i]) * part, rooms[i])
    return max(left - room, 0.0)


def held_integral(integral, error, gain, reset, h, low, high):
    """The integral part of a PI controller after `h` s: gain * error / reset each second, held between the limits of the output.

    Held there it cannot wind up: once the error turns, the output leaves its limit at once. `reset` <= 0 has no integral.
    """
    wanted = integral + gain * error * (min(h / reset, 1.0) if reset > 0.0 else 0.0)
    return clamp(low, wanted, high) if wanted - wanted == 0.0 and reset > 0.0 else 0.0


def whole_periods(samples, rate, frequency):
    """How many samples of a burst make the greatest whole number of periods; 0 where there is none, or no sense in the numbers."""
    if not (rate > 0.0 and frequency > 0.0 and frequency * 2.0 < rate):
        return to_int(0.0)
    periods = floor(to_lreal(samples) * frequency / rate + 1e-9)
    return to_int(min(periods * rate / frequency, to_lreal(samples)))


def tone_square(xs, count, turns):
    """The squared magnitude of the sum of x[n] exp(-j 2 pi turns n) over the first `count` samples, by Goertzel's algorithm."""
    along = cosine_of_turns(turns)
    last = 0.0
    before = 0.0
    for i in range(count):
        new = xs[i] + 2.0 * along * last - before
        before = last
        last = new
    return max(0.0, last * last + before * before - 2.0 * along * last * before)  # in this order a NaN stays


def response(dt, olrt):
    """The share of its way that an answer goes in `dt` for an open-loop response time, which IEEE 1547 takes to 90 % of a step.

    By `settling`, which is a little slow in long scans: 0.2043 for 0.2057 in a tenth of the time, 0.645 for 0.684 in half of it,
    0.832 for 0.9 in all of it.
    """
    return settling(seconds(dt) * LN_10, olrt)


def is_grid(frequency):
    """Whether the Nordic grid can have this frequency, 40 to 60 Hz: a dead meter's 0, a NaN or 6553.5 is none."""
    return is_finite(grid_frequency(frequency, NORDIC_GRID))


def median(values, counts, count):
    """The median of the `count` finite values that count, NaN without any; one value that is wrong does not move it far."""
    first = div(count - 1, 2)
    second = div(count, 2)
    lower = NOT_A_NUMBER
    upper = NOT_A_NUMBER
    for i in range(len(values)):
        below = 0
        equal = 0
        for k in range(len(values)):
            is_other = counts[k] and is_finite(values[k])
            below = below + 1 if is_other and values[k] < values[i] else below
            equal = equal + 1 if is_other and values[k] == values[i] else equal
        is_one = counts[i] and is_finite(values[i])
        lower = values[i] if is_one and below <= first and first < below + equal else lower
        upper = values[i] if is_one and below <= second and second < below + equal else upper
    return lower + (upper - lower) * 0.5
