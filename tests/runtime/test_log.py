"""`bessplc log` and what it reads: the lines of all processes in the order of time, chosen by what a person asks for."""

from __future__ import annotations

import io
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.testing import CliRunner, Result

from runtime import rundir
from runtime.cli import app
from runtime.engine.north import Snapshot
from runtime.engine.plan import S_MISSED, S_OVERRUNS
from runtime.journal import FOLDER, LogFile, log_folder_of
from runtime.log_events import ScanEvents
from runtime.log_read import Log, Wanted
from runtime.log_site import SiteLog
from runtime.log_view import as_text
from runtime.permits import Permits
from tests.aids.engine import GENERATION, Bench
from tests.aids.site import until
from tests.aids.site_text import load

Run = Callable[..., Result]
DAY = "2026-07-01T"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TZ", "Europe/Vienna")
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    time.tzset()
    file = tmp_path / "config" / "site.yaml"
    file.parent.mkdir()
    file.write_text("a site with a mistake: [")  # its log is read all the same
    yield file
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def folder(site: Path) -> Path:
    return log_folder_of(rundir.state_folder_of(site))


@pytest.fixture
def run(site: Path) -> Run:
    return lambda *words: CliRunner().invoke(app, ["log", *words, "--site", str(site)])


def say(folder: Path, who: str, clock: str, event: str, level: str = "info", **facts: Any) -> None:
    """One line of a process, at this time of the day in UTC."""
    line = {**facts, "event": event, "level": level, "timestamp": f"{DAY}{clock}Z"}
    LogFile(folder / f"{who}.log").write(json.dumps(line).encode() + b"\n")


@pytest.fixture
def night(folder: Path) -> None:
    say(folder, "runtime", "01:00:00.5", "trip", "error", interlock="protection.ready", because=["bms.ok", "bms.soc.good"])
    say(folder, "fieldbus", "01:00:00.25", "device lost", "warning", device="rack1")
    say(folder, "runtime", "01:00:01", "died", "error", process="opcua", code=-9)
    say(folder, "opcua", "01:00:02", "listening", service="opcua", peer="10.0.0.1")
    say(folder, "runtime", "01:00:10", "status", **{"bms.soc": "50 %", "state": "running"})
    say(folder, "runtime", "01:00:20", "status", "debug", **{"bms.soc": "50 %"})


def events(done: Result) -> list[str]:
    assert done.exit_code == 0, done.stderr
    return [json.loads(line)["event"] for line in done.stdout.splitlines()]


WHOLE = ("--since", f"{DAY}00:00", "--json")


def test_the_lines_of_all_processes_stand_in_the_order_of_time(night: None, run: Run) -> None:
    assert events(run(*WHOLE)) == ["device lost", "trip", "died", "listening"]
    first = json.loads(run(*WHOLE).stdout.splitlines()[0])
    assert first == {
        "time": "2026-07-01T01:00:00.250000+00:00",
        "level": "warning",
        "process": "fieldbus",
        "event": "device lost",
        "device": "rack1",
    }


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--level", "warning"], ["device lost", "trip", "died"]),
        (["--level", "debug"], ["device lost", "trip", "died", "listening", "status", "status"]),
        (["--process", "opcua"], ["died", "listening"]),
        (["--event", "lost"], ["device lost"]),
        (["--tag", "bms"], ["trip"]),
        (["--tag", "BMS.*.good"], ["trip"]),
        (["--tag", "rack1", "--tag", "10.0.0"], ["device lost", "listening"]),
        (["--tag", "bms", "--event", "status"], ["status"]),
        (["--process", "runtime"], ["trip", "status"]),
        (["--limit", "2"], ["died", "listening"]),
        (["--until", f"{DAY}03:00:01"], ["device lost", "trip", "died"]),
    ],
)
def test_lines_are_chosen_by_level_process_event_tag_number_and_time(
    night: None, run: Run, words: list[str], found: list[str]
) -> None:
    assert events(run(*WHOLE, *words)) == found


def test_since_is_in_the_words_of_the_audit(night: None, run: Run) -> None:
    assert events(run("--json", "--since", f"{DAY}03:00:01.5")) == ["listening"], "03:00 in Vienna is 01:00 UTC"
    done = run("--since", "yesterday evening")
    assert done.exit_code == 2 and "is no time" in done.stderr


