"""A running site with one device that answers and one that is not there: what `devices` and `io` say, and what the stop says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.aids.fieldbus_child import DeviceProcess
from tests.aids.site import ROOT, RunningSite, free_ports, started, until
from tests.aids.site_text import texts

PCS = """for: n in [1, 2]
device: pcs{n}
driver: modbus
text: Converter {n}
host: 127.0.0.1
port: "{(2 - n) * PORT + (n - 1) * DEAD}"
poll: 50 ms
stale: 1 s
timeout: 1 s
inputs:
  pcs[{n}].p: {register: input 7, as: int16, scale: 0.1, unit: kW, bad: hold}
outputs:
  pcs[{n}].p_cmd: {register: holding 3, as: int16, scale: 0.1, unit: kW, safe: 0 kW}
"""
PROGRAM = "outputs: {'pcs[*].p_cmd': hmi.p}"
TAGS = "hmi.p: {type: LREAL, unit: kW, default: 12.5 kW, write: operator}"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pcs() -> Iterator[DeviceProcess]:
    made = DeviceProcess("fieldbus_modbus", "0")
    made.ask("set", table="input", address=7, values=[421])
    yield made
    made.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, pcs: DeviceProcess) -> Iterator[RunningSite]:
    folder = tmp_path_factory.mktemp("devices")
    io_map = PCS.replace("PORT", str(pcs.ready["port"])).replace("DEAD", str(free_ports(1)[0]))
    for name, text in texts(PROGRAM, TAGS, io={"pcs": io_map}).items():
        (folder / "site" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "site" / name).write_text(text)
    with started(folder / "site", [0, 0], folder) as running:
        running.wait_for("running", 90)
        yield running


def bessplc(site: RunningSite, verb: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "runtime.cli", verb, "--site", str(site.root / "config/site.yaml"), *arguments]
    env = {**os.environ, "BESSPLC_RUN": str(site.run_base), "COLUMNS": "60"}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)


def devices(site: RunningSite) -> dict[str, dict[str, Any]]:
    done = bessplc(site, "devices", "--json")
    assert done.returncode == 0, done.stderr
    return {d["device"]: d for d in json.loads(done.stdout)["devices"]}


def test_devices_tells_the_one_that_answers_from_the_one_that_is_not_there(site: RunningSite) -> None:
    found = until(
        lambda: (
            (d := devices(site))["pcs1"]["round_trip_ms"]
            and d["pcs1"]["state"] == "online"
            and d["pcs2"]["errors"]
            and d["pcs2"]["last_error"]
            and d
        ),
        60,
        "one online, one counted",
    )
    assert found["pcs1"]["good"] and found["pcs1"]["exchanges"] > 0
    assert found["pcs1"]["last_good"] and not found["pcs1"]["conditions"]
    assert found["pcs2"]["state"] in ("lost", "connecting") and found["pcs2"]["last_good"] is None
    assert sum(found["pcs2"]["errors_by_kind"].values()) > 0


def test_devices_on_a_pipe_is_a_plain_table_that_is_not_cut(site: RunningSite) -> None:
    done = bessplc(site, "devices")
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and "\x1b[" not in done.stdout
    assert lines[0].startswith("site: running, scan ") and lines[2].split()[:3] == ["device", "driver", "address"]
    assert [line.split()[0] for line in lines[3:]] == ["pcs1", "pcs2"]


def test_io_has_every_point_with_its_value_and_address(site: RunningSite) -> None:
    def read() -> dict[str, Any]:
        done = bessplc(site, "io", "--json")
        assert done.returncode == 0, done.stderr
        return {p["tag"]: p for p in json.loads(done.stdout)["points"]}

    found = until(lambda: (p := read())["pcs[1].p"]["good"] and p, 30, "the input is good")
    assert list(found) == ["pcs[1].p", "pcs[1].p_cmd", "pcs[2].p", "pcs[2].p_cmd"]
    one = found["pcs[1].p"]
    assert (one["value"], one["unit"], one["raw"], one["quality"], one["device"]) == (42.1, "kW", 421, "Good", "pcs1")
    assert "input 7" in one["address"] and 0 <= one["age_s"] < 5
    assert (found["pcs[2].p"]["good"], found["pcs[2].p"]["age_s"]) == (False, None)
    assert (found["pcs[1].p_cmd"]["value"], found["pcs[1].p_cmd"]["raw"], found["pcs[1].p_cmd"]["direction"]) == (12.5, 125, "out")


def test_a_word_that_fits_no_point_is_exit_2(site: RunningSite) -> None:
    done = bessplc(site, "io", "pcs[1].q")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: no point of a tag named pcs[1].q: did you mean `pcs[1].p`")


def lost(site: RunningSite, pcs: DeviceProcess) -> None:
    """Both converters are away: one never was there, the other is unplugged now (again: that changes nothing)."""
    pcs.ask("unplug")
    until(lambda: devices(site)["pcs1"]["state"] == "lost", 30, "lost")


def test_a_lost_device_is_an_alarm_without_being_asked(site: RunningSite, pcs: DeviceProcess) -> None:
    lost(site, pcs)
    texts = until(
        lambda: next((e["alarms"] for e in reversed(site.log()) if any("Converter 1" in a for a in e.get("alarms", []))), None),
        20,
        "the alarm",
    )
    assert "error: Converter 1: The device does not answer" in texts


def test_the_stop_says_which_devices_did_not_take_their_safe_values(site: RunningSite, pcs: DeviceProcess) -> None:
    """The last test of the site."""
    lost(site, pcs)
    assert site.stop() == 0
    stopped = next(e for e in reversed(site.log()) if e.get("event") == "stopped" and "outputs" in e)
    assert stopped["missed"] == ["pcs1", "pcs2"]
    assert stopped["outputs"] == "safe but for pcs1, pcs2: there the device's own time-out must act"
    done = bessplc(site, "devices")
    assert (done.returncode, done.stdout) == (75, "")
    assert "is not running: `bessplc run --site" in done.stderr
