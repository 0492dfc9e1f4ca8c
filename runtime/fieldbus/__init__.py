"""The southern gate: drivers that talk to devices. A driver is one file of this folder; its file name is the `driver:` key.

Finding a driver is importing it, loudly: a file here that is neither a driver nor a listed room is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import cast

from runtime.contract import Driver

# Files that are rooms of a driver or of the process, not drivers.
ROOMS = frozenset(
    {
        "__init__",
        "compiled",
        "diagnostics",
        "process",
        "safe",
        "scan_watch",
        "station",
        "supply",
        "tend",
        "words",
        "can_bits",
        "can_bus",
        "can_channel",
        "can_conflicts",
        "can_connection",
        "can_database",
        "can_dbc",
        "can_health",
        "can_fault",
        "can_kernel",
        "can_messages",
        "can_outgoing",
        "can_rules",
        "can_slcan",
        "can_socket",
        "can_supervise",
        "can_tables",
        "can_transmit",
        "can_wire",
        "can_words",
        "gpio_chip",
        "gpio_connection",
        "gpio_input",
        "gpio_lines",
        "gpio_outputs",
        "gpio_socket",
        "gpio_troubles",
        "gpio_twin",
        "gpio_words",
        "modbus_client",
        "modbus_errors",
        "modbus_frame",
        "modbus_groups",
        "modbus_handshake",
        "modbus_heartbeat",
        "modbus_hold",
        "modbus_kernel",
        "modbus_line",
        "modbus_link",
        "modbus_overlaps",
        "modbus_plan",
        "modbus_points",
        "modbus_poll",
        "modbus_powers",
        "modbus_readback",
        "modbus_record",
        "modbus_register",
        "modbus_rules",
        "modbus_session",
        "modbus_settings",
        "modbus_sunspec",
        "modbus_sunspec_models",
        "modbus_sunspec_places",
        "modbus_sunspec_points",
        "modbus_transport",
        "modbus_turns",
        "modbus_waiting",
        "modbus_writes",
    }
)
PROMISED = ("DEVICE_WORDS", "INPUT_WORDS", "OUTPUT_WORDS", "ERRORS", "CONDITIONS", "describe", "connect")


class DriverError(Exception):
    """A file in the folder of drivers does not keep the promises of `runtime.contract.Driver`."""


def drivers() -> Mapping[str, Driver]:
    """Every driver by its key. Raises DriverError, or the driver's own ImportError, rather than leave one out."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("*.py"))
    return {name: driver(name) for name in names if name not in ROOMS}


def driver(name: str) -> Driver:
    """One driver by its key. Raises DriverError where the file promises less than a driver must."""
    module = import_module(f"{__name__}.{name}")
    missing = [word for word in PROMISED if not hasattr(module, word)]
    if missing:
        raise DriverError(f"{module.__file__} is no driver: it lacks {', '.join(missing)} (or belongs in the list of rooms)")
    return cast(Driver, module)
