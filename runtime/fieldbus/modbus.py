"""The driver for Modbus TCP: contiguous registers in the fewest requests, changed outputs at once, refreshed periodically.

Wire addresses count from 0 (Modicon 40001 is `holding 0`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from runtime.contract import Connection, Description, Inputs, Outputs, PointText
from runtime.fieldbus import words
from runtime.fieldbus.modbus_groups import ModbusSettings
from runtime.fieldbus.modbus_register import FORMATS, check_overlaps, describe_point
from runtime.model import Device
from runtime.source import Report, Section

DEVICE_WORDS: Mapping[str, str] = {
    "host": "name or address of the device",
    "port": "TCP port (default 502)",
    "unit": "unit id (default 1)",
    "poll": "how often all inputs are read (default 100 ms)",
    "gap": "unused registers that one read may cover to join two groups (default 8)",
    "max_read": "most registers in one read (default 120)",
    "request_timeout": "how long an answer may take before the connection is closed (default 300 ms)",
}
INPUT_WORDS: Mapping[str, str] = {
    "register": "table and wire address: `holding 100`, `input 20`, `coil 3`, `discrete 0`; braces or `count` make an array",
    "as": f"how it is coded: {', '.join(FORMATS)} (default uint16)",
    "bit": "one bit of a register, 0 the lowest",
    "words": "`little` where the low word comes first (default big)",
    "bytes": "`little` where the low byte comes first (default big)",
    "scale": "the tag is raw * scale + offset (default 1)",
    "offset": "see scale (default 0)",
    "count": "elements of an array, one after another",
}
OUTPUT_WORDS: Mapping[str, str] = {**INPUT_WORDS, "every": "written on change, and again after this time (default 500 ms)"}
POLL, REQUEST_TIMEOUT = 100_000_000, 300_000_000  # ns
WIDEST_VALUE, MOST_READ = 4, 125  # registers: a float64, and what the protocol allows


def describe(device: Section, points: Sequence[PointText], site: Section, root: Path, report: Report) -> Description:
    """Read and check what the io_map says about the device; all mistakes go to the report with their places."""
    host = words.word(device, "host", report, needed="name or address of the device")
    settings = ModbusSettings(
        host=str(host or ""),
        port=words.whole(device, "port", 502, 1, 65535, report),
        unit=words.whole(device, "unit", 1, 0, 255, report),
        poll=words.duration(device, "poll", POLL, report),
        gap=words.whole(device, "gap", 8, 0, MOST_READ, report),
        max_read=words.whole(device, "max_read", 120, WIDEST_VALUE, MOST_READ, report),
        request_timeout=words.duration(device, "request_timeout", REQUEST_TIMEOUT, report),
    )
    found = {str(p.tag): described for p in points if (described := describe_point(p, report)) is not None}
    inputs = [a for p in points if not p.is_output and str(p.tag) in found for a in found[str(p.tag)].addresses]
    outputs = [a for p in points if p.is_output and str(p.tag) in found for a in found[str(p.tag)].addresses]
    check_overlaps(inputs, outputs, report)
    return Description(settings if host else None, found)


def connect(device: Device, inputs: Inputs, outputs: Outputs, run_dir: Path) -> Connection:
    """A connection for this device; nothing is sent before `open`."""
    from runtime.fieldbus.modbus_client import ModbusConnection

    return ModbusConnection(device, inputs, outputs)
