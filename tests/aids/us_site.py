"""A site of one rack on a grid of 60 Hz after IEEE 1547, with its simulated plant; the test says which constants are others.

It must not know what is tested on it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RATED = 50.0  # kW
SITE = """site: us
include: [config/common.yaml, config/grid_60hz.yaml]
constants:
{constants}
channels: {{"can{{rack - 1}}": {{for: "rack in 1..$racks", interface: virtual, channel: "can{{rack - 1}}"}}}}
"""
CONSTANTS = {
    "p_rack": "50 kW",
    "p_site": "50 kW",
    "s_site": "50 kVA",
    "q_site": "50 kvar",
    "import_limit": "50 kW",
    "export_limit": "50 kW",
    "e_rack": "57 kWh",
    "e_site": "57 kWh",
    "capacity": "70 Ah",
}
PLANT = """seed: 1
rack: {p_rated_kw: 52, cell: {capacity_ah: 70, r0_ohm: 0.0008, r1_ohm: 0.0005}}
pcs: {p_rated_kw: 50, i_max_a: 90, ramp_kw_per_s: 5000, start_s: 0.2}
grid: {nominal_hz: 60, nominal_v: 277.1}
climate: {liquid_w_per_k: 2}
"""


def us_site(folder: Path, **constants: str) -> Path:
    """Writes the site with these constants into the folder, and says where; its plant stands beside it."""
    for name in ("config", "programs", "io_maps", "dbc"):
        shutil.copytree(ROOT / name, folder / name, dirs_exist_ok=True)
    file = folder / "config" / "sites" / "us.yaml"
    file.write_text(SITE.format(constants="\n".join(f"  {name}: {value}" for name, value in (CONSTANTS | constants).items())))
    file.with_suffix(".plant.yaml").write_text(PLANT)
    return file
