"""The plant for tests: one that steps in this process, and one that runs in its own and is ended by its pid."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import can
from can.interfaces.slcan import slcanBus
from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ModbusException

from runtime.simulation.bms import take_command
from runtime.simulation.pcs import beat
from runtime.simulation.plant import Plant, build_plant
from runtime.simulation.settings import CellSettings, PlantSettings, RackSettings
from tests.aids.places import DEMO

ROOT = Path(__file__).resolve().parents[2]
START_S = 30.0


class PlantError(Exception):
    """The plant did not start, or refused a request."""


ALIKE = CellSettings(
    capacity_spread=0,
    resistance_spread=0,
    soc_spread=0,
    cooling_spread=0,
    temperature_spread_k=0,
    resistance_per_k=0,
)
EXACT = RackSettings(
    cell=ALIKE,
    soh=1.0,
    voltage_noise_v=0,
    current_noise_a=0,
    current_offset_a=0,
    temperature_noise_k=0,
)


def even_plant(**rack: Any) -> Plant:
    """A plant whose cells and sensors are all alike and exact, so that hand calculations hold; `rack` are its settings."""
    return build_plant(PlantSettings(rack=replace(EXACT, **rack)))


def drive(
    plant: Plant, seconds: float, dt_s: float = 0.01, *, close: bool = False, precharge: bool = False, balance: bool = False
) -> None:
    """Step the plant with a master that is alive and asks for this, at every step."""
    for _ in range(round(seconds / dt_s)):
        take_command(plant.rack.bms, close, precharge, balance, False, (plant.rack.bms.commands.alive + 1) % 16)
        beat(plant.pcs, (plant.pcs.heartbeat + 1) % 65536)
        plant.step(dt_s)


def switch_on(plant: Plant) -> None:
    """Precharge and close, as a controller does; leaves the main contactor closed and the converter ready."""
    drive(plant, 0.1)
    drive(plant, 1.5, precharge=True)
    drive(plant, 0.2, precharge=True, close=True)
    drive(plant, 0.2, close=True)


@dataclass
class RunningPlant:
    """A plant process that is up. `ports` are those of pcs, meter and panel; `can0` is the far end of its CAN link."""

    process: subprocess.Popen[str]
    run_dir: Path
    can0: str
    ports: dict[str, int]
    control: socket.socket
    lines: Iterator[str]

    @property
    def pid(self) -> int:
        return self.process.pid

    def ask(self, do: str, **details: Any) -> dict[str, Any]:
        """One request to the control socket; raises PlantError when the plant refuses it."""
        self.control.sendall(json.dumps({"do": do, **details}).encode() + b"\n")
        answer: dict[str, Any] = json.loads(next(self.lines))
        if not answer["ok"]:
            raise PlantError(answer["error"])
        return answer

    def truth(self, cells: bool = False) -> dict[str, Any]:
        """What is really so in the plant."""
        truth: dict[str, Any] = self.ask("truth", cells=cells)["truth"]
        return truth

    def written(self, since: int = 0) -> list[dict[str, Any]]:
        """The output changes that the devices saw, oldest first; `t` is CLOCK_MONOTONIC in ns."""
        changes: list[dict[str, Any]] = self.ask("written", since=since)["written"]
        return changes

    def events(self, since: int = 0) -> list[dict[str, Any]]:
        """What happened in the devices by itself: contactors that moved, states that changed."""
        events: list[dict[str, Any]] = self.ask("events", since=since)["events"]
        return events

    def fault(self, name: str, **details: Any) -> None:
        self.ask("set_fault", fault=name, **details)

    def clear(self, name: str, **details: Any) -> None:
        self.ask("clear_fault", fault=name, **details)

    def wait(self, holds: Callable[[dict[str, Any]], bool], within_s: float, what: str = "") -> dict[str, Any]:
        """Ask for the truth until it is so; raises PlantError with the last truth when the time is over."""
        deadline = time.monotonic() + within_s
        while True:
            truth = self.truth()
            if holds(truth):
                return truth
            if time.monotonic() > deadline:
                raise PlantError(f"not within {within_s} s: {what}\n{json.dumps(truth, indent=1)}")
            time.sleep(0.01)

    def stop(self, within_s: float = 10.0) -> int:
        """End the plant as a supervisor would; returns its exit status."""
        self.control.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(within_s)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        return self.process.returncode


def start_plant(run_dir: Path, *arguments: str, config: Path = DEMO / "config/plant.yaml") -> RunningPlant:
    """Start the plant on free ports and wait until it is up. Further arguments go to its command line."""
    command = [sys.executable, "-m", "runtime.simulation", "--config", str(config), "--run-dir", str(run_dir), *arguments]
    if "--ports-from-config" not in arguments:
        command.append("--free-ports")
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
    if process.stdout is None:
        raise PlantError("no pipe to the plant")
    readable, _, _ = select.select([process.stdout], [], [], START_S)
    line = process.stdout.readline() if readable else ""
    if not line:
        process.kill()
        process.wait()
        process.stdout.close()
        raise PlantError(f"the plant did not start within {START_S} s (exit status {process.returncode}; its stderr is above)")
    ready = json.loads(line)
    control = socket.socket(socket.AF_UNIX)
    control.settimeout(10.0)
    control.connect(ready["socket"])
    ports = {name: port for name, port in ready.items() if name.startswith(("pcs", "meter", "panel", "climate"))}
    return RunningPlant(process, run_dir, ready["can0"], ports, control, iter(control.makefile("r")))


@contextmanager
def running_plant(run_dir: Path, *arguments: str, config: Path = DEMO / "config/plant.yaml") -> Iterator[RunningPlant]:
    """A plant for the length of a `with`."""
    plant = start_plant(run_dir, *arguments, config=config)
    try:
        yield plant
    finally:
        plant.stop()


class Master:
    """A small controller on the real buses: it commands the rack over CAN and keeps the converter's heartbeat moving."""

    def __init__(self, plant: RunningPlant) -> None:
        self.close = self.precharge = self.reset = self.balance = False
        self.silent = self.heartless = False
        self.bus = slcanBus(plant.can0, bitrate=500_000, sleep_after_open=0)
        self.pcs = ModbusTcpClient("127.0.0.1", port=plant.ports["pcs"], timeout=2, retries=0)
        self.pcs.connect()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._speak)
        self._thread.start()

    def _speak(self) -> None:
        turn = 0
        while not self._ended.wait(0.05):
            turn += 1
            if not self.silent:
                bits = self.close | self.precharge << 1 | self.balance << 2 | self.reset << 3
                self.send(0xA0, bytes([bits, turn % 16]))
            if not self.heartless:
                self.write(102, turn)

    def send(self, number: int, data: bytes, extended: bool = False) -> None:
        """Send one CAN frame."""
        with self._lock:
            self.bus.send(can.Message(arbitration_id=number, data=data, is_extended_id=extended))

    def write(self, address: int, value: int) -> None:
        """Write one holding register of the converter."""
        with self._lock, contextlib.suppress(ModbusException):  # a test may have cut the line
            self.pcs.write_register(address, value % 65536, device_id=1)

    def power(self, kw: float) -> None:
        self.write(100, round(kw * 10))

    def enable(self, on: bool) -> None:
        with self._lock:
            self.pcs.write_coil(0, on, device_id=1)

    def skip(self) -> None:
        """Forget what has arrived and was not read: close the channel, read up to the adapter's next answer, open it again."""
        with self._lock:
            self.bus.close()
            if self.bus.get_version(10.0) == (None, None):
                raise PlantError("the adapter does not answer")
            while self.bus._queue.qsize():  # what python-can put aside while it waited for the answer
                self.bus.recv(0)
            self.bus.open()

    def receive(self, seconds: float) -> dict[int, list[can.Message]]:
        """What arrives on the bus in this time, by id."""
        found: dict[int, list[can.Message]] = {}
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            message = self.bus.recv(left)
            if message is not None:
                found.setdefault(message.arbitration_id, []).append(message)
        return found

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()
        self.pcs.close()
        with contextlib.suppress(can.CanError):  # the plant may be gone already
            self.bus.shutdown()


@contextmanager
def mastered_plant(run_dir: Path, *arguments: str) -> Iterator[tuple[RunningPlant, Master]]:
    """A plant with a master on its buses, for the length of a `with`."""
    with running_plant(run_dir, *arguments) as plant:
        master = Master(plant)
        try:
            yield plant, master
        finally:
            master.stop()


def bring_up(plant: RunningPlant, master: Master, kw: float) -> None:
    """Precharge, close, enable and go to this power, each when the one before has happened."""
    master.precharge = True
    plant.wait(lambda truth: truth["rack"]["v"] - truth["pcs"]["v_link"] < 1.0, 10.0, "precharge")
    master.close = True
    plant.wait(lambda truth: truth["rack"]["main"], 5.0, "main closed")
    master.precharge = False
    master.enable(True)
    plant.wait(lambda truth: truth["pcs"]["state"] == "RUNNING", 5.0, "converter running")
    master.power(kw)
    plant.wait(lambda truth: abs(truth["pcs"]["p_ac_kw"] - kw) < 0.2, 5.0, "power reached")
