"""Plants behind a reserve's law: one that passes the prequalification, and others that must each fail one requirement.

Each takes the power asked for, every `dt` s, and gives the power at the meter; they know no criterion. Full power is 1000 kW.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from blocks.declare import BlockType
from runtime.prequalify.record import Record
from runtime.prequalify.sequence import Sequence
from runtime.prequalify.sequences_fcr import Product
from tests.aids.scan_table import SIGNATURE, Twin

CAPACITY = 1000.0
Plant = Callable[[np.ndarray, float], np.ndarray]


def answer(block: BlockType, f: np.ndarray, dt: float, params: Mapping[str, float]) -> np.ndarray:
    """P of the compiled block for a frequency in each scan."""
    twin = Twin(block)
    for name, value in params.items():
        twin.set(name, value)
    call, column, power = SIGNATURE(twin.kernel.address), twin.columns["F"], twin.columns["P"]
    addresses, ns = twin._addresses.ctypes.data, round(dt * 1e9)
    seen = np.zeros(len(f))
    for i, value in enumerate(f):
        column[0] = value
        call(addresses, 1, 0, ns)
        seen[i] = power[0]
    return seen


def law(product: Product, f: np.ndarray) -> np.ndarray:
    """The product's activation, written from its table: linear from start to full, saturated, FCR-N both ways."""
    share = product.sign * (product.start - f) / product.band
    return product.sign * CAPACITY * np.clip(share, -1.0 if product.is_symmetric else 0.0, 1.0)


def converter(p: np.ndarray, dt: float, *, dead: float = 0.1, lag: float = 0.3) -> np.ndarray:
    """A power converter: dead time, then first order."""
    late = np.concatenate([np.full(round(dead / dt), p[0]), p])[: len(p)]
    out, share = np.zeros(len(p)), 1.0 - np.exp(-dt / lag)
    out[0] = p[0]
    for i in range(1, len(p)):
        out[i] = out[i - 1] + (late[i - 1] - out[i - 1]) * share
    return out


def swinging(p: np.ndarray, dt: float, *, omega: float = 0.6, damping: float = 0.15) -> np.ndarray:
    """A plant of second order with too little damping: it overshoots and swings back."""
    out, speed = np.zeros(len(p)), 0.0
    out[0] = p[0]
    for i in range(1, len(p)):
        speed += dt * (omega * omega * (p[i - 1] - out[i - 1]) - 2.0 * damping * omega * speed)
        out[i] = out[i - 1] + dt * speed
    return out


def clinging(p: np.ndarray, dt: float, *, late: float = 4.0) -> np.ndarray:
    """A plant that rises at once and falls so much later: it gives the most of what was asked in the last seconds."""
    width = round(late / dt)
    padded = np.concatenate([np.full(width, p[0]), p])
    return np.lib.stride_tricks.sliding_window_view(padded, width + 1).max(axis=1)


def lazy(p: np.ndarray, dt: float, *, lag: float = 65.0, quick: float = 0.02) -> np.ndarray:
    """Gives a small part at once and the rest over a minute."""
    return converter(quick * p + (1.0 - quick) * converter(p, dt, dead=0.0, lag=lag), dt)


def overloading(p: np.ndarray, dt: float, *, more: float = 0.15, fades: float = 20.0) -> np.ndarray:
    """Gives more than asked at first, and lets it fade: the converter's short-time rating."""
    slow = converter(p, dt, dead=0.0, lag=fades)
    return converter(p + more * (p - slow), dt)


def reluctant(p: np.ndarray, dt: float, *, late: float = 4.0) -> np.ndarray:
    """Stays at full for some seconds after it was asked for all of it; below it follows at once."""
    full = np.abs(p) >= 0.95 * CAPACITY
    width = round(late / dt)
    held = np.lib.stride_tricks.sliding_window_view(np.concatenate([np.zeros(width, bool), full]), width + 1).any(axis=1)
    return converter(np.where(held, np.sign(np.where(p == 0.0, p[np.argmax(full)], p)) * CAPACITY, p), dt)


def sleeping(p: np.ndarray, dt: float, *, after: float = 120.0, wakes: float = 5.0) -> np.ndarray:
    """Falls asleep after two minutes without work, and needs so long to wake up."""
    out, idle, waking = p.copy(), 0.0, 0.0
    for i in range(len(p)):
        if p[i] == 0.0:
            idle, waking = idle + dt, wakes if idle + dt >= after else waking
            continue
        idle = 0.0
        if waking > 0.0:
            waking -= dt
            out[i] = 0.0
    return converter(out, dt)


def curved(p: np.ndarray, dt: float, *, power: float = 1.5) -> np.ndarray:
    """A valve's curve: less than its share in the middle, all of it at the end."""
    return converter(np.sign(p) * CAPACITY * np.abs(p / CAPACITY) ** power, dt)


def emptying(p: np.ndarray, dt: float, *, hours: float = 0.23) -> np.ndarray:
    """A battery that starts half full and holds so many hours of the full power each way."""
    out, stored, half = np.zeros(len(p)), 0.0, hours * 3600.0 * CAPACITY
    for i, asked in enumerate(converter(p, dt)):
        out[i] = np.clip(asked, (stored - half) / dt, (stored + half) / dt)
        stored -= out[i] * dt
    return out


def record_of(test: Sequence, product: Product, plant: Plant, dt: float = 0.1) -> Record:
    """What the log of a test shows with this plant behind the product's law."""
    f = test.frequency(dt)
    return Record.of(test.times(dt), f, plant(law(product, f), dt))
