"""The functions that steps share, as text for a kernel: arithmetic.py, and the laws.py of a family.

It knows which functions a step may call and writes their constants out. It must not know pins.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from functools import cache
from types import FunctionType
from typing import Any, TypeGuard


class StepError(Exception):
    """A step uses something outside the listed subset of Python."""


@cache
def _shared_function(function: FunctionType) -> tuple[str, tuple[FunctionType, ...]]:
    """The text of a function that steps share, its constants written out, and the functions that it calls."""
    tree = ast.parse(inspect.getsource(function))
    callees: dict[str, FunctionType] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            callee = function.__globals__.get(node.func.id)
            if is_shared(callee):
                callees[node.func.id] = callee
    return ast.unparse(Constants(function.__globals__).visit(tree)), tuple(callees.values())


def is_shared(function: object) -> TypeGuard[FunctionType]:
    """Whether a step may call it: a function of blocks/arithmetic.py or of a family's laws.py."""
    if not inspect.isfunction(function):
        return False
    module = function.__module__
    return module == "blocks.arithmetic" or (module.startswith("blocks.") and module.endswith(".laws"))


def needed_functions(called: dict[str, FunctionType]) -> list[str]:
    """The text of the called functions and of what they call in turn, callees first."""
    ordered: dict[str, FunctionType] = {}

    def add(function: FunctionType) -> None:
        name = function.__name__
        if name in ordered:
            if ordered[name] is not function:
                raise StepError(f"two functions are named {name}: in {ordered[name].__module__} and {function.__module__}")
            return
        for callee in _shared_function(function)[1]:
            add(callee)
        ordered[name] = function

    for name in sorted(called):
        add(called[name])
    return [_shared_function(function)[0] for function in ordered.values()]


class Constants(ast.NodeTransformer):
    """Writes the upper-case numbers of a module into the text that reads them."""

    def __init__(self, known: Mapping[str, Any]):
        self.known = known

    def visit_Name(self, node: ast.Name) -> ast.AST:
        constant = self.known.get(node.id)
        if isinstance(node.ctx, ast.Load) and isinstance(constant, (int, float)) and node.id.isupper():
            return self.visit_Constant(ast.Constant(constant))
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        """Python has no literal for NaN and infinity, so they are written as NumPy names them."""
        value = node.value
        if not isinstance(value, float) or value - value == 0.0:
            return node
        return expression("np.nan" if value != value else "np.inf" if value > 0 else "-np.inf")


def expression(text: str) -> ast.expr:
    """The tree of one expression."""
    return ast.parse(text, mode="eval").body
