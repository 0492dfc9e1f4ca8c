"""What a block costs: channels of eight blocks, ours against hand-written C over arrays of double, turn by turn."""

from __future__ import annotations

import ctypes

import numpy as np
from numba import njit

from runtime.engine.execute import run_task
from runtime.engine.plan import Plan
from runtime.engine.plc import Plc
from tests.bench.measure import Result, load_c, ns_per_call
from tests.bench.programs import BLOCKS_A_CHANNEL, channel_files, plc_of

DT = 10_000_000
REPEATS = 200
WINDOWS = 15
# The arrays of channel.c, in order: their NumPy codes and first values.
FIELDS = (
    [("f8", 0.0), ("f8", 0.5), ("f8", 0.0), ("u1", 0)]
    + [("f8", v) for v in (50.0, 2.0, 1.0, 0.1, 10.0, 0.0, 0.0, -100.0, 100.0, 0.0, 0.0, 0.0, float("nan"))]
    + [("u1", 1), ("u1", 0), ("u1", 0)]
    + [("f8", 50.0), ("f8", 50.0), ("f8", 0.0), ("f8", 20.0), ("f8", 60.0), ("u1", 0)]
    + [("i8", 100_000_000), ("i8", 0), ("u1", 0), ("u1", 0), ("u1", 0), ("u1", 0), ("u1", 1), ("u1", 0), ("u1", 0), ("u1", 0)]
)


@njit(nogil=True, _nrt=False)
def run_often(plan: Plan, count: int) -> None:
    for _ in range(count):
        run_task(plan, 0, DT)


class CChannels:
    """The same channels in C; `outputs` are what the comparison of results reads."""

    def __init__(self, channels: int):
        self.library = load_c("channel.c")
        self.channels = channels
        self.columns = [np.full(channels, value, code) for code, value in FIELDS]
        self.table = (ctypes.c_void_p * len(self.columns))(*(c.ctypes.data for c in self.columns))

    def call(self, name: str) -> None:
        getattr(self.library, name)(ctypes.byref(self.table), ctypes.c_int64(self.channels), ctypes.c_int64(DT))

    def ns(self, name: str) -> float:
        """Nanoseconds of one scan, without the cost of calling C from Python."""
        empty = ns_per_call(lambda: getattr(self.library, name)(ctypes.byref(self.table), ctypes.c_int64(0), ctypes.c_int64(DT)))
        return ns_per_call(lambda: self.call(name)) - empty


def agree(plc: Plc, c: CChannels) -> None:
    """Both sides must compute the same: a comparison of different work is worth nothing."""
    for name, column in (("channels.pid0.OUT", 13), ("channels.ramp0.OUT", 22), ("channels.lag0.OUT", 2)):
        ours, theirs = plc.pin(name), c.columns[column][0]
        assert abs(ours - theirs) <= 1e-9 * max(1.0, abs(theirs)), f"{name}: {ours} here, {theirs} in C"


def measure(channels: int) -> tuple[float, float, float]:
    """ns per block of ours and of the faster C, and the median of their ratios."""
    plc, c = plc_of(channel_files(channels)), CChannels(channels)
    plc.set("plant.pv", 5.0)
    c.columns[0][:] = 5.0
    for _ in range(50):
        run_often(plc.plan, 1)
        c.call("channel_loops")
    agree(plc, c)
    ours, theirs, ratios = [], [], []
    for _ in range(WINDOWS):
        mine = ns_per_call(lambda: run_often(plc.plan, REPEATS)) / REPEATS
        other = min(c.ns("channel_loops"), c.ns("channel_fused"))
        ours.append(mine)
        theirs.append(other)
        ratios.append(mine / other)
    blocks = channels * BLOCKS_A_CHANNEL
    return float(np.median(ours)) / blocks, float(np.median(theirs)) / blocks, float(np.median(ratios))


def run() -> list[Result]:
    results = []
    for channels in (1, 10, 100, 1000):
        ours, theirs, ratio = measure(channels)
        is_bar = channels >= 100
        bar = {1: 25.0, 10: None}.get(channels, 1.0)
        results += [
            Result(f"block, {channels} channels", ours, "ns", bar),
            Result(f"block, {channels} channels, C", theirs, "ns"),
            Result(f"block, {channels} channels, ours / C", ratio, "x", 1.3 if is_bar else None),
        ]
    return results
