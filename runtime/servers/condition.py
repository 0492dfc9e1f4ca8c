"""How the site itself is: its devices, and how late and long its scans are. It knows no protocol."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from runtime.child import FIELDBUS_STATUS
from runtime.engine.statistics import STEPS, timings
from runtime.servers.picture import Picture, when
from runtime.system_tags import DEVICE_STATES

DEVICE = "device."


def fieldbus(picture: Picture) -> dict[str, Any]:
    """What the fieldbus process says of itself; nothing where it does not run."""
    try:
        found = json.loads((Path(picture.order.run_dir) / FIELDBUS_STATUS).read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def devices(picture: Picture, said: dict[str, Any]) -> list[dict[str, Any]]:
    """Every device by its tags `device.NAME.x` and by what its driver says."""
    tagged = {tag.name.split(".")[1] for tag in picture.tags if tag.name.startswith(DEVICE)}
    return [_device(picture, name, said.get(name) or {}) for name in sorted(tagged | set(said))]


def _device(picture: Picture, name: str, said: dict[str, Any]) -> dict[str, Any]:
    def of(word: str) -> Any:
        tag = picture.tag(f"{DEVICE}{name}.{word}")
        return picture.door.snapshot.value(tag) if tag is not None and picture.has_any() else None

    state, last = of("state"), of("last_good")
    known = state is not None and 0 <= state < len(DEVICE_STATES)
    return {
        "name": name,
        "state": "not known" if picture.door.is_stale() or not known else DEVICE_STATES[state],
        "lost": of("lost"),
        "round_trip_ms": of("round_trip"),
        "exchanges": of("exchanges"),
        "errors": of("errors"),
        "last_good": when(last) if last else None,
        "status": said,
    }


def statistics(picture: Picture) -> dict[str, Any]:
    """The scan's own figures. Raises ImageError where no scan has left any."""
    order = picture.order
    rows = {
        name: vars(row)
        for name, row in timings(picture.door.snapshot.statistics(), tuple(task.name for task in order.tasks)).items()
    }
    counted = {word: picture.tag(f"plc.{word}") for word in ("overruns", "missed")}
    return {
        **picture.stamp(),
        "tick_ms": order.tick / 1e6,
        **{word: picture.door.snapshot.value(tag) if tag else None for word, tag in counted.items()},
        "steps": {name: rows[name] for name in STEPS},
        "tasks": {task.name: rows[f"task {task.name}"] for task in order.tasks},
    }
