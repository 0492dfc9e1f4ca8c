"""How samples become bytes: a batch of all tags of a second, and a block of one tag. It knows no file.

A batch is written once a second and read back once, when it is sorted into blocks: a sequential write each time, where a row a
sample would touch a page of the disk for every tag every second. Columns of differences compress well.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

SAMPLE = np.dtype([("tag", "<i8"), ("time", "<i8"), ("bits", "<i8"), ("quality", "<i8")])


def pack(samples: np.ndarray, level: int = 6) -> bytes:
    """Samples as bytes. Their order stays as it is."""
    tag, time, bits, quality = (np.ascontiguousarray(samples[name]) for name in ("tag", "time", "bits", "quality"))
    columns = np.stack([_steps(tag), _steps(_steps(time)), _xor(bits), _xor(quality)])
    # bytes of the same weight stand together: most are zeros then
    return zlib.compress(columns.view(np.uint8).reshape(-1, 8).T.tobytes(), level)


def unpack(blob: bytes) -> np.ndarray:
    """What `pack` was given. Raises ValueError where the bytes are not its."""
    try:
        flat = np.frombuffer(zlib.decompress(blob), np.uint8)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    columns = np.ascontiguousarray(flat.reshape(8, -1).T).view("<i8").reshape(4, -1)
    samples = np.empty(columns.shape[1], SAMPLE)
    samples["tag"] = np.cumsum(columns[0])
    samples["time"] = np.cumsum(np.cumsum(columns[1]))
    samples["bits"] = np.bitwise_xor.accumulate(columns[2])
    samples["quality"] = np.bitwise_xor.accumulate(columns[3])
    return samples


def value_of(bits: int, kind: str) -> Any:
    """The value that a sample's bits stand for."""
    if kind == "LREAL":
        return float(np.int64(bits).view(np.float64))
    return bool(bits) if kind == "BOOL" else int(bits)


def _steps(values: np.ndarray) -> np.ndarray:
    return np.diff(values, prepend=np.int64(0))


def _xor(values: np.ndarray) -> np.ndarray:
    return values ^ np.concatenate([np.zeros(1, np.int64), values[:-1]])
