"""The scan process: lays out its schedule, runs the loop in a real-time thread, and attaches those who come and go.

Everything in this file is outside the scan path; the loop itself is `runtime/engine/loop.py`.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import select
import signal
import sys
import threading
import traceback
from dataclasses import asdict
from pathlib import Path

from runtime import child
from runtime.child import ScanOrder, SwapOrder
from runtime.engine import realtime
from runtime.engine.loop import scan_loop
from runtime.engine.online import Change, Online
from runtime.engine.plan import C_GO, C_SWAP
from runtime.engine.plc import Plc

ATTACH_EVERY_MS = 50
MOST_TOLD = 200  # jumps and values not carried: a list that nobody reads is not sent


def tell(event: str, **facts: object) -> None:
    """One line to the supervisor: what happened, as JSON."""
    try:
        print(json.dumps({"event": event, **facts}), flush=True)
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - the supervisor is gone: there is nobody to tell any more


def main() -> int:
    """Run the order on standard input until told to stop, or until the supervisor is gone."""
    try:
        supervisor = child.watch(child.supervisor_pid())
    except ProcessLookupError:
        return 0  # it was ended before we could begin
    stop, asked = os.pipe()
    signal.signal(signal.SIGTERM, lambda *_: os.write(asked, b"x") and None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's Ctrl-C goes to the supervisor, which stops us in order
    tell("imported")
    try:
        order: ScanOrder = child.receive()
    except EOFError:
        tell("no order came", help="the scan is started by `bessplc run`, not by hand")
        return os.EX_USAGE
    plc = Plc(
        order.schedule,
        Path(order.run_dir),
        order.generation,
        wake=order.wake,
        inhibit=order.inhibit,
        io_generation=order.io_generation,
        progress=lambda done, of, name: tell("compiled", done=done, of=of, name=name),
    )
    tell("loading", what="scan loop")
    plc.compile()
    realtime.settle()
    online = Online(plc, lambda one: _start(one, order.priority))
    del plc  # one that was replaced must go
    was_asked = False
    try:
        was_asked = _attend(online, supervisor, stop)
    finally:
        online.plc.stop()
        online.thread.join(timeout=5)
        online.plc.remove()
    return 0 if was_asked and not online.thread.is_alive() else os.EX_SOFTWARE


def _start(plc: Plc, priority: int) -> threading.Thread:
    thread = threading.Thread(target=_scan_thread, args=(plc, priority), name="scan", daemon=True)
    thread.start()
    return thread


def _scan_thread(plc: Plc, priority: int) -> None:
    try:
        _scan(plc, priority)
    except Exception as error:  # noqa: BLE001 - whatever it is: the outputs go safe, and the supervisor starts a new scan
        traceback.print_exc()
        tell("failed", error=repr(error))


def _scan(plc: Plc, priority: int) -> None:
    warnings = [w for w in (realtime.take_priority(priority), realtime.lock_memory(), realtime.stay_awake()) if w]
    if plc.plan.control[C_GO] != 0:  # the first; another waits for this one to hand over
        tell("scanning", warnings=warnings)
    scan_loop(plc.plan)
    if plc.plan.control[C_SWAP] == 0:
        tell("stopped", scan=int(plc.value("plc.scan")))


def _attend(online: Online, supervisor: int, stop: int) -> bool:
    """Attach fieldbus and services as they come; True once asked to stop or left alone, False where the scan thread ended."""
    orders, bell = _further_orders()
    poll = select.poll()
    for handle in (supervisor, stop, bell):
        poll.register(handle, select.POLLIN)
    while online.thread.is_alive():
        ready = [handle for handle, _ in poll.poll(ATTACH_EVERY_MS)]
        if supervisor in ready or stop in ready:
            return True
        if bell in ready:
            os.eventfd_read(bell)
            while not orders.empty():
                _obey(online, orders.get())
        online.plc.attach()
    return False


def _further_orders() -> tuple[queue.SimpleQueue[SwapOrder], int]:
    """The further orders of the supervisor, and what becomes readable when one is there."""
    orders: queue.SimpleQueue[SwapOrder] = queue.SimpleQueue()
    bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def hear() -> None:
        with contextlib.suppress(EOFError):  # the supervisor has no more, or is gone, which is noticed elsewhere
            while True:
                orders.put(child.receive())
                os.eventfd_write(bell, 1)

    threading.Thread(target=hear, name="orders", daemon=True).start()
    return orders, bell


def _obey(online: Online, order: SwapOrder) -> None:
    """Load another program. A mistake of ours in that costs the load, never the program that runs."""
    try:
        change = online.obey(order)
    except Exception as error:  # noqa: BLE001 - whatever it is: shown, told, and the old program scans on
        traceback.print_exc()
        change = Change(f"internal error: {error!r}")
    facts = asdict(change)
    facts["jumps"] = sorted(facts["jumps"], key=lambda j: -abs(j["after"] - j["before"]))[:MOST_TOLD]
    facts["dropped"] = facts["dropped"][:MOST_TOLD]
    tell("loaded", number=order.number, generation=f"{order.generation:016x}", **facts)


if __name__ == "__main__":
    sys.exit(main())
