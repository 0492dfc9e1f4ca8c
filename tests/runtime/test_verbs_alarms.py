"""`bessplc alarms shelve, unshelve, stats` and what the lists show of them: the operator's list is ISA-18.2's, clause 11."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner, Result

from runtime import rundir
from runtime.cli import app
from runtime.servers.records.store import AlarmState, Change, Records
from tests.aids.servers_records import TOM, raise_alarm, state_of

HOUR = 3600 * 10**9
Run = Callable[..., Result]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BESSPLC_RUN", str(tmp_path / "run"))
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    file = tmp_path / "site.yaml"
    file.write_text("tasks: {}", encoding="utf-8")
    yield file
    structlog.reset_defaults()


@pytest.fixture
def records(site: Path) -> Records:
    made = Records(rundir.state_folder_of(site))
    states = (
        AlarmState("door", "error", "A door is open", id="DOOR_OPEN", source="button", shelve_most=8 * HOUR),
        AlarmState("fan", "warning", "Fan is slow", shelve_most=8 * HOUR),
        AlarmState("trip", "critical", "Tripped"),
    )
    made.declare(states, confirm=False)
    return made


@pytest.fixture
def run(site: Path) -> Run:
    return lambda *words: CliRunner().invoke(app, [*words, "--site", str(site)])


def test_what_is_shelved_or_suppressed_stands_apart_and_is_counted(records: Records, run: Run) -> None:
    for name in ("door", "fan", "trip"):
        raise_alarm(records, name)
    seen = run("alarms", "shelve", "DOOR", "--for", "2 h", "-c", "painters in the room")
    assert (seen.exit_code, seen.stdout) == (0, "door: shelved for 2 h\n"), seen.output
    records.change([Change("fan", time.time_ns(), False, suppressed=True)])
    lines = run("alarms").stdout.splitlines()
    assert lines[0].startswith("1 active, 1 unacknowledged, 1 shelved, 1 suppressed")
    assert [line.split()[0] for line in lines[3:]] == ["trip"]
    apart = run("alarms", "--shelved").stdout
    assert "active, unacknowledged, shelved" in apart and "cleared, unacknowledged, suppressed" in apart and "DOOR_OPEN" in apart
    until = datetime.fromtimestamp(state_of(records, "door").shelved_until / 1e9).astimezone().strftime("%Y-%m-%d %H:%M")
    assert f"{until}" in apart and "painters in the room" in apart and "trip" not in apart
    assert len(run("alarms", "--all").stdout.splitlines()) == 3 + 3
    (found,) = [a for a in json.loads(run("alarms", "--all", "--json").stdout) if a["name"] == "door"]
    assert (found["id"], found["source"], found["shelved"], found["suppressed"]) == ("DOOR_OPEN", "button", "timed", False)
    assert found["shelved_until"].startswith(until) and found["shelve_most_s"] == 8 * 3600
    assert run("alarms", "ack", "--all").stdout == "trip: acknowledged\n", "what nobody was shown is not acknowledged"


def test_unshelving_brings_an_alarm_back_and_all_of_it_is_audited(records: Records, run: Run) -> None:
    raise_alarm(records, "fan")
    assert run("alarms", "shelve", "fan", "--once").stdout == "fan: shelved until it clears\n"
    assert "shelved until it clears" in records.deeds(subject="fan")[0].answer
    again = run("alarms", "shelve", "fan", "--for", "1 h")
    assert again.exit_code == 1 and "fan: refused: shelved already, by " in again.stderr
    assert run("alarms", "unshelve", "--all", "-c", "done").stdout == "fan: unshelved\n"
    assert run("alarms", "unshelve", "--all").stdout == "no alarm is shelved\n"
    assert run("alarms", "unshelve", "fan").exit_code == 1
    assert [(d.action, d.taken) for d in records.deeds(subject="fan")[::-1]] == [
        ("shelve", True),
        ("shelve", False),
        ("unshelve", True),
        ("unshelve", False),
    ]
    told = [line.split("  ") for line in run("alarms", "events").stdout.splitlines()[3:]]
    assert [[cell for cell in row if cell][2] for row in told] == ["active", "shelved", "unshelved"]
    assert told[1][-1] == "one shot" and told[2][-1] == "done"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("shelve", "door"), 2, "say for how long: --for '2 h', or --once"),
        (("shelve", "door", "--for", "2 h", "--once"), 2, "say for how long"),
        (("shelve", "door", "--for", "long"), 2, "`long` is no time for --for: write 10 s"),
        (("shelve", "dor", "--once"), 2, "no alarm named dor: did you mean `door`?"),
        (("shelve", "trip", "--for", "1 h"), 1, "trip: refused: the site does not let it be shelved"),
        (("shelve", "door", "--for", "9 h"), 1, "door: refused: it may be shelved for 8 h at most"),
        (("unshelve",), 2, "name one alarm, or say --all"),
    ],
)
def test_what_cannot_be_shelved_is_told_why(records: Records, run: Run, words: tuple[str, ...], code: int, said: str) -> None:
    seen = run("alarms", *words)
    assert seen.exit_code == code and said in seen.stderr and not seen.stdout, seen.output


def test_stats_shows_the_figures_beside_what_the_standard_recommends(records: Records, run: Run) -> None:
    now = time.time_ns()
    records.change([Change("door", now - n * 10**9, n % 2 == 0) for n in range(60, -1, -1)])
    seen = run("alarms", "stats", "--since", "7d")
    assert seen.exit_code == 0 and seen.stdout.startswith("31 alarms from "), seen.output
    lines = {line[:30].strip(): line for line in seen.stdout.splitlines()}
    flood = next(line for name, line in lines.items() if name.startswith("most in 10 minutes") and "recommends" not in line)
    assert flood.split()[-5:] == ["at", "most", "10", "too", "many"] and "31" in flood, "ISA-18.2-2016, table 7"
    assert "at most 150 (300 can be managed)" in seen.stdout
    assert "a flood goes on now" in seen.stdout and "door 31 (100 %)" in seen.stdout
    found = json.loads(run("alarms", "stats", "--json").stdout)
    assert found["alarms"] == 31 and found["flood"]["is_now"] and found["chattering"][0]["alarm"] == "door"
    assert found["peak_10_min"]["time"].startswith(seen.stdout.split(" from ")[1][:10])
    assert {t["verdict"] for t in found["targets"]} == {"good", "too many"}


def test_the_value_of_a_dead_sensor_hides_no_figures(records: Records, run: Run) -> None:
    records.change([Change("door", time.time_ns(), True, value=math.nan)])
    seen = run("alarms", "stats")
    assert seen.exit_code == 0 and seen.stdout.startswith("1 alarm from "), seen.output


def test_a_shelving_of_somebody_else_is_seen_with_who_and_until(records: Records, run: Run) -> None:
    records.shelve("fan", TOM, None)
    assert "or until it clears, by tom" in run("alarms", "--shelved").stdout
