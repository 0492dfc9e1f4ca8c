"""The function blocks: arithmetic only. `catalogue()` imports every file of this folder and lists what they declare."""

from __future__ import annotations

import importlib
import pkgutil

from blocks.declare import CATALOGUE, BlockType

NOT_BLOCKS = frozenset({"declare", "arithmetic", "plain"})


def catalogue() -> dict[str, BlockType]:
    """Every block by name. A file that does not import raises here: a block is never lost silently."""
    for module in pkgutil.iter_modules(__path__):
        if module.name not in NOT_BLOCKS:
            importlib.import_module(f"blocks.{module.name}")
    return CATALOGUE
