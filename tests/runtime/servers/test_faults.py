"""What a server does when something around it breaks: it goes on serving, says so once, and finds back by itself."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pymodbus.client import ModbusTcpClient

from runtime.servers.records.store import Records
from tests.aids.servers_process import ServerProcess, eventually, serving
from tests.aids.servers_records import order_of, recording
from tests.aids.servers_scan import TestScan
from tests.aids.servers_witness import BOUND_S, Look, Witness, stale


@pytest.fixture
def scan(tmp_path: Path) -> Iterator[TestScan]:
    scan = TestScan(tmp_path)
    yield scan
    scan.stop()


def test_a_status_file_that_cannot_be_written_ends_nobody_and_is_said_once(scan: TestScan, tmp_path: Path) -> None:
    """As where the run folder is full: the site goes on, and the view catches up afterwards."""
    status = tmp_path / "modbus.json"

    def take_its_place() -> bool:
        status.unlink(missing_ok=True)
        try:
            status.mkdir()  # nothing can be renamed onto a folder, by root neither
        except FileExistsError:
            return False
        return True

    with serving(scan.order("modbus")) as (server, port), ModbusTcpClient("127.0.0.1", port=port, timeout=5) as client:
        eventually(take_its_place)
        eventually(lambda: "the status view shows old figures" in server.log())
        touched = status.stat().st_mtime_ns
        eventually(lambda: status.stat().st_mtime_ns > touched, 10)  # it still shows that it lives
        assert server.process.poll() is None
        assert not client.read_holding_registers(0, count=1).isError()
        status.rmdir()
        eventually(lambda: status.is_file() and server.status()["pid"] == server.process.pid, 10)
        assert server.log().count("the status view shows old figures") == 1
    assert server.process.returncode == 0


def test_a_state_folder_that_is_taken_away_is_made_again_with_what_is_active(scan: TestScan, tmp_path: Path) -> None:
    state = tmp_path / "state"
    with recording(order_of(scan, state)):
        eventually(lambda: (state / "records.sqlite").exists())
        shutil.rmtree(state)
        eventually(lambda: (state / "records.sqlite").exists() and (state / "history.sqlite").exists(), 15)
        records = Records(state)
        records.close()


def test_a_port_that_another_holds_is_said_and_ends_with_try_again(scan: TestScan) -> None:
    """69, EX_UNAVAILABLE: the supervisor tries again every five seconds, and not ever faster."""
    with serving(scan.order("modbus")) as (_, port):
        late = ServerProcess(replace(scan.order("modbus", port=str(port)), run_dir=str(scan.folder)))
        assert late.process.wait(30) == 69
        assert str(port) in late.log() and "another program listens there" in late.log()
        late.end()


def test_the_witness_finds_an_old_value_and_takes_no_fresh_one_for_it() -> None:
    """The measure of the benchmark of faults itself: a count that stands still is old after a second; a new scan's is not."""

    def looked(*values: int | None, every: float) -> list[Look]:
        return [Look(n * every, n * every, True, value) for n, value in enumerate(values)]

    assert stale(looked(1, 2, 3, None, 3, every=0.2)) == []
    assert [look.value for look in stale(looked(7, 7, 7, every=BOUND_S))] == [7]
    assert stale(looked(900, 901, 1, 2, 900, 901, every=BOUND_S)) == []
    witness = Witness("one", lambda: 1, lambda: None, looked(1, 2, None, None, 3, every=0.5))
    assert witness.seconds_without(0.1) == pytest.approx(1.9)
    assert witness.seconds_without(1.9) is None
