"""The run folder: one run of a site at a time, private, and clean after a crash."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runtime import rundir

HOLD = """
import sys, time
from pathlib import Path
from runtime import rundir
held = rundir.hold(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BESSPLC_RUN", str(tmp_path / "run"))
    path = tmp_path / "demo/config/site.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("site: demo\n")
    return path


def holder(site: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(site)], cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_hold_names_the_first(site: Path) -> None:
    process = holder(site)
    try:
        with pytest.raises(rundir.SiteHeldError, match=rf"already running: process {process.pid} since .*kill {process.pid}"):
            rundir.hold(site)
    finally:
        process.kill()
        process.wait()


def test_what_a_crash_left_is_cleared(site: Path) -> None:
    process = holder(site)
    folder = rundir.folder_of(site)
    (folder / "scan.image").write_bytes(b"left")
    process.send_signal(signal.SIGKILL)
    process.wait()
    held = rundir.hold(site)
    assert [p.name for p in folder.iterdir()] == ["lock"]
    held.release()


def test_the_folder_is_private_and_the_same_for_every_spelling_of_the_path(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = rundir.hold(site)
    assert held.folder.stat().st_mode & 0o777 == 0o700
    monkeypatch.chdir(site.parent)
    assert rundir.folder_of(Path("site.yaml")) == held.folder
    assert rundir.folder_of(site.with_name("other.yaml")) != held.folder
    held.release()
    assert os.path.isdir(held.folder)
