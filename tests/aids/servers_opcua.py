"""An OPC UA client for tests: connects, acts, and waits until a value is what it should be."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from asyncua import Client
from asyncua.ua.uaerrors import UaStatusCodeError

Act = Callable[[Client], Coroutine[Any, Any, Any]]


def url(port: int) -> str:
    return f"opc.tcp://127.0.0.1:{port}/bessplc"


@asynccontextmanager
async def connected(port: int, user: str = "", password: str = "") -> AsyncIterator[Client]:
    client = Client(url(port), timeout=10)
    if user:
        client.set_user(user)
        client.set_password(password)
    await client.connect()
    try:
        yield client
    finally:
        await client.disconnect()


def with_client(port: int, act: Act, user: str = "", password: str = "") -> Any:
    async def run() -> Any:
        async with connected(port, user, password) as client:
            return await act(client)

    return asyncio.run(run())


async def becomes(read: Callable[[], Coroutine[Any, Any, Any]], expected: Any, timeout: float = 5) -> None:
    until = time.monotonic() + timeout
    while (found := await read()) != expected:
        assert time.monotonic() < until, f"still {found!r}, not {expected!r}"
        await asyncio.sleep(0.02)


async def until(condition: Callable[[], Any], timeout: float = 5) -> None:
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end, "it did not come"
        await asyncio.sleep(0.02)


async def refusal(asking: Coroutine[Any, Any, Any]) -> str:
    try:
        await asking
    except UaStatusCodeError as error:
        return type(error).__name__
    return "Good"


async def names(nodes: list[Any]) -> list[str]:
    return [(await node.read_browse_name()).Name for node in nodes]


async def status_of(node: Any) -> int:
    return int((await node.read_data_value(raise_on_bad_status=False)).StatusCode.value)


class Changes:
    """Collects what a subscription is told: data changes as (node, value, status), events as they are."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, Any, int]] = []
        self.events: list[Any] = []

    def datachange_notification(self, node: Any, value: Any, data: Any) -> None:
        code = data.monitored_item.Value.StatusCode
        self.seen.append((node.nodeid.Identifier, value, int(code.value) if code is not None else 0))

    def event_notification(self, event: Any) -> None:
        self.events.append(event)
