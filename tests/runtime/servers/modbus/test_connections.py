"""Who may connect to the Modbus server, how many, for how long, and what a rude one costs the others."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymodbus.client import ModbusTcpClient

from tests.aids.servers_modbus import ONE_COIL, ask, is_turned_away, published, receive, request
from tests.aids.servers_process import ServerProcess, eventually, serving
from tests.aids.servers_scan import TestScan


def test_a_client_that_does_not_fetch_its_answers_holds_up_nobody(plant: Any, scan: TestScan) -> None:
    with socket.create_connection(("127.0.0.1", plant[2]), timeout=5) as deaf:
        deaf.setblocking(False)
        chunk = request(1, 1, b"\x04\x00\x0a\x00\x08") * 1000
        sent = 0
        until = time.monotonic() + 3
        while time.monotonic() < until and sent < 50_000_000:
            try:
                sent += deaf.send(chunk)
            except BlockingIOError:
                break
        assert ask(plant[2], request(2, 1, ONE_COIL))[:2] == b"\x00\x02"
    memory = int(Path(f"/proc/{plant[1].process.pid}/statm").read_text().split()[1]) * 4096
    assert memory < 500e6


def test_connections_beyond_the_cap_are_turned_away_and_idle_ones_closed(plant: Any) -> None:
    eventually(lambda: plant[1].status()["clients"] == 0, timeout=10)
    parked = [socket.create_connection(("127.0.0.1", plant[2]), timeout=5) for _ in range(20)]
    try:
        eventually(lambda: plant[1].status()["clients"] == 20)
        assert is_turned_away(plant[2])
        eventually(lambda: plant[1].status()["clients"] == 0, timeout=15)  # idle is 2 s
        assert ask(plant[2], request(1, 1, ONE_COIL))[:2] == b"\x00\x01"
    finally:
        for sock in parked:
            sock.close()


# many, rude and half-open ones


@pytest.fixture
def many_files() -> Iterator[None]:
    """Room for a thousand sockets of this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 4096:
        pytest.skip(f"this machine allows {hard} open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4096), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def descriptors(server: ServerProcess) -> int:
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestScan, ServerProcess, int]]:
    """A server for 12 clients, 4 of one address, that gives up on silent ones after a second."""
    scan = TestScan(tmp_path_factory.mktemp("small"))
    words = {"clients": "12", "clients_per_address": "4", "idle": "1 s", "units": {"1": "operator", "2": "viewer"}}
    with serving(scan.order("modbus", **words)) as (server, port):
        yield scan, server, port
    scan.stop()


def connect(port: int, host: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=5, source_address=(host, 0))


def test_a_thousand_connections_opened_and_abandoned_leave_nothing_behind(small: Any, many_files: None) -> None:
    _, server, port = small
    eventually(lambda: server.status()["clients"] == 0, timeout=10)
    before = descriptors(server)
    with connect(port, "127.0.3.1") as scada:  # works beside them all the time
        abandoned = []
        for n in range(1000):
            abandoned.append(connect(port, f"127.0.1.{n % 250 + 1}"))
            if n % 20 == 0:
                scada.sendall(request(n, 1, ONE_COIL))
                assert receive(scada, 10)[:2] == n.to_bytes(2, "big")
    with connect(port, "127.0.2.1") as late:
        late.sendall(request(1, 1, ONE_COIL))  # no room: turned away, or served where some are gone already
        for sock in abandoned:
            sock.close()
    eventually(lambda: ask(port, request(1, 1, ONE_COIL))[:2] == b"\x00\x01" if not is_turned_away(port) else False, timeout=10)
    eventually(lambda: descriptors(server) <= before + 1, timeout=10)
    turned_away = [line for line in server.lines() if line["event"] == "turned away"]
    assert 0 < len(turned_away) < 100, "whoever comes again and again does not fill the log"


def test_one_address_cannot_take_every_place(small: Any) -> None:
    _, server, port = small
    eventually(lambda: server.status()["clients"] == 0, timeout=10)
    with contextlib.ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(connect(port))
        eventually(lambda: server.status()["clients"] == 4)
        assert is_turned_away(port)
        other = stack.enter_context(connect(port, "127.0.0.9"))
        other.sendall(request(1, 1, ONE_COIL))
        assert receive(other, 10)[:2] == b"\x00\x01"


def test_half_a_request_and_a_trickle_are_no_sign_of_life(small: Any) -> None:
    """One client sends half a request and nothing more, the other a byte at a time that never becomes one."""
    port = small[2]
    with connect(port) as half, connect(port) as trickle:
        half.sendall(request(1, 1, ONE_COIL)[:6])
        until = time.monotonic() + 15
        with contextlib.suppress(OSError):
            while time.monotonic() < until:
                trickle.sendall(request(1, 1, b"\x10" + bytes(250))[:1])
                trickle.settimeout(0.2)
                with contextlib.suppress(TimeoutError):
                    if trickle.recv(1) == b"":
                        break
        assert time.monotonic() < until
        assert half.recv(1) == b""


def test_a_client_that_never_fetches_is_closed_though_answers_wait_for_it(small: Any) -> None:
    _, server, port = small
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", port))
        deaf.setblocking(False)
        chunk = request(1, 1, ONE_COIL) * 2000
        with contextlib.suppress(BlockingIOError, ConnectionError):
            for _ in range(1000):
                deaf.send(chunk)
        eventually(lambda: server.status()["clients"] == 0, timeout=15)


