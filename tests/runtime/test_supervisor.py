"""The supervisor: hears its charges, restarts those that die with growing patience, and stops them when asked."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from runtime.supervisor import Supervisor

LIVE = "import sys, json, time; print(json.dumps({'event': 'up', 'n': 1}), flush=True); time.sleep(60)"
DEAF = 'import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(\'{"event": "up"}\', flush=True); time.sleep(60)'


def start(code: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)


class Ear:
    """Keeps what was heard."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.supervisor = Supervisor(lambda name, event: self.events.append((name, event)))

    def wait_for(self, kind: str, count: int = 1, seconds: float = 20) -> None:
        end = time.monotonic() + seconds
        while [e["event"] for _, e in self.events].count(kind) < count:
            assert time.monotonic() < end, self.events
            self.supervisor.attend(0.05)


def test_a_killed_process_is_restarted_and_both_are_said() -> None:
    ear = Ear()
    charge = ear.supervisor.take("one", lambda: start(LIVE))
    ear.wait_for("up")
    assert charge.child is not None
    first = charge.child.pid
    os.kill(first, signal.SIGKILL)
    ear.wait_for("up", 2)
    assert charge.child.pid != first
    assert charge.restarts == 1
    assert ("one", {"event": "died", "code": -9, "again_in": 0.0}) in ear.events
    ear.supervisor.stop("one", 5)
    assert charge.child.poll() == -signal.SIGTERM


def test_one_that_keeps_dying_is_restarted_ever_more_slowly() -> None:
    ear = Ear()
    ear.supervisor.take("bad", lambda: start("raise SystemExit(3)"))
    ear.wait_for("died", 3)
    waits = [e["again_in"] for _, e in ear.events if e["event"] == "died"]
    assert waits[:3] == [0.0, 0.5, 1.0]


def test_one_that_says_unavailable_is_tried_again_slowly() -> None:
    ear = Ear()
    ear.supervisor.take("taken", lambda: start(f"raise SystemExit({os.EX_UNAVAILABLE})"))
    ear.wait_for("died")
    assert ear.events[-1][1] == {"event": "died", "code": os.EX_UNAVAILABLE, "again_in": 5.0}


def test_one_that_cannot_even_be_started_is_tried_again() -> None:
    ear = Ear()
    children = [lambda: start(LIVE), lambda: subprocess.Popen(["/nowhere/at/all"])]
    ear.supervisor.take("odd", lambda: children.pop()())
    assert ear.events[0][1]["event"] == "died"
    ear.wait_for("up")
    ear.supervisor.stop("odd", 5)


def test_one_that_hangs_is_killed_and_restarted() -> None:
    ear = Ear()
    charge = ear.supervisor.take("hung", lambda: start(LIVE))
    ear.wait_for("up")
    ear.supervisor.kill("hung", "no snapshot for 3 s")
    ear.wait_for("up", 2)
    assert charge.restarts == 1
    ear.supervisor.stop("hung", 5)


def test_one_that_does_not_listen_is_killed_and_that_is_said() -> None:
    ear = Ear()
    charge = ear.supervisor.take("deaf", lambda: start(DEAF))
    ear.wait_for("up")
    ear.supervisor.stop("deaf", 0.3)
    assert charge.child is not None
    assert charge.child.returncode == -signal.SIGKILL
    assert ("deaf", {"event": "killed", "patience": 0.3}) in ear.events


@pytest.mark.parametrize("line", ["not json", "[1, 2]", "\\xff\\xfe"])
def test_a_line_that_is_no_event_is_passed_on_as_text(line: str) -> None:
    ear = Ear()
    ear.supervisor.take(
        "odd", lambda: start(f"import sys, time; sys.stdout.buffer.write(b'{line}\\n'); sys.stdout.flush(); time.sleep(60)")
    )
    ear.wait_for("said")
    ear.supervisor.stop("odd", 5)
