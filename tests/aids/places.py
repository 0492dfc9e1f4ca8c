"""Where things are: the project, and the demo site on which most tests stand (one rack, a converter, a meter, a panel)."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "tests/sites/demo"
DEMO_SITE = DEMO / "config/site.yaml"
