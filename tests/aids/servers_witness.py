"""Witnesses of a running site: clients we did not write, that read the scan's counter for as long as they live and note what came.

They know nothing of the server: a counter that counts each scan tells how old a value is.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from asyncua import Client
from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ModbusException

COUNTER = "plc.scan"
EVERY_S = 0.02
BOUND_S = 1.0  # a second without a new picture, and nothing is good any more
SLACK_S = 0.25  # for looking at a picture every 50 to 100 ms, and for a machine on which others work
Ask = Callable[[], "int | None"]


@dataclass(frozen=True, slots=True)
class Look:
    """One question: when it was asked and answered (monotonic, s), whether it was answered at all, the counter where it is good."""

    asked: float
    answered: float
    is_answered: bool
    value: int | None = None

    @property
    def is_good(self) -> bool:
        return self.value is not None


@dataclass
class Witness:
    """Asks one server again and again in a thread. `ask` gives the counter, None where not good, raises where none answers."""

    name: str
    ask: Ask
    close: Callable[[], None]
    looks: list[Look] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self.stop.wait(EVERY_S):
            asked = time.monotonic()
            try:
                value = self.ask()
            except (OSError, ModbusException, httpx.HTTPError, TimeoutError):
                self.looks.append(Look(asked, time.monotonic(), False))
            else:
                self.looks.append(Look(asked, time.monotonic(), True, value))
        self.close()

    def after(self, begin: float, end: float = float("inf")) -> list[Look]:
        """What was asked in this time."""
        return [look for look in list(self.looks) if begin <= look.asked < end]

    def is_good_again(self, begin: float) -> bool:
        """Whether a good value came to a question asked after `begin` and after one that brought none."""
        return self.seconds_without(begin) is not None

    def seconds_without(self, begin: float) -> float | None:
        """How long after `begin` it took until values were good again; None where they never were bad, or still are."""
        looks = self.after(begin)
        bad = next((n for n, look in enumerate(looks) if not look.is_good), None)
        if bad is None:
            return None
        return next((look.answered - begin for look in looks[bad:] if look.is_good), None)


def stale(looks: Sequence[Look]) -> list[Look]:
    """The good answers that were older than they may be: the same count was known longer ago when they were asked for.

    A restarted scan counts afresh.
    """
    found, last, since = [], -1, 0.0
    for look in looks:
        if look.value is None:
            continue
        if look.value != last:
            last, since = look.value, look.answered
        elif look.asked - since > BOUND_S + SLACK_S:
            found.append(look)
    return found


def modbus_witness(port: int, address: int) -> Witness:
    """pymodbus: it connects again by itself at its next request."""
    client = ModbusTcpClient("127.0.0.1", port=port, timeout=5, retries=0)

    def ask() -> int | None:
        if not client.connected:
            client.connect()
        answer = client.read_input_registers(address, count=4)
        return None if answer.isError() else int(client.convert_from_registers(answer.registers, client.DATATYPE.INT64))

    return Witness("modbus", ask, client.close)


def rest_witness(port: int) -> Witness:
    """httpx over one connection that stays, and is opened again by itself."""
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=5)

    def ask() -> int | None:
        found = client.get(f"/tags/{COUNTER}").raise_for_status().json()["tag"]
        return int(found["value"]) if found["good"] else None

    return Witness("rest", ask, client.close)


def opcua_witness(port: int) -> Witness:
    """asyncua's client, with its own reconnection."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    clients: list[Client] = []

    def do(work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(20)

    async def read() -> int | None:
        if not clients:
            client = Client(f"opc.tcp://127.0.0.1:{port}/bessplc", timeout=5)
            await client.connect()
            clients.append(client)
        try:
            found = await clients[0].get_node(f"ns=2;s={COUNTER}").read_data_value(raise_on_bad_status=False)
        except Exception as error:
            clients.pop().disconnect_socket()
            raise ConnectionError(str(error)) from error
        return int(found.Value.Value) if found.StatusCode.is_good() and found.Value is not None else None

    def ask() -> int | None:
        return do(read())  # type: ignore[no-any-return]

    def close() -> None:
        if clients:
            do(clients[0].disconnect())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()

    return Witness("opcua", ask, close)


@contextmanager
def watching(witnesses: Sequence[Witness]) -> Iterator[None]:
    """Let them look until the end of the block."""
    threads = [threading.Thread(target=witness.run) for witness in witnesses]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for witness in witnesses:
            witness.stop.set()
        for thread in threads:
            thread.join()
