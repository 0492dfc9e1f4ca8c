"""The driver for Modbus: contiguous registers in the fewest requests, changed outputs at once, refreshed periodically.

Wire addresses count from 0 (Modicon 40001 is `holding 0`). Points of SunSpec devices are named, not addressed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from runtime.contract import Connection, Description, Inputs, Outputs, PointText
from runtime.fieldbus import modbus_errors, words
from runtime.fieldbus.modbus_overlaps import check_model_points, check_overlaps
from runtime.fieldbus.modbus_points import describe_point
from runtime.fieldbus.modbus_register import FORMATS
from runtime.fieldbus.modbus_rules import RULE_WORDS, Rules, SunSpec, check_heartbeat, read_rules
from runtime.fieldbus.modbus_settings import LINE_WORDS, LineSettings, ModbusSettings, describe_line
from runtime.fieldbus.modbus_sunspec_points import describe_model_point
from runtime.model import Described, Device
from runtime.source import Report, Section, place_of

DEVICE_WORDS: Mapping[str, str] = {
    **LINE_WORDS,
    "unit": "unit id (default 1)",
    "poll": "how often inputs are read that do not say it themselves (default 100 ms)",
    "gap": "unused registers that one read may cover to join two groups (default 8)",
    "max_read": "most registers in one read (default 120)",
    **RULE_WORDS,
}
_POINT_WORDS: Mapping[str, str] = {
    "register": "table and wire address: `holding 100`, `input 20`, `coil 3`, `discrete 0`; braces or `count` make an array",
    "sunspec": "a SunSpec point by name instead: `{model: 802, point: SoC}`, `instance: 2`, `point: module[1].DCA`",
    "as": f"how it is coded: {', '.join(FORMATS)} (default uint16)",
    "bit": "one bit of a register, 0 the lowest; in a SunSpec bit field also the bit's name",
    "bits": "a field of bits: `4..7`",
    "words": "`little` where the low word comes first (default big)",
    "bytes": "`little` where the low byte comes first (default big)",
    "scale": "the tag is raw * scale + offset (default 1)",
    "offset": "see scale (default 0)",
    "scale_from": "a register with the power of ten that the raw value is multiplied by, read at run time: `holding 40`",
    "invalid": "raw values that mean that there is no value: `[0xFFFF, 0x8000]`",
    "count": "elements of an array, one after another",
}
INPUT_WORDS: Mapping[str, str] = {**_POINT_WORDS, "poll": "how often this input is read (default: the device's `poll`)"}
OUTPUT_WORDS: Mapping[str, str] = {
    **_POINT_WORDS,
    "bit": f"{_POINT_WORDS['bit']}; bits without a tag keep what the device held when it was connected",
    "every": "written on change, and again after this time (default 500 ms)",
    "verify": "`true` reads the register back after each write (default false)",
    "order": "outputs that change together are written by rising `order`, and of one order by address (default 0)",
}
ERRORS: Mapping[str, str] = {
    **modbus_errors.ERRORS,
    "not_verified": "Attempts that ended because the device is not the one that the io_map expects",
    "mismatches": "Registers that did not hold what had been written to them",
    "outputs_unfit": "Output values that their register cannot carry",
}
CONDITIONS: Mapping[str, str] = {
    "not_verified": "The device is not the one that the io_map expects: nothing is written to it",
    "absent": "The device lacks SunSpec models or points that the io_map names: their tags are bad",
    "suspended": "The device refuses registers that the io_map names: their tags are bad",
    "outputs_refused": "The device refuses a write",
    "outputs_unfit": "An output's value does not fit its register: the old value stays",
    "outputs_unscaled": "The device gives no scale factor for an output: it is not written",
    "mismatch": "The device does not hold what was written to it",
}
POLL = 100_000_000  # ns
WIDEST_VALUE, MOST_READ = 4, 125  # registers: a float64, and what the protocol allows


def describe(device: Section, points: Sequence[PointText], site: Section, root: Path, report: Report) -> Description:
    """Read and check what the io_map says about the device; all mistakes go to the report with their places."""
    line = describe_line(device, report, root)
    uses_models = any(words.entry(p.section, "sunspec") is not None for p in points)
    rules = _with_folder(read_rules(device, uses_models, report), device, root, report)
    settings = ModbusSettings(
        line=line or LineSettings(),
        unit=words.whole(device, "unit", 1, 0, 255, report),
        poll=words.duration(device, "poll", POLL, report),
        gap=words.whole(device, "gap", 8, 0, MOST_READ, report),
        max_read=words.whole(device, "max_read", 120, WIDEST_VALUE, MOST_READ, report),
        rules=rules,
    )
    if settings.unit == 0 and settings.line.is_rtu:
        at = place_of(words.entry(device, "unit"), device.at)
        report.error(at, "E654", "unit 0 is everybody on a serial line, and nobody answers", "units are 1 to 247")
    folder = rules.sunspec.folder if rules.sunspec is not None else ""
    found = {str(p.tag): described for p in points if (described := _describe(p, folder, report)) is not None}
    inputs = [a for p in points if not p.is_output and str(p.tag) in found for a in found[str(p.tag)].addresses]
    outputs = [a for p in points if p.is_output and str(p.tag) in found for a in found[str(p.tag)].addresses]
    check_overlaps(inputs, outputs, report)
    check_model_points(inputs, outputs, report)
    check_heartbeat(rules.heartbeat, device, outputs, report)
    return Description(settings if line else None, found)


def _describe(point: PointText, folder: str, report: Report) -> Described | None:
    if words.entry(point.section, "sunspec") is not None:
        return describe_model_point(point, folder, report)
    return describe_point(point, report)


def _with_folder(rules: Rules, device: Section, root: Path, report: Report) -> Rules:
    """The rules with the models' folder as an absolute path; it must exist."""
    if rules.sunspec is None or not rules.sunspec.folder:
        return rules
    folder = root / rules.sunspec.folder
    if not folder.is_dir():
        at = words.entry(words.entry(device, "sunspec"), "models").at
        report.error(at, "E676", f"there is no folder `{rules.sunspec.folder}`", "paths are relative to the site's root")
        return rules
    sunspec = SunSpec(rules.sunspec.bases, str(folder.resolve()))
    return Rules(rules.suspend, rules.read_write, rules.handshake, rules.heartbeat, sunspec)


def connect(device: Device, inputs: Inputs, outputs: Outputs, run_dir: Path) -> Connection:
    """A connection for this device; nothing is sent before `open`."""
    from runtime.fieldbus.modbus_client import ModbusConnection

    return ModbusConnection(device, inputs, outputs, run_dir)
