"""One element of a tag in process memory, read and written as eight bytes: LREAL bits, or an integer."""

from __future__ import annotations

from runtime.engine.atomics import load_i4, load_i8, load_u1, scan_path, store_i4, store_i8, store_u1

# How an element is stored: the NumPy code's letter and size in one number, as the tables of runtime/model.py carry it.
BYTE, WORD, LONG, REAL = (ord("u") * 16 + 1, ord("i") * 16 + 4, ord("i") * 16 + 8, ord("f") * 16 + 8)


@scan_path
def load_wide(address: int, kind: int) -> int:
    """A tag's element as eight bytes: LREAL bits, or an integer."""
    if kind == BYTE:
        return load_u1(address)
    if kind == WORD:
        return load_i4(address)
    return load_i8(address)


@scan_path
def store_wide(address: int, kind: int, bits: int) -> None:
    """Eight bytes into a tag's element; a BOOL becomes 0 or 1."""
    if kind == BYTE:
        store_u1(address, 1 if bits != 0 else 0)
    elif kind == WORD:
        store_i4(address, bits)
    else:
        store_i8(address, bits)
