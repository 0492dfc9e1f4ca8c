"""Controller and plant in one process at one simulated clock: scans, frames, requests and the plant's physics take turns.

A turn is one or several ticks: the scans run first, each as on a real controller; what they command is then written, the plant
moves on by the same time, and its frames and answers wait for the scans of the next turn. So the controller never sees the future,
and in a turn of several ticks it sees the plant as it was when the turn began. It must not know what a scenario asks for.
"""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from runtime.engine.south import Outbox
from runtime.fieldbus.can_tables import CanSettings
from runtime.fieldbus.gpio_words import GpioSettings
from runtime.fieldbus.modbus_settings import ModbusSettings
from runtime.language.scenario import Check
from runtime.model import Device, Site
from runtime.program_tests_loop import CHECK_BROKEN, N_BROKEN, N_NOW
from runtime.program_tests_stand import GENERATION, Stand
from runtime.quality import BAD_WAITING_FOR_INITIAL_DATA
from runtime.simulate_can import CanSeat
from runtime.simulate_field import lay_field
from runtime.simulate_gpio import GpioSeat, UnknownLineError
from runtime.simulate_modbus import ModbusSeat
from runtime.simulate_scenario import Start
from runtime.simulation.plant import Plant, build_plant
from runtime.simulation.settings import PlantSettings
from runtime.system_tags import DEVICE_STATES

LOST = DEVICE_STATES.index("lost")
STEADY = 3_000_000_000  # ns: what has stood so long and then switches is an event


Seat = CanSeat | ModbusSeat | GpioSeat


class UnknownDeviceError(Exception):
    """A device of the site has nothing behind it in the plant; the text says which, and what there is."""


def started(settings: PlantSettings, seed: int, start: Start) -> PlantSettings:
    """The plant's settings with the scenario's seed and start."""
    rack, grid = settings.rack, settings.grid
    if start.soc is not None:
        rack = replace(rack, soc=start.soc / 100)
    if start.ambient is not None:
        rack = replace(rack, ambient_c=start.ambient)
    if start.hour is not None:
        grid = replace(grid, start_hour=start.hour)
    return replace(settings, seed=seed, rack=rack, grid=grid)


