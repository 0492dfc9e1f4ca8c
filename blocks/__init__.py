"""The function blocks: arithmetic only. A folder is a family; `catalogue()` imports every file of every folder."""

from __future__ import annotations

import importlib
import pkgutil

from blocks.declare import CATALOGUE, BlockType

LAWS = "laws"  # the file of a family that holds functions its steps share, and no block


def families() -> dict[str, str]:
    """The title of every family by its folder's name."""
    found = {m.name: importlib.import_module(f"blocks.{m.name}") for m in pkgutil.iter_modules(__path__) if m.ispkg}
    return {name: (family.__doc__ or "").strip() for name, family in found.items()}


def catalogue() -> dict[str, BlockType]:
    """Every block by name. A file that does not import raises here: a block is never lost silently."""
    for family in families():
        folder = importlib.import_module(f"blocks.{family}")
        for module in pkgutil.iter_modules(folder.__path__):
            if module.name != LAWS:
                importlib.import_module(f"blocks.{family}.{module.name}")
    return CATALOGUE
