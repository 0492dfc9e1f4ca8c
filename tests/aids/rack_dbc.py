"""Writes the DBCs of racks that differ from dbc/rack.dbc in size and rhythm; after a change: `python -m tests.aids.rack_dbc`.

rack16.dbc: one module of 16 cells, finer steps for 51 V and 5 kW. rack_shared.dbc: the rack of dbc/rack.dbc with 29-bit numbers,
so that many stand on one channel, and told less often. rack1000.dbc: 250 modules of 4 cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "dbc"
EXTENDED = 1 << 31  # how a DBC marks an identifier of 29 bits
STACK, STATUS, LIMITS, SUMMARY = 0x0A0, 0x100, 0x110, 0x111
STATES = ("INIT", "STANDBY", "PRECHARGE", "CLOSED", "FAULT")
FAULTS = (
    "NONE",
    "OVER_VOLTAGE",
    "UNDER_VOLTAGE",
    "OVER_TEMPERATURE",
    "UNDER_TEMPERATURE",
    "OVER_CURRENT",
    "COMM_TIMEOUT",
    "CONTACTOR_WELDED",
    "CONTACTOR_OPEN",
    "SENSOR",
    "INTERNAL",
    "EARTH_FAULT",
)


@dataclass(frozen=True)
class Kind:
    """One kind of rack: its cells, identifiers, steps of the pack's values, and how often it speaks (ms)."""

    text: str
    modules: int
    per_module: int
    extended: bool = True
    volts: tuple[str, int] = ("0.1", 1500)
    kilowatts: tuple[str, int] = ("0.1", 1000)
    status_ms: int = 10
    cells_ms: int = 100
    balance: int = 0x0C0
    voltages: int = 0x200
    temperatures: int = 0x240


KINDS = {
    "rack16.dbc": Kind(
        "Rack of one module with 16 LFP cells in series. 500 kbit/s.", 1, 16, False, volts=("0.01", 100), kilowatts=("0.001", 60)
    ),
    "rack_shared.dbc": Kind(
        "Rack of 16 modules with 16 LFP cells each; the next rack's identifiers stand 0x1000 above. 500 kbit/s carry eight racks.",
        16,
        16,
        status_ms=50,
        cells_ms=1000,
    ),
    "rack1000.dbc": Kind(
        "Rack of 250 modules with 4 LFP cells each. 1 Mbit/s.",
        250,
        4,
        cells_ms=1000,
        balance=0x800,
        voltages=0x200,
        temperatures=0x400,
    ),
}


@dataclass(frozen=True)
class Message:
    """One message as text: signals are (name, place, factor and range, unit, comment)."""

    number: int
    name: str
    sender: str
    cycle_ms: int
    text: str
    signals: tuple[tuple[str, str, str, str, str], ...]
    length: int = 8
    missing: tuple[tuple[str, int], ...] = ()  # signals with the raw value that means "not available"


def messages_of(kind: Kind) -> list[Message]:
    """All messages of this rack, ours first."""
    own = f"{kind.per_module} bits, one a cell" if kind.per_module > 1 else "one bit"
    found = [_stack(kind)]
    for m in range(kind.modules):
        bits = tuple((f"Cell_{c + 1}", f"{c}|1@1+", "(1,0) [0|1]", "", "") for c in range(kind.per_module))
        length = (kind.per_module + 7) // 8
        text = f"Balancing resistors of module {m + 1}: {own}."
        found.append(Message(kind.balance + m, f"Balance_Cmd_{m + 1}", "PLC", 1000, text, bits, length))
    found += [_status(kind), _limits(kind), _summary()]
    for m in range(kind.modules):
        text = f"Cell voltages of module {m + 1}. All bits set: sensor not available."
        range_v = "(0.0002,0) [0|5]"
        found.append(_cells(kind, kind.voltages + m, f"Module_{m + 1}", "V", range_v, "V", kind.cells_ms, text))
    for m in range(kind.modules):
        text = f"Cell temperatures of module {m + 1}. All bits set: sensor not available."
        range_c = "(0.01,-50) [-40|150]"
        found.append(_cells(kind, kind.temperatures + m, f"ModuleTemp_{m + 1}", "T", range_c, "degC", 1000, text))
    return found


def _stack(kind: Kind) -> Message:
    names = (
        ("CloseReq", "Close the main contactors"),
        ("PrechargeReq", "Close the precharge contactor"),
        ("BalanceEnable", "Allow the balancing resistors named by Balance_Cmd"),
        ("ResetFaults", "A rising edge forgets a fault whose cause is gone"),
    )
    bits = [(name, f"{at}|1@1+", "(1,0) [0|1]", "", text) for at, (name, text) in enumerate(names)]
    alive = "Counts up by one every frame; a stuck counter is a dead controller"
    signals = (*bits, ("AliveCounter", "8|4@1+", "(1,0) [0|15]", "", alive))
    return Message(STACK, "Stack_Cmd", "PLC", 100, "What the controller asks of the rack.", signals, 2)


