"""Loads, stores and copies at raw addresses, with the memory order that sharing between processes needs.

A few LLVM intrinsics for compiled code: acquire and release are real fences on ARM and free on x86. Addresses are
int64; nothing here checks them, so only the image and the scan loop may use this room.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from runtime.engine import cache

# Every compiled room of the engine imports this one first, so all of them are cached under one digest of them all, and of
# the hall's rooms whose constants they freeze.
HALL = Path(__file__).parents[1]
cache.use_for_numba(*sorted(Path(__file__).parent.glob("*.py")), HALL / "model.py", HALL / "quality.py", HALL / "system_tags.py")

# How everything on the scan path is compiled: without the GIL, and without numba's reference counting, so that a function
# which would allocate does not compile.
scan_path = njit(cache=True, nogil=True, _nrt=False)

_I64 = ir.IntType(64)
_I8 = ir.IntType(8)


def _word(builder: Any, address: Any) -> Any:
    return builder.inttoptr(address, _I64.as_pointer())


@intrinsic
def load_acquire(typing: Any, address: Any) -> Any:
    """The 64-bit word at `address`; nothing after this load is read before it."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load_atomic(_word(builder, args[0]), "acquire", 8)

    return types.int64(types.int64), build


@intrinsic
def store_release(typing: Any, address: Any, value: Any) -> Any:
    """Store a 64-bit word; everything before it is visible to whoever loads it with `load_acquire`."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store_atomic(args[1], _word(builder, args[0]), "release", 8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), build


@intrinsic
def fence(typing: Any) -> Any:
    """A full fence: no load or store moves across it."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.fence("seq_cst")
        return context.get_dummy_value()

    return types.void(), build


@intrinsic
def copy_bytes(typing: Any, target: Any, source: Any, count: Any) -> Any:
    """Copy `count` bytes between two addresses that do not overlap."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointers = [builder.inttoptr(a, _I8.as_pointer()) for a in args[:2]]
        cgutils.raw_memcpy(builder, pointers[0], pointers[1], args[2], 1)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), build


def _loader(width: int, signed: bool) -> Any:
    int_type = ir.IntType(width)

    @intrinsic
    def load(typing: Any, address: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            value = builder.load(builder.inttoptr(args[0], int_type.as_pointer()))
            if width == 64:
                return value
            return builder.sext(value, _I64) if signed else builder.zext(value, _I64)

        return types.int64(types.int64), build

    return load


def _storer(width: int) -> Any:
    int_type = ir.IntType(width)

    @intrinsic
    def store(typing: Any, address: Any, value: Any) -> Any:
        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            cut = args[1] if width == 64 else builder.trunc(args[1], int_type)
            builder.store(cut, builder.inttoptr(args[0], int_type.as_pointer()))
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), build

    return store


load_u1, load_i4, load_i8 = _loader(8, False), _loader(32, True), _loader(64, True)
store_u1, store_i4, store_i8 = _storer(8), _storer(32), _storer(64)


@intrinsic
def as_lreal(typing: Any, bits: Any) -> Any:
    """The LREAL whose bits are this integer."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.DoubleType())

    return types.float64(types.int64), build


@intrinsic
def as_bits(typing: Any, value: Any) -> Any:
    """The bits of an LREAL as an integer."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], _I64)

    return types.int64(types.float64), build


@intrinsic
def call_kernel(typing: Any, kernel: Any, columns: Any, rows: Any, length: Any, dt: Any) -> Any:
    """Call a compiled kernel by its address: `kernel(columns, rows, n, dt)`."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pointer = _I8.as_pointer()
        function = ir.FunctionType(ir.VoidType(), [pointer.as_pointer(), _I64, _I64, _I64])
        target = builder.inttoptr(args[0], function.as_pointer())
        columns_pointer = builder.inttoptr(args[1], pointer.as_pointer())
        builder.call(target, [columns_pointer, args[2], args[3], args[4]])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64, types.int64, types.int64), build
