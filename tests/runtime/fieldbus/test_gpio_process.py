"""A simulated panel in the real fieldbus process: a person at its socket, a scan at its tags, and wires that fall safe with it."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from runtime.quality import BAD_NO_COMMUNICATION, GOOD
from tests.aids.fieldbus import COLD_S, fieldbus_run, mapped
from tests.aids.fieldbus_child import until

PANEL = """
    device: panel
    driver: simulated
    chip: {label: lab}
    poll: 50 ms
    inputs:
      p.estop_ok: {line: ESTOP, bias: pull-down, debounce: 5 ms}
      p.pulses: {line: 4, count: true}
    outputs:
      p.main: {line: 7, safe: {value: false, after: 200 ms}}
      p.fault: {line: 8, active: low, safe: true}
"""


class Person:
    """Somebody with `socat` at the panel's socket."""

    def __init__(self, path: Path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
        self.socket.connect(f"/proc/self/fd/{folder}/{path.name}")
        os.close(folder)
        self.lines = self.socket.makefile("rw")

    def ask(self, **order: Any) -> Any:
        self.lines.write(json.dumps(order) + "\n")
        self.lines.flush()
        return json.loads(self.lines.readline())

    def level(self, line: str) -> int:
        return int(self.ask(get=[line])["values"][line])


@contextmanager
def person(folder: Path) -> Iterator[Person]:
    until((folder / "panel.lines").exists, COLD_S, "the panel's socket")
    made = Person(folder / "panel.lines")
    try:
        yield made
    finally:
        made.lines.close()
        made.socket.close()


def test_a_desk_panel_is_moved_by_hand_and_falls_safe_with_the_scan(tmp_path):
    panel = mapped(PANEL)
    with fieldbus_run(tmp_path, [panel.device]) as run:
        scan = run.start_scan()
        scan.ask("set", values={0: 1, 1: 0})
        run.start()
        with person(tmp_path) as hand:
            until(lambda: hand.level("7") == 1 and hand.level("8") == 1, 10, "outputs as the scan wants them, fault is active low")
            assert run.inbox()["integer"][:2] == [0, 0]
            assert hand.ask(set={"ESTOP": 1}) == {"ok": True}
            for level in (1, 0, 1, 0):
                hand.ask(set={"4": level})
            until(lambda: run.inbox()["integer"][:2] == [1, 2], 10, "the contact and both pulses")
            assert run.inbox()["quality"][:2] == [GOOD, GOOD]
            assert hand.ask(live=False) == {"ok": True}
            until(lambda: run.inbox()["quality"][:2] == [BAD_NO_COMMUNICATION] * 2, 10, "bad")
            assert hand.ask(live=True) == {"ok": True}
            until(lambda: run.inbox()["quality"][0] == GOOD and hand.level("7") == 1, 20, "healed, and driven again")
            scan.kill()
            until(lambda: hand.level("8") == 0, 10, "the fault lamp first")
            until(lambda: hand.level("7") == 0, 10, "then the contactor")
        assert run.stop() == 0
        assert not (tmp_path / "panel.lines").exists()


def test_a_panel_that_is_inhibited_drives_nothing(tmp_path):
    panel = mapped(PANEL)
    with fieldbus_run(tmp_path, [panel.device], inhibit=True) as run:
        scan = run.start_scan()
        scan.ask("set", values={0: 1, 1: 1})
        run.start()
        with person(tmp_path) as hand:
            hand.ask(set={"ESTOP": 1})
            until(lambda: run.inbox()["integer"][0] == 1, 10, "inputs are read")
            status = until(lambda: (tmp_path / "fieldbus.json").exists() and run.status()["devices"]["panel"], 10, "the status")
            assert status["outputs"] == 0 and hand.level("7") == 0
        assert run.stop() == 0
