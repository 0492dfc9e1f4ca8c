"""The scan process: lays out its schedule, runs the loop in a real-time thread, and attaches those who come and go.

Everything in this file is outside the scan path; the loop itself is `runtime/engine/loop.py`.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import threading
import traceback
from pathlib import Path

from runtime import child
from runtime.child import ScanOrder
from runtime.engine import realtime
from runtime.engine.loop import scan_loop
from runtime.engine.plc import Plc

ATTACH_EVERY_MS = 50


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
        progress=lambda done, of, name: tell("compiled", done=done, of=of, name=name),
    )
    tell("loading", what="scan loop")
    plc.compile()
    thread = threading.Thread(target=_scan_thread, args=(plc, order.priority), name="scan", daemon=True)
    realtime.settle()
    thread.start()
    was_asked = False
    try:
        was_asked = _attend(plc, supervisor, stop, thread)
    finally:
        plc.stop()
        thread.join(timeout=5)
        plc.image.remove()
        plc.memory.remove()
    return 0 if was_asked and not thread.is_alive() else os.EX_SOFTWARE


def _scan_thread(plc: Plc, priority: int) -> None:
    try:
        _scan(plc, priority)
    except Exception as error:  # noqa: BLE001 - whatever it is: the outputs go safe, and the supervisor starts a new scan
        traceback.print_exc()
        tell("failed", error=repr(error))


def _scan(plc: Plc, priority: int) -> None:
    warnings = [w for w in (realtime.take_priority(priority), realtime.lock_memory(), realtime.stay_awake()) if w]
    tell("scanning", warnings=warnings)
    scan_loop(plc.plan)
    tell("stopped", scan=int(plc.value("plc.scan")))


def _attend(plc: Plc, supervisor: int, stop: int, thread: threading.Thread) -> bool:
    """Attach fieldbus and services as they come; True once asked to stop or left alone, False where the scan thread ended."""
    poll = select.poll()
    poll.register(supervisor, select.POLLIN)
    poll.register(stop, select.POLLIN)
    while thread.is_alive():
        if poll.poll(ATTACH_EVERY_MS):
            return True
        plc.attach()
    return False


if __name__ == "__main__":
    sys.exit(main())
