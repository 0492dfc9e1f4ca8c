"""`bessplc verify-interlocks` on the demo's programs: which contact is open, where it is, and the walk of a technician."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from runtime.app import read_site
from runtime.quality import BAD_NO_COMMUNICATION
from runtime.verify_interlocks import permit_texts
from tests.aids.fieldbus_child import ROOT, until
from tests.aids.onlooker import HeldSite
from tests.aids.places import DEMO
from tests.aids.site import copy_site
from tests.aids.site_text import texts

WELL: dict[str, Any] = {
    "panel.estop_ok": True,
    "panel.reset": False,
    "panel.remote": True,
    "bms.ok": True,
    "bms.current": 0.0,
    "bms.main_fb": False,
    "bms.v_pack": 830.0,
    "pcs.v_dc": 0.0,
    "pcs.ok": True,
    "bms.t_cell_max": 25.0,
    "bms.t_cell_min": 22.0,
    "bms.v_cell_max": 3.3,
    "bms.v_cell_min": 3.25,
}


class Panel:
    """The demo's scan, fed and scanned in a thread of this process: `values` are the field, `bad` the tags that are lost."""

    def __init__(self, folder: Path):
        root, _ = copy_site(folder)
        self.file = root / "config/site.yaml"
        self.site = HeldSite(self.file, read_site(self.file)[0])
        self.values = dict(WELL)
        self.bad: set[str] = set()
        self.scans = 0
        self._lock, self._ended = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._ended.wait(0.01):
            with self._lock:
                self.site.feed({tag: value for tag, value in self.values.items() if tag not in self.bad})
                if self.bad:
                    self.site.feed({tag: WELL[tag] for tag in self.bad}, BAD_NO_COMMUNICATION)
                self.site.scan()
                self.scans += 1

    def set(self, **changes: Any) -> None:
        """Change the field, and wait until it was scanned; `panel__reset` stands for `panel.reset`."""
        with self._lock:
            self.values.update({name.replace("__", "."): value for name, value in changes.items()})
            seen = self.scans
        until(lambda: self.scans > seen + 6, 30, "the change is scanned by every task")

    def arm(self) -> None:
        self.set(panel__reset=True)
        until(lambda: self.value("site.ready"), 30, "the interlock is armed")
        self.set(panel__reset=False)

    def value(self, tag: str) -> Any:
        with self._lock:
            return self.site.plc.value(tag)

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """The scan hangs, and another process has noticed."""
        with self._lock:
            seen = self.site.seen()
            until(lambda: seen.refresh() and seen.state == "no scan", 30, "the scan has been silent for long enough")
            yield

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        self.site.close()


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Panel]:
    folder = tmp_path_factory.mktemp("panel")
    before = os.environ.get("BESSPLC_RUN")
    os.environ["BESSPLC_RUN"] = str(folder / "run")
    found = Panel(folder / "demo")
    yield found
    found.close()
    if before is None:
        del os.environ["BESSPLC_RUN"]
    else:
        os.environ["BESSPLC_RUN"] = before


@pytest.fixture
def well(panel: Panel) -> Panel:
    """The demo with everything in order, and armed."""
    panel.bad.clear()
    panel.set(**{name.replace(".", "__"): value for name, value in WELL.items()})
    panel.arm()
    return panel


