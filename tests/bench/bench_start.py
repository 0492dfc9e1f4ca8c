"""From the command to the first scan of the demo site: with an empty kernel cache, and with a warm one."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from tests.aids.site import running_site
from tests.bench.measure import Result

WINDOWS = 3


def _seconds_to_first_scan(cache: Path) -> tuple[float, int]:
    """Seconds until the scan thread runs, and how many kernels were compiled on the way."""
    with (
        tempfile.TemporaryDirectory(prefix="bessplc-start-") as folder,
        running_site(Path(folder), environment={"BESSPLC_CACHE": str(cache)}) as site,
    ):
        site.wait_for("scanning", 180)
        passed = time.monotonic() - site.begun
        compiled = sum(line.get("event") == "compiling kernels" for line in site.log())
        site.wait_for("running", 60)
    return passed, compiled


def run() -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="bessplc-cache-") as cache:
        cold, compiled = _seconds_to_first_scan(Path(cache))
        warm = [_seconds_to_first_scan(Path(cache)) for _ in range(WINDOWS)]
    return [
        Result("demo site, cold start to first scan", cold, "s", 30.0),
        Result("demo site, kernels compiled cold", compiled, "kernels"),
        Result("demo site, warm start to first scan", statistics.median(s for s, _ in warm), "s", 2.5),
        Result("demo site, kernels compiled warm", max(n for _, n in warm), "kernels", 0.0),
    ]
