"""A thousand faults on inputs of a real site, and what its tags showed: by kind, how long until BAD and until good again.

The table is printed and written to build/field_faults.json. The bar is on what must never happen: a wrong value that is good.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.aids.field_campaign import campaign
from tests.bench.measure import Result

INJECTIONS, KILLS = 1200, 12
SLACK_MS = 300
TARGET = Path("build/field_faults.json")


def run() -> list[Result]:
    count = int(os.environ.get("BESSPLC_FAULTS", INJECTIONS))
    with tempfile.TemporaryDirectory(prefix="bessplc-faults-") as name:
        begun = time.monotonic()
        with campaign(Path(name), seed=1, tcp=12, rtu=3, can=6, panels=3, slack_ms=SLACK_MS) as campaigned:
            campaigned.run(count, kills=max(2, KILLS * count // INJECTIONS))
            rows = campaigned.rows()
            failures = [e for e in campaigned.site.log() if e.get("event") in ("internal error", "driver failed, restarting it")]
        seconds = time.monotonic() - begun
    _show(rows)
    facts = {
        "injected": campaigned.injected,
        "seconds": round(seconds, 1),
        "snapshots": campaigned.looks,
        "good_values_checked": campaigned.good_looks,
        "violations": campaigned.violations,
        "driver_failures": len(failures),
        "first_failures": failures[:3],
        "kinds": rows,
    }
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(json.dumps(facts, indent=2) + "\n")
    for violation in campaigned.violations[:20]:
        print(f"VIOLATION {violation}", file=sys.stderr)
    return [
        Result("faults injected on inputs", campaigned.injected, "faults"),
        Result("faults injected fewer than 1,000", max(0, min(count, 1000) - campaigned.injected), "faults", 0),
        Result("wrong values seen as good, or devices not recovered", len(campaigned.violations), "", 0),
        Result("drivers that failed on what they were sent", len(failures), "", 0),
    ]


def _show(rows: list[dict[str, Any]]) -> None:
    table = Table("fault", "count", "stayed good", "tags showed", "ms to not good", "ms to recover")
    for row in rows:
        showed = ", ".join(row["qualities"]) or "Good"
        times = ["-" if row[key] is None else str(row[key]) for key in ("to_bad_ms", "to_recover_ms")]
        table.add_row(row["kind"], str(row["count"]), str(row["stayed_good"]), showed, *times)
    Console(width=150, stderr=True).print(table)
