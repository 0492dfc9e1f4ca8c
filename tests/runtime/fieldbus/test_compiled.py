"""The drivers' compiled kernels: what they freeze must be among the files whose change compiles them anew."""

import ast
import importlib
from pathlib import Path

import pytest

from runtime import fieldbus
from runtime.fieldbus.compiled import FROZEN

ROOT = Path(fieldbus.__file__).parents[2]
KERNELS = ("compiled", "lean", "part")
ROOMS = sorted(Path(fieldbus.__file__).parent.glob("*.py"))


def is_kernel(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef) and any(isinstance(d, ast.Name) and d.id in KERNELS for d in node.decorator_list)


def frozen_from(room: Path) -> dict[str, str]:
    """The names that a room's kernels use and that the room imports from ours, with the modules they come from."""
    tree = ast.parse(room.read_text())
    used = {n.id for kernel in ast.walk(tree) if is_kernel(kernel) for n in ast.walk(kernel) if isinstance(n, ast.Name)}
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("runtime.")]
    found = {alias.asname or alias.name: str(node.module) for node in imports for alias in node.names}
    return {name: module for name, module in found.items() if name in used - set(KERNELS)}


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.stem)
def test_whatever_a_kernel_imports_is_watched(room):
    watched = {path.resolve() for path in FROZEN}
    for name, module in frozen_from(room).items():
        origin = importlib.import_module(module).__file__
        assert origin is not None and Path(origin).resolve() in watched, f"{room.name} freezes {name} of {module}"


def test_the_kernels_are_found():
    assert sum(bool(frozen_from(room)) for room in ROOMS) >= 3
