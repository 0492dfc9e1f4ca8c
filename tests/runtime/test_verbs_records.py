"""The verbs `alarms`, `audit` and `history`: what a person and a script see of the records, the site running or not."""

from __future__ import annotations

import csv
import io
import json
import os
import pwd
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner, Result

from runtime import rundir
from runtime.cli import app
from runtime.model import Tag
from runtime.quality import BAD_NO_COMMUNICATION
from runtime.records_view import moment
from runtime.servers.audit import Deed
from runtime.servers.records.store import Change, Records
from tests.aids.servers_records import EVA, TOM, raise_alarm, state_of, with_alarms
from tests.runtime.servers.records.test_history import samples_of

ROOT = Path(__file__).parents[2]
Run = Callable[..., Result]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BESSPLC_RUN", str(tmp_path / "run"))
    monkeypatch.setenv("TZ", "Europe/Vienna")
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    time.tzset()
    file = tmp_path / "config" / "site.yaml"
    file.parent.mkdir()
    file.write_text("this site has a mistake: [", encoding="utf-8")  # the records are read all the same
    yield file
    structlog.reset_defaults()
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def records(site: Path) -> Records:
    return with_alarms(rundir.state_folder_of(site), "cell_hot", "door", "pump", "fan")


@pytest.fixture
def run(site: Path) -> Run:
    return lambda *words: CliRunner().invoke(app, [*words, "--site", str(site)])


def test_alarms_lists_what_must_be_looked_at_first(records: Records, run: Run) -> None:
    noon = int(datetime.fromisoformat("2026-07-01T12:00:00+02:00").timestamp()) * 10**9
    for name, active, at in (("fan", True, 5), ("fan", False, 6), ("door", True, 1), ("pump", True, 2)):
        raise_alarm(records, name, active, noon + at * 10**9)
    records.acknowledge("pump", EVA, "known")
    seen = run("alarms")
    assert seen.exit_code == 0 and "2 active, 2 unacknowledged (the site is not running)" in seen.stdout
    lines = seen.stdout.splitlines()[3:]
    assert [line.split()[0] for line in lines] == ["door", "pump", "fan"]
    assert "active, unacknowledged" in lines[0] and "2026-07-01 12:00:01.000+02:00" in lines[0] and "door is wrong" in lines[0]
    assert "eva" in lines[1] and "known" in lines[1] and "cleared, unacknowledged" in lines[2]
    assert len(run("alarms", "--all").stdout.splitlines()) == 7
    found = json.loads(run("alarms", "--json", "--all").stdout)
    assert [alarm["name"] for alarm in found] == ["door", "pump", "fan", "cell_hot"]
    assert found[1]["acked_by"] == "eva" and found[1]["acked"] and found[3]["active_at"] is None


def test_ack_acknowledges_as_the_user_of_the_shell_and_is_audited(records: Records, run: Run, site: Path) -> None:
    raise_alarm(records, "door")
    me = pwd.getpwuid(os.getuid()).pw_name
    seen = CliRunner().invoke(
        app, ["alarms", "--site", str(site), "ack", "DOOR", "--comment", "closed it"], env={"LOGNAME": "boss"}
    )
    assert (seen.exit_code, seen.stdout) == (0, "door: acknowledged\n")
    state = state_of(records, "door")
    assert (state.acked_by, state.comment) == (me, "closed it")
    again = run("alarms", "ack", "door")
    assert again.exit_code == 1 and "door: refused: acknowledged already" in again.stderr
    (refused, taken) = records.deeds(subject="door")
    assert (taken.who.user, taken.who.role, taken.who.peer, taken.action, taken.taken) == (
        me,
        "engineer",
        "local",
        "acknowledge",
        True,
    )
    assert (refused.taken, refused.answer) == (False, "acknowledged already")


def test_ack_all_acknowledges_whatever_waits(records: Records, run: Run) -> None:
    records.change([Change(name, 1, True) for name in ("door", "pump")])
    records.acknowledge("pump", EVA)
    raise_alarm(records, "fan")
    assert run("alarms", "ack", "--all").stdout == "door: acknowledged\nfan: acknowledged\n"
    assert run("alarms", "ack", "--all").stdout == "no alarm waits to be acknowledged\n"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("alarms", "ack"), 2, "name one alarm, or say --all"),
        (("alarms", "ack", "dor"), 2, "no alarm named dor: did you mean `door`?"),
        (("audit", "--since", "yesterday"), 2, "`yesterday` is no time: 03:00"),
        (("history", "bms.soc"), 2, "bms.soc is not recorded: the site records none"),
    ],
)
def test_a_wrong_word_is_told_what_would_be_right(records: Records, run: Run, words: tuple[str, ...], code: int, said: str) -> None:
    seen = run(*words)
    assert seen.exit_code == code and said in seen.stderr and not seen.stdout


def test_a_site_that_never_ran_has_no_records_and_gets_none(run: Run, site: Path) -> None:
    seen = run("alarms")
    assert seen.exit_code == 75 and "begin with its first `bessplc run`" in seen.stderr
    assert not rundir.state_folder_of(site).exists()


