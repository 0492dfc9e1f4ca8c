"""1,024 cells on one bus: four racks of dbc/rack.dbc that send every voltage and temperature each 100 ms, as a process of its own.

`python -m tests.aids.cell_traffic TARGET`: TARGET is a SocketCAN interface, or the path of a socket that it listens on for one
`tests.aids.can_pair.PairBus`. Asked `send`, it sends for so many seconds and answers with its count of frames.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cantools

from runtime.model import Device
from tests.aids.can_pair import pack
from tests.aids.fieldbus import mapped
from tests.aids.fieldbus_child import ROOT, answer

RACKS, MODULES, ROWS, CELLS = 4, 16, 4, 256
ID_STEP = 16  # the next rack's modules follow at once
PERIOD, SLICE = 0.1, 0.01  # s
IO_MAP = """
device: rack{rack}
driver: can
channel: can0
dbc: dbc/rack.dbc
id_offset: {offset}
inputs:
  r{rack}.v: {{signal: "Module_{{1..16}}.V_{{1..16}}"}}
  r{rack}.t: {{signal: "ModuleTemp_{{1..16}}.T_{{1..16}}"}}
"""


def volts(rack: int, cell: int) -> float:
    """What this cell's voltage is, so that every cell has its own: 15 bits of 0.2 mV."""
    return round((15000 + 256 * rack + cell) * 0.0002, 4)


def degrees(rack: int, cell: int) -> float:
    """What this cell's temperature is: 15 bits of 0.01 °C."""
    return round(20 + rack + cell * 0.01, 2)


def frames() -> list[tuple[int, bytes]]:
    """The identifiers and data of one period, as cantools encodes them."""
    database = cantools.database.load_file(ROOT / "dbc" / "rack.dbc")
    found = []
    for rack in range(RACKS):
        for module in range(MODULES):
            for name, letter, value in (("Module", "V", volts), ("ModuleTemp", "T", degrees)):
                message = database.get_message_by_name(f"{name}_{module + 1}")
                for row in range(ROWS):
                    signals = {f"{letter}_{4 * row + k + 1}": value(rack, 16 * module + 4 * row + k) for k in range(4)}
                    found.append((message.frame_id + ID_STEP * rack, message.encode({"Row": row, **signals}, strict=False)))
    return found


def racks(interface: str, channel: str, options: tuple[tuple[str, object], ...] = ()) -> list[Device]:
    """The four racks as devices of one channel."""
    site = "site: t\nchannels: {can0: {interface: virtual}}\n"
    devices = []
    for rack in range(RACKS):
        text = IO_MAP.format(rack=rack, offset=ID_STEP * rack)
        device = mapped(text, site, ROOT, first_input=2 * CELLS * rack).device
        channel_settings = replace(device.settings.channel, interface=interface, channel=channel, options=options)
        devices.append(replace(device, settings=replace(device.settings, channel=channel_settings)))
    return devices


def send_for(bus: socket.socket, seconds: float, packets: Sequence[bytes]) -> dict[str, float]:
    """Send all frames each period, a tenth of them each 10 ms; late slices follow at once and none is left out."""
    slices = round(PERIOD / SLICE)
    parts = [packets[len(packets) * k // slices : len(packets) * (k + 1) // slices] for k in range(slices)]
    begun, count, turns, latest = time.monotonic(), 0, round(seconds / SLICE), 0.0
    for turn in range(turns):
        due = begun + turn * SLICE
        late = time.monotonic() - due
        if late < 0:
            time.sleep(-late)
        latest = max(latest, late)
        for packet in parts[turn % slices]:
            bus.send(packet)
        count += len(parts[turn % slices])
    return {"sent": count, "late_s": latest}


def open_bus(target: str) -> socket.socket:
    """The bus to send on; a path waits for the one that connects."""
    if not target.startswith("/"):
        bus = socket.socket(socket.AF_CAN, socket.SOCK_RAW, socket.CAN_RAW)
        bus.setsockopt(socket.SOL_CAN_RAW, socket.CAN_RAW_FILTER, b"")  # it sends only
        bus.bind((target,))
        return bus
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        Path(target).unlink(missing_ok=True)
        listening.bind(target)
        listening.listen()
        return listening.accept()[0]


if __name__ == "__main__":
    answer({"ready": True})
    packets = [pack(identifier, data) for identifier, data in frames()]
    wire = open_bus(sys.argv[1])
    for line in sys.stdin:
        answer(send_for(wire, json.loads(line)["seconds"], packets))
