"""What every server process shares: doors to the scan, its log, its end, its line in the status view. It knows no protocol."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import structlog

from runtime.child import ServiceOrder, receive, watch
from runtime.engine.north import ANSWERS, ROLE_TOO_LOW, SERVICES, TAKEN, Commands, Pins, Reply, Snapshot
from runtime.model import ROLES, Tag
from runtime.servers.audit import Deed, Keep, Who, say
from runtime.servers.logs import log_to_stderr
from runtime.source import SiteError, render

STALE = 1_000_000_000  # ns: an older snapshot is no picture of the plant any more
PATIENCE = 1.0  # s: how long a client waits for the scan's answer
POLL = 0.002  # s: a scan takes 10 ms or more, so this adds little
EX_UNAVAILABLE, EX_CONFIG = 69, 78

NO_SCAN, NO_ANSWER, RING_FULL = 101, 102, 103
_WHY = ANSWERS | {
    NO_SCAN: "refused: no scan is running",
    NO_ANSWER: f"no answer from the scan within {PATIENCE:g} s",
    RING_FULL: "refused: too many commands are waiting for the scan",
}

try:
    from uvloop import new_event_loop
except ImportError:  # where it does not install, asyncio's own loop does the same at twice the CPU
    from asyncio import new_event_loop  # type: ignore[assignment]

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a write: the scan's answer, or why it never got one."""

    answer: int
    scan: int = 0

    @property
    def is_taken(self) -> bool:
        return self.answer == TAKEN

    @property
    def text(self) -> str:
        return _WHY.get(self.answer, f"answer {self.answer}")


class Door:
    """One service's doors to the scan: the newest snapshot, any pin, and commands whose answers are waited for.

    `pictures` counts the snapshots taken, so that whoever encodes them knows a new one. Every write and every refusal is given
    to each of `keep`.
    """

    def __init__(self, order: ServiceOrder):
        self.service = order.service
        self.keep: list[Keep] = [say]
        self.pictures = 0
        self._commands: Commands | None = None
        self.follow(order)

    def follow(self, order: ServiceOrder) -> None:
        """Turn to the scan of this order's program. Writes that still wait for the one before get no answer."""
        folder = Path(order.run_dir)
        self.close()
        self.snapshot = Snapshot(folder, order.region, order.outputs, order.generation)
        self.pins = Pins(folder, order.generation, order.pins)
        if order.service in SERVICES:
            self._commands = Commands(folder, order.service, order.region.size, order.outputs, order.generation)
        self._is_of_this_scan = False
        self._waiting: dict[int, asyncio.Future[Reply]] = {}
        self._collector: asyncio.Task[None] | None = None

    def refresh(self) -> bool:
        """Take the newest snapshot; whether there was a newer one."""
        taken = self.snapshot.refresh()
        self.pictures += taken
        # a restarted scan's file holds no picture at first, and the one that we still have is its predecessor's
        self._is_of_this_scan = taken or (self._is_of_this_scan and self.snapshot.is_attached)
        return taken

    def is_stale(self) -> bool:
        """Whether the scan has published nothing for a second, or never has."""
        return not self._is_of_this_scan or time.monotonic_ns() - self.snapshot.monotonic > STALE

    async def write(self, tag: Tag, value: float | int | bool, who: Who, element: int = 0) -> Outcome:
        """Have the scan write a tag; returns when a scan has taken or refused it, and its snapshot is here, or after a second.

        Nothing is put into the ring while no scan runs: a `close` must not wait there for the next start. `element` is from 0.
        """
        self.refresh()
        old = self._old(tag, element)
        outcome = await self._write(tag, value, who.role, element)
        place, told = _place(tag, element), outcome.text
        self._note(Deed(self.service, who, "write", tag.name, told, outcome.is_taken, place, old, value, outcome.scan))
        return outcome

    def refuse(self, tag: Tag, value: Any, who: Who, answer: str, element: int = 0) -> None:
        """Note a write that was refused here and never reached the scan."""
        old = self._old(tag, element) if isinstance(value, (bool, int, float)) else None
        self._note(Deed(self.service, who, "write", tag.name, answer, False, _place(tag, element), old, value))

    def note(self, who: Who, action: str, subject: str, answer: str, taken: bool, **words: Any) -> None:
        """Note anything else that somebody did: a login, an acknowledgement."""
        self._note(Deed(self.service, who, action, subject, answer, taken, **words))

    def _note(self, deed: Deed) -> None:
        for keep in self.keep:
            keep(deed)

    def _old(self, tag: Tag, element: int) -> Any:
        column = self.snapshot.column(tag)
        return column[element].item() if 0 <= element < len(column) and not self.is_stale() else None

    async def _write(self, tag: Tag, value: float | int | bool, role: str, element: int) -> Outcome:
        if self.is_stale() or self._commands is None:
            return Outcome(NO_SCAN)
        if role not in ROLES:
            return Outcome(ROLE_TOO_LOW)
        number = self._commands.write(tag, value, role, element)
        if not number:
            return Outcome(RING_FULL)
        try:
            async with asyncio.timeout(PATIENCE):
                reply = await self._answer_to(number)
        except TimeoutError:
            return Outcome(NO_ANSWER)
        if reply.is_taken:
            await self._until_published(reply.scan)
        return Outcome(reply.answer, reply.scan)

    async def _answer_to(self, number: int) -> Reply:
        loop = asyncio.get_running_loop()
        self._waiting[number] = loop.create_future()
        if self._collector is None:
            self._collector = loop.create_task(self._collect())
        try:
            return await self._waiting[number]
        finally:
            del self._waiting[number]

    async def _collect(self) -> None:
        while self._waiting:
            for reply in self._commands.replies() if self._commands is not None else ():
                waiting = self._waiting.get(reply.id)
                if waiting is not None and not waiting.done():
                    waiting.set_result(reply)
            await asyncio.sleep(POLL)
        self._collector = None

    async def _until_published(self, scan: int) -> None:
        """Wait for the snapshot of that scan, so that a client reads back what it wrote; a restarted scan counts afresh."""
        until = time.monotonic() + PATIENCE / 4
        self.refresh()
        while self.snapshot.scan < scan and time.monotonic() < until:
            await asyncio.sleep(POLL)
            self.refresh()

    def close(self) -> None:
        """Take the command ring away."""
        if self._commands is not None:
            self._commands.close()


