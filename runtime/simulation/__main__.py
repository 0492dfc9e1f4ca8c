"""The command line of the plant: `python -m runtime.simulation --config config/plant.yaml --run-dir DIR`.

It must not know more than how to read its arguments and to say what is wrong with them.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from dataclasses import replace
from pathlib import Path

from cantools.database.errors import Error as DatabaseError

from runtime.simulation.frames import LayoutError
from runtime.simulation.process import Order, run
from runtime.simulation.settings import PlantSettings, SettingsError, read_settings


def read_arguments(arguments: list[str] | None = None) -> Order:
    """The order that these arguments make. Raises SettingsError where the plant's YAML is wrong."""
    parser = argparse.ArgumentParser(prog="python -m runtime.simulation", description="The simulated battery plant.")
    parser.add_argument("--config", type=Path, required=True, help="the plant's YAML; its paths start at the folder above")
    parser.add_argument("--run-dir", type=Path, required=True, help="where the CAN link and the control socket stand")
    parser.add_argument("--seed", type=int, help="other cells, other noise")
    parser.add_argument("--speed", type=float, help="charge, heat and the day run this much faster")
    parser.add_argument("--outlive-parent", action="store_true", help="go on when the process that started the plant ends")
    ports = parser.add_mutually_exclusive_group()
    ports.add_argument("--ports-from-config", action="store_true", help="Modbus ports as in the YAML (this is the default)")
    ports.add_argument("--free-ports", action="store_true", help="let the system choose free Modbus ports")
    given = parser.parse_args(arguments)
    settings = read_settings(given.config)
    if given.seed is not None:
        settings = replace(settings, seed=given.seed)
    if given.speed is not None:
        settings = replace(settings, speed=given.speed)
    if given.free_ports:
        settings = replace(settings, buses=_on_free_ports(settings).buses)
    return Order(settings, _root_of(given.config), given.run_dir, given.outlive_parent)


def _root_of(config: Path) -> Path:
    """The folder above the `config/` in which the plant's YAML stands, however deep. (The plant is a guest: it imports no room.)"""
    folders = config.resolve().parents
    return next((folder.parent for folder in folders if folder.name == "config"), folders[min(1, len(folders) - 1)])


def _on_free_ports(settings: PlantSettings) -> PlantSettings:
    buses = settings.buses
    pcs, meter, panel, climate = (replace(device, port=0) for device in (buses.pcs, buses.meter, buses.panel, buses.climate))
    return replace(settings, buses=replace(buses, pcs=pcs, meter=meter, panel=panel, climate=climate))


def main() -> int:
    try:
        order = read_arguments()
        asyncio.run(run(order))
    except (SettingsError, LayoutError, DatabaseError, OSError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
