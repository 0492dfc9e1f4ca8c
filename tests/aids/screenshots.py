"""`make screenshots`: every screen of the HMI over the running commercial site, by day and night, on a panel and a desktop."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

from hmi.frame import SCREENS, path_of
from tests.aids.browser import PANEL, chromium, path_of_chromium, screen
from tests.aids.workshop import Workshop, running_workshop

DESKTOP = (1440, 900)
HISTORY_S = 60  # so that trends have something to show
MORE = {"trends": "?tags=bms.soc,site.p,grid.p,grid.frequency"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("build/screenshots"))
    parser.add_argument("--only", nargs="*", choices=SCREENS, default=SCREENS)
    asked = parser.parse_args()
    if not path_of_chromium():
        raise SystemExit("no chromium here: apt-get install chromium")
    asked.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, running_workshop(Path(folder)) as site, chromium() as browser:
        _bring_up(site)
        for size, name in ((PANEL, "panel"), (DESKTOP, "desktop")):
            for colours in ("light", "dark"):
                _take(browser, site, asked.only, asked.out, size, f"{name}-{'day' if colours == 'light' else 'night'}", colours)


def _bring_up(site: Workshop) -> None:
    """Power flows, and a minute of it is recorded."""
    site.verb("control", "--state", "run", "--mode", "self-consumption", "--commission")
    site.until_it_runs(120)
    time.sleep(HISTORY_S)


def _take(browser: Any, site: Workshop, names: Any, out: Path, size: tuple[int, int], kind: str, colours: str) -> None:
    with screen(browser, site.page, size, color_scheme=colours) as seen:
        seen.log_in("engineer1")
        for name in names:
            seen.open(path_of(name) + MORE.get(name, ""))
            seen.page.wait_for_timeout(2500)  # a chart and its data
            seen.page.screenshot(path=out / f"{name}-{kind}.png")
            print(out / f"{name}-{kind}.png", flush=True)


if __name__ == "__main__":
    main()
