"""The programs `grid` and `services` on a bench: backup, energy management, a grid of 60 Hz. The steps stand in tests/site/grid."""

from __future__ import annotations

import shutil
from pathlib import Path

from runtime.app import read_site
from tests.aids.bench_site import ROOT, bench, failures

STEPS = Path(__file__).parent / "grid"
GRID = ("grid", "grid_protection", "frequency_support", "reactive_power")
US = """site: us
include: [config/common.yaml, config/grid_60hz.yaml]
constants: {racks: 2, p_rack: 50 kW, p_site: 100 kW, s_site: 100 kVA, q_site: 100 kvar}
channels: {"can{rack - 1}": {for: "rack in 1..$racks", interface: virtual}}
"""


def steps(name: str) -> str:
    return (STEPS / f"{name}.test.yaml").read_text()


def test_an_island_is_formed_carried_and_brought_back_in_step(tmp_path: Path) -> None:
    assert failures(bench(tmp_path, GRID), "grid", steps("grid")) == []


def test_the_reserves_keep_power_and_energy_free(tmp_path: Path) -> None:
    assert failures(bench(tmp_path, ("services",)), "services", steps("services")) == []


def test_a_grid_of_60_hertz_is_that_of_ieee_1547(tmp_path: Path) -> None:
    bench(tmp_path, (*GRID, "services"))
    shutil.copy(ROOT / "config" / "grid_60hz.yaml", tmp_path / "config")
    file = tmp_path / "config" / "sites" / "us.yaml"
    file.write_text(US)
    assert failures(read_site(file)[0], "grid", steps("sixty_hertz")) == []
