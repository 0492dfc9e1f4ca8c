"""The fieldbus process: all drivers on one event loop, between the scan's outbox and its own inbox.

`python -m runtime.fieldbus.process`, with a FieldbusOrder on standard input. It outlives the scan and the supervisor by
one safe sequence: when either ends, the safe values are written in their order. It must not know what a tag means.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog

from runtime import child
from runtime.child import FieldbusOrder
from runtime.engine.cache import write_aside
from runtime.engine.south import Inbox
from runtime.fieldbus import driver
from runtime.fieldbus.scan_watch import ScanWatch
from runtime.fieldbus.station import Station
from runtime.fieldbus.supply import Supply
from runtime.journal import Journal, kept_log

PUBLISH_AT_LEAST, STATUS_EVERY = 0.1, 1.0  # s


class Doorbell:
    """The inbox as drivers see it: cells written in one turn of the loop are published together at its end."""

    def __init__(self, inbox: Inbox, loop: asyncio.AbstractEventLoop):
        self.lreal, self.integer, self.quality, self.time = inbox.lreal, inbox.integer, inbox.quality, inbox.time
        self._inbox, self._loop, self._asked = inbox, loop, False

    def changed(self) -> None:
        self._inbox.changed()
        if not self._asked:
            self._asked = True
            self._loop.call_soon(self._publish)

    def _publish(self) -> None:
        self._asked = False
        self._inbox.publish()

    def publish_now(self) -> None:
        """Publish even where nothing changed: the scan sees that we live."""
        self._inbox.changed()
        self._inbox.publish()


async def serve(order: FieldbusOrder, supervisor: int) -> frozenset[str]:
    """Run the fieldbus until the supervisor asks for its end or ends itself; the safe values are on the wire then.

    Returns the devices that did not take theirs.
    """
    loop = asyncio.get_running_loop()
    folder = Path(order.run_dir)
    end = asyncio.Event()
    loop.set_exception_handler(_show)
    _obey(loop, supervisor, end)
    bell = Doorbell(Inbox(folder, order.inputs, order.generation), loop)
    watch = ScanWatch(order)
    stations = {d.name: Station(driver(d.driver), d, bell, watch.outbox, folder) for d in order.devices}
    supply = Supply(order, stations)
    for station in stations.values():
        station.connect()
    for station in stations.values():  # once nothing compiles any more: a stalled loop makes old answers look new
        await station.open()
    supply.begin()
    watch.begin(supply)
    background = [
        loop.create_task(_repeat(PUBLISH_AT_LEAST, lambda: _beat(bell, stations))),
        loop.create_task(_repeat(STATUS_EVERY, lambda: _write_status(folder, supply, stations))),
    ]
    gc.collect()
    gc.freeze()
    structlog.get_logger().info("fieldbus up", devices=list(stations), inhibited=order.inhibit)
    await end.wait()
    watch.end()
    await supply.stop()
    for task in background:
        task.cancel()
    await asyncio.gather(*(station.close() for station in stations.values()))  # one that hangs costs the others no time
    _beat(bell, stations)
    _write_status(folder, supply, stations)
    return supply.missed


def _beat(bell: Doorbell, stations: dict[str, Station]) -> None:
    """How every device is, and that we live."""
    for station in stations.values():
        station.show_health()
    bell.publish_now()


def _show(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A bug in a callback: shown with its traceback; the loop goes on."""
    structlog.get_logger().error("internal error", what=context.get("message"), exc_info=context.get("exception"))


def _obey(loop: asyncio.AbstractEventLoop, supervisor: int, end: asyncio.Event) -> None:
    """End on SIGTERM and with the supervisor. Ctrl-C reaches all processes of a terminal: the supervisor decides then."""

    def leave(reason: str) -> None:
        if not end.is_set():
            end.set()
            structlog.get_logger().info("fieldbus ends", reason=reason)

    loop.add_signal_handler(signal.SIGTERM, leave, "asked by the supervisor")
    try:
        descriptor = child.watch(supervisor)
    except ProcessLookupError:
        leave("the supervisor is gone")
        return

    def gone() -> None:
        loop.remove_reader(descriptor)
        leave("the supervisor is gone")

    loop.add_reader(descriptor, gone)


async def _repeat(every: float, work: Callable[[], None]) -> None:
    """Do it again and again; a bug in it is shown, and the next turn may do better."""
    while True:
        await asyncio.sleep(every)
        try:
            work()
        except Exception:  # noqa: BLE001 - a scan that sees no beat takes all inputs for lost
            structlog.get_logger().exception("periodic work failed")


def _write_status(folder: Path, supply: Supply, stations: dict[str, Station]) -> None:
    """The state of all devices for people, in a file that is always whole."""
    state: dict[str, Any] = {"pid": os.getpid(), "time": time.time(), **supply.status()}
    state["devices"] = {name: station.status() for name, station in stations.items()}
    try:
        write_aside(folder / child.FIELDBUS_STATUS, json.dumps(state))
    except OSError as error:
        structlog.get_logger().warning("status not written", error=str(error))


def set_up_logging() -> Journal:
    """To standard error and the site's log: JSON, or for people on a terminal without a log. Returns where the lines go."""
    kept = kept_log()
    journal = Journal(sys.stderr.fileno(), kept)
    show: Any = structlog.processors.JSONRenderer(ensure_ascii=False)
    traceback: list[Any] = [structlog.processors.format_exc_info]
    if sys.stderr.isatty() and kept is None:  # plain: structlog's pretty tracebacks take seconds, and the loop would stand still
        show, traceback = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback), []
    structlog.configure(
        processors=[structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso"), *traceback, show],
        logger_factory=structlog.WriteLoggerFactory(journal),  # type: ignore[arg-type]
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
    logging.getLogger("can").setLevel(logging.CRITICAL)  # our channel says what matters, once
    return journal


def main() -> None:
    """Serve until the end; leaves the process at once, since a thread that hangs in a device's library would keep it for ever."""
    supervisor = child.supervisor_pid()
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)  # a terminal that is closed must not take the safe values with it
    journal = set_up_logging()
    try:
        order: FieldbusOrder = child.receive()
    except EOFError:
        return  # the supervisor gave up before it had an order
    try:
        code = child.EXIT_MISSED if asyncio.Runner(loop_factory=_loop_factory()).run(serve(order, supervisor)) else 0
    except Exception:  # noqa: BLE001 - shown, and the supervisor starts us again
        structlog.get_logger().exception("fieldbus failed")
        code = 1
    journal.close()
    os._exit(code)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop halves the CPU of a request; where it is not installed, asyncio's own loop does the same work."""
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


if __name__ == "__main__":
    main()
