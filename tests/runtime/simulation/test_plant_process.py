"""The plant as a process: it comes up, ends cleanly, dies with its parent, and costs little."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.aids.places import DEMO
from tests.aids.plant import ROOT, Master, PlantError, running_plant, start_plant

pytestmark = pytest.mark.slow


def stat_of(pid):
    """The fields of /proc/PID/stat from the state on."""
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()


def cpu_seconds(pid):
    fields = stat_of(pid)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def is_alive(pid):
    try:
        return stat_of(pid)[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for_end(pid, within_s=10.0):
    deadline = time.monotonic() + within_s
    while is_alive(pid):
        assert time.monotonic() < deadline, f"process {pid} is still there"
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_comes_up_and_ends_cleanly(tmp_path, number):
    plant = start_plant(tmp_path)
    try:
        assert os.path.realpath(plant.can0).startswith("/dev/pts/")
        assert stat.S_IMODE((tmp_path / "plant.sock").stat().st_mode) == 0o600
        assert plant.ask("ping")["pid"] == plant.pid
        plant.process.send_signal(number)
        assert plant.process.wait(10.0) == 0
        assert list(tmp_path.iterdir()) == [], "nothing is left behind"
    finally:
        plant.stop()


def test_it_ends_when_asked_over_its_socket(tmp_path):
    with running_plant(tmp_path) as plant:
        plant.ask("quit")
        assert plant.process.wait(10.0) == 0


PARENT = """
import subprocess, sys, time
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(600)
"""


def test_it_ends_when_its_parent_is_killed(tmp_path):
    arguments = ["--config", str(DEMO / "config/plant.yaml"), "--run-dir", str(tmp_path), "--free-ports"]
    command = [sys.executable, "-m", "runtime.simulation", *arguments]
    parent = subprocess.Popen([sys.executable, "-c", PARENT, *command], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        child = int(parent.stdout.readline())
        assert is_alive(child)
        parent.kill()
        parent.wait()
        wait_for_end(child)
        assert list(tmp_path.iterdir()) == []
    finally:
        parent.kill()
        parent.wait()
        parent.stdout.close()


def test_two_plants_do_not_share_a_port(tmp_path):
    with running_plant(tmp_path / "one") as plant:
        config = tmp_path / "config" / "plant.yaml"
        config.parent.mkdir()
        (tmp_path / "dbc").symlink_to(ROOT / "dbc")
        config.write_text(f"buses: {{pcs: {{port: {plant.ports['pcs']}}}}}\n")
        second = subprocess.run(
            [sys.executable, "-m", "runtime.simulation", "--config", str(config), "--run-dir", str(tmp_path / "two")],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert second.returncode == 1
        assert f"cannot listen on 127.0.0.1:{plant.ports['pcs']}" in second.stderr
        assert plant.ask("ping")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rack: {socc: 1}\n", "did you mean `soc`"),
        ("buses: {can: {dbc: dbc/none.dbc}}\n", "none.dbc"),
        ("rack: {modules: 17}\n", "the DBC has no message Module_17"),
        ("rack: {cells_per_module: 8}\n", "does not name a cell of this rack"),
    ],
)
def test_a_wrong_site_is_refused_with_its_reason(tmp_path, text, message):
    config = tmp_path / "config" / "plant.yaml"
    config.parent.mkdir()
    (tmp_path / "dbc").symlink_to(ROOT / "dbc")
    config.write_text(text)
    run = subprocess.run(
        [sys.executable, "-m", "runtime.simulation", "--config", str(config), "--run-dir", str(tmp_path / "run"), "--free-ports"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 1
    assert message in run.stderr
    assert "Traceback" not in run.stderr


def test_it_costs_little(tmp_path):
    # Bar of the design: 8 % of a core in real time. CPU time, so a busy machine does not matter much; twice the bar here.
    with running_plant(tmp_path) as plant:
        master = Master(plant)
        try:
            before, began = cpu_seconds(plant.pid), time.monotonic()
            time.sleep(3.0)
            share = (cpu_seconds(plant.pid) - before) / (time.monotonic() - began)
        finally:
            master.stop()
        assert share < 0.16, f"{100 * share:.1f} % of a core"


def test_nobody_on_the_bus_does_not_hold_it_up(tmp_path):
    with running_plant(tmp_path) as plant:
        holder = os.open(plant.can0, os.O_RDWR | os.O_NOCTTY)
        os.write(holder, b"O\r")
        deadline = time.monotonic() + 20.0
        while plant.ask("counters")["can0"]["dropped"] == 0:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        before = plant.truth()["time_s"]
        time.sleep(0.5)
        assert plant.truth()["time_s"] > before + 0.2
        os.close(holder)


def test_requests_that_make_no_sense_are_answered_with_the_reason(tmp_path):
    with running_plant(tmp_path) as plant:
        for request, reason in [
            ({"do": "fly"}, "no request 'fly'"),
            ({"do": "set_fault", "fault": "nothing"}, "no fault 'nothing'"),
            ({"do": "set_fault", "fault": "open_cell_sensor"}, "needs cell"),
            ({"do": "set_fault", "fault": "open_cell_sensor", "cell": 257}, "from 1 to 256"),
            ({"do": "set_fault", "fault": "open_cell_sensor", "cell": True}, "from 1 to 256"),
            ({"do": "set_fault", "fault": "freeze_message", "message": "Nope"}, "sends no message"),
            ({"do": "set_fault", "fault": "drop_link", "link": "moon"}, "no link 'moon'"),
            ({"do": "press", "button": "self-destruct"}, "no button"),
            ({"do": "set", "what": "load_kw", "value": "much"}, "must be a number"),
            ({"do": "set", "what": "soc_percent", "value": 101}, "from 0 to 100"),
            ({"do": "set", "what": "weather", "value": 1}, "nothing called 'weather'"),
        ]:
            details = {key: value for key, value in request.items() if key != "do"}
            with pytest.raises(PlantError, match=reason):
                plant.ask(request["do"], **details)
        for line, reason in [(b"{]\n", "not JSON"), (b"[1]\n", "a request is an object")]:
            plant.control.sendall(line)
            assert reason in json.loads(next(plant.lines))["error"]
        other = socket.socket(socket.AF_UNIX)
        other.connect(str(tmp_path / "plant.sock"))
        other.settimeout(10.0)
        other.sendall(b"x" * 200_000)
        with pytest.raises(OSError):
            while other.recv(1):
                pass
            raise ConnectionResetError  # a clean end is as good
        other.close()
        assert plant.ask("ping")


def test_what_is_set_shows_on_the_meter(tmp_path):
    with running_plant(tmp_path) as plant:
        plant.ask("set", what="load_kw", value=75)
        plant.ask("set", what="pv_kw", value=25)
        plant.ask("set", what="frequency_hz", value=49.6)
        plant.ask("set", what="soc_percent", value=80)
        truth = plant.wait(lambda truth: truth["grid"]["load_kw"] == 75.0, 5.0)
        assert truth["grid"]["p_kw"] == pytest.approx(50.0)
        assert truth["grid"]["frequency_hz"] == 49.6
        assert truth["rack"]["soc"] == pytest.approx(0.8, abs=1e-6)
        plant.ask("set", what="frequency_hz", value=None)
        plant.wait(lambda truth: truth["grid"]["frequency_hz"] != 49.6, 5.0, "the grid's own frequency again")
        assert len(plant.truth(cells=True)["cells"]["soc"]) == 256