def verify(panel: Panel, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "runtime.cli", "verify-interlocks", "--site", str(panel.file), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_an_armed_interlock_has_every_contact_closed(well: Panel) -> None:
    done = verify(well)
    assert done.returncode == 0, done.stdout
    head, *permits = done.stdout.splitlines()
    assert head == "protection.ready: armed, 0 of 13 permits open"
    assert len(permits) == 13
    assert all(re.match(r" +\d+  closed ", line) for line in permits)
    assert permits[0].split() == ["1", "closed", "panel.estop_ok"]
    assert "bms.t_cell_max < 55 °C" in permits[8], "the permit as the program writes it"


def test_an_open_contact_is_named_with_its_device_address_and_quality(well: Panel) -> None:
    well.set(panel__estop_ok=False)
    done = verify(well)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[0] == "protection.ready: not armed, tripped by permit 1, 1 of 13 permits open"
    assert re.match(r" +1  OPEN +panel.estop_ok$", lines[1])
    assert re.match(r" +panel.estop_ok = false  Good  panel .*discrete 0", lines[2])


def test_a_limit_shows_the_value_that_breaks_it_and_a_lost_device_its_quality(well: Panel) -> None:
    well.values["bms.t_cell_max"] = 60.0
    well.bad.add("pcs.ok")
    well.set()
    found = json.loads(verify(well, "--json").stdout)
    assert found["closed"] is False
    (interlock,) = found["interlocks"]
    assert (interlock["interlock"], interlock["armed"]) == ("protection.ready", False)
    opened = {permit["permit"]: permit for permit in interlock["permits"] if permit["closed"] is False}
    assert set(opened) - {13} == {6, 7, 9}, "13 is the critical alarm that comes of it after 2 s"
    (hot,) = opened[9]["contacts"]
    assert (hot["tag"], hot["value"], hot["quality"], hot["device"]) == ("bms.t_cell_max", 60.0, "Good", "rack1")
    assert "TMax" in hot["address"]
    (lost,) = opened[7]["contacts"]
    assert (lost["tag"], lost["value"], lost["quality"]) == ("pcs.ok.good", False, "Bad_NoCommunication")


def test_a_timer_that_may_be_running_is_not_guessed_and_not_called_closed(well: Panel) -> None:
    well.set(panel__estop_ok=False, bms__main_fb=True)
    (interlock,) = json.loads(verify(well, "--json").stdout)["interlocks"]
    assert interlock["permits"][7]["text"] == "not mismatch.Q"
    assert interlock["permits"][7]["closed"] is None
    assert {contact["tag"] for contact in interlock["permits"][7]["contacts"]} == {"bms.main_fb", "bms.v_pack", "pcs.v_dc"}


def test_a_site_that_does_not_run_is_said_so(tmp_path: Path) -> None:
    root, _ = copy_site(tmp_path / "demo")
    command = [sys.executable, "-m", "runtime.cli", "verify-interlocks", "--site", str(root / "config/site.yaml")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 75
    assert "is not running" in done.stderr


def test_a_scan_that_says_nothing_any_more_proves_no_contact(well: Panel) -> None:
    with well.standing_still():
        for arguments in ((), ("--json",)):
            done = verify(well, *arguments)
            assert done.returncode == 75, done.stdout
            assert "the scan says nothing since" in done.stderr and done.stdout == ""
    assert verify(well).returncode == 0


def test_the_texts_of_the_permits_are_those_of_the_program() -> None:
    texts = permit_texts(read_site(DEMO / "config/site.yaml")[0])
    assert [str(text) for text in texts["protection.ready"][:3]] == ["panel.estop_ok", "panel.estop_ok.good", "bms.ok"]
    assert texts["protection.ready"][0].at.file == "programs/protection.yaml"


# The walk, by a technician at a terminal -------------------------------------------------------------------------------------


class Terminal:
    """The verb on a terminal: what it says so far, and a keyboard."""

    def __init__(self, panel: Panel, *arguments: str):
        self._keyboard, screen = pty.openpty()
        command = [sys.executable, "-m", "runtime.cli", "verify-interlocks", "--walk", "--site", str(panel.file), *arguments]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=screen, stdout=screen, stderr=screen)
        os.close(screen)
        self.said = ""

    def read(self) -> str:
        while select.select([self._keyboard], [], [], 0)[0]:
            try:
                self.said += os.read(self._keyboard, 65536).decode(errors="replace").replace("\r\n", "\n")
            except OSError:  # the verb has ended and closed its end
                break
        return self.said

    def wait_for(self, text: str, seconds: float = 30) -> None:
        until(lambda: text in self.read() or self.process.poll() is not None, seconds, f"`{text}` after {self.said[-300:]!r}")
        assert text in self.read(), self.said

    def type(self, keys: str) -> None:
        os.write(self._keyboard, keys.encode())

    def end(self, seconds: float = 30) -> int:
        until(lambda: (self.read(), self.process.poll())[1] is not None, seconds, f"the verb ends: {self.said[-300:]!r}")
        self.read()
        os.close(self._keyboard)
        return self.process.returncode


@pytest.fixture
def terminal(well: Panel) -> Iterator[Callable[..., Terminal]]:
    opened: list[Terminal] = []

    def at(*arguments: str) -> Terminal:
        opened.append(Terminal(well, *arguments))
        return opened[-1]

    yield at
    for one in opened:
        if one.process.poll() is None:
            one.process.kill()
            one.process.wait()


def test_a_walk_asks_for_each_contact_and_sees_the_interlock_trip(well: Panel, terminal: Callable[..., Terminal]) -> None:
    walk = terminal()
    walk.wait_for("[1/3] open panel.estop_ok (panel discrete 0)")
    well.set(panel__estop_ok=False)
    walk.wait_for("protection.ready permit 1: seen, and the interlock tripped")
    well.set(panel__estop_ok=True)
    for number, tag in ((2, "bms.ok"), (3, "pcs.ok")):
        walk.wait_for(f"[{number}/3] open {tag}")
        well.set(**{tag.replace(".", "__"): False})
        walk.wait_for(f"close {tag} again")
        well.set(**{tag.replace(".", "__"): True})
    assert walk.end() == 0
    assert "0 of 13 permits open" in walk.said


def test_enter_skips_a_contact_and_q_ends_the_walk(well: Panel, terminal: Callable[..., Terminal]) -> None:
    walk = terminal()
    walk.wait_for("[1/3]")
    walk.type("\n")
    walk.wait_for("permit 1: skipped")
    walk.wait_for("[2/3]")
    walk.type("q\n")
    assert walk.end() == 1, "a walk that skipped a contact has verified nothing of it"


def test_a_contact_that_is_not_opened_in_time_fails_the_walk(terminal: Callable[..., Terminal]) -> None:
    begun = time.monotonic()
    walk = terminal("--patience", "1")
    assert walk.end() == 1
    assert walk.said.count("not opened in time") == 3
    assert time.monotonic() - begun < 30


def test_the_permits_of_function_blocks_are_told_in_the_words_of_their_file(tmp_path: Path) -> None:
    """One interlock a rack, written once: each has its own name and the same texts."""
    files = texts(
        "blocks:\n  guard: {type: GUARD, count: $racks, OK: x.ok}\n",
        'x.ok: {type: "BOOL[2]", default: true, write: operator}',
        site="constants: {racks: 2}\ntasks:\n  main: {interval: 10 ms, programs: [p]}\n",
        guard="function_block: GUARD\ninputs: {OK: {type: BOOL}}\nblocks:\n"
        "  ready: {type: INTERLOCK, PERMIT: [OK, not (OK and plc.first_scan)], RESET: false}\noutputs: {READY: ready.OK}\n",
    )
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    found = permit_texts(read_site(tmp_path / "config/site.yaml")[0])
    assert {name: [str(one) for one in permits] for name, permits in found.items()} == {
        f"p.guard[{rack}].ready": ["OK", "not (OK and plc.first_scan)"] for rack in (1, 2)
    }
