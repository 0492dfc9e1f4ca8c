"""The memory of the demo's scan process: proportional set size, after it has run for a while."""

from __future__ import annotations

import re
import tempfile
import time
from pathlib import Path

from tests.aids.site import running_site
from tests.bench.measure import Result


def pss_mb(pid: int) -> float:
    """Proportional set size in MB."""
    found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    assert found
    return int(found.group(1)) / 1000


def run() -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="bessplc-memory-") as folder, running_site(Path(folder)) as site:
        site.wait_for("running", 180)
        time.sleep(5)
        return [Result("scan process, demo site (PSS)", pss_mb(site.pid_of("runtime.engine.scan")), "MB", 250.0)]
