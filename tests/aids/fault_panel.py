"""The far side of a simulated panel of lines: a Gray counter on its wires, a contact, and faults ordered at the panel's socket.

It lives in the campaign's process, because the wires live in the fieldbus and end with it. What the wires carried, and when, is
recorded as it was acknowledged: a machine that is late cannot make a true level look wrong. It must not know tags.
"""

from __future__ import annotations

import json
import math
import os
import random
import socket
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

WIDTH = 12  # Gray lines 0 to 11: 410 s until a code comes again
CONTACT = WIDTH  # the line of a debounced contact
DEBOUNCE_MS = 20
STEP_S = 0.1
BOUNCE_S = (0.001, 0.006)
CONTACT_STEPS = 30  # the contact moves every so many steps
FIRST = 1000  # the counter begins here: 0 is what wires carry where nothing is connected
ANSWER_S = 10.0
LATEST = 128  # levels remembered, more than ten seconds of them
PANEL_KINDS = ("unplugged", "loose_plug", "busy", "no_interrupts", "bouncing", "wires_off", "hostile_client")
BLINK: tuple[Mapping[str, Any], ...] = ({"live": False}, {})  # long enough that the loss is seen: lines are taken anew after it
TOO_LONG = b'{"set": "' + b"x" * 70_000 + b'"}\n'
HOSTILE = (b"[" * 5_000 + b"\n", b'{"set": {"0": 7}}\n', b'{"set": {"nowhere": 1}}\n', b'{"live": "no"}\n', b"\n", TOO_LONG)


def gray(number: int) -> int:
    """Two neighbours differ in one line, so that lines read one after another are never a third number."""
    return number % 2**WIDTH ^ number % 2**WIDTH >> 1


class Carried:
    """What wires carried, and when (CLOCK_MONOTONIC ns); a level may be there from its order until the next one is answered."""

    def __init__(self, first: int):
        self._lock = threading.Lock()
        self._spans: deque[tuple[int, float, int]] = deque([(0, math.inf, first)], LATEST)

    def begin(self, *levels: int) -> None:
        """From now the wires may carry these as well as those before."""
        now = time.monotonic_ns()
        with self._lock:
            there = {level for _, ended, level in self._spans if ended == math.inf}
            self._spans.extend((now, math.inf, level) for level in levels if level not in there)

    def settle(self, *levels: int) -> None:
        """From now they carry one of these and nothing else."""
        now = time.monotonic_ns()
        with self._lock:
            spans = [(a, b if level in levels else min(b, now), level) for a, b, level in self._spans]
            self._spans = deque(spans, LATEST)

    def within(self, since: float, until: float) -> set[int]:
        """Whatever they may have carried at some time between these."""
        with self._lock:
            return {level for began, ended, level in self._spans if began <= until and ended >= since}


