"""Reads the lines of an io_map that name a SunSpec point: type, unit and names come from the model. It opens no connection."""

from __future__ import annotations

from dataclasses import replace

from runtime.contract import PointText
from runtime.expand import PatternError, expand, is_pattern
from runtime.fieldbus import words
from runtime.fieldbus.modbus_points import manner_of, read_bits
from runtime.fieldbus.modbus_register import BIT, HOLDING, ModelPoint, Register
from runtime.fieldbus.modbus_sunspec_models import NO_BITS, TYPES, Found, ModelError, find_point, power_of, read_model
from runtime.language.network import inside
from runtime.model import Described
from runtime.source import Position, Report, Section, Text, did_you_mean, place_of

POINT_WORDS = ("model", "point", "instance", "group", "index")
FOREIGN_WORDS = ("register", "as", "words", "bytes", "scale", "offset", "scale_from", "invalid", "count")
MOST_INSTANCES = 255
# How the definitions write units, and how we do; what begins with % is a percentage of something that its name says.
_OURS = "V A W VA var Wh VAh varh Hz Ah kWh mm V/s W/s A/s Hz/s W/m2 m/s % deg"
_THEIRS = """
    Secs:s Sec:s Tms:s mSecs:ms Tmh:h Tmd:d C:°C Pct:% VNomPct:% WMaxPct:% VarPct:% Var:var Varh:varh WH:Wh AH:Ah kAH:kAh
    Degrees:deg ohms:Ohm kO:kOhm W/m^2:W/m2 meters:m mps:m/s
"""
UNITS = {unit: unit for unit in _OURS.split()} | dict(pair.split(":") for pair in _THEIRS.split())


def describe_model_point(point: PointText, folder: str, report: Report) -> Described | None:
    """One line with `sunspec:` as registers without an address, or None where it is wrong."""
    before = len(report.errors)
    section = point.section
    for word in FOREIGN_WORDS:
        if words.entry(section, word) is not None:
            report.error(
                section.key_at(word), "E677", f"`{word}` does not go with `sunspec`", "the model says how the point is coded"
            )
    paths = _paths(section, report)
    found = [one for text, model in paths if (one := _find(text, model, folder, report)) is not None]
    if not found or len(found) < len(paths) or len(report.errors) > before:
        return None
    text, (model, first, power) = paths[0][0], found[0]
    if any(
        (one.point.type, one.point.sf, one.point.unit) != (first.point.type, first.point.sf, first.point.unit)
        for _, one, _ in found
    ):
        report.error(text.at, "E677", "the points of one array differ in type, unit or scale factor", "make two arrays")
        return None
    if point.is_output and not first.point.is_writable:
        report.error(
            text.at, "E672", f"`{first.path}` of model {model.model} cannot be written", "the model says that it is read only"
        )
        return None
    register = _register(section, first, text.at, report)
    if isinstance(power, int):
        register = replace(register, scale=10.0**power)
    register = replace(manner_of(point, register, report), tag=str(point.tag))
    if len(report.errors) > before:
        return None
    names = () if register.kind == BIT or not first.point.type.startswith("enum") else first.point.symbols
    return Described(
        tuple(replace(register, model=model) for model, _, _ in found),
        type=_type(section, register, first),
        unit="" if names or register.kind == BIT else unit_of(first.point.unit),
        names=tuple((value, name) for name, value in names),
        is_array=is_pattern(str(words.entry(words.entry(section, "sunspec"), "point"))),
    )


def unit_of(text: str) -> str:
    """A definition's unit as we write it, or "" where it is none that we know."""
    known = UNITS.get(text)
    return known if known is not None else "%" if text.startswith("%") and "/" not in text else ""