def _status(kind: Kind) -> Message:
    step, most = kind.volts
    signals = (
        ("SOC", "0|16@1+", "(0.01,0) [0|100]", "%", "State of charge, counted by the battery management"),
        ("PackVoltage", "16|16@1+", f"({step},0) [0|{most}]", "V", "Voltage of the whole string, battery side of the contactors"),
        ("PackCurrent", "32|16@1-", "(0.02,0) [-600|600]", "A", "String current; discharge is positive"),
        ("State", "48|4@1+", "(1,0) [0|4]", "", "State of the battery management"),
        ("MainFb", "52|1@1+", "(1,0) [0|1]", "", "Auxiliary contact of the main contactors: closed"),
        ("PrechargeFb", "53|1@1+", "(1,0) [0|1]", "", "Auxiliary contact of the precharge contactor: closed"),
        ("Ok", "54|1@1+", "(1,0) [0|1]", "", "No fault that opens the contactors"),
        ("Balancing", "55|1@1+", "(1,0) [0|1]", "", "At least one balancing resistor is on"),
        ("FaultCode", "56|4@1+", "(1,0) [0|11]", "", "First fault since the last reset"),
        ("AliveCounter", "60|4@1+", "(1,0) [0|15]", "", "Counts up by one every frame"),
    )
    text = "State of the rack, the fast message."
    return Message(STATUS, "BMS_Status", "BMS", kind.status_ms, text, signals, missing=(("PackVoltage", 65535),))


def _limits(kind: Kind) -> Message:
    step, most = kind.kilowatts
    signals = (
        ("PChargeMax", "0|16@1+", f"({step},0) [0|{most}]", "kW", "Charge power allowed now, as a positive number"),
        ("PDischargeMax", "16|16@1+", f"({step},0) [0|{most}]", "kW", "Discharge power allowed now"),
        ("SOH", "32|16@1+", "(0.01,0) [0|100]", "%", "State of health: capacity now over capacity when new"),
        ("Insulation", "48|16@1+", "(1,0) [0|50000]", "kOhm", "Insulation resistance of the string against earth"),
    )
    return Message(LIMITS, "BMS_Limits", "BMS", 100, "What the rack lets through.", signals, missing=(("Insulation", 65535),))


def _summary() -> Message:
    names = (("VMin", "Lowest cell voltage"), ("VMax", "Highest cell voltage"))
    hot = (("TMin", "Lowest cell temperature"), ("TMax", "Highest cell temperature"))
    signals = (
        *((name, f"{16 * at}|16@1+", "(0.0001,0) [0|5]", "V", text) for at, (name, text) in enumerate(names)),
        *((name, f"{16 * at}|16@1+", "(0.01,-50) [-40|150]", "degC", text) for at, (name, text) in enumerate(hot, start=2)),
    )
    missing = tuple((name, 65535) for name, _ in (*names, *hot))
    return Message(SUMMARY, "BMS_CellSummary", "BMS", 100, "Extremes of the cells with a working sensor.", signals, missing=missing)


def _cells(kind: Kind, number: int, name: str, letter: str, scale: str, unit: str, cycle_ms: int, text: str) -> Message:
    """Four cells a frame; a module of more has a row number before them."""
    rows = kind.per_module // 4
    signals = [("Row M", "0|4@1+", f"(1,0) [0|{rows - 1}]", "", "Which four cells this frame carries")] if rows > 1 else []
    for cell in range(kind.per_module):
        row = f" m{cell // 4}" if rows > 1 else ""
        signals.append((f"{letter}_{cell + 1}{row}", f"{4 + 15 * (cell % 4)}|15@1+", scale, unit, ""))
    missing = tuple((f"{letter}_{cell + 1}", 32767) for cell in range(kind.per_module))
    return Message(number, name, "BMS", cycle_ms, text, tuple(signals), missing=missing)


def dbc_of(kind: Kind) -> str:
    """The whole file."""
    messages = messages_of(kind)
    mark = EXTENDED if kind.extended else 0
    head = 'VERSION "1.0"\n\nNS_ :\n\tCM_\n\tBA_DEF_\n\tBA_\n\tVAL_\n\tBA_DEF_DEF_\n\nBS_:\n\nBU_: BMS PLC\n'
    lines = [head]
    for one in messages:
        other = "PLC" if one.sender == "BMS" else "BMS"
        lines.append(f"BO_ {one.number | mark} {one.name}: {one.length} {one.sender}")
        lines += [f' SG_ {name} : {place} {scale} "{unit}" {other}' for name, place, scale, unit, _ in one.signals]
        lines.append("")
    lines.append(f'CM_ "{kind.text} All signals are Intel (little-endian). Made by tests/aids/rack_dbc.py.";')
    lines += ['CM_ BU_ BMS "Battery management of the rack";', 'CM_ BU_ PLC "The controller of the site";']
    for one in messages:
        lines.append(f'CM_ BO_ {one.number | mark} "{one.text}";')
        named = [(name.split()[0], text) for name, _, _, _, text in one.signals if text]
        lines += [f'CM_ SG_ {one.number | mark} {name} "{text}";' for name, text in named]
    lines += ['BA_DEF_ BO_ "GenMsgCycleTime" INT 0 65535;', 'BA_DEF_ SG_ "SignalInvalidRaw" INT -1 65535;']
    lines += ['BA_DEF_DEF_ "GenMsgCycleTime" 0;', 'BA_DEF_DEF_ "SignalInvalidRaw" -1;']
    lines += [f'BA_ "GenMsgCycleTime" BO_ {one.number | mark} {one.cycle_ms};' for one in messages]
    lines += [f'BA_ "SignalInvalidRaw" SG_ {m.number | mark} {name} {raw};' for m in messages for name, raw in m.missing]
    for name, words in (("State", STATES), ("FaultCode", FAULTS)):
        values = " ".join(f'{number} "{word}"' for number, word in enumerate(words))
        lines.append(f"VAL_ {STATUS | mark} {name} {values} ;")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    for file, kind in KINDS.items():
        (FOLDER / file).write_text(dbc_of(kind), encoding="utf-8")
