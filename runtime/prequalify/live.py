"""The bench's door to a site that runs, in real time: its plant's control socket is the grid, its snapshot the meter.

At a real plant nobody can move the grid: there a test set feeds the controller a frequency, and we record what the site sees and
does (`record`). It must not know a criterion.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from runtime import rundir
from runtime.cli_ring import CommandLine, command_line, who_types
from runtime.model import Site
from runtime.onlooker import NotRunningError, Onlooker
from runtime.prequalify import orders
from runtime.prequalify.bench import Bench, Driven, NotReadyError, Tell
from runtime.prequalify.listening import listen
from runtime.prequalify.orders import Order
from runtime.prequalify.programme import Terms, logging, sequences_of
from runtime.records_view import opened
from runtime.servers.audit import Deed

TICK = 0.01  # s
LATE = 0.02  # s: a step that ends later than this is counted
ANSWER_S = 5.0
SOCKET = "plant.sock"
FREE = ("frequency_hz", "voltage_v", "load_kw", "pv_kw")  # what follows its own course again when we are done


class NoPlantError(Exception):
    """The running site has no simulated plant whose grid could be moved."""


def drive(site: Site, file: Path, service: str, terms: Terms, tell: Tell) -> Driven:
    """Every test of the terms on the site that runs, with its simulated plant; what was set before is set again at the end."""
    seen = Onlooker(site, file)
    seen.attach()
    with _plant(file) as plant, command_line(seen) as ring, opened(file) as records:
        door = LiveDoor(seen, ring, plant, records)
        try:
            done = Bench(door, service, terms, tell).run_all(terms)
        finally:
            door.give_back()
        return Driven(done, door.seconds, {"Time keeping": door.keeping(), "Plant at the start": "as the running site had it"})


def record(site: Site, file: Path, service: str, terms: Terms, tell: Tell) -> Driven:
    """Every test of the terms as a test set drives it, one after the other in their order; nothing is written to the site."""
    seen = Onlooker(site, file)
    seen.attach()
    door = LiveSite(seen)
    done = {one.kind: listen(door, one, logging(service, terms, one).every, tell) for one in sequences_of(service, terms)}
    return Driven(done, door.seconds, {"Frequency": "from a test set, as the site measures it", "Time keeping": door.keeping()})


class Plant:
    """The control socket of a simulated plant: a line asks, a line answers."""

    def __init__(self, line: socket.socket):
        self._line, self._answers = line, line.makefile("r")

    def set(self, what: str, value: float | None) -> None:
        """Fix a quantity of the plant, or let it go. Raises NoPlantError where the plant does not obey."""
        try:
            self._line.sendall(json.dumps({"do": "set", "what": what, "value": value}).encode() + b"\n")
            answer = json.loads(self._answers.readline() or "{}")
        except (OSError, ValueError) as error:
            raise NoPlantError(f"the simulated plant does not answer any more: {error}") from error
        if not answer.get("ok"):
            raise NoPlantError(f"the simulated plant refuses {what} = {value}: {answer.get('error', 'no answer')}")


@contextmanager
def _plant(file: Path) -> Iterator[Plant]:
    path = rundir.folder_of(file) / SOCKET
    line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    line.settimeout(ANSWER_S)
    try:
        line.connect(str(path))
    except OSError as error:
        line.close()
        words = "start it with `bessplc run --sim`, or let a test set drive the frequency and say --record-only"
        raise NoPlantError(f"the site has no simulated plant ({path}: {error.strerror}): {words}") from error
    with line:
        yield Plant(line)


class LiveSite:
    """A site that runs, to look at: time passes by itself, and we keep up with it."""

    def __init__(self, seen: Onlooker):
        self._seen = seen
        self.tick, self.clock = TICK, time.time_ns()
        self.tags: Collection[str] = {tag.name for tag in seen.site.schedule.tags}
        self.nominal = _number_of(seen.site.constants.get("f0", "50 Hz"))
        self.v_nominal = _number_of(seen.site.constants.get("v_nom", "230.9 V"))
        self._begun, self._due = time.monotonic(), 0.0
        self.late, self.latest = 0, 0.0

    @property
    def seconds(self) -> float:
        """Seconds since the beginning, as the steps count them."""
        return self._due

    def step(self, ticks: int) -> None:
        """Sleep until the step is over; what was late is made up by the next ones."""
        self._due += ticks * self.tick
        left = self._begun + self._due - time.monotonic()
        if left > 0.0:
            time.sleep(left)
        elif -left > LATE:
            self.late, self.latest = self.late + 1, max(self.latest, -left)

    def meter(self) -> tuple[float, float]:
        """As the site's meter shows it; import counts as positive there."""
        self._seen.refresh()
        if self._seen.age > ANSWER_S:
            raise NotRunningError("the scan publishes nothing any more: the test is over")
        q = self._value("grid.q") if "grid.q" in self.tags else 0.0
        return 0.0 - self._value("grid.p"), 0.0 - q

    def value(self, tag: str) -> float:
        """From the newest snapshot."""
        self._seen.refresh()
        return self._value(tag)

    def _value(self, tag: str) -> float:
        return float(self._seen.value(self._seen.tag(tag)))

    def alarms(self) -> list[str]:
        """The active ones, by name and text."""
        self._seen.refresh()
        return [f"{one.name}: {one.text}" for one in self._seen.site.schedule.alarms if self._value(one.active)]

    def keeping(self) -> str:
        """How well we kept time, in words."""
        return f"{self.late} steps ended more than {LATE * 1000:.0f} ms late, the latest {self.latest * 1000:.0f} ms"


class LiveDoor(LiveSite):
    """A site that runs, with a simulated plant whose grid is ours, and orders in the name of whoever types."""

    def __init__(self, seen: Onlooker, ring: CommandLine, plant: Plant, records: Any):
        super().__init__(seen)
        self._ring, self._plant, self._records, self._who = ring, plant, records, who_types()
        self._before, self._applied = dict[str, float](), (0.0, 0.0)
        plant.set("load_kw", 0.0)
        plant.set("pv_kw", 0.0)

    def apply(self, f: float, v: float) -> None:
        """Only what changes goes over the socket."""
        old_f, old_v = self._applied
        if f != old_f:
            self._plant.set("frequency_hz", f)
        if v != old_v:
            self._plant.set("voltage_v", v * self.v_nominal)
        self._applied = (f, v)

    def charge(self, percent: float) -> None:
        """A running battery stays as it is."""

    def write(self, order: Order) -> None:
        """One command of the command line, with its line in the audit log."""
        tag = self._seen.tag(order.tag)
        old = self.value(order.tag)
        if not tag.pulse:
            self._before.setdefault(order.tag, old)
        reply = self._ring.ask(lambda commands: commands.write(tag, order.value, self._who.role))
        text, taken, scan = (reply.text, reply.is_taken, reply.scan) if reply is not None else ("no answer", False, 0)
        if order.tag != orders.HEARTBEAT:
            self._records.keep(Deed("cli", self._who, "prequalify", order.tag, text, taken, 0, old, order.value, scan))
        if not taken:
            raise NotReadyError(f"the site refuses {order.tag} = {order.value}: {text}")

    def give_back(self) -> None:
        """The grid follows its own course again, and every setting is what it was."""
        for what in FREE:
            self._plant.set(what, None)
        for tag, old in self._before.items():
            is_truth = self._seen.tag(tag).type == "BOOL"
            self.write(Order(tag, bool(old) if is_truth else old))
        self._records.flush()


def _number_of(quantity: str) -> float:
    return float(quantity.split()[0])
