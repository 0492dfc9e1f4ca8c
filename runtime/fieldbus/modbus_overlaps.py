"""Finds registers that two tags of one device use in ways that cannot both be right. It reads no io_map."""

from __future__ import annotations

from collections.abc import Sequence

from runtime.fieldbus.modbus_register import Register
from runtime.source import Report


def check_overlaps(inputs: Sequence[Register], outputs: Sequence[Register], report: Report) -> None:
    """Refuse registers that two tags cut differently, and registers that two outputs write. Reading twice is allowed."""
    uses = [(register, writes) for writes, registers in ((False, inputs), (True, outputs)) for register in registers]
    uses = [use for use in uses if use[0].width]
    uses.sort(key=lambda use: (use[0].table, use[0].address, use[0].bit, use[1]))
    reach: dict[str, tuple[int, Register]] = {}  # table -> first address that is free, and who ends there
    writers: dict[tuple[str, int], list[Register]] = {}
    clashes: dict[tuple[str, str], tuple[Register, Register, str]] = {}  # one a pair of tags
    for register, writes in uses:
        end, other = reach.get(register.table, (0, register))
        if register.address < end and (other.address, other.width) != (register.address, register.width):
            clashes.setdefault((other.tag, register.tag), (other, register, "overlaps"))
        if register.address + register.width > end:
            reach[register.table] = (register.address + register.width, register)
        if writes:
            earlier = writers.setdefault((register.table, register.address), [])
            for one in earlier:
                how = "is written" if one.mask & register.mask else "order" if one.order != register.order else ""
                if how:
                    clashes.setdefault((one.tag, register.tag), (one, register, how))
            earlier.append(register)
    for first, second, how in clashes.values():
        _report_clash(first, second, how, report)


def check_model_points(inputs: Sequence[Register], outputs: Sequence[Register], report: Report) -> None:
    """Refuse a point of a SunSpec model that two outputs write."""
    writers: dict[object, list[Register]] = {}
    for register in (one for one in outputs if one.model is not None):
        for other in writers.setdefault(register.model, []):
            how = "is written" if other.mask & register.mask else "order" if other.order != register.order else ""
            if how:
                _report_clash(other, register, how, report)
                break
        writers[register.model].append(register)


def _report_clash(first: Register, second: Register, how: str, report: Report) -> None:
    where = f"`{first.tag}` is mapped at {first.at}"
    if how == "is written":
        message, hint = f"`{second}` is written by `{first.tag}` and by `{second.tag}`", "a register has one writer"
    elif how == "order":
        message = f"`{first.tag}` and `{second.tag}` share a register and have different `order`s"
        hint = "one register is one write"
    else:
        message, hint = f"`{second.tag}` ({second}) overlaps `{first.tag}` ({first})", "one register, one meaning"
    report.error(second.at, "E674", message, hint, where)
