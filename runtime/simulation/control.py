"""The plant's control socket: JSON lines that put faults in, press buttons, and ask for the truth.

It must not know physics; each word below is one call into the plant. Only the socket's owner may open it (mode 0600).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from runtime.simulation.faults import FAULTS, Details, RefusedError, Site, change_fault, clear_faults
from runtime.simulation.grid import disturb, lose_unit
from runtime.simulation.panel import BUTTONS, press, release
from runtime.simulation.plant import tell_truth
from runtime.simulation.rack import set_soc
from runtime.simulation.written import Written, tell

LONGEST_LINE = 65536
Answer = dict[str, Any]
Word = Callable[["Desk", Details], Answer | Awaitable[Answer]]


class Desk:
    """What the socket reaches: the site, the record of what was written, and a way to end the process."""

    def __init__(self, site: Site, written: Written, stop: Callable[[], None]) -> None:
        self.site, self.written, self.stop = site, written, stop
        self.peers: set[asyncio.StreamWriter] = set()
        self.late_s = 0.0
        self.ticks = 0


def _number(details: Details, name: str, low: float, high: float) -> float:
    value = details.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise RefusedError(f"{name} must be a number from {low:g} to {high:g}, not {value!r}")
    return float(value)


def _button(details: Details) -> str:
    name = str(details.get("button"))
    if name not in BUTTONS:
        raise RefusedError(f"no button {name!r}; there are {', '.join(BUTTONS)}")
    return name


async def _set_fault(desk: Desk, details: Details) -> Answer:
    await change_fault(desk.site, str(details.get("fault")), details, on=True)
    return {"faults": list(desk.site.active.values())}


async def _clear_fault(desk: Desk, details: Details) -> Answer:
    await change_fault(desk.site, str(details.get("fault")), details, on=False)
    return {"faults": list(desk.site.active.values())}


async def _clear_faults(desk: Desk, _: Details) -> Answer:
    await clear_faults(desk.site)
    return {"faults": []}


def _faults(desk: Desk, _: Details) -> Answer:
    return {"faults": list(desk.site.active.values()), "known": {name: fault.text for name, fault in FAULTS.items()}}


def _press(desk: Desk, details: Details) -> Answer:
    held = _number(details, "for_s", 0.0, 3600.0) if "for_s" in details else float("inf")
    press(desk.site.plant.panel, _button(details), held)
    return {}


def _release(desk: Desk, details: Details) -> Answer:
    release(desk.site.plant.panel, _button(details))
    return {}


def _estop(desk: Desk, details: Details) -> Answer:
    desk.site.plant.panel.estop_pressed = bool(details.get("pressed", True))
    return {}


def _key(desk: Desk, details: Details) -> Answer:
    desk.site.plant.panel.remote = bool(details.get("remote", True))
    return {}


SETTABLE = {
    "load_kw": ("load_set", 0.0, 100_000.0),
    "pv_kw": ("pv_set", 0.0, 100_000.0),
    "frequency_hz": ("frequency_set", 30.0, 80.0),
    "voltage_v": ("voltage_set", 0.0, 1000.0),
}


def _set(desk: Desk, details: Details) -> Answer:
    """Fix a quantity by hand; `null` lets load, photovoltaics and frequency follow their own course again."""
    plant, what = desk.site.plant, str(details.get("what"))
    if what in SETTABLE:
        name, low, high = SETTABLE[what]
        setattr(plant.grid, name, None if details.get("value", 0) is None else _number(details, "value", low, high))
    elif what == "soc_percent":
        set_soc(plant.rack, _number(details, "value", 0.0, 100.0) / 100)
    elif what == "frequency_event_hz":
        disturb(plant.grid, _number(details, "value", -5.0, 5.0))
    elif what == "lost_unit_mw":
        lose_unit(plant.grid, _number(details, "value", -100_000.0, 100_000.0))
    elif what == "outside_c":
        for climate in plant.climates:
            climate.outside_c = _number(details, "value", -50.0, 70.0)
    elif what == "speed":
        plant.speed = _number(details, "value", 0.0, 10_000.0)
    else:
        others = "soc_percent, frequency_event_hz, lost_unit_mw, outside_c, speed"
        raise RefusedError(f"nothing called {what!r} can be set; there are {', '.join(SETTABLE)}, {others}")
    return {}


def _truth(desk: Desk, details: Details) -> Answer:
    return {"truth": tell_truth(desk.site.plant, bool(details.get("cells")))}


def _written(desk: Desk, details: Details) -> Answer:
    return {"written": tell(desk.written.changes, int(details.get("since", 0)))}


def _events(desk: Desk, details: Details) -> Answer:
    return {"events": tell(desk.written.events, int(details.get("since", 0)))}


def _counters(desk: Desk, _: Details) -> Answer:
    bus = desk.site.rack_buses[0]
    lines = {
        name: {
            "requests": device.line.requests,
            "refused": device.line.refused,
            "foreign": device.line.foreign,
            "lost": device.line.lost,
            "errors": device.line.errors,
        }
        for name, device in desk.site.devices.items()
    }
    bms = bus.plant.rack.bms
    can = {
        "sent": bus.link.sent,
        "dropped": bus.link.dropped,
        "received": bus.link.received,
        "unknown": bus.unknown,
        "malformed": bus.malformed,
        "commands": bms.heard,
        "alive_stuck": bms.ignored_alive,
    }
    return {"can0": can, "ticks": desk.ticks, "late_s": desk.late_s, "writes": desk.written.writes, **lines}


def _ping(_: Desk, __: Details) -> Answer:
    return {"pid": os.getpid()}


def _quit(desk: Desk, _: Details) -> Answer:
    desk.stop()
    return {}


WORDS: dict[str, Word] = {
    "set_fault": _set_fault,
    "clear_fault": _clear_fault,
    "clear_faults": _clear_faults,
    "faults": _faults,
    "press": _press,
    "release": _release,
    "estop": _estop,
    "key": _key,
    "set": _set,
    "truth": _truth,
    "written": _written,
    "events": _events,
    "counters": _counters,
    "ping": _ping,
    "quit": _quit,
}


async def obey(desk: Desk, line: bytes) -> Answer:
    """Do what one line asks; what cannot be done is answered with the reason, never raised."""
    try:
        asked = json.loads(line)
    except ValueError as error:
        return {"ok": False, "error": f"not JSON: {error}"}
    if not isinstance(asked, dict):
        return {"ok": False, "error": 'a request is an object such as {"do": "truth"}'}
    word = WORDS.get(str(asked.get("do")))
    if word is None:
        return {"ok": False, "error": f"no request {asked.get('do')!r}; there are {', '.join(WORDS)}"}
    try:
        answer = word(desk, asked)
        if isinstance(answer, Awaitable):
            answer = await answer
    except (RefusedError, ValueError, TypeError, RuntimeError) as error:
        return {"ok": False, "error": str(error)}
    return {"ok": True, **answer}


async def open_socket(desk: Desk, path: Path) -> asyncio.Server:
    """Listen on the control socket, which only our own user may open."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        desk.peers.add(writer)
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await obey(desk, line)).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):  # gone, or a line beyond LONGEST_LINE
            writer.transport.abort()
        finally:
            desk.peers.discard(writer)
            writer.close()

    mask = os.umask(0o177)
    try:
        return await asyncio.start_unix_server(serve, str(path), limit=LONGEST_LINE)
    finally:
        os.umask(mask)


async def close_socket(desk: Desk, server: asyncio.Server) -> None:
    """Stop listening and let every conversation end, so that none is cut off by the end of the loop."""
    server.close()
    for peer in tuple(desk.peers):
        peer.transport.abort()
    for _ in range(100):
        if not desk.peers:
            return
        await asyncio.sleep(0.001)