def test_what_arithmetic_left_over_of_a_number_is_not_shown(folder: Path, run: Run) -> None:
    say(folder, "runtime", "01:00:00", "changed", value=56.99000000000001, jumps=[0.30000000000000004])
    assert run("--since", f"{DAY}00:00").stdout.rstrip().endswith("changed  value=56.99 jumps=[0.3]")


def test_a_person_reads_one_line_an_event(night: None, run: Run) -> None:
    lines = run("--since", f"{DAY}00:00").stdout.splitlines()
    assert lines[1] == (
        "2026-07-01 03:00:00.500+02:00 error    runtime   trip  interlock=protection.ready because=[bms.ok, bms.soc.good]"
    )
    assert "\x1b[" not in "".join(lines)


def test_levels_have_colours_on_a_terminal_and_a_client_cannot_write_there(folder: Path) -> None:
    say(folder, "opcua", "01:00:00", "refused", "error", user="\x1b[2Jeve", exception="Traceback:\n  line 1")
    [line] = Log(folder).lines()
    shown = as_text(line, colour=True)
    assert shown.startswith("\x1b[31m") and "\x1b[2J" not in shown and "\\x1b[2Jeve" in shown
    assert shown.splitlines()[1:] == ["    Traceback:", "      line 1"]


def test_what_is_no_line_of_ours_is_shown_at_the_time_of_the_one_before(folder: Path) -> None:
    say(folder, "plant", "01:00:00", "up")
    LogFile(folder / "plant.log").write(b"Segmentation fault\n")
    assert [(line.event, line.level) for line in Log(folder).lines(1)] == [("up", "info"), ("Segmentation fault", "warning")]


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--level", "warn"], "did you mean `warning`?"), (["--process", "opcau"], "did you mean `opcua`?")],
)
def test_a_wrong_level_or_process_is_a_wrong_word(night: None, run: Run, words: list[str], said: str) -> None:
    done = run(*words)
    assert done.exit_code == 2 and said in done.stderr


def test_a_site_that_never_ran_is_exit_75_and_no_quiet_night(run: Run, tmp_path: Path) -> None:
    done = run()
    assert done.exit_code == 75 and "has no log yet" in done.stderr
    assert CliRunner().invoke(app, ["log", "--site", str(tmp_path / "none.yaml")]).exit_code == 1


def test_another_state_folder_is_read_where_it_is_named(site: Path, run: Run, tmp_path: Path) -> None:
    say(log_folder_of(tmp_path / "service"), "runtime", "01:00:00", "running")
    assert events(run(*WHOLE, "--state", str(tmp_path / "service"))) == ["running"]


