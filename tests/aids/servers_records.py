"""A site's records for tests: a small program with alarms, its order, and the `records` process with what it has kept."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from runtime.child import ServiceOrder
from runtime.model import Alarm, Tag
from runtime.servers.audit import Deed, Who
from runtime.servers.records.store import AlarmState, Change, Records
from tests.aids.servers_process import ServerProcess, eventually
from tests.aids.servers_scan import TAGS, TestScan

EVA, TOM = Who("eva", "engineer", "local"), Who("tom", "operator", "10.0.0.7:5000")
ALARM_TAGS = (
    Tag("alarm.hot_h", "BOOL", 0, 0, 0, "memory", owner="program p"),
    Tag("alarm.hot_hh", "BOOL", 0, 0, 0, "memory", owner="program p"),
    Tag("alarm.door", "BOOL", 0, 0, 0, "memory", owner="program p"),
)
ALARMS = (
    Alarm("hot", "alarm.hot_h", "bms.soc", "H", "warning", "Cell warm"),
    Alarm("hot", "alarm.hot_hh", "bms.soc", "HH", "critical", "Cell too hot"),
    Alarm("door", "alarm.door", "not bms.ok", "", "error", "A door is open"),
)


def alarm_scan(folder: Path, tags: Sequence[Tag] = (*TAGS, *ALARM_TAGS)) -> TestScan:
    """A scan whose program has the alarms of ALARMS."""
    return TestScan(folder, tags)


def order_of(scan: TestScan, state: Path, alarms: Sequence[Alarm] = ALARMS, **settings: Any) -> ServiceOrder:
    """What the supervisor tells the `records` process of this scan."""
    return replace(scan.order("records"), settings=settings, state_dir=str(state), alarms=tuple(alarms))


@contextlib.contextmanager
def recording(order: ServiceOrder) -> Iterator[ServerProcess]:
    """The `records` process, watching; ended on the way out."""
    server = ServerProcess(order)
    path = Path(order.run_dir) / "records.json"
    try:
        eventually(
            lambda: server.process.poll() is not None or (path.exists() and server.status()["pid"] == server.process.pid), 30
        )
        assert server.process.poll() is None, server.log()
        yield server
    finally:
        server.end()


def with_alarms(folder: Path, *names: str, confirm: bool = False) -> Records:
    """Records that know these alarms."""
    records = Records(folder)
    records.declare([AlarmState(name, "error", f"{name} is wrong") for name in names], confirm=confirm)
    return records


def raise_alarm(records: Records, name: str, active: bool = True, at: int = 0) -> None:
    """What the watch does when the alarm's tag turns."""
    records.change([Change(name, at or time.time_ns(), active)])


def state_of(records: Records, name: str) -> AlarmState:
    return next(state for state in records.alarms() if state.name == name)


def wrote(tag: str, value: object, number: int = 0, *, taken: bool = True, user: str = "eva") -> Deed:
    """Somebody's write, as the audit log has it."""
    who = Who(user, "engineer", "10.0.0.9:4711")
    return Deed("opcua", who, "write", tag, "taken" if taken else "refused", taken, 0, 0, value, number)


def kinds(records: Records, name: str, after: int = 0) -> list[str]:
    """What happened to an alarm, in order."""
    return [event.kind for event in records.events_after(after, 100_000) if event.alarm == name]
