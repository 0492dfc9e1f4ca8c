"""The site of the fault campaign: its io_maps and its dbc, written for the devices that there are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.aids.fault_panel import CONTACT, DEBOUNCE_MS, WIDTH

DBC = """VERSION ""

NS_ :

BS_:

BU_: PLC NODE

BO_ 256 Truth: 8 NODE
 SG_ T : 0|32@1+ (1,0) [0|0] "" PLC
 SG_ ALIVE : 32|4@1+ (1,0) [0|15] "" PLC
 SG_ LOW : 40|16@1+ (1,0) [0|0] "" PLC
 SG_ CRC : 56|8@1+ (1,0) [0|255] "" PLC

VAL_ 256 LOW 65535 "SNA" ;
"""
SITE = """site: campaign
tasks: {{watch: {{interval: 10 ms, programs: [idle]}}}}
io: [{devices}]
channels: {{{channels}}}
tags: {{site.scan: {{type: LINT, default: 0, text: Scans}}}}
"""
PROGRAM = "program: idle\noutputs: {site.scan: plc.scan}\n"
MODBUS = """device: {name}
driver: modbus
{line}
unit: 1
poll: 50 ms
stale: 300 ms
{more}inputs:
  {name}.t: {{register: holding 0, as: uint32, type: LINT, initial: 0, bad: hold, text: Time in ms}}
  {name}.u: {{register: input 10, as: int64, type: LINT, initial: 0, bad: hold, text: Time in us}}
"""
CAN = """device: {name}
driver: can
channel: {name}
dbc: dbc/truth.dbc
stale: 300 ms
messages:
  Truth: {{cycle: 20 ms, timeout: 200 ms, alive: ALIVE, crc: {{signal: CRC, kind: sae_j1850}}}}
inputs:
  {name}.t: {{signal: Truth.T, initial: 0, bad: hold, text: Time in ms}}
  {name}.low: {{signal: Truth.LOW, initial: 0, bad: hold, text: Time in ms modulo 32768}}
"""
PANEL = """device: {name}
driver: simulated
poll: 50 ms
stale: 300 ms
inputs:
"""
LINE = "  {name}.l{line}: {{line: {line}, initial: false, bad: hold, text: Line of the Gray counter}}\n"
CONTACT_LINE = "  {name}.l{line}: {{line: {line}, debounce: {debounce} ms, initial: false, bad: hold, text: Contact}}\n"


def panel_map(name: str) -> str:
    """The io_map of a panel whose lines are moved by `fault_panel`."""
    lines = "".join(LINE.format(name=name, line=line) for line in range(WIDTH))
    return PANEL.format(name=name) + lines + CONTACT_LINE.format(name=name, line=CONTACT, debounce=DEBOUNCE_MS)


def write_site(root: Path, tcp: dict[str, int], rtu: dict[str, Path], can: dict[str, Path], panels: Sequence[str] = ()) -> Path:
    """The site of these devices; returns its file."""
    names = [*tcp, *rtu, *can, *panels]
    channels = ", ".join(f"{n}: {{interface: slcan, channel: {link}, bitrate: 500 kbit/s}}" for n, link in can.items())
    files = {
        "config/site.yaml": SITE.format(devices=", ".join(names), channels=channels),
        "programs/idle.yaml": PROGRAM,
        "dbc/truth.dbc": DBC,
        **{f"io_maps/{n}.yaml": MODBUS.format(name=n, line=f"host: 127.0.0.1\nport: {port}", more="") for n, port in tcp.items()},
        **{
            f"io_maps/{n}.yaml": MODBUS.format(name=n, line=f"transport: rtu\nserial: {link}\nparity: none", more="")
            for n, link in rtu.items()
        },
        **{f"io_maps/{n}.yaml": CAN.format(name=n) for n in can},
        **{f"io_maps/{n}.yaml": panel_map(n) for n in panels},
    }
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root / "config/site.yaml"
