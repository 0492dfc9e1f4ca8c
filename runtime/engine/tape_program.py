"""A schedule as text, so that a tape carries the program that it is of. Nothing is ever unpickled from a file.

Only the hall's own dataclasses are known, and NumPy arrays; whatever else a text says is refused.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import zlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np

from blocks import catalogue
from runtime import model
from runtime.engine.kernels import chosen_of
from runtime.engine.program_check import LARGEST, UnsoundError, check_program
from runtime.engine.translate import kernel_source
from runtime.model import Schedule
from runtime.source import Position

_KNOWN: Mapping[str, type] = {
    known.__name__: known
    for known in (
        Schedule,
        Position,
        model.TagRegion,
        model.Tag,
        model.Task,
        model.Group,
        model.Copies,
        model.InputTable,
        model.OutputTable,
        model.CommandTable,
        model.Watchdog,
        model.Alarm,
    )
}
_TYPES = frozenset({"uint8", "int32", "int64", "float64"})


class ProgramError(ValueError):
    """A text is no program of a tape, or of another version of bessplc."""


def as_text(schedule: Schedule) -> str:
    return json.dumps(_plain(schedule), separators=(",", ":"))


def from_text(text: str) -> Schedule:
    """The schedule of a text, which is sound. Raises ProgramError where it is none that this version knows or may run."""
    try:
        found = _whole(json.loads(text))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, zlib.error) as error:
        raise ProgramError(f"the tape's program cannot be read by this version of bessplc: {error}") from error
    if not isinstance(found, Schedule):
        raise ProgramError("the tape has no program")
    try:
        check_program(found)
    except UnsoundError as error:
        raise ProgramError(f"the tape's program is not one that may be run: {error}") from error
    return found


def blocks_of(schedule: Schedule) -> dict[str, str]:
    """A digest of the code of every block type in use: a block that was edited since replays otherwise, and it can be said."""
    known = catalogue()
    found = {}
    for name, chosen in {(g.block, g.chosen) for g in schedule.groups}:
        text = kernel_source(known[name], chosen_of(chosen)) if name in known else ""
        found[f"{name}_{chosen}" if chosen else name] = hashlib.sha256(text.encode()).hexdigest()[:16]
    return dict(sorted(found.items()))


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        packed = base64.b64encode(zlib.compress(np.ascontiguousarray(value).tobytes())).decode()
        return {"array": str(value.dtype), "shape": list(value.shape), "data": packed}
    if isinstance(value, np.generic):
        return value.item()
    if is_dataclass(value):
        return {"is": type(value).__name__, **{f.name: _plain(getattr(value, f.name)) for f in fields(value)}}
    if isinstance(value, dict):
        return {"map": [[str(key), _plain(held)] for key, held in value.items()]}
    if isinstance(value, tuple | list):
        return [_plain(held) for held in value]
    return str(value) if isinstance(value, str) else value


def _array(packed: str, code: np.dtype[Any], shape: list[int]) -> np.ndarray:
    """As many cells as its shape has, and never more: a short text may unpack to more than all memory."""
    size = math.prod(shape) * code.itemsize
    if not 0 <= size <= LARGEST or any(length < 0 for length in shape):
        raise ProgramError(f"an array of {shape}")
    data = zlib.decompressobj().decompress(base64.b64decode(packed), size + 1)
    if len(data) != size:
        raise ProgramError(f"an array of {size} bytes that has others")
    return np.frombuffer(data, code).reshape(shape).copy()


def _whole(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_whole(held) for held in value)
    if not isinstance(value, dict):
        return value
    if "map" in value:
        return {key: _whole(held) for key, held in value["map"]}
    if "array" in value:
        if value["array"] not in _TYPES:
            raise ProgramError(f"an array of {value['array']}")
        return _array(value["data"], np.dtype(value["array"]), value["shape"])
    if value.get("is") not in _KNOWN:
        raise ProgramError(f"a {value.get('is')}")
    kind = _KNOWN[value["is"]]
    known = {f.name for f in fields(kind)}  # a word of a later version says something that we do not need
    return kind(**{name: _whole(held) for name, held in value.items() if name in known})
