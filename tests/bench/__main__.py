"""`make bench`: runs the benchmarks, prints a table, and writes build/bench.json. Exit 1 where a bar does not hold."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.measure import Result

GROUPS = (
    "blocks",
    "library",
    "program",
    "program_tests",
    "online_change",
    "cells",
    "ekf",
    "plant",
    "simulate",
    "random_faults",
    "fleet",
    "prequalify",
    "start",
    "memory",
    "lateness",
    "grid_real_time",
    "reaction",
    "faults",
    "modbus_client",
    "modbus_server",
    "opcua",
    "servers_memory",
    "server_faults",
    "cell_map",
    "can",
    "can_bus",
    "estop",
    "field_faults",
    "watch",
    "trace",
    "recorder",
    "hmi",
)


def main() -> int:
    wanted = sys.argv[1:] or list(GROUPS)
    unknown = [name for name in wanted if name not in GROUPS]
    if unknown:
        print(f"error: no benchmark group {', '.join(unknown)}; there are {', '.join(GROUPS)}", file=sys.stderr)
        return 2
    results: list[Result] = []
    for name in wanted:
        print(f"{name} ...", file=sys.stderr, flush=True)
        results += importlib.import_module(f"tests.bench.bench_{name}").run()
    _print(results)
    target = Path("build/bench.json")
    target.parent.mkdir(exist_ok=True)
    rows = [{"name": r.name, "value": r.value, "unit": r.unit, "bar": r.bar, "holds": r.holds} for r in results]
    target.write_text(json.dumps(rows, indent=2, default=float) + "\n")  # some are NumPy's own numbers
    return 0 if all(r.holds for r in results) else 1


def _print(results: list[Result]) -> None:
    table = Table("what", "value", "unit", "bar", "holds")
    for r in results:
        bar, mark = ("", "") if r.bar is None else (f"<= {r.bar:g}", "yes" if r.holds else "NO")
        table.add_row(r.name, f"{r.value:.4g}", r.unit, bar, mark)
    Console(width=120).print(table)


if __name__ == "__main__":
    sys.exit(main())
