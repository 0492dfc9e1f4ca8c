"""The number that inbox and outbox carry: a digest of the devices and their points. It knows no program.

It outlives a program that is loaded into a running scan: the fieldbus goes on as long as what it serves is the same.
"""

from __future__ import annotations

import dataclasses
import hashlib
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from runtime.model import Site


def io_generation_of(site: Site) -> int:
    """The generation of the site's inbox and outbox."""
    schedule = site.schedule
    kinds = (schedule.inputs.type.tolist(), schedule.outputs.type.tolist(), schedule.watchdog.heartbeat)
    return _digest(site.devices, kinds)


def changed_devices(old: Site, new: Site) -> list[str]:
    """The devices that are new, gone, or other than before."""
    before = {d.name: _digest(d) for d in old.devices}
    after = {d.name: _digest(d) for d in new.devices}
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def _digest(*values: Any) -> int:
    return int(hashlib.sha256(plain_text(values).encode()).hexdigest()[:16], 16) >> 1


def plain_text(value: Any) -> str:
    """A value as text that is the same for the same value; where it stands in a file (`at`) is not part of it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [(f.name, getattr(value, f.name)) for f in dataclasses.fields(value) if f.name != "at"]
        return f"{type(value).__name__}{{{','.join(f'{name}:{plain_text(one)}' for name, one in fields)}}}"
    if isinstance(value, dict):
        return "{" + ",".join(sorted(f"{plain_text(k)}:{plain_text(v)}" for k, v in value.items())) + "}"
    if isinstance(value, list | tuple):
        return f"{type(value).__name__}[" + ",".join(map(plain_text, value)) + "]"
    if isinstance(value, set | frozenset):
        return "set[" + ",".join(sorted(map(plain_text, value))) + "]"
    if isinstance(value, np.ndarray):
        return f"array{value.dtype}{value.shape}{value.tobytes().hex()}"
    if value is None or isinstance(value, str | bytes | int | float | Path | np.generic):
        return repr(value) if type(value).__module__ == "builtins" else str(value)
    return pickle.dumps(value).hex()