def _paths(section: Section, report: Report) -> list[tuple[Text, ModelPoint]]:
    """Each element's model and path, with the text that names it."""
    place = words.entry(section, "sunspec")
    if not isinstance(place, Section):
        report.error(place_of(place, section.at), "E677", "`sunspec` is a section", "", "`sunspec: {model: 802, point: SoC}`")
        return []
    for key in place:
        if key not in POINT_WORDS:
            report.error(
                key.at, "E655", f"`sunspec` knows no `{key}`", did_you_mean(key, POINT_WORDS), f"known: {', '.join(POINT_WORDS)}"
            )
    text = words.word(place, "point", report, needed="the name of a point, for example `SoC` or `module[1].DCA`")
    if words.word(place, "model", report, needed="the number of a SunSpec model") is None or text is None:
        return []
    number = words.whole(place, "model", 1, 1, 65534, report)
    instance = words.whole(place, "instance", 1, 1, MOST_INSTANCES, report)
    group = words.word(place, "group", report)
    index = words.whole(place, "index", 1, 1, 65535, report)
    if group is None and words.entry(place, "index") is not None:
        report.error(place.key_at("index"), "E677", "`index` counts the repetitions of a `group`", "which group?")
    prefix = "" if group is None else f"{group}[{index}]." if words.entry(place, "index") is not None else f"{group}."
    try:
        return [(text, ModelPoint(number, instance, prefix + one)) for one in expand(text)]
    except PatternError as error:
        report.error(inside(text, error.start, error.width), "E677", f"`{text}`: {error}")
        return []


def _find(text: Text, model: ModelPoint, folder: str, report: Report) -> tuple[ModelPoint, Found, Found | int | None] | None:
    try:
        definition = read_model(model.model, folder)
        found = find_point(definition, model.path)
        power = power_of(definition, found)
    except ModelError as error:
        last = model.path.rpartition(".")[2]
        known = (f"it has {', '.join(error.known)}",) if error.known else ()
        report.error(text.at, "E676", f"model {model.model}: {error}", did_you_mean(last, error.known), *known)
        return None
    if found.point.type not in TYPES:
        report.error(text.at, "E677", f"`{found.path}` is a {found.point.type}, which no tag carries", "tags are numbers and bits")
        return None
    return model, found, power


def _register(section: Section, found: Found, at: Position, report: Report) -> Register:
    """How the point is coded; its address and width are the device's to say."""
    kind, width, none, _ = TYPES[found.point.type]
    bit, bits = _bits(section, found, report)
    if bit >= 0 and kind in NO_BITS:
        word = "bits" if words.entry(section, "bits") is not None else "bit"
        report.error(section.key_at(word), "E673", f"`{found.path}` is a {found.point.type}: it has no bits to pick")
    elif bit + bits > 16 * width:
        report.error(section.at, "E654", f"`{found.path}` has bits 0 to {16 * width - 1}, not {bit + bits - 1}")
    invalid = () if none is None else (none,)
    return Register(HOLDING, 0, BIT if bit >= 0 else kind, 0, bit, False, False, 1.0, 0.0, 0, at=at, bits=bits, invalid=invalid)


def _bits(section: Section, found: Found, report: Report) -> tuple[int, int]:
    """`bit: 3`, `bits: 0..3`, or the name that the model gives a bit."""
    text = words.entry(section, "bit")
    named = dict(found.point.symbols)
    if isinstance(text, Text) and not text.isdigit() and found.point.type.startswith("bitfield"):
        if text in named:
            return named[text], 1
        report.error(
            text.at, "E676", f"`{found.path}` has no bit `{text}`", did_you_mean(text, named), f"it has {', '.join(named)}"
        )
        return -1, 1
    return read_bits(section, report)


def _type(section: Section, register: Register, found: Found) -> str:
    """The tag type: the io_map's word where it has one, BOOL for a bit, LREAL for what has a unit or a scale factor."""
    if words.entry(section, "type") is not None:
        return ""
    if register.kind == BIT:
        return "BOOL" if register.bits == 1 else "DINT" if register.bits < 32 else "LINT"
    measured = found.point.sf is not None or bool(found.point.unit) or words.entry(section, "unit") is not None
    if measured and not found.point.type.startswith("enum"):
        return "LREAL"
    return TYPES[found.point.type][3]