def test_events_tell_a_night_in_the_order_in_which_it_happened(records: Records, run: Run) -> None:
    trip = int(datetime.fromisoformat("2026-07-01T03:12:00+02:00").timestamp()) * 10**9
    records.change([Change("pump", trip - 9 * 3600 * 10**9, True), Change("fan", trip + 5 * 10**6, True, value=812.5)])
    records.change([Change("cell_hot", trip + 6 * 10**6, True), Change("fan", trip + 10**9, False)])
    asked = ("alarms", "events", "--since", "2026-07-01T03:00+02:00")
    seen = run(*asked, "--until", "2026-07-01T03:30+02:00")
    lines = seen.stdout.splitlines()
    assert seen.exit_code == 0 and lines[0].startswith("3 events since 2026-07-01 03:00"), seen.output
    assert [line.split()[2:4] for line in lines[3:]] == [["fan", "active"], ["cell_hot", "active"], ["fan", "cleared"]]
    assert "03:12:00.005+02:00" in lines[3] and "812.5" in lines[3] and "812.5" not in lines[5]
    records.acknowledge("fan", EVA, "filter was clogged")
    found = json.loads(run(*asked, "--alarm", "F*", "--json").stdout)
    assert [(event["kind"], event["who"], event["quality"]) for event in found] == [
        ("active", "", "Good"),
        ("cleared", "", "Good"),
        ("acknowledged", "eva", "Good"),
    ]
    assert found[-1]["state"]["comment"] == "filter was clogged"
    assert "filter was clogged" in run("alarms", "events").stdout


@pytest.mark.parametrize("words", ["alarms", "alarms events", "alarms ack --all", "audit", "history bms.soc"])
def test_what_cannot_be_read_is_an_error_and_no_quiet_night(records: Records, run: Run, site: Path, words: str) -> None:
    raise_alarm(records, "door")
    records.close()
    folder = rundir.state_folder_of(site)
    for file in folder.iterdir():
        file.unlink()
    for name in ("records.sqlite", "history.sqlite"):
        (folder / name).mkdir()
    seen = run(*words.split())
    assert seen.exit_code == 74 and "error: the records cannot be used" in seen.stderr and not seen.stdout, seen.output


def test_audit_tells_who_did_what(records: Records, run: Run) -> None:
    records.keep(Deed("modbus", TOM, "write", "hmi.p_set", "taken", True, 0, 0.0, 120.5, 77, time.time_ns() - 3 * 3600 * 10**9))
    records.keep(Deed("opcua", EVA, "write", "hmi.steps", "refused: outside the tag's range", False, 2, 1.0, float("nan")))
    records.keep(Deed("opcua", EVA, "login", "eva\x1b[2J\nforged line", "welcome", True))
    assert records.flush()
    lines = run("audit").stdout.splitlines()
    assert "3 entries since" in lines[0] and len(lines) == 6, "a forged line is none"
    assert all(word in lines[3] for word in ("modbus", "tom", "operator", "10.0.0.7:5000", "hmi.p_set", "120.5", "taken"))
    assert "hmi.steps[2]" in lines[4] and "outside the tag's range" in lines[4] and "\x1b" not in lines[5]
    assert len(run("audit", "--since", "2h").stdout.splitlines()) == 5
    (refused,) = json.loads(run("audit", "--refused", "--json").stdout)
    assert (refused["subject"], refused["element"], refused["new"], refused["user"]) == ("hmi.steps", 2, "nan", "eva")
    assert [d["subject"] for d in json.loads(run("audit", "--tag", "HMI.*", "--user", "tom", "--json").stdout)] == ["hmi.p_set"]


def test_history_gives_a_table_csv_and_json(records: Records, run: Run) -> None:
    soc = Tag("bms.soc", "LREAL", 0, 0, 0, unit="%")
    records.past.declare([soc])
    now = time.time_ns() // 10**9 * 10**9
    rows = [(now - 7200 * 10**9, 1.0, 0), (now - 60 * 10**9, 50.125, 0), (now, 50.25, BAD_NO_COMMUNICATION)]
    records.past.write(samples_of(soc, rows))
    table = run("history", "BMS.SOC").stdout.splitlines()
    assert table[0].startswith("bms.soc in %, 2 samples since") and "50.125" in table[3] and "Bad_NoCommunication" in table[4]
    found = list(csv.DictReader(io.StringIO(run("history", "bms.soc", "--since", "3h", "--csv").stdout)))
    assert [row["value"] for row in found] == ["1.0", "50.125", "50.25"]
    assert int(datetime.fromisoformat(found[1]["time"]).timestamp()) * 10**9 == now - 60 * 10**9
    asked = json.loads(run("history", "bms.soc", "--since", "3h", "--until", "1h", "--json").stdout)
    assert asked["unit"] == "%" and [sample["value"] for sample in asked["samples"]] == [1.0]
    cut = run("history", "bms.soc", "--since", "3h", "--limit", "1", "--csv")
    assert len(cut.stdout.splitlines()) == 2 and "only the first 1" in cut.stderr


def test_times_are_read_as_people_write_them(site: Path) -> None:
    now = datetime.now().astimezone()
    ago = lambda text: (now.timestamp() - moment(text) / 1e9) / 60  # noqa: E731
    for text, minutes in (("2h", 120), ("30min", 30), ("90 s", 1.5), ("1.5h", 90)):
        assert ago(text) == pytest.approx(minutes, abs=0.5), text
    later = (now + timedelta(minutes=10)).strftime("%H:%M")
    assert 22.5 * 60 <= ago(later) <= 25.5 * 60, "a time of day that is still to come was yesterday's"
    assert moment("2026-07-01T12:00") == moment("2026-07-01T10:00+00:00") == 1782900000 * 10**9


def test_help_has_examples_and_the_program_starts_with_no_colours(records: Records, run: Run, site: Path) -> None:
    for words in (["alarms"], ["alarms", "ack"], ["alarms", "events"], ["audit"], ["history"]):
        assert "Examples:" in CliRunner().invoke(app, [*words, "--help"]).stdout
    raise_alarm(records, "door")
    command = [sys.executable, "-m", "runtime.cli", "alarms", "--site", str(site)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, "NO_COLOR": "1"})
    assert done.returncode == 0 and done.stderr == "" and "\x1b" not in done.stdout and "door" in done.stdout
