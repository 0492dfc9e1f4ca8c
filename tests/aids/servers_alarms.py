"""A site with alarms for the servers' tests: a small scan, records that the test writes, users of every role."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from asyncua import Client, ua
from asyncua.ua.uaerrors import UaStatusCodeError

from runtime.child import ServiceOrder
from runtime.model import ROLES, Alarm, Tag
from runtime.servers.opcua.conditions import event_id
from runtime.servers.records.blocks import SAMPLE
from runtime.servers.records.history import number_of
from runtime.servers.records.states import Change, declared
from runtime.servers.records.store import Records
from runtime.servers.users import add_user
from tests.aids.servers_process import ServerProcess
from tests.aids.servers_scan import TAGS, TestScan

FLOOD = 1_000
PASSWORD = "correct horse 9"
HOUR = 3600 * 1_000_000_000
OFF = Alarm("off", "alarm.off_low", "bms.current", "LOW", "warning", "Current off")
OVER = Alarm("over", "alarm.over", "not bms.ok", "", "critical", "Cell voltage high")
ALARMS = (
    Alarm("cell_hot", "alarm.cell_hot_h", "bms.t_cell", "H", "warning", "Cell too hot"),
    Alarm("cell_hot", "alarm.cell_hot_hh", "bms.t_cell", "HH", "critical", "Cell too hot"),
    Alarm("soc_low", "alarm.soc_low_l", "bms.soc", "L", "error", "Battery nearly empty"),
    Alarm("door", "alarm.door", "not panel.door", "", "error", "Door open"),
    replace(OFF, kind="deviation", setpoint="hmi.p_set", shelve=HOUR),
    Alarm("drain", "alarm.drain_falling", "bms.soc", "FALLING", "error", "Empties too fast", kind="rate", source="bms"),
    replace(OVER, id="OVR_VLT_ALARM", source="can", shelve=0, is_latched=True, suppressed="alarm.over_suppressed"),
    *(Alarm(f"flood_{n}", f"alarm.flood_{n}", "", "", "warning", f"Flood {n}") for n in range(FLOOD)),
)
ALARM_TAGS = (
    *TAGS,
    Tag("bms.t_cell", "LREAL", 0, 0, 0, "input", "°C", "Hottest cell", -40.0, 90.0),
    *(Tag(alarm.active, "BOOL", 0, 0, 0, owner="program dispatch") for alarm in ALARMS[:-FLOOD]),
    Tag("hmi.reset", "BOOL", 0, 0, 0, owner="operator", write="operator", pulse=True, text="Reset all trips"),
    Tag("hmi.open", "BOOL", 0, 0, 0, owner="operator", write="engineer", pulse=True, text="Open the contactors"),
    Tag("hmi.mode", "DINT", 0, 0, 0, owner="operator", write="operator", names=((0, "standby"), (1, "follow"), (2, "island"))),
)


RECORDED = ("bms.soc", "bms.cycles", "bms.ok")


class AlarmSite:
    """The scan, the records and the users of one site."""

    def __init__(self, folder: Path, roles: Sequence[str] = ROLES):
        self.scan = TestScan(folder, ALARM_TAGS)
        self.records = Records(folder)
        self.declare()
        self.records.past.declare([self.scan.by_name[name] for name in RECORDED])
        self.users = folder / "users.yaml"
        for role in roles:
            add_user(self.users, f"the_{role}", role, PASSWORD)

    def declare(self, *, confirm: bool = False) -> None:
        self.records.declare([declared(alarm) for alarm in ALARMS], confirm=confirm)

    def order(self, **settings: Any) -> ServiceOrder:
        order = self.scan.order("opcua", **{"anonymous": "operator", "every": "50 ms", **settings})
        return replace(order, alarms=ALARMS, state_dir=str(self.scan.folder), users=str(self.users))

    def set(self, *names: str, active: bool, value: float | None = None) -> None:
        self.records.change([Change(name, time.time_ns(), active, value=value) for name in names])

    def suppress(self, *names: str, so: bool) -> None:
        """What the records see where the program suppresses alarms, or does so no more; these are inactive."""
        self.records.change([Change(name, time.time_ns(), False, suppressed=so) for name in names])

    def record(self, name: str, times: Sequence[int], values: Sequence[float], qualities: Sequence[int] = ()) -> None:
        """Write samples of a tag into its history, as the process `records` does; times are ns since 1970."""
        tag = self.scan.by_name[name]
        samples = np.zeros(len(times), SAMPLE)
        kind = np.float64 if tag.type == "LREAL" else np.int64
        samples["tag"], samples["time"], samples["bits"] = number_of(tag), times, np.array(values, kind).view(np.int64)
        samples["quality"] = qualities or 0
        self.records.past.write(samples)

    def calm(self) -> None:
        """Bring every alarm back to rest."""
        for state in self.records.alarms():
            if state.shelved:
                self.records.unshelve(state.name, SOMEBODY)
        self.suppress(*(state.name for state in self.records.alarms() if state.suppressed), so=False)
        states = [state for state in self.records.alarms() if state.retained]
        self.set(*(state.name for state in states if state.active), active=False)
        for state in self.records.alarms():
            if not state.acked:
                self.records.acknowledge(state.name, SOMEBODY)
        for state in self.records.alarms():
            if not state.confirmed:
                self.records.confirm(state.name, SOMEBODY)

    def end(self) -> None:
        self.records.close()
        self.scan.stop()


Plant = tuple[AlarmSite, ServerProcess, int]


class _Somebody:
    user, role, peer = "test", "operator", "local"


SOMEBODY: Any = _Somebody()


@asynccontextmanager
async def signed_in(port: int, role: str = "") -> AsyncIterator[Client]:
    """A client: the user `the_<role>`, or without a role anonymous, who is an operator here."""
    client = Client(f"opc.tcp://127.0.0.1:{port}/bessplc", timeout=20, watchdog_intervall=20)
    if role:
        client.set_user(f"the_{role}")
        client.set_password(PASSWORD)
    await client.connect()
    try:
        yield client
    finally:
        with contextlib.suppress(Exception):  # the test may have ended the server
            await client.disconnect()


def act(port: int, do: Callable[[Client], Coroutine[Any, Any, Any]], role: str = "") -> Any:
    """What `do` returns for a client that is signed in for it."""

    async def run() -> Any:
        async with signed_in(port, role) as client:
            return await do(client)

    return asyncio.run(run())


class Watch:
    """A subscription to events and all that came by it, except what was in the records of the site before."""

    def __init__(self, site: AlarmSite | None = None) -> None:
        self.events: list[Any] = []
        self._since = event_id(site.records.newest_event()) if site is not None else b""

    def event_notification(self, event: Any) -> None:
        number = getattr(event, "EventId", None)
        if number is None or len(number) != len(self._since) or number > self._since:
            self.events.append(event)

    async def start(self, client: Client, kind: int = ua.ObjectIds.AlarmConditionType, **options: Any) -> Watch:
        self.subscription = await client.create_subscription(50, self)
        self.item = await self.subscription.subscribe_events(client.nodes.server, kind, **options)
        return self

    async def start_with(self, client: Client, *paths: str) -> Watch:
        """Watch these fields ("ActiveState/Id") of every condition."""
        base = ua.NodeId(ua.ObjectIds.BaseEventType)
        clauses = [
            ua.SimpleAttributeOperand(base, [ua.QualifiedName(name) for name in path.split("/")], ua.AttributeIds.Value)
            for path in ("EventId", "EventType", "ConditionName", *paths)
        ]
        self.subscription = await client.create_subscription(50, self)
        self.item = await self.subscription._subscribe(client.nodes.server, ua.AttributeIds.EventNotifier, ua.EventFilter(clauses))
        return self

    def told(self, name: str) -> list[Any]:
        """The events of one condition."""
        return [event for event in self.events if getattr(event, "ConditionName", None) == name]

    def types(self) -> list[int]:
        return [event.EventType.Identifier for event in self.events]

    async def until(self, condition: Callable[[], Any], timeout: float = 10) -> Any:
        until = time.monotonic() + timeout
        while not (found := condition()):
            assert time.monotonic() < until, f"still not so; {len(self.events)} events came: {self.events[-3:]}"
            await asyncio.sleep(0.02)
        return found


async def becomes(read: Callable[[], Coroutine[Any, Any, Any]], expected: Any, timeout: float = 10) -> None:
    until = time.monotonic() + timeout
    while (found := await read()) != expected:
        assert time.monotonic() < until, f"still {found!r}, not {expected!r}"
        await asyncio.sleep(0.02)


async def call(client: Client, object_: Any, method: Any, *arguments: ua.Variant) -> str:
    """The name of the status code that a call is answered with."""
    request = ua.CallMethodRequest(_id(object_), _id(method), list(arguments))
    results = await client.uaclient.call([request])
    return results[0].StatusCode.name


async def refusal(doing: Any) -> str:
    try:
        await doing
    except UaStatusCodeError as error:
        return type(error).__name__
    return "Good"


def _id(what: Any) -> ua.NodeId:
    return ua.NodeId(what) if isinstance(what, int) else ua.NodeId(what, 2) if isinstance(what, str) else what