def _place(tag: Tag, element: int) -> int:
    return element + 1 if tag.length else 0


class Listener(Protocol):
    """A server that is listening."""

    listening: str

    def counters(self) -> dict[str, int]:
        """What the status view shows beside the address: clients, requests, writes."""

    def tick(self) -> None:
        """Called once a second."""

    async def follow(self, order: ServiceOrder) -> None:
        """Show the tags of this order from now on; the door follows it already. Connections, sessions and subscriptions stay."""

    async def close(self) -> None:
        """Stop listening and close every connection."""


Open = Callable[[ServiceOrder, Door, Any], Awaitable[Listener]]
Prepare = Callable[[], Awaitable[Any]]


def run(open_server: Open, prepare: Prepare | None = None) -> int:
    """Be a server process: receive the order, listen until the supervisor says stop or is gone. Returns the exit code.

    `prepare` does what needs no order while the supervisor is still making it; its result goes to `open_server`.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's Ctrl-C goes to the supervisor, which ends us in order
    log_to_stderr()
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(_live(open_server, prepare))


async def _live(open_server: Open, prepare: Prepare | None) -> int:
    parent = os.getppid()
    prepared = await prepare() if prepare else None
    order = _receive()
    if order is None:
        return EX_UNAVAILABLE
    structlog.contextvars.bind_contextvars(service=order.service)
    stop = asyncio.Event()
    with _ended_by(parent, stop):
        door = Door(order)
        try:
            listener = await open_server(order, door, prepared)
        except OSError as error:
            log.error(_why_not_listening(order.service, error))
            return EX_UNAVAILABLE
        except SiteError as error:
            sys.stderr.write(render(error.problems, Path(order.root)) + "\n")
            return EX_CONFIG
        else:
            with _further_orders(door, listener) as following:
                return await _serve(order, listener, following, stop)
        finally:
            door.close()


def _receive() -> ServiceOrder | None:
    try:
        order: ServiceOrder = receive()
    except EOFError:
        log.error("no order came: servers are started by `bessplc run`, not by hand")
        return None
    return order


@contextlib.contextmanager
def _ended_by(parent: int, stop: asyncio.Event) -> Any:
    """Set `stop` on SIGTERM and at the end of the process that started us."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    try:
        death = watch(parent)
    except ProcessLookupError:
        stop.set()
        yield
        return
    if os.getppid() != parent:  # it ended before we could watch it, and its number may be another's by now
        stop.set()
    loop.add_reader(death, stop.set)
    try:
        yield
    finally:
        loop.remove_reader(death)
        os.close(death)


@contextlib.contextmanager
def _further_orders(door: Door, listener: Listener) -> Iterator[asyncio.Task[None]]:
    """Follow each further order that the supervisor sends: another program runs now. The task ends with what it could not do."""
    loop, orders = asyncio.get_running_loop(), asyncio.Queue[ServiceOrder]()

    def hear() -> None:
        with contextlib.suppress(EOFError, RuntimeError):  # the pipe was closed, or our loop
            while True:
                loop.call_soon_threadsafe(orders.put_nowait, receive())

    async def follow() -> None:
        while True:
            order = await orders.get()
            door.follow(order)
            await listener.follow(order)
            log.info("follows another program", generation=f"{order.generation:016x}", tags=len(order.tags))

    threading.Thread(target=hear, name="orders", daemon=True).start()
    task = loop.create_task(follow())
    try:
        yield task
    finally:
        task.cancel()


async def _serve(order: ServiceOrder, listener: Listener, following: asyncio.Task[None], stop: asyncio.Event) -> int:
    path = Path(order.run_dir) / f"{order.service}.json"
    log.info("listening", address=listener.listening)
    gc.freeze()  # what was built so far stays: later collections need not walk it
    try:
        while not stop.is_set():
            _note(path, {"listening": listener.listening, "pid": os.getpid(), **listener.counters()})
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 1.0)
            listener.tick()
            if following.done():
                following.result()
    finally:
        await listener.close()
        path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # a supervisor that died took the other end of our log with it
        log.info("stopped")
    return 0


def _note(path: Path, state: dict[str, Any]) -> None:
    """Write the status file aside and rename it, so that a reader never sees half of one."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_text(json.dumps(state))
    aside.replace(path)


def _why_not_listening(service: str, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        hint = "another program listens there; change `port` or `host`"
        return f"{error.strerror}: {hint} of `servers: {service}:` in config/site.yaml"
    if error.errno == errno.EACCES:
        return f"{error.strerror}: ports below 1024 need a privilege; change `port` of `servers: {service}:` in config/site.yaml"
    return f"cannot listen: {error.strerror or error}"


class ListenError(OSError):
    """An OSError whose text names the address."""

    def __init__(self, error: OSError, host: str, port: int):
        reason = os.strerror(error.errno) if error.errno else str(error)
        super().__init__(error.errno, f"cannot listen on {host} port {port}: {reason.lower()}")
