"""One scan of EKF, statistics, balancing and limits over racks of 256 to 16,384 cells."""

from __future__ import annotations

import numpy as np

from tests.bench.bench_blocks import run_often
from tests.bench.measure import Result, ns_per_call
from tests.bench.programs import cell_files, plc_of

SIZES = (256, 1024, 4096, 16384)


def run() -> list[Result]:
    results = []
    costs = {}
    for cells in SIZES:
        plc = plc_of(cell_files(cells))
        rng = np.random.default_rng(cells)
        plc.set("bms.cell_v", 3.3 + 0.05 * rng.standard_normal(cells))
        plc.set("bms.cell_t", 25 + 3 * rng.standard_normal(cells))
        run_often(plc.plan, 10)
        costs[cells] = float(np.median([ns_per_call(lambda p=plc: run_often(p.plan, 10)) / 10 for _ in range(9)]))
        results.append(Result(f"{cells} cells, one scan", costs[cells] / 1e6, "ms", 5.0 if cells == max(SIZES) else None))
    growth = (costs[16384] / 16384) / (costs[1024] / 1024)
    results.append(Result("cost per cell, 16,384 / 1,024 cells", growth, "x", 2.0))
    return results
