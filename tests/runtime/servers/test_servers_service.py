"""What every server process promises: it ends with its supervisor, tells where it listens, and gives up in words."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runtime.child import ROOT
from tests.aids.servers_process import ServerProcess, eventually, serving
from tests.aids.servers_scan import TestScan

SUPERVISOR = """
import pickle, sys, time
from runtime import child
order = pickle.load(sys.stdin.buffer)
server = child.start("runtime.servers." + order.service, order, stderr=open(order.run_dir + "/log", "w"))
print(server.pid, flush=True)
time.sleep(60)
"""


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


@pytest.mark.parametrize("service", ["modbus", "opcua"])
def test_it_ends_when_its_supervisor_is_killed(tmp_path: Path, service: str) -> None:
    scan = TestScan(tmp_path)
    supervisor = subprocess.Popen([sys.executable, "-c", SUPERVISOR], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
    assert supervisor.stdin is not None and supervisor.stdout is not None
    pickle.dump(scan.order(service), supervisor.stdin)
    supervisor.stdin.close()
    pid = int(supervisor.stdout.readline())
    eventually((tmp_path / f"{service}.json").exists, timeout=30)
    assert is_running(pid)
    supervisor.kill()
    supervisor.wait(5)
    eventually(lambda: not is_running(pid), timeout=10)
    eventually(lambda: not (tmp_path / f"{service}.json").exists())
    assert not (tmp_path / f"{service}.commands").exists()
    supervisor.stdout.close()
    scan.stop()


@pytest.mark.parametrize("service", ["modbus", "opcua"])
def test_without_an_order_it_says_that_it_is_not_started_by_hand(service: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", f"runtime.servers.{service}"],
        stdin=subprocess.DEVNULL,
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 69
    assert "bessplc run" in json.loads(ended.stderr)["event"]
    assert ended.stdout == b""


def test_the_status_file_is_refreshed_every_second(tmp_path: Path) -> None:
    scan = TestScan(tmp_path)
    with serving(scan.order("modbus")) as (server, port):
        assert server.status()["listening"] == f"modbus-tcp://127.0.0.1:{port}"
        assert server.status()["pid"] == server.process.pid
        path = tmp_path / "modbus.json"
        first = path.stat().st_mtime_ns
        eventually(lambda: path.stat().st_mtime_ns > first)
    scan.stop()


def test_a_wrong_setting_is_shown_and_ends_it(tmp_path: Path) -> None:
    scan = TestScan(tmp_path)
    server = ServerProcess(scan.order("opcua", anonymous="anybody"))
    assert server.process.wait(30) == 78
    assert "anybody" in server.log()
    server.end()
    scan.stop()


def test_it_waits_for_a_scan_that_starts_later(tmp_path: Path) -> None:
    scan = TestScan(tmp_path)
    order = scan.order("modbus")
    scan.stop()
    with serving(order) as (server, _):
        time.sleep(0.2)
        assert server.process.poll() is None
        assert os.path.exists(tmp_path / "modbus.commands")
