"""Turns a block's plain Python step into the text of a kernel: one loop over the rows of a table of columns.

All pins of a row are loaded into locals, the step runs on them, and what it assigned is stored at the end, so that LLVM
turns branches into selects and vectorises. It knows the listed subset of Python that a step may use, and refuses the rest.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from types import FunctionType

from blocks.declare import BOOL, DINT, LREAL, AnyType, BlockType, Pin, Type
from runtime.engine.shared_functions import Constants, StepError, is_shared, needed_functions
from runtime.engine.shared_functions import expression as _expression

ALLOWED = (
    ast.FunctionDef,
    ast.arguments,
    ast.arg,
    ast.If,
    ast.For,
    ast.Assign,
    ast.AugAssign,
    ast.Expr,
    ast.IfExp,
    ast.BoolOp,
    ast.UnaryOp,
    ast.BinOp,
    ast.Compare,
    ast.Call,
    ast.Attribute,
    ast.Subscript,
    ast.Name,
    ast.Constant,
    ast.Load,
    ast.Store,
    ast.And,
    ast.Or,
    ast.Not,
    ast.USub,
    ast.UAdd,
    ast.Invert,
    ast.Add,
    ast.Sub,
    ast.Mult,
    ast.Div,
    ast.BitAnd,
    ast.BitOr,
    ast.BitXor,
    ast.LShift,
    ast.RShift,
    ast.Eq,
    ast.NotEq,
    ast.Lt,
    ast.LtE,
    ast.Gt,
    ast.GtE,
)
OWN_NAMES = {"row", "rows", "run_rows", "n", "columns", "dt", "np", "kernel", "carray", "cfunc", "njit", "types"}
NUMPY_NAME = {"u1": "uint8", "i4": "int32", "i8": "int64", "f8": "float64"}


def chosen_type(pin: Pin, chosen: Type | None) -> Type:
    """The pin's element type, with the block's ANY resolved to what this use picked."""
    if isinstance(pin.element, AnyType):
        return chosen or pin.element.choices[0]
    return pin.element


def kernel_source(block: BlockType, chosen: Type | None = None) -> str:
    """The text of a module whose `kernel(columns, rows, n, dt)` runs `rows` instances of the block once.

    `columns` holds one address a pin in the order of the declaration, `n` is the length of the arrays of free length.
    Raises StepError, naming the line, where the step leaves the subset.
    """
    tree = _step_tree(block)
    translator = _Translator(block, chosen)
    body = [translator.visit(node) for node in tree.body]
    functions = needed_functions(translator.called)
    lines = [f"# {block.name}{f'[{chosen.name}]' if chosen else ''} of {block.module}, generated: do not edit", *_HEADER]
    lines += [f"{_NJIT}\n{text}" for text in functions]
    names = ", ".join(f"{pin.name}_" for pin in block.pins if pin.name in translator.used)
    lines += [_ROWS, f"def run_rows({names}, rows, n, dt):", "    for row in range(rows):"]
    lines += [f"        {line}" for line in _loads(block, chosen, translator.used)]
    for node in body:
        lines.append(textwrap.indent(ast.unparse(ast.fix_missing_locations(node)), " " * 8))
    lines += [f"        {line}" for line in _stores(block, chosen, translator.assigned)]
    lines += ["", _CFUNC, "def kernel(columns, rows, n, dt):"]
    lines += [f"    {line}" for line in _columns(block, chosen, translator.used)]
    lines.append(f"    run_rows({names}, rows, n, dt)")
    return "\n".join(lines) + "\n"


_HEADER = (
    "import numpy as np",
    "from numba import carray, cfunc, njit, types",
    "",
)
# _nrt=False: a step that would allocate does not compile. noalias: a group never shares a column with its own output (plan.py
# checks it), so LLVM need not compare all columns before each call: a PID over 100 rows takes 112 ns instead of 260.
_NJIT = '@njit(error_model="numpy", _nrt=False)'
_ROWS = '@njit(error_model="numpy", _nrt=False, noalias=True)'
_CFUNC = '@cfunc(types.void(types.CPointer(types.voidptr), types.intp, types.intp, types.int64), cache=True, error_model="numpy")'


def _step_tree(block: BlockType) -> ast.FunctionDef:
    source = textwrap.dedent(inspect.getsource(block.step))
    tree = ast.parse(source).body[0]
    assert isinstance(tree, ast.FunctionDef)
    first_line = block.step.__code__.co_firstlineno
    for node in ast.walk(tree):
        line = first_line + getattr(node, "lineno", 1) - 1
        if not isinstance(node, ALLOWED):
            raise StepError(f"{block.module}:{line}: {block.name}.step uses {type(node).__name__}, which steps may not")
    if [a.arg for a in tree.args.args] != ["fb", "dt"]:
        raise StepError(f"{block.module}:{first_line}: {block.name}.step takes (fb, dt)")
    if ast.get_docstring(tree):
        tree.body = tree.body[1:]
    return tree


class _Translator(ast.NodeTransformer):
    """Rewrites `fb.PIN` into locals and array elements, and resolves calls in the arithmetic."""

    def __init__(self, block: BlockType, chosen: Type | None):
        self.block = block
        self.chosen = chosen
        self.used: dict[str, None] = {}
        self.assigned: dict[str, None] = {}
        self.called: dict[str, FunctionType] = {}

    def _pin(self, node: ast.AST) -> Pin | None:
        if not (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "fb"):
            return None
        pin = self.block.pin(node.attr)
        if pin is None:
            raise self._wrong(node, f"uses fb.{node.attr}, which is no pin")
        self.used[pin.name] = None
        return pin

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        pin = self._pin(node)
        if pin is None:
            if isinstance(node.value, ast.Name) and node.value.id == "np":
                return node
            raise self._wrong(node, f"uses .{node.attr}")
        if isinstance(node.ctx, ast.Store):
            self.assigned[pin.name] = None
        if pin.length:
            length = _length(pin)
            return _expression(f"{pin.name}_[row * {length} : (row + 1) * {length}]")
        return ast.Name(f"p_{pin.name}", node.ctx)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        pin = self._pin(node.value)
        if pin is None:
            raise self._wrong(node, "indexes something that is no pin")
        index = self.visit(node.slice)
        place = ast.BinOp(_expression(f"row * {_length(pin)}"), ast.Add(), index)
        element: ast.expr = ast.Subscript(ast.Name(f"{pin.name}_", ast.Load()), place, node.ctx)
        if isinstance(node.ctx, ast.Load):
            element = _loaded(chosen_type(pin, self.chosen), element)
        return element

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if not isinstance(node.func, ast.Name):
            raise self._wrong(node, f"calls {ast.unparse(node.func)}")
        name = node.func.id
        if name == "len":
            pin = self._pin(node.args[0])
            if pin is None or not pin.length:
                raise self._wrong(node, "uses len(), which is for array pins")
            return _expression(_length(pin))
        if name == "bool":
            return ast.Call(node.func, [self.visit(a) for a in node.args], [])
        if name != "range":
            target = self.block.step.__globals__.get(name)
            if not is_shared(target) or target.__name__ != name:
                raise self._wrong(
                    node, f"calls {name}(), which is not in blocks/arithmetic.py or a family's laws.py: import it from there"
                )
            self.called[name] = target
        return ast.Call(node.func, [self.visit(a) for a in node.args], [])

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id == "fb":
            raise self._wrong(node, "uses fb as a value")
        is_read = isinstance(node.ctx, ast.Load)
        if (node.id in OWN_NAMES and not (is_read and node.id == "dt")) or node.id.startswith("p_") or node.id.endswith("_"):
            raise self._wrong(node, f"uses the name `{node.id}`, which its kernel needs: choose another")
        return Constants(self.block.step.__globals__).visit_Name(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return Constants({}).visit_Constant(node)

    def _wrong(self, node: ast.AST, what: str) -> StepError:
        place = f"{self.block.module}:{self.block.step.__code__.co_firstlineno + getattr(node, 'lineno', 1) - 1}"
        return StepError(f"{place}: {self.block.name}.step {what}")

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        if len(node.targets) != 1:
            raise self._wrong(node, "assigns to several names at once")
        value = self.visit(node.value)
        pin = self._assigned_pin(node.targets[0])
        target = self.visit(node.targets[0])
        if pin is not None:
            value = _stored(chosen_type(pin, self.chosen), value)
        return ast.Assign([target], value)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        load = ast.parse(ast.unparse(node.target), mode="eval").body
        return self.visit_Assign(ast.Assign([node.target], ast.BinOp(load, node.op, node.value)))

    def _assigned_pin(self, target: ast.expr) -> Pin | None:
        pin = self._pin(target.value if isinstance(target, ast.Subscript) else target)
        if pin is None and not isinstance(target, ast.Name):
            raise self._wrong(target, f"assigns to {ast.unparse(target)}")
        if pin is not None and pin.kind == "input":
            raise self._wrong(target, f"assigns to its input {pin.name}")
        if pin is not None and pin.length and not isinstance(target, ast.Subscript):
            raise self._wrong(target, f"assigns to the whole array {pin.name}: assign element by element")
        return pin


def _length(pin: Pin) -> str:
    return "n" if pin.length == "N" else str(pin.length)


def _loaded(type: Type, value: ast.expr) -> ast.expr:
    if type is BOOL:
        return ast.Compare(value, [ast.NotEq()], [ast.Constant(0)])
    if type is DINT:
        return ast.Call(_expression("np.int64"), [value], [])
    return value


def _stored(type: Type, value: ast.expr) -> ast.expr:
    """The value as the column holds it; an LREAL given to an integer fails to compile, as it raises in plain Python."""
    if type is BOOL:
        return ast.Call(ast.Name("bool", ast.Load()), [value], [])
    if type is LREAL:
        return ast.Call(_expression("np.float64"), [value], [])
    whole = ast.BinOp(value, ast.BitOr(), ast.Constant(0))
    if type is DINT:
        return ast.Call(_expression("np.int64"), [ast.Call(_expression("np.int32"), [whole], [])], [])
    return whole


def _columns(block: BlockType, chosen: Type | None, used: dict[str, None]) -> list[str]:
    lines = []
    for index, pin in enumerate(block.pins):
        if pin.name in used:
            count = f"rows * {_length(pin)}" if pin.length else "rows"
            code = NUMPY_NAME[chosen_type(pin, chosen).code]
            lines.append(f"{pin.name}_ = carray(columns[{index}], ({count},), np.{code})")
    return lines


def _loads(block: BlockType, chosen: Type | None, used: dict[str, None]) -> list[str]:
    lines = []
    for pin in block.pins:
        if pin.name in used and not pin.length:
            value = _loaded(chosen_type(pin, chosen), _expression(f"{pin.name}_[row]"))
            lines.append(f"p_{pin.name} = {ast.unparse(ast.fix_missing_locations(value))}")
    return lines


def _stores(block: BlockType, chosen: Type | None, assigned: dict[str, None]) -> list[str]:
    return [f"{name}_[row] = p_{name}" for name in assigned if not block._by_name[name].length]
