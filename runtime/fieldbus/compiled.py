"""Compiles the drivers' table kernels, cached under a digest of their own file. It knows no driver."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import config, njit

from runtime.engine import cache


def compiled(function: Callable[..., Any]) -> Any:
    """The function as machine code that runs without the GIL; what it calls must stand in the same file.

    The engine's rooms keep their own cache folder, so numba's setting is put back.
    """
    kept = config.CACHE_DIR
    cache.use_for_numba(Path(inspect.getfile(function)))
    try:
        return njit(cache=True, nogil=True, error_model="numpy")(function)
    finally:
        config.CACHE_DIR = kept