class World:
    """A site on a stand, and the plant of these settings behind its devices."""

    def __init__(self, site: Site, settings: PlantSettings, stand: Stand, clock: int):
        self.site, self.stand = site, stand
        self.tick = site.schedule.tick
        self.plant: Plant = build_plant(settings)
        self.field = lay_field(self.plant, Path(site.root))
        stand.start_cold((), (), clock)
        stand.plc.plan.inbox_time[:] = 0
        self._forget_inputs()
        plan = stand.plan
        cells = (plan.inbox_value.view(np.float64), plan.inbox_value, plan.inbox_quality, plan.inbox_time)
        self.seats: list[Seat] = [self._seat(device, cells) for device in site.devices]
        self._outbox = Outbox(stand.plc.folder, len(site.schedule.outputs.source), GENERATION)
        self._outbox.attach()
        for seat in self.seats:
            seat.begin(self.now)
        self._buses = [seat for seat in self.seats if isinstance(seat, CanSeat)]
        self._others = [seat for seat in self.seats if not isinstance(seat, CanSeat)]
        self._diagnoses = [
            (seat, [(p.slot, p.address == "state") for p in seat.device.diagnostics if str(p.address) in ("state", "lost")])
            for seat in self.seats
        ]
        self._bus_tick, self._owed = round(settings.tick_s * 1e9), 0  # ns: of the racks, and how far they are behind
        tags = {tag.name: tag for tag in site.schedule.tags}
        points = [p for d in site.devices for p in d.outputs if p.type == "BOOL" and not tags[p.tag].length]
        self._switches = np.array([point.slot for point in points], np.int64)
        self._switched = np.zeros(len(points), np.int64)
        self._steady_since = np.zeros(len(points), np.int64)
        self._checks: tuple[Check, ...] = ()

    @property
    def now(self) -> int:
        """The time of the next scan (simulated CLOCK_MONOTONIC, ns)."""
        return int(self.stand.stage.words[N_NOW])

    def _forget_inputs(self) -> None:
        """No device has sent anything yet; what the language says about the devices themselves is kept fresh."""
        plan, stage = self.stand.plan, self.stand.stage
        for device in self.site.devices:
            slots = [point.slot for point in device.inputs]
            plan.inbox_quality[slots] = BAD_WAITING_FOR_INITIAL_DATA
            stage.fresh[slots] = 0

    def _seat(self, device: Device, cells: Any) -> Seat:
        settings = device.settings
        if isinstance(settings, CanSettings):
            channel = Path(settings.channel.channel).name
            if channel not in self.field.wires:
                there = ", ".join(self.field.wires)
                raise UnknownDeviceError(f"`{device.name}` is on the channel {channel}; the plant has {there}")
            return CanSeat(device, cells, self.field.wires[channel])
        if isinstance(settings, ModbusSettings):
            for one in self.field.devices.values():
                if (settings.host, settings.port, settings.unit) == (one.host, one.port, one.unit):
                    return ModbusSeat(device, cells, one)
            there = ", ".join(f"{name} at {one.host}:{one.port}" for name, one in self.field.devices.items())
            where = f"{settings.host}:{settings.port} unit {settings.unit}"
            raise UnknownDeviceError(f"nothing in the plant answers for `{device.name}` at {where}; there are {there}")
        if isinstance(settings, GpioSettings):
            try:
                return GpioSeat(device, cells, self.plant.panel, self.field.devices["panel"])
            except UnknownLineError as error:
                raise UnknownDeviceError(str(error)) from None
        raise UnknownDeviceError(f"`{device.name}` is on the driver {device.driver}; a simulation has can, modbus and gpio")

    # A turn ---------------------------------------------------------------------------------------------------------------------

    def hold(self, checks: tuple[Check, ...]) -> None:
        """These conditions are judged in every scan from now on."""
        self._checks = checks
        self.stand.expect(checks)

    def holds(self, check: Check) -> bool:
        """Whether this condition on tags holds now."""
        self.stand.expect((check,))
        found = self.stand.broken() < 0
        self.stand.expect(self._checks)
        return found

    def turn(self, ticks: int) -> list[tuple[int, Check]]:
        """So many ticks; returns the conditions that did not hold, with the time of the scan (ns), and judges them no more."""
        broken = self._scan(ticks)
        self._outbox.take()
        outputs = self._outbox.integer
        now = self.now
        for bus in self._buses:
            bus.work(now, outputs)
        passed = ticks * self.tick
        self.plant.step(passed / 1e9)
        self._owed += passed
        spoken, self._owed = divmod(self._owed, self._bus_tick)
        if spoken:
            self.field.speak(now - self._owed, spoken)
            self.field.deliver()
        for seat in self._others:
            seat.work(now, outputs)
        return broken

    def _scan(self, ticks: int) -> list[tuple[int, Check]]:
        stand, words = self.stand, self.stand.stage.words
        last = stand.scans + ticks
        broken = []
        while stand.scans < last:
            if stand.play(last - stand.scans, 2 if self._checks else 0) == CHECK_BROKEN:
                check = self._checks[int(words[N_BROKEN])]
                broken.append((int(words[N_NOW]) - self.tick, check))
                self.hold(tuple(one for one in self._checks if one is not check))
                words = stand.stage.words
        return broken

    def diagnose(self) -> None:
        """Tell the program how its devices are, as the field process does."""
        values, now = self.stand.plan.inbox_value, self.now
        for seat, shown in self._diagnoses:
            state = seat.state(now)
            for slot, is_state in shown:
                values[slot] = state if is_state else int(state == LOST)

    def has_switched(self) -> bool:
        """Whether a switched output (a contactor, an enable) changed since the last look; one that blinks does not count."""
        seen = self._outbox.integer[self._switches]
        changed = seen != self._switched
        if not changed.any():
            return False
        was_steady = self.now - self._steady_since[changed] > STEADY
        self._steady_since[changed], self._switched = self.now, seen
        return bool(was_steady.any())


def finish(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that never waits: the plant's faults are written for its own loop, and here there is none."""
    try:
        work.send(None)
    except StopIteration:
        return
    work.close()
    raise RuntimeError("a fault of the simulated plant waited for something")
