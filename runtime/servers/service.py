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
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import structlog

from runtime.child import ServiceOrder, receive, watch
from runtime.servers.door import Door
from runtime.servers.logs import log_to_stderr
from runtime.servers.records.store import Records
from runtime.source import SiteError, render

EX_UNAVAILABLE, EX_CONFIG = 69, 78

try:
    from uvloop import new_event_loop
except ImportError:  # where it does not install, asyncio's own loop does the same at twice the CPU
    from asyncio import new_event_loop  # type: ignore[assignment]

log = structlog.get_logger()


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
        records = Records(order.state_dir) if order.state_dir else None
        if records is not None:
            door.keep.append(records.keep)
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
                return await _serve(order, door, listener, following, stop)
        finally:
            door.close()
            if records is not None:
                records.close()


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


async def _serve(order: ServiceOrder, door: Door, listener: Listener, following: asyncio.Task[None], stop: asyncio.Event) -> int:
    status = StatusFile(Path(order.run_dir) / f"{order.service}.json")
    log.info("listening", address=listener.listening)
    gc.freeze()  # what was built so far stays: later collections need not walk it
    try:
        while not stop.is_set():
            status.write({"listening": listener.listening, "pid": os.getpid(), **listener.counters()})
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 1.0)
            listener.tick()
            door.tick()
            if following.done():
                following.result()
    finally:
        await listener.close()
        status.remove()
    with contextlib.suppress(OSError):  # a supervisor that died took the other end of our log with it
        log.info("stopped")
    return 0


class StatusFile:
    """A server's line in the status view, and its sign of life: what cannot be written is said, and is no reason to end."""

    def __init__(self, path: Path):
        self._path, self._aside = path, path.with_name(f".{path.name}.{os.getpid()}")
        self._is_said = False

    def write(self, state: dict[str, Any]) -> None:
        """Write it aside and rename it, so that a reader never sees half of one."""
        try:
            self._aside.write_text(json.dumps(state))
            self._aside.replace(self._path)
        except OSError as error:
            if not self._is_said:
                log.error("the status view shows old figures", why=str(error))
            self._is_said = True
            with contextlib.suppress(OSError):
                os.utime(self._path)  # needs no room: we live
        else:
            self._is_said = False

    def remove(self) -> None:
        for path in (self._path, self._aside):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


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