class Panel:
    """One panel's wires and its faults. A thread of its own steps the counter; `fault` and `clear` return at once."""

    def __init__(self, path: Path, seed: int):
        self.codes, self.contacts = Carried(0), Carried(0)
        self.done_at = math.inf  # when the last order was answered; never while some are to be sent
        self._away_since = 0  # ns, of a contact that bounces
        self.trouble = ""  # what ended the thread
        self._path, self._random = path, random.Random(seed)
        self._kind = ""
        self._busy: list[str] = []
        self._orders: deque[Mapping[str, Any]] = deque()
        self._lock, self._wake, self._end = threading.Lock(), threading.Event(), threading.Event()
        self._number, self._contact, self._answers = FIRST, 0, b""
        self._thread = threading.Thread(target=self._run, name=f"wires of {path.name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._end.set()
        self._wake.set()
        self._thread.join(ANSWER_S + 1)

    def fault(self, kind: str) -> None:
        """Begin this fault."""
        self._busy = [str(line) for line in self._random.sample(range(WIDTH + 1), self._random.choice((1, 2, 4, WIDTH + 1)))]
        begin: Mapping[str, tuple[Mapping[str, Any], ...]] = {
            "unplugged": ({"live": False},),
            "busy": (*BLINK, {"busy": dict.fromkeys(self._busy, "another"), "live": True}),
            "no_interrupts": (*BLINK, {"interrupts": False, "live": True}),
        }
        self._give(kind, begin.get(kind, ()))

    def clear(self) -> None:
        """End the fault that there is."""
        end: Mapping[str, tuple[Mapping[str, Any], ...]] = {
            "unplugged": ({"live": True},),
            "loose_plug": ({"live": True},),
            "busy": ({"busy": dict.fromkeys(self._busy), "live": True},),
            "no_interrupts": (*BLINK, {"interrupts": True, "live": True}),
        }
        self._give("", end.get(self._kind, ()))

    def _give(self, kind: str, orders: Iterable[Mapping[str, Any]]) -> None:
        with self._lock:
            self.done_at = math.inf
            self._kind = kind
            self._orders.extend(orders)
        self._wake.set()

    def _run(self) -> None:
        while not self._end.is_set():
            try:
                with _connected(self._path) as door:
                    self._answers = b""
                    self._feed(door)
            except OSError:  # the fieldbus was killed: the wires of the next one carry nothing yet
                self._lose()
            except Exception as error:  # noqa: BLE001 - the campaign shows it
                self.trouble = repr(error)
                return
            self._end.wait(0.02)

    def _lose(self) -> None:
        """Orders given for lines that are gone mean nothing to the next ones."""
        with self._lock:
            self.done_at = math.inf
            self._kind = ""
            self._orders.clear()
        self._away_since = 0
        for carried in (self.codes, self.contacts):
            carried.begin(0)
            carried.settle(0)

    def _feed(self, door: socket.socket) -> None:
        """Step the wires at their pace, and send one order of the fault with each step, the first one at once."""
        due = 0.0
        while not self._end.is_set():
            self._wake.clear()
            self._send_one_order(door)
            if time.monotonic() >= due:
                self._step(door)
                due = time.monotonic() + STEP_S
            with self._lock:
                if not self._orders:
                    self.done_at = min(self.done_at, time.monotonic())
            self._wake.wait(max(0.0, due - time.monotonic()))

    def _send_one_order(self, door: socket.socket) -> None:
        with self._lock:
            order = self._orders.popleft() if self._orders else {}
            kind = self._kind
        if order:
            self._ask(door, [order])
        if kind == "loose_plug":
            self._ask(door, [{"live": self._random.random() < 0.5}])
        if kind == "hostile_client":
            self._annoy()

    def _step(self, door: socket.socket) -> None:
        """The next number on the wires: one line changes, with bounces where its contact is bad."""
        before, self._number = gray(self._number), self._number + 1
        code = 0 if self._kind == "wires_off" else gray(self._number)
        if self._number % CONTACT_STEPS == 0:
            self._contact = 1 - self._contact
        contact = 0 if self._kind == "wires_off" else self._contact
        self.codes.begin(code)
        self.contacts.begin(contact)
        if self._kind == "bouncing":
            self._bounce(door, before ^ code)
        levels: dict[str, int | None] = {str(line): code >> line & 1 for line in range(WIDTH)} | {str(CONTACT): contact}
        if self._kind == "wires_off":
            levels = dict.fromkeys(levels)
        self._ask(door, [{"set": levels}])
        self.codes.settle(code)
        self.contacts.settle(contact)

    def _bounce(self, door: socket.socket, changed: int) -> None:
        """The line that moves opens and closes many times; the contact too, for times too short to count."""
        line = changed.bit_length() - 1
        level = gray(self._number) >> line & 1
        for way in [level, 1 - level] * self._random.randint(1, 3):
            self._touch(door, {str(line): way})
            self._end.wait(self._random.uniform(*BOUNCE_S))

    def _touch(self, door: socket.socket, levels: Mapping[str, int]) -> None:
        """The contact goes away and comes back, slowly once and then as fast as the socket takes it."""
        away, back = {"set": {**levels, str(CONTACT): 1 - self._contact}}, {"set": {str(CONTACT): self._contact}}
        self._away_since = time.monotonic_ns()
        self._ask(door, [away])
        self._end.wait(self._random.uniform(*BOUNCE_S))
        self._ask(door, [back, *[away, back] * self._random.randint(0, 20)])
        if self._is_away_long():
            self.contacts.begin(1 - self._contact)
        self._away_since = 0

    def _is_away_long(self) -> bool:
        """Whether the machine stood still while the contact was away: that level may have lasted long enough to count."""
        since = self._away_since
        return since > 0 and time.monotonic_ns() - since > DEBOUNCE_MS * 1_000_000

    def contacts_within(self, since: float, until: float) -> set[int]:
        """The levels of the contact that counted at some time between these."""
        is_away_long = self._is_away_long()  # asked first: when it ends, it is in `contacts` already
        return {0, 1} if is_away_long else self.contacts.within(since, until)

    def _ask(self, door: socket.socket, orders: list[Mapping[str, Any]]) -> None:
        """Send these together and hear all answers. Raises OSError where the fieldbus went away."""
        door.sendall(b"".join(json.dumps(order).encode() + b"\n" for order in orders))
        for _ in orders:
            while b"\n" not in self._answers:
                data = door.recv(65536)
                if not data:
                    raise ConnectionResetError
                self._answers += data
            line, self._answers = self._answers.split(b"\n", 1)
            if "error" in json.loads(line):
                raise ValueError(f"the twin refused an order: {line.decode()}")

    def _annoy(self) -> None:
        """Another client that sends nonsense and leaves without hearing the answers."""
        noise = self._random.randbytes(self._random.randint(1, 200)) + b"\n"
        with _connected(self._path) as other:
            try:
                other.sendall(noise + self._random.choice(HOSTILE))
            except (BrokenPipeError, ConnectionResetError):
                return  # shown the door before it had ended: that is the answer


def _connected(path: Path) -> socket.socket:
    """A client of the panel's socket. Raises OSError where nobody listens."""
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:  # a socket's path may have 107 bytes only
        door.settimeout(ANSWER_S)
        door.connect(f"/proc/self/fd/{folder}/{path.name}")
    except OSError:
        door.close()
        raise
    finally:
        os.close(folder)
    return door
