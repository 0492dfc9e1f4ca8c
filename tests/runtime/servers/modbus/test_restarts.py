"""The scan and the server come and go: no value that is not of now is ever shown as good."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ModbusException

from runtime import child
from runtime.model import Tag
from tests.aids.servers_modbus import published, receive, request
from tests.aids.servers_process import ServerProcess, eventually
from tests.aids.servers_scan import TAGS, TestScan


def test_a_scan_that_hangs_is_exception_4_and_it_recovers_by_itself(scan: TestScan, client: ModbusTcpClient) -> None:
    scan.frozen = True
    eventually(lambda: getattr(client.read_coils(0, count=1, device_id=1), "exception_code", 0) == 4)
    assert client.write_register(0, 1, device_id=1).exception_code == 4
    scan.frozen = False
    eventually(lambda: not client.read_coils(0, count=1, device_id=1).isError())
    assert scan.taken == [], "a write that was refused must not be carried out later"


def test_a_restarted_scan_is_found_again(scan: TestScan, client: ModbusTcpClient) -> None:
    scan.stop()
    eventually(lambda: getattr(client.read_coils(0, count=1, device_id=1), "exception_code", 0) == 4)
    scan.start()
    eventually(lambda: not client.read_coils(0, count=1, device_id=1).isError())
    assert getattr(client.write_register(0, 10, device_id=1), "exception_code", 0) == 0
    assert scan.taken == [("hmi.p_set", 0, 1.0, "operator")]


# the server comes and goes


class Poller(threading.Thread):
    """A SCADA client under load: polls a block without a pause, connects again when it must, and notes what it saw and when."""

    def __init__(self, port: int):
        super().__init__(daemon=True)
        self.port, self.seen, self.reconnects = port, list[tuple[float, int]](), 0
        self.stop = threading.Event()

    def run(self) -> None:
        while not self.stop.is_set():
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=5) as sock:
                    self._poll(sock)
            except OSError:
                time.sleep(0.01)
            self.reconnects += 1

    def _poll(self, sock: socket.socket) -> None:
        ask = request(1, 1, b"\x04\x00\x00\x00\x02")
        while not self.stop.is_set():
            sock.sendall(ask)
            answer = receive(sock, 9)
            if len(answer) < 9:
                return
            if answer[7] == 4:
                self.seen.append((time.monotonic(), int.from_bytes(receive(sock, 4), "big")))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


@pytest.mark.slow
def test_a_server_killed_under_load_comes_back_and_no_old_value_is_shown_as_good(tmp_path: Path) -> None:
    """The value grows with time. Kill -9, then a new server: a client never reads one older than a second (STALE)."""
    (tmp_path / "scada.yaml").write_text("bms.cycles: {register: input 0, as: int32}\n")
    scan = TestScan(tmp_path)
    order = scan.order("modbus", map="scada.yaml", port=str(free_port()))
    began = time.monotonic()

    def grow() -> None:
        while not done.wait(0.005):
            scan.set("bms.cycles", int(1000 * (time.monotonic() - began)))

    done = threading.Event()
    growing = threading.Thread(target=grow, daemon=True)
    growing.start()
    pollers = [Poller(int(order.settings["port"])) for _ in range(8)]
    server = ServerProcess(order)
    server.wait_until_listening()
    for poller in pollers:
        poller.start()
    eventually(lambda: all(len(poller.seen) > 20 for poller in pollers), timeout=20)
    for _ in range(2):
        server.process.kill()
        server.process.wait(5)
        counts = [len(poller.seen) for poller in pollers]
        server = ServerProcess(order)
        eventually(lambda c=counts: all(len(p.seen) > n + 20 for p, n in zip(pollers, c, strict=True)), timeout=30)
    scan.frozen = True  # and the scan hangs as well: within a second nothing is answered any more
    time.sleep(2.0)
    frozen_at = [len(poller.seen) for poller in pollers]
    time.sleep(0.3)
    assert [len(poller.seen) for poller in pollers] == frozen_at
    for poller in pollers:
        poller.stop.set()
    for poller in pollers:
        poller.join(10)
        assert poller.reconnects >= 2
        ages = [1000 * (when - began) - value for when, value in poller.seen]
        assert max(ages) < 5000, "milliseconds: a second, and what the machine adds"
    done.set()
    growing.join(5)
    server.end()
    scan.stop()


def test_a_map_that_does_not_fit_another_program_answers_nothing_until_the_server_ends(tmp_path: Path) -> None:
    """The old map's tags stand elsewhere in the new program: a write through it would move what nobody meant."""
    (tmp_path / "scada.yaml").write_text("hmi.p_set: {register: holding 0, as: int16}\n")
    scan = TestScan(tmp_path)
    server = ServerProcess(scan.order("modbus", map="scada.yaml"), more_later=True)
    with ModbusTcpClient("127.0.0.1", port=server.wait_until_listening(), retries=0) as client:
        assert not client.write_register(0, 1, device_id=1).isError()
        scan.stop()
        changed = TestScan(tmp_path, [*TAGS[:9], replace(TAGS[9], name="hmi.dangerous"), *TAGS[10:]])
        child.give(server.process, changed.order("modbus", map="scada.yaml"), more_later=True)
        until = time.monotonic() + 10
        while server.process.poll() is None and time.monotonic() < until:
            with contextlib.suppress(ModbusException, OSError):
                client.write_register(0, 1, device_id=1)
    assert server.process.wait(10) != 0
    assert changed.taken == []
    server.end()
    changed.stop()


def test_connections_stay_when_another_program_comes(tmp_path: Path) -> None:
    """An online change: other tags, another map, another scan. The client keeps its connection and sees the new one.

    Settings stay as they were at the start: whoever changes a role or a network restarts the server.
    """
    (tmp_path / "scada.yaml").write_text("bms.cycles: {register: input 0, as: int32}\n")
    scan = TestScan(tmp_path)
    published(scan, "bms.cycles", 11)
    order = scan.order("modbus", map="scada.yaml")
    server = ServerProcess(order, more_later=True)
    port = server.wait_until_listening()
    with ModbusTcpClient("127.0.0.1", port=port, retries=0) as client:
        assert client.read_input_registers(0, count=2, device_id=1).registers == [0, 11]
        local = client.socket.getsockname()
        scan.stop()
        extra = Tag("new.count", "DINT", 0, 0, 0, "memory", "", "Came with the change", owner="operator", write="operator")
        changed = TestScan(tmp_path, [*TAGS, extra])
        changed.set("bms.cycles", 22)
        (tmp_path / "scada.yaml").write_text(
            "bms.cycles: {register: input 0, as: int32}\nnew.count: {register: holding 7, as: int32}\n"
        )
        child.give(server.process, changed.order("modbus", map="another.yaml", role="viewer", units="9"), more_later=True)
        eventually(lambda: not client.write_registers(7, [0, 5], device_id=1).isError(), timeout=10)
        assert client.read_holding_registers(7, count=2, device_id=1).registers == [0, 5]
        assert client.read_input_registers(0, count=2, device_id=1).registers == [0, 22]
        assert client.socket.getsockname() == local
        assert changed.taken[-1][:3] == ("new.count", 0, 5)
    server.end()
    changed.stop()
