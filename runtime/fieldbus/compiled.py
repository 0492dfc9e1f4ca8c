"""Compiles the drivers' table kernels, cached under a digest of their own file. It knows no driver."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import config, njit

from runtime import quality
from runtime.engine import cache

# The rooms whose constants the kernels freeze: the qualities, and the drivers' tables.
_TABLES = sorted(p for p in Path(__file__).parent.glob("*.py") if p.stem.endswith(("_tables", "_groups", "_register")))
FROZEN = (Path(quality.__file__), *_TABLES)


def compiled(function: Callable[..., Any]) -> Any:
    """The function as machine code that runs without the GIL; what it calls must stand in the same file.

    The engine's rooms keep their own cache folder, so numba's setting is put back.
    """
    kept = config.CACHE_DIR
    cache.use_for_numba(Path(inspect.getfile(function)), *FROZEN)
    try:
        return njit(cache=True, nogil=True, error_model="numpy")(function)
    finally:
        config.CACHE_DIR = kept
