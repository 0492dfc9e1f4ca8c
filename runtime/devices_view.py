"""The verb `devices`: every device of a running site, how it is and what went wrong with it. It reads snapshots only."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from runtime import quality
from runtime.columns import Cell, Row
from runtime.model import Device
from runtime.onlooker import Onlooker
from runtime.system_tags import DEVICE_STATES

HEADS = ("device", "driver", "address", "state", "round-trip", "exchanges", "errors", "last good", "conditions", "last error")
STYLES = {"online": "green", "degraded": "yellow", "connecting": "yellow", "lost": "bold red", "closed": "dim"}
WHERE = ("address", "host", "channel", "chip", "port")  # under which word a driver's status says where the device is
ERRORS_OF = "errors_"
_OWN = frozenset({"state", "lost", "round_trip", "exchanges", "errors", "last_good"})


@dataclass(frozen=True, slots=True)
class DeviceLine:
    """One device as its tags and its driver tell it; `last_good` is ns since 1970, 0 for never."""

    name: str
    driver: str
    address: str
    state: str
    is_sure: bool  # whether the tags are good: the fieldbus speaks
    round_trip_ms: float
    exchanges: int
    errors: int
    kinds: dict[str, int]
    last_good: int
    conditions: tuple[str, ...]
    last_error: str
    inputs: int
    outputs: int


def device_lines(site: Onlooker) -> list[DeviceLine]:
    """Every device in the order of the site."""
    return [_line(device, site) for device in site.site.devices]


def _line(device: Device, site: Onlooker) -> DeviceLine:
    tags = {str(point.address): site.tag(point.tag) for point in device.diagnostics}
    values = {word: site.value(tag) for word, tag in tags.items()}
    words = site.device_words(device.name)
    state = int(values["state"])
    return DeviceLine(
        device.name,
        device.driver,
        next((str(words[word]) for word in WHERE if words.get(word)), ""),
        DEVICE_STATES[state] if 0 <= state < len(DEVICE_STATES) else str(state),
        quality.is_good(site.quality(tags["state"])),
        float(values["round_trip"]),
        int(values["exchanges"]),
        int(values["errors"]),
        {word.removeprefix(ERRORS_OF): int(value) for word, value in values.items() if word.startswith(ERRORS_OF) and value},
        int(values["last_good"]),
        tuple(word for word, value in values.items() if word not in _OWN and not word.startswith(ERRORS_OF) and value),
        str(words.get("last_error", "") or ""),
        len(device.inputs),
        len(device.outputs),
    )


def as_json(site: Onlooker) -> dict[str, Any]:
    """Everything, ready for JSON: times in UTC, round-trips in ms."""
    return {
        "site": site.site.name,
        "state": site.state,
        "scan": site.snapshot.scan,
        "outputs": site.outputs,
        "devices": [
            {
                "device": line.name,
                "driver": line.driver,
                "address": line.address,
                "state": line.state,
                "good": line.is_sure,
                "round_trip_ms": line.round_trip_ms,
                "exchanges": line.exchanges,
                "errors": line.errors,
                "errors_by_kind": line.kinds,
                "last_good": _utc(line.last_good),
                "conditions": list(line.conditions),
                "last_error": line.last_error,
                "inputs": line.inputs,
                "outputs": line.outputs,
            }
            for line in device_lines(site)
        ],
    }


def as_rows(site: Onlooker) -> list[Row]:
    """One row a device under HEADS."""
    now = time.time_ns()
    return [_row(line, now) for line in device_lines(site)]


def _row(line: DeviceLine, now: int) -> Sequence[Cell]:
    state = line.state if line.is_sure else f"{line.state} (fieldbus silent)"
    kinds = ", ".join(f"{kind} {count}" for kind, count in line.kinds.items())
    return (
        Cell(line.name, "bold"),
        Cell(line.driver),
        Cell(line.address),
        Cell(state, STYLES.get(line.state, "") if line.is_sure else "bold red"),
        Cell(f"{line.round_trip_ms:.1f} ms" if line.round_trip_ms else "-"),
        Cell(str(line.exchanges)),
        Cell(f"{line.errors} ({kinds})" if kinds else str(line.errors), "yellow" if line.errors else ""),
        Cell(_ago(line.last_good, now)),
        Cell(", ".join(line.conditions) or "-", "yellow" if line.conditions else ""),
        Cell(line.last_error or "-"),
    )


def _ago(at: int, now: int) -> str:
    return f"{max(0.0, (now - at) / 1e9):.1f} s ago" if at else "never"


def _utc(at: int) -> str | None:
    return datetime.fromtimestamp(at / 1e9, UTC).isoformat(timespec="milliseconds") if at else None
