"""Rude clients of the HTTP API: slow, silent, too many, too large, half gone. They must cost the others nothing."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.aids.servers_process import eventually
from tests.aids.servers_rest import RestSite, rest_site

API = "/api/v1"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RestSite]:
    with rest_site(tmp_path_factory.mktemp("rude"), clients="20", idle="3 s", patience="1 s") as site:
        yield site


@pytest.fixture(scope="module")
def good(site: RestSite) -> Iterator[httpx.Client]:
    with site.client("operator") as client:
        yield client


def is_served(good: httpx.Client) -> bool:
    return good.put(f"{API}/tags/hmi.p_set", json={"value": 1}).status_code == 200


def until_closed(connection: socket.socket) -> bytes:
    """What the server said before it closed the connection."""
    said = b""
    with contextlib.suppress(ConnectionError):
        while data := connection.recv(65536):
            said += data
    return said


def test_two_hundred_idle_connections(site: RestSite, good: httpx.Client) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(site.plain())
        assert is_served(good)
        with site.client("viewer") as another:
            assert another.get(f"{API}/tags").status_code == 200
        assert site.server.status()["clients"] <= 20
    eventually(lambda: site.server.status()["clients"] <= 2)


def test_connections_with_tls_that_never_ask(site: RestSite, good: httpx.Client) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(site.socket())
        assert is_served(good)
        with site.client("viewer") as another:
            assert another.get(f"{API}/tags").status_code == 200


def test_a_request_that_drips_or_never_ends_is_not_waited_for(site: RestSite, good: httpx.Client) -> None:
    head = b"GET /health HTTP/1.1\r\nHost: x\r\n"
    body = f"PUT {API}/tags/hmi.p_set HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {site.tokens['operator']}\r\n"
    body += "Content-Type: application/json\r\nContent-Length: 12\r\n\r\n{"
    drips = {b"": b"G", head: b"X-a: b\r\n", head + b"\r\n": b"X-a: b\r\n", body.encode(): b""}
    with contextlib.ExitStack() as stack:
        slow = [(stack.enter_context(site.socket()), *words) for words in drips.items()]
        for connection, start, _ in slow:
            connection.sendall(start)
        until = time.monotonic() + 15
        while slow and time.monotonic() < until:
            slow = [(connection, start, drop) for connection, start, drop in slow if is_open(connection, drop)]
            time.sleep(0.2)
        assert not slow, [start for _, start, _ in slow]
    assert is_served(good)


def is_open(connection: socket.socket, drop: bytes) -> bool:
    """Send a little more; whether the server still listens to it. What it says meanwhile is no write that was taken."""
    try:
        connection.sendall(drop)
        connection.settimeout(0.01)
        said = connection.recv(65536)
    except TimeoutError:
        return True
    except OSError:
        return False
    assert b'"scan"' not in said
    return bool(said)


def test_a_client_that_does_not_fetch_its_answers(site: RestSite, good: httpx.Client) -> None:
    asked = f"GET {API}/tags?limit=1000 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {site.tokens['operator']}\r\n\r\n".encode()
    with site.plain() as plain:
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with site.context.wrap_socket(plain, server_hostname="127.0.0.1") as greedy:
            greedy.settimeout(0.5)
            with contextlib.suppress(OSError):
                for _ in range(3000):
                    greedy.sendall(asked)
            assert is_served(good)
            eventually(lambda: site.server.status()["clients"] == 1, 20)  # given up; only the good client is left
    assert is_served(good)


@pytest.mark.parametrize("kind", ["length", "chunked"])
def test_too_large_a_body(site: RestSite, good: httpx.Client, kind: str) -> None:
    body: Any = b"[" * 70_000
    if kind == "chunked":
        body = iter([body])
    headers = {"content-type": "application/json"}
    with site.client("operator") as client:
        answer = client.put(f"{API}/tags/hmi.p_set", content=body, headers=headers)
    assert answer.status_code == 413, answer.text
    assert answer.headers["content-type"] == "application/problem+json" and answer.json()["reason"] == "too-large"
    assert is_served(good)


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: " + b"a" * 40_000 + b"\r\n\r\n", 431),
        (b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nHost: x\r\nA\x00b: c\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
        (b"PUT /health HTTP/1.1\r\nHost: x\r\nContent-Length: " + b"9" * 30 + b"\r\n\r\n", 400),
        (b"PUT /health HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\nConnection: close\r\n\r\n", 413),
        (b"\x16\x03\x01 no HTTP at all \r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n\r\n", 200),
    ],
)
def test_what_is_no_request(site: RestSite, good: httpx.Client, sent: bytes, status: int) -> None:
    with site.socket() as raw:
        raw.sendall(sent)
        said = until_closed(raw)
    assert said.startswith(f"HTTP/1.1 {status} ".encode()), said[:200]
    assert b"Traceback" not in said
    assert is_served(good)


def test_half_open_and_broken_off_connections(site: RestSite, good: httpx.Client) -> None:
    asked = f"PUT {API}/tags/hmi.p_set HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {site.tokens['operator']}\r\n".encode()
    whole = asked + b"Content-Type: application/json\r\nContent-Length: 11\r\n\r\n" + b'{"value":1}'
    for n in range(60):
        plain = site.plain()
        if n % 3 == 0:
            plain.sendall(b"\x16\x03\x01\x02\x00\x01")  # half a TLS hello
        elif n % 3 == 1:
            encrypted = site.context.wrap_socket(plain, server_hostname="127.0.0.1")
            encrypted.sendall(whole)
            plain = encrypted
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")  # closing resets
        plain.close()
    assert is_served(good)
    eventually(lambda: site.server.status()["clients"] <= 3, 20)


def test_requests_in_one_segment_are_answered_in_order(site: RestSite) -> None:
    names = ("bms.soc", "bms.ok", "bms.cycles")
    token = f"Authorization: Bearer {site.tokens['viewer']}\r\n"
    asked = [f"GET {API}/tags/{name} HTTP/1.1\r\nHost: x\r\n{token}" for name in names]
    with site.socket() as raw:
        raw.sendall(("\r\n".join(asked) + "Connection: close\r\n\r\n").encode())
        said = until_closed(raw).decode()
    places = [said.index(f'"name":"{name}"') for name in names]
    assert places == sorted(places) and said.count("HTTP/1.1 200 ") == 3


def test_streams_are_few_and_end_with_their_client(site: RestSite, good: httpx.Client) -> None:
    with contextlib.ExitStack() as stack:
        statuses = []
        for _ in range(6):
            client = stack.enter_context(site.client("viewer"))
            statuses.append(stack.enter_context(client.stream("GET", f"{API}/events")).status_code)
        assert statuses == [200] * 5 + [503]  # a quarter of the places
        assert is_served(good)
    eventually(lambda: site.server.status()["streams"] == 0)


def test_nothing_of_all_this_is_a_mistake_of_ours(site: RestSite) -> None:
    assert [line for line in site.server.lines() if line["level"] in ("error", "critical")] == []
