"""What the demo puts on its buses, read by programs that we did not write: cantools' command line and tshark."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cantools
import pytest

from tests.aids.capture import captured_demo, lacks_tshark, read_candump, read_packets
from tests.aids.kernel import needs_vcan
from tests.aids.plant import running_plant
from tests.aids.site import ROOT, copy_site, started, until

DBC = ROOT / "dbc/rack.dbc"
SECONDS = 5
LACK = lacks_tshark()
COMMANDS = (b" 0A0#", b" 0CF#")  # Stack_Cmd, and the last of Balance_Cmd_1 to 16


def all_messages() -> set[str]:
    """Every message of the rack and of its controller."""
    return {message.name for message in cantools.database.load_file(DBC).messages}


@pytest.mark.site
@pytest.mark.slow
@pytest.mark.timeout(400)
def test_third_parties_read_the_demos_buses_without_errors(tmp_path: Path) -> None:
    with captured_demo(tmp_path, tmp_path / "capture") as demo:
        until(lambda: demo.tap.frames > 200, 60, "frames on the bus")
        time.sleep(SECONDS)  # what is recorded, not what is waited for
    frames = read_candump(demo.can_log, DBC)
    assert frames.frames == demo.tap.frames
    assert frames.unknown == 0, "no frame that the DBC does not know"
    assert frames.complaints == []
    assert set(frames.messages) == all_messages(), "every message of the DBC was on the bus"
    if LACK:
        pytest.skip(f"CAN was read without errors; no Modbus capture: {LACK}")
    modbus = read_packets(demo.packets, demo.ports)
    assert modbus.requests > 3 * SECONDS * 10
    assert modbus.malformed == 0
    assert modbus.unanswered == 0, "every request has its answer"
    assert modbus.exceptions == 0


def test_a_cut_frame_and_a_foreign_one_are_noticed(tmp_path: Path) -> None:
    log = tmp_path / "wrong.log"
    log.write_text("(1.0) can0 0A0#0102\n(1.1) can0 0A0#01\n(1.2) can0 7F0#00\n")
    found = read_candump(log, DBC)
    assert (found.frames, found.unknown, len(found.complaints)) == (3, 1, 1)
    assert found.messages == {"Stack_Cmd": 1}


@contextmanager
def candump(folder: Path) -> Iterator[Path]:
    """`candump -l vcan0`, for the length of a `with`."""
    process = subprocess.Popen(["candump", "-l", "vcan0"], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: list(folder.glob("candump-*.log")), 30, "candump logs")
        yield next(folder.glob("candump-*.log"))
    finally:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(30)


@pytest.mark.socketcan
@pytest.mark.site
@pytest.mark.timeout(900)
@needs_vcan
@pytest.mark.skipif(shutil.which("candump") is None, reason="candump is not installed: apt install can-utils")
def test_candump_on_vcan0_is_decoded_by_cantools_without_errors(tmp_path: Path) -> None:
    plant_dir = tmp_path / "plant"
    plant_dir.mkdir()
    root, ports = copy_site(tmp_path / "demo")
    with (
        candump(tmp_path) as log,
        running_plant(plant_dir, "--ports-from-config", config=root / "config/lab_plant.yaml"),
        started(root, ports, tmp_path, site_file="config/lab.yaml") as site,
    ):
        site.wait_for("running", 400)
        until(lambda: all(mark in log.read_bytes() for mark in COMMANDS), 120, "the controller's commands on the bus")
        time.sleep(SECONDS)  # what is recorded, not what is waited for
    found = read_candump(log, DBC)
    assert found.unknown == 0
    assert found.complaints == []
    assert set(found.messages) == all_messages()
