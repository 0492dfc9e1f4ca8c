"""Where a site's files are: its root, its simulated plant, the sites of `config/sites/`. It must not know what they say."""

from __future__ import annotations

from pathlib import Path

CONFIG = "config"
SITES = "config/sites"
PLANT = ".plant.yaml"


def root_of(site: Path) -> Path:
    """The folder above the `config/` in which a site file stands, however deep; without one the folder above its own."""
    folders = site.resolve().parents
    return next((folder.parent for folder in folders if folder.name == CONFIG), folders[min(1, len(folders) - 1)])


def plant_of(site: Path) -> Path:
    """The simulated plant of a site file `NAME.yaml`: `NAME.plant.yaml` or `NAME_plant.yaml` beside it, else `plant.yaml` there."""
    own = site.resolve()
    beside = (own.with_name(f"{own.stem}{PLANT}"), own.with_name(f"{own.stem}_plant.yaml"))
    return next((path for path in beside if path.exists()), own.with_name("plant.yaml"))


def sites_of(root: Path) -> list[Path]:
    """The site files in `config/sites/` of this root, by name."""
    found = (root / SITES).glob("*.yaml")
    return sorted(path for path in found if not path.name.endswith((PLANT, "users.yaml")))
