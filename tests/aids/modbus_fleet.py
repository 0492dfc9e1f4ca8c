"""A site of many Modbus devices, some of them dead or slow, beside a real fieldbus process; when each was asked is known."""

from __future__ import annotations

import itertools
import os
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runtime.model import Device
from tests.aids.fieldbus import FieldbusRun, fieldbus_run, mapped
from tests.aids.fieldbus_child import DeviceProcess, device_process, until

COLD_S = 90  # an empty cache is compiled first
DEAD = ("unplugged", "timeout", "reset", "unreachable")
SLOW_MS = 900


@dataclass
class Member:
    """One device of the fleet: where its server stands, what is wrong with it, and its first slot."""

    device: Device
    process: DeviceProcess
    server: int
    fault: str

    def ask(self, do: str, **details: Any) -> Any:
        return self.process.ask(do, server=self.server, **details)


class Fleet:
    """`good` devices that are sound, and one for each of `faults`."""

    def __init__(self, stack: ExitStack, good: int, registers: int, faults: Sequence[str] = (), poll_ms: int = 100):
        self.poll = poll_ms * 1_000_000
        self.processes = [stack.enter_context(device_process("modbus_faults")) for _ in range(2)]
        self.members: list[Member] = []
        first = 0
        for number, fault in enumerate([*faults, *[""] * good]):
            process = self.processes[number % 2]
            found = process.ask("listen", kind="tcp")
            host, port = "127.0.0.1", found["port"]
            if fault == "unreachable":
                host, port = _full(stack)
            limit = "request_timeout: 1500 ms" if fault == "patient" else ""
            text = f"""
                device: d{number}
                driver: modbus
                host: {host}
                port: {port}
                poll: {poll_ms} ms
                {limit}
                inputs:
                  d{number}.r: {{register: holding 0, count: {registers}}}
            """
            member = Member(mapped(text, first_input=first).device, process, found["server"], fault)
            first += len(member.device.inputs)
            self.members.append(member)
            _spoil(member)

    @property
    def devices(self) -> list[Device]:
        return [member.device for member in self.members]

    @property
    def good(self) -> list[Member]:
        return [member for member in self.members if not member.fault]

    def forget(self) -> None:
        """Begin a window: what was asked before is forgotten."""
        for member in self.members:
            member.ask("requests")

    def intervals(self) -> list[list[float]]:
        """Seconds between the polls that each good device saw since `forget`."""
        found = []
        for member in self.good:
            times = [request[3] for request in member.ask("requests")]
            found.append([(b - a) / 1e9 for a, b in itertools.pairwise(times)])
        return found

    def errors(self) -> list[float]:
        """How far each of these intervals was from the poll period (s)."""
        return [abs(interval - self.poll / 1e9) for one in self.intervals() for interval in one]


def _spoil(member: Member) -> None:
    if member.fault == "unplugged":
        member.ask("unplug")
    elif member.fault in ("slow", "patient"):
        member.ask("fault", name="slow", value=SLOW_MS)
    elif member.fault in ("timeout", "reset"):
        member.ask("fault", name=member.fault)


def _full(stack: ExitStack) -> tuple[str, int]:
    """A port that takes no more connections and refuses none: Linux drops what the queue does not hold."""
    listening = stack.enter_context(socket.socket())
    listening.bind(("127.0.0.1", 0))
    listening.listen(0)
    for _ in range(2):
        one = stack.enter_context(socket.socket())
        one.setblocking(False)
        one.connect_ex(listening.getsockname())
    name: tuple[str, int] = listening.getsockname()
    return name


@contextmanager
def fleet(
    folder: Path, good: int, registers: int, faults: Sequence[str] = (), poll_ms: int = 100
) -> Iterator[tuple[Fleet, FieldbusRun]]:
    """The fleet and a fieldbus process that polls it beside a scan; all its good devices have been asked."""
    with ExitStack() as stack:
        ships = Fleet(stack, good, registers, faults, poll_ms)
        run = stack.enter_context(fieldbus_run(folder, ships.devices))
        run.start_scan()
        run.start()
        until(lambda: all(member.ask("count") > 2 for member in ships.good), COLD_S, "every good device is polled")
        yield ships, run


def cpu_seconds(pid: int) -> float:
    """Processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cpu_share(pid: int, seconds: float) -> float:
    """The share of a core that a process takes over the next seconds."""
    used, began = cpu_seconds(pid), time.monotonic()
    time.sleep(seconds)
    return (cpu_seconds(pid) - used) / (time.monotonic() - began)