def test_a_log_that_is_not_ours_to_read_is_exit_74(night: None, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError(13, "Permission denied", "runtime.log")

    monkeypatch.setattr("runtime.log_read.Log.lines", refuse)
    done = run()
    assert done.exit_code == 74 and "runtime.log cannot be read" in done.stderr


def test_news_follow_a_file_that_is_set_aside_and_none_is_lost_or_told_twice(folder: Path) -> None:
    kept = LogFile(folder / "a.log", largest=400, older=9)
    log, seen = Log(folder), []
    for number in range(60):
        kept.write(json.dumps({"event": str(number), "timestamp": f"{DAY}01:00:00Z"}).encode() + b"\n")
        if number == 20:
            seen += [line.event for line in log.lines()]
        elif number > 20 and number % 3 == 0:
            seen += [line.event for line in log.news()]
    seen += [line.event for line in log.news()]
    assert seen == [str(n) for n in range(60)]


def test_follow_shows_what_comes(night: None, site: Path, folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = iter(range(3))

    def nap(_: float) -> None:
        if next(looks) == 2:
            raise KeyboardInterrupt
        say(folder, "modbus", "23:00:00", "client came")

    monkeypatch.setattr("runtime.verbs_log.time.sleep", nap)
    done = run("--follow", "--json", "--since", f"{DAY}00:00", "--event", "client")
    assert events(done) == ["client came", "client came"]


def test_files_that_ended_before_are_not_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    say(folder, "a", "01:00:00", "old")
    (folder / "a.log").replace(folder / "a.log.1")
    os.utime(folder / "a.log.1", (1, 1))
    say(folder, "a", "02:00:00", "new")
    assert [line.event for line in Log(folder).lines(2 * 10**9)] == ["new"]
    assert [line.event for line in Log(folder).lines()] == ["old", "new"]


def test_wanted_takes_everything_where_nothing_is_asked(night: None, folder: Path) -> None:
    assert all(Wanted().takes(line) for line in Log(folder).lines())


# The supervisor's side -----------------------------------------------------------------------------------------------------


@pytest.fixture
def fresh_structlog(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv(FOLDER, raising=False)
    yield
    structlog.reset_defaults()
    os.environ.pop(FOLDER, None)


def test_a_run_writes_its_lines_to_its_file_and_names_the_folder_to_its_processes(tmp_path: Path, fresh_structlog: None) -> None:
    kept = SiteLog(tmp_path / "state", on_terminal=True)
    kept.logger.info("running", seconds=1.5)
    until(lambda: list(Log(kept.folder).lines()), 5, "the line is in the file")
    [line] = Log(kept.folder).lines()
    assert (line.process, line.event, line.facts) == ("runtime", "running", {"seconds": 1.5})
    assert os.environ[FOLDER] == str(kept.folder)
    assert kept.folder.stat().st_mode & 0o777 == 0o700 == kept.folder.parent.stat().st_mode & 0o777


def test_on_a_terminal_a_traceback_of_a_process_becomes_a_line_and_its_log_lines_do_not(
    tmp_path: Path, fresh_structlog: None
) -> None:
    kept = SiteLog(tmp_path / "state", on_terminal=True)
    assert kept.strays is not None
    kept.strays.write(b'{"event": "it is in its own file"}\nTraceback (most recent call last):\n  boom\n')
    until(lambda: list(Log(kept.folder).lines()), 5, "the line is in the file")
    [line] = Log(kept.folder).lines()
    assert (line.event, line.level, line.facts["text"]) == ("said", "warning", "Traceback (most recent call last):\n  boom")
    kept.strays.close()


def test_off_a_terminal_lines_go_to_standard_error_too(
    tmp_path: Path, fresh_structlog: None, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(io.FileIO(2, "w", closefd=False)))
    kept = SiteLog(tmp_path / "state", on_terminal=False)
    kept.logger.info("running")
    assert kept.strays is None
    said = until(lambda: capfd.readouterr().err, 5, "the line is on standard error")
    assert json.loads(said)["event"] == "running"


PROGRAM = """program: p
blocks:
  ready: {type: INTERLOCK, PERMIT: [hmi.estop_ok, hmi.bms_ok], RESET: hmi.reset}
modes:
  RUN: {when: ready.OK, P: 1}
  STOP: {P: 0}
outputs: {x.p: modes.P}
"""
TAGS = """
hmi.estop_ok: {type: BOOL, default: true, write: operator}
hmi.bms_ok: {type: BOOL, default: true, write: operator}
hmi.reset: {type: BOOL, write: operator}
x.p: {type: LREAL}
"""


class Watched:
    """A bench whose scan events are collected."""

    def __init__(self, folder: Path, program: str = PROGRAM):
        self.bench = Bench(folder, load(program, TAGS))
        schedule = self.bench.schedule
        self.snapshot = Snapshot(folder, schedule.region, GENERATION)
        self.lines: list[dict[str, Any]] = []
        self.events = ScanEvents(schedule, folder, GENERATION, self)

    def info(self, event: str, **facts: Any) -> None:
        self.lines.append({"event": event, **facts})

    error = warning = info

    def look(self) -> list[dict[str, Any]]:
        self.snapshot.refresh()
        self.events.look(self.snapshot)
        found, self.lines = self.lines, []
        return found

    def set(self, **values: bool) -> None:
        for name, value in values.items():
            self.bench.plc.set(f"hmi.{name}", value)
            self.bench.scan(2)


def test_a_trip_says_the_permit_that_fell_and_the_tag_behind_it(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    watched.set(reset=False)
    assert [line["event"] for line in watched.look()] == ["scan state"]
    watched.set(reset=True)
    assert [line["event"] for line in watched.look()] == ["mode", "interlock armed"]
    watched.set(bms_ok=False)
    seen = watched.look()
    until(lambda: len(seen + watched.lines) > 1, 60, "the trip is told")
    seen += watched.lines
    assert {"event": "mode", "was": "RUN", "now": "STOP"}.items() <= seen[0].items()
    assert seen[1] == {
        "event": "trip",
        "interlock": "p.ready",
        "permit": 2,
        "because": ["hmi.bms_ok"],
        "scan": watched.snapshot.scan,
    }


def test_interlocks_that_fall_at_once_are_told_one_after_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    more = "".join(f"  rack_{n}: {{type: INTERLOCK, PERMIT: [hmi.bms_ok], RESET: hmi.reset}}\n" for n in range(8))
    watched = Watched(tmp_path, PROGRAM.replace("modes:", more + "modes:"))
    watched.set(reset=False)
    watched.look()
    watched.set(reset=True)
    assert sum(line["event"] == "interlock armed" for line in watched.look()) == 9
    begun: list[threading.Thread] = []
    monkeypatch.setattr(threading.Thread, "start", lambda thread: begun.append(thread))
    watched.set(bms_ok=False)
    seen = watched.look()
    assert len(begun) == 1, "a thread for each of sixty-four racks would starve the supervisor"
    begun[0].run()
    trips = [line for line in seen + watched.lines if line["event"] == "trip"]
    assert {line["interlock"] for line in trips} == {"p.ready", *(f"p.rack_{n}" for n in range(8))}
    assert all(line["because"] == ["hmi.bms_ok"] for line in trips)


def test_a_trip_whose_wires_cannot_be_followed_is_told_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(
        tmp_path, PROGRAM.replace("modes:", "  other: {type: INTERLOCK, PERMIT: [hmi.bms_ok], RESET: hmi.reset}\nmodes:")
    )
    watched.set(reset=False)
    watched.look()
    watched.set(reset=True)
    watched.look()
    monkeypatch.setattr(Permits, "interlocks", lambda *_: 1 / 0)
    watched.set(bms_ok=False)
    seen = watched.look()
    until(lambda: sum(line["event"] == "trip" for line in seen + watched.lines) == 2, 10, "both trips are told")
    assert all("ZeroDivisionError" in line["error"] for line in seen + watched.lines if line["event"] == "trip")


def test_overruns_are_told_with_their_number_and_not_in_a_flood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(tmp_path)

    def late(missed: int) -> list[dict[str, Any]]:
        watched.bench.plc.plan.state[S_OVERRUNS] += 1
        watched.bench.plc.plan.state[S_MISSED] += missed
        watched.bench.scan()
        return watched.look()

    watched.bench.scan()
    watched.look()
    [line] = late(missed=2)
    assert (line["event"], line["times"], line["missed"], line["total"]) == ("overrun", 1, 2, 1)
    assert late(missed=1) == late(missed=1) == [], "a scan that is always late makes one line in ten seconds"
    monkeypatch.setattr(watched.events, "_overruns_due", 0.0)
    [line] = late(missed=0)
    assert (line["times"], line["missed"], line["total"]) == (3, 2, 4), "and that has all that came meanwhile"


def test_events_that_cannot_be_told_stop_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(tmp_path)
    watched.bench.scan()
    monkeypatch.setattr(ScanEvents, "_tell_modes", lambda *_: 1 / 0)
    assert [line["event"] for line in watched.look()] == ["scan state", "scan events are told no more"]
    watched.bench.scan()
    assert watched.look() == []


def test_a_program_that_takes_over_makes_no_false_line_and_hides_no_trip(tmp_path: Path) -> None:
    """The counters of the scan go on; an interlock that fell in the swap is told."""
    watched = Watched(tmp_path)
    watched.bench.plc.plan.state[S_OVERRUNS] += 3
    watched.set(reset=False)
    watched.set(reset=True)
    assert "overrun" in [line["event"] for line in watched.look()]
    watched.set(bms_ok=False)
    watched.events = ScanEvents(watched.bench.schedule, tmp_path, GENERATION, watched, before=watched.events)
    seen = watched.look()
    until(lambda: len(seen + watched.lines) > 1, 60, "the trip is told")
    assert [line["event"] for line in seen + watched.lines] == ["mode", "trip"]
