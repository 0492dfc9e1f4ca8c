"""What every block costs: ns a row in a group of 256, whether its loop is vectorised, and why where it is dear or scalar.

The rows run the lines of the block's own example side by side, so that branches are taken both ways.
"""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import tempfile
import textwrap
from pathlib import Path

import numpy as np

from blocks import catalogue
from blocks.declare import INPUT, BlockType, Type
from blocks.plain import Instance
from blocks.scan_table import Scan, Table
from runtime.engine.kernels import Kernel, kernel_name, load_kernels
from tests.aids.scan_table import SIGNATURE
from tests.bench.measure import Result, ns_per_call

ROWS = 256
BAR = 100.0
UNEXPLAINED = 0.0  # no scalar step passes without a reason
WINDOWS = 5
LIBM = {"exp", "log", "power", "sin", "cos", "tan", "arctan2"}
WHOLE = {"div", "mod", "quotient"}
SERIES = "a series for each range, chosen by branches"
CHAIN = "a chain of branches over its own state"
# Why LLVM leaves a step scalar, where neither an array nor a function of libm says so.
SCALAR = {
    "ACOS": SERIES,
    "ASIN": SERIES,
    "ATAN": SERIES,
    "ATAN2": SERIES,
    "CC_CV": CHAIN,
    "COS": SERIES,
    "CRITICAL_LOW": CHAIN,
    "DEEP_CALIBRATION": CHAIN,
    "FWD_REV_MON": CHAIN,
    "LOG": SERIES,
    "SIN": SERIES,
    "TAN": SERIES,
    "THERMOCOUPLE_K": SERIES,
    "WELD_CHECK": CHAIN,
}


class Rows:
    """ROWS instances of a block as columns, each row at another line of its example."""

    def __init__(self, block: BlockType, chosen: Type | None, kernel: Kernel):
        assert block.example is not None, f"{block.name} has no example"
        table = Table(block, block.example)
        self.length, self.dt = table.length, table.scans[0].dt
        rows = [_inputs_at(block, table, table.scans[row % len(table.scans)]) for row in range(ROWS)]
        self.columns = []
        for pin in block.pins:
            values = [np.atleast_1d(np.array(_plain(row[pin.name]), dtype=table.type_of(pin.name).code)) for row in rows]
            self.columns.append(np.concatenate(values))
        self.addresses = np.array([column.ctypes.data for column in self.columns], dtype=np.uint64)
        self.call = SIGNATURE(kernel.address)

    def ns(self) -> float:
        """Nanoseconds a row, without the cost of calling C from Python."""
        return (self._ns_of(ROWS) - self._ns_of(0)) / ROWS

    def _ns_of(self, rows: int) -> float:
        place = self.addresses.ctypes.data
        return ns_per_call(lambda: self.call(place, rows, self.length, self.dt), 0.003)


def _inputs_at(block: BlockType, table: Table, until: Scan) -> dict[str, object]:
    """All pins of a fresh instance that has the inputs of one line of the table, as they stand there."""
    instance = Instance(block, table.chosen, table.length)
    for name, value in table.params.items():
        setattr(instance, name, value)
    for scan in table.scans:
        for name, value in scan.given.items():
            setattr(instance, name, value)
        if scan is until:
            break
    return {pin.name: getattr(instance, pin.name) for pin in block.pins}


def _plain(value: object) -> object:
    return list(value.values) if hasattr(value, "values") else value


def is_vectorised(kernel: Kernel) -> bool:
    """Whether the machine code in the cache works on vector registers, or hands the whole column to memcpy."""
    path = Path(kernel.code.__file__)
    objects = [p.read_bytes() for p in (path.parent / "__pycache__").glob(f"{path.stem}.*.nbc")]
    assert objects, f"no compiled code beside {path}"
    for data in objects:
        with tempfile.NamedTemporaryFile(suffix=".o") as file:
            file.write(data[data.find(b"\x7fELF") :])
            file.flush()
            done = subprocess.run(["objdump", "-dr", "--no-show-raw-insn", file.name], capture_output=True, text=True, check=True)
        if re.search(r"%[yz]mm|memcpy|memmove", done.stdout):
            return True
    return False


def reason(block: BlockType) -> str:
    """Why a block costs what it costs, from its step; empty where nothing in it explains."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(block.step)))
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    found = []
    if any(pin.length for pin in block.pins):
        found.append("arrays: a loop inside the row")
    if called & LIBM:
        found.append(f"calls {', '.join(sorted(called & LIBM))}")
    if called & WHOLE or any(pin.type.name == "LINT" for pin in block.pins if isinstance(pin.type, Type) and pin.kind != INPUT):
        found.append("64-bit integers")
    return "; ".join([*found, *([SCALAR[block.name]] if block.name in SCALAR else [])])


def run() -> list[Result]:
    uses = [(block, block.any_type.choices[0] if block.any_type else None) for block in catalogue().values()]
    kernels = load_kernels(uses)
    results = []
    for block, chosen in uses:
        kernel = kernels[kernel_name(block, chosen)]
        rows = Rows(block, chosen, kernel)
        ns = float(np.median([rows.ns() for _ in range(WINDOWS)]))
        packed = is_vectorised(kernel)
        why = "" if packed and ns <= BAR else reason(block)
        size = f"[{rows.length}]" if block.has_length else ""
        note = f"{'vectorised' if packed else 'scalar'}" + (f" ({why})" if why else "")
        bar = None if why else BAR if packed else UNEXPLAINED
        results.append(Result(f"{block.family} {block.name}{size}, {note}", ns, "ns", bar))
    return results