def test_a_dead_machine_behind_a_connection_is_asked_for_signs_of_life(small: Any) -> None:
    """The kernel asks: keep-alive stands on the server's side of each connection (`ss` shows its timer)."""
    port = small[2]
    if shutil.which("ss") is None:
        pytest.skip("no `ss` here")
    with connect(port) as sock:
        sock.sendall(request(1, 1, ONE_COIL))
        receive(sock, 10)
        here = f"127.0.0.1:{sock.getsockname()[1]}"
        shown = subprocess.run(["ss", "-tno", "dst", here, "sport", "=", f":{port}"], capture_output=True, text=True).stdout
        assert "timer:(keepalive" in shown, shown


@pytest.mark.parametrize(("unit", "answer"), [(1, b"\x05\x00\x00\xff\x00"), (2, b"\x85\x02"), (3, b"\x85\x0b")])
def test_a_unit_id_has_a_role(small: Any, unit: int, answer: bytes) -> None:
    assert ask(small[2], request(1, unit, b"\x05\x00\x00\xff\x00")) == request(1, unit, answer)


def test_a_flood_of_refused_writes_is_counted_and_not_told_one_by_one(small: Any) -> None:
    """Else it would push the deeds of others out of the audit log, and fill the disk."""
    _, server, port = small

    def told() -> list[dict[str, Any]]:
        return [line for line in server.lines() if line.get("audit") and line["answer"].startswith("refused")]

    refused = request(1, 2, b"\x05\x00\x00\xff\x00")
    with connect(port, "127.0.0.7") as sock:
        for _ in range(20):
            sock.sendall(refused * 100)
            assert receive(sock, 900) == request(1, 2, b"\x85\x02") * 100
    eventually(lambda: len(told()) >= 100)
    assert len([line for line in told() if line["peer"].startswith("127.0.0.7")]) == 100
    assert ask(port, request(1, 2, b"\x05\x00\x00\xff\x00"))[7:] == b"\x85\x02"
    eventually(lambda: [line for line in told() if line["peer"].startswith("127.0.0.1:")])


# who may


def test_a_client_outside_allow_is_turned_away(tmp_path: Path) -> None:
    scan = TestScan(tmp_path)
    with serving(scan.order("modbus", allow=["192.0.2.0/24"])) as (server, port):
        assert is_turned_away(port)
        eventually(lambda: any(line["event"] == "turned away" for line in server.lines()))
    scan.stop()


@pytest.mark.parametrize(
    ("write", "code"),
    [
        (["192.0.2.0/24"], 2),
        ({"127.0.0.0/8": "viewer"}, 2),
        ({"127.0.0.0/8": "viewer", "127.0.0.1": "operator"}, 0),
    ],
)
def test_who_may_write_is_a_matter_of_the_address(tmp_path: Path, write: Any, code: int) -> None:
    scan = TestScan(tmp_path)
    with serving(scan.order("modbus", write=write)) as (_, port), ModbusTcpClient("127.0.0.1", port=port, retries=0) as client:
        assert not client.read_coils(0, count=1, device_id=1).isError()
        answer = client.write_coil(0, True, device_id=1)
        assert getattr(answer, "exception_code", 0) == code
    scan.stop()


def test_gaps_read_as_zero_where_the_site_wants_it(tmp_path: Path) -> None:
    (tmp_path / "scada.yaml").write_text("bms.cycles: {register: input 10, as: int16}\n")
    scan = TestScan(tmp_path)
    published(scan, "bms.cycles", 7)
    order = scan.order("modbus", map="scada.yaml", gaps="zero")
    with serving(order) as (_, port), ModbusTcpClient("127.0.0.1", port=port, retries=0) as client:
        assert client.read_input_registers(8, count=3, device_id=1).registers == [0, 0, 7]
        assert client.read_input_registers(8, count=4, device_id=1).exception_code == 2
    scan.stop()


# the process


def test_sigterm_ends_it_in_order_and_sigint_does_not(tmp_path: Path) -> None:
    scan = TestScan(tmp_path)
    server = ServerProcess(scan.order("modbus"))
    server.wait_until_listening()
    os.kill(server.process.pid, signal.SIGINT)
    time.sleep(0.2)
    assert server.process.poll() is None
    assert server.end() == 0
    assert not (tmp_path / "modbus.json").exists()
    assert not (tmp_path / "modbus.commands").exists()
    scan.stop()


def test_a_port_in_use_names_the_port_and_how_to_change_it(tmp_path: Path) -> None:
    scan = TestScan(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = ServerProcess(scan.order("modbus", port=str(port)))
        assert server.process.wait(20) == 69
    (line,) = server.lines()
    assert f"port {port}" in line["event"] and "config/site.yaml" in line["event"]
    server.end()
    scan.stop()


def test_a_broken_map_is_shown_as_the_checker_shows_it(tmp_path: Path) -> None:
    (tmp_path / "scada.yaml").write_text("bms.sok: input 0\n")
    scan = TestScan(tmp_path)
    server = ServerProcess(scan.order("modbus", map="scada.yaml"))
    assert server.process.wait(20) == 78
    assert "scada.yaml:1:1: error[E101]" in server.log() and "^^^^^^^" in server.log()
    server.end()
    scan.stop()
