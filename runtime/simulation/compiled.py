"""How a walk over many cells or signals becomes machine code: once, then kept beside its source.

It must not know what is walked over. numba looks at the time of the kernel's own file only, so what a kernel calls stands in that
file too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit


def one_pass(function: Callable[..., Any]) -> Any:
    """The function compiled, with the arithmetic of NumPy: nothing is rearranged, and nothing raises."""
    return njit(cache=True, nogil=True, error_model="numpy")(function)
