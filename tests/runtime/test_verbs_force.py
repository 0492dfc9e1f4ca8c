"""The verbs `force`, `unforce`, `forces` and `trace`: what a person and a script see of a site that scans in the test's hands."""

from __future__ import annotations

import csv
import io
import json
import os
import pwd
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner, Result

from runtime import cli_ring, rundir, verbs_force, verbs_trace
from runtime.cli import app
from runtime.engine.force_list import put_unforce
from runtime.engine.force_tables import H_COUNT, H_VERSION
from runtime.engine.north import Commands
from runtime.quality import GOOD_LOCAL_OVERRIDE
from runtime.servers.records.store import Records
from tests.aids.onlooker import HeldSite
from tests.aids.scanning_site import scanning_site
from tests.aids.site_text import texts

TAGS = """
hmi.p: {type: LREAL, unit: kW, range: -500..500, default: 5, write: operator}
hmi.delay: {type: TIME, default: 1 s, write: operator}
hmi.remote: {type: BOOL, default: true, write: operator}
x.sum: {type: LREAL, unit: kW}
x.mode: {type: DINT, names: [idle, busy, done]}
x.cells: {type: "LREAL[3]", unit: V}
x.on: {type: BOOL}
"""
PROGRAM = """
blocks:
  add: {type: ADD, A: hmi.p, B: 10 kW}
  blink: {type: EQ, IN1: (plc.scan mod 2), IN2: 1}
outputs: {x.sum: add.OUT, x.on: blink.OUT}
"""
SITE = "tasks:\n  main: {interval: 10 ms, programs: [p]}\nauthority: hmi.remote\n"
USER = pwd.getpwuid(os.getuid()).pw_name
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HeldSite]:
    """A site that scans every few milliseconds, with records."""
    with scanning_site(tmp_path_factory.mktemp("site"), texts(PROGRAM, TAGS, site=SITE)) as site:
        yield site
    structlog.reset_defaults()


@pytest.fixture
def run(held: HeldSite, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """A verb on that site, whose files are not read again each time; what a test forced is let go after it."""
    for verbs in (verbs_force, verbs_trace):
        monkeypatch.setattr(verbs, "read", lambda file, warn: held.site)
    invoke = lambda *words: CliRunner().invoke(app, [*words, "--site", str(held.file)])  # noqa: E731
    yield invoke
    if held.plc.plan.forces[0, H_COUNT]:
        invoke("unforce", "--all")


def values(held: HeldSite, *names: str) -> list[object]:
    seen = held.seen()
    return [seen.value(seen.tag(name)) for name in names]


def test_a_force_is_held_listed_and_in_the_audit_log_with_user_and_reason(held: HeldSite, run: Run) -> None:
    done = run("force", "x.sum=20 kW", "x.cells[2]=3.7", "X.Mode=busy", "--for", "10 min", "--reason", "a test of the limit")
    assert (done.exit_code, done.output.splitlines()[0]) == (0, "x.sum = 20 kW: taken for 10 min: a test of the limit")
    assert values(held, "x.sum", "x.cells", "x.mode", "plc.forced") == [20.0, [0.0, 3.7, 0.0], 1, 3]
    assert held.seen().quality(held.seen().tag("x.sum")) == GOOD_LOCAL_OVERRIDE
    listed = json.loads(run("forces", "--json").output)
    assert [(one["tag"], one["element"], one["value"], one["user"], one["reason"]) for one in listed] == [
        ("x.sum", None, 20.0, USER, "a test of the limit"),
        ("x.cells", 2, 3.7, USER, "a test of the limit"),
        ("x.mode", None, 1, USER, "a test of the limit"),
    ]
    assert all(0 < one["ends_in_s"] <= 600 for one in listed)
    deeds = Records(rundir.state_folder_of(held.file)).deeds(subject="x.sum")
    assert (deeds[0].action, deeds[0].who.user, deeds[0].new, deeds[0].taken) == ("force", USER, 20.0, True)
    assert "a test of the limit" in deeds[0].answer and deeds[0].scan > 0


def test_unforce_lets_go_and_says_where_there_was_nothing(held: HeldSite, run: Run) -> None:
    run("force", "x.sum=2 MW", "-r", "units convert")
    assert values(held, "x.sum") == [2000.0]
    assert run("unforce", "x.sum").exit_code == 0
    time.sleep(0.05)
    assert values(held, "x.sum", "plc.forced") == [15.0, 0]
    again = run("unforce", "x.sum")
    assert (again.exit_code, again.output) == (1, "x.sum: refused: no force holds this\n")
    assert "0 forces hold" in run("forces").output


def test_forces_that_cannot_be_read_now_are_said_and_not_shown_as_none(held: HeldSite, run: Run) -> None:
    """As where the scan was killed in the middle of a change, and is not yet back."""
    version = held.plc.plan.forces[0]
    version[H_VERSION] += 1
    try:
        done = run("forces")
    finally:
        version[H_VERSION] += 1
    assert done.exit_code == 75
    assert done.output == "error: the forces cannot be read now: the table of forces never stood still; ask again\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["hmi.p=501"], "501 is outside the range of hmi.p: -500..500 in kW"),
        (["hmi.p=5 V"], "hmi.p is in kW, and `5 V` is not"),
        (["hmi.p=five"], "`five` is no value for hmi.p: a number in kW"),
        (["hmi.delay=5"], "hmi.delay is a TIME: write a duration such as `100 ms`"),
        (["hmi.q=5"], "no tag named hmi.q: did you mean `hmi.p`"),
        (["p.add.OUT=5"], "p.add.OUT is a pin: forcing one needs an online change"),
        (["x.cells=5"], "x.cells is an array: force one element, as x.cells[1]=5"),
        (["x.cells[4]=5"], "x.cells has the elements 1..3"),
        (["x.mode=bsy"], "did you mean `busy`?"),
        (["x.mode=1.5"], "x.mode is a DINT: a whole number"),
        (["x.on=2"], "x.on is a BOOL: true or false"),
        (["x.sum"], "`x.sum` gives no value: write x.sum=VALUE"),
        (["x.sum=1", "--for", "soon"], "`soon` is no time for --for: write 10 s"),
        (["x.sum=1", "--reason", " "], "say why"),
    ],
)
def test_wrong_words_are_answered_with_what_was_meant_and_force_nothing(
    held: HeldSite, run: Run, words: list[str], said: str
) -> None:
    done = run("force", "--reason", "a test", *words)
    assert done.exit_code == 2 and said in done.output
    assert values(held, "plc.forced") == [0]


def test_the_scan_refuses_what_only_it_can_know(held: HeldSite, run: Run) -> None:
    done = run("force", "plc.scan=5", "-r", "why not")
    assert (done.exit_code, done.output) == (1, "plc.scan = 5: refused: only the runtime writes this tag\n")


@pytest.mark.parametrize("error", [None, KeyboardInterrupt])
def test_without_an_answer_the_rest_is_not_asked_and_the_deed_is_in_the_audit_log(
    held: HeldSite, run: Run, monkeypatch: pytest.MonkeyPatch, error: type[BaseException] | None
) -> None:
    def replies(_: Commands) -> list[object]:
        if error is not None:
            raise error
        return []

    with monkeypatch.context() as patch:
        patch.setattr(cli_ring, "PATIENCE_S", 0.05)
        patch.setattr(Commands, "replies", replies)
        done = run("force", "x.sum=21 kW", "x.mode=busy", "-r", "nobody answers")
    assert done.exit_code == 1 and "it may still take it; see `bessplc forces`" in done.output and "x.mode" not in done.output
    deed = Records(rundir.state_folder_of(held.file)).deeds(subject="x.sum")[0]
    assert (deed.new, deed.taken) == (21.0, False) and "may still take it" in deed.answer
    time.sleep(0.05)  # it is taken by now, or never: its ring is gone


def test_in_local_control_the_refusal_says_whose_right_is_missing(held: HeldSite, run: Run) -> None:
    run("force", "hmi.remote=false", "-r", "the key is turned")
    done = run("force", "x.sum=1", "-r", "from afar")
    assert done.exit_code == 1
    assert f"local control; a command line counts as remote, also {USER}'s (engineer): turn hmi.remote to remote" in done.output
    at_the_plant = Commands(held.folder, "hmi", held.schedule.region.size, held.generation)
    put_unforce(at_the_plant, held.schedule.tag("hmi.remote"), "engineer")
    time.sleep(0.1)
    assert values(held, "hmi.remote") == [True]


def test_a_trace_writes_csv_and_svg_of_every_scan(held: HeldSite, run: Run, tmp_path: Path) -> None:
    files = tmp_path / "t.csv", tmp_path / "t.svg"
    done = run("trace", "x.sum", "x.on", "p.add.OUT", "plc.scan", "--for", "200 ms", "--csv", str(files[0]), "--svg", str(files[1]))
    assert done.exit_code == 0 and "20 samples" in done.output and "none missing" in done.output
    rows = list(csv.DictReader(io.StringIO(files[0].read_text())))
    assert len(rows) == 20 and {row["x.sum [kW]"] for row in rows} == {"15.0"}
    scans = [int(row["scan"]) for row in rows]
    assert scans == list(range(scans[0], scans[0] + 20)) == [int(row["plc.scan"]) for row in rows]
    assert [int(row["x.on"]) for row in rows] == [scan % 2 for scan in scans]
    drawn = ElementTree.fromstring(files[1].read_text())
    texts_in = "".join(drawn.itertext())
    assert all(name in texts_in for name in ("x.sum", "x.on", "p.add.OUT", "kW", "seconds"))
    assert len(drawn.findall("{*}polyline")) >= 4


def test_a_trigger_waits_and_keeps_what_was_before(held: HeldSite, run: Run) -> None:
    done = run("trace", "x.sum", "--trigger", "rise(x.on)", "--pre", "50%", "--for", "100 ms", "--json")
    facts = json.loads(done.output)
    assert (facts["samples"], facts["missing"]) == (10, 0)
    assert facts["trigger_scan"] % 2 == 1 and [c["name"] for c in facts["channels"]] == ["x.sum", "x.on"]


def test_a_trigger_that_does_not_come_in_time_is_said(run: Run) -> None:
    done = run("trace", "x.sum", "--trigger", "x.sum > 1 MW", "--timeout", "200 ms")
    assert (done.exit_code, done.output) == (1, "error: the trigger `x.sum > 1 MW` did not come\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["x.som"], "no tag or pin named x.som: did you mean `x.sum`"),
        (["x.cells[4]"], "x.cells has the elements 1..3"),
        (["x.sum", "--trigger", "x.sum"], "x.sum is no BOOL; compare it"),
        (["x.sum", "--trigger", "x.sum > 5 V"], "x.sum is in kW, and `5 V` is not"),
        (["x.sum", "--trigger", "x.cells > 5"], "needs one element, as x.cells[1]"),
        (["x.sum", "--pre", "130%"], "`130%` is no share before the trigger"),
        (["x.sum", "--for", "3 days"], "`3 days` is no time for --for"),
    ],
)
def test_wrong_words_of_a_trace_are_answered(run: Run, words: list[str], said: str) -> None:
    done = run("trace", *words)
    assert done.exit_code == 2 and said in done.output


def test_no_running_site_is_said_by_its_own_exit_code(tmp_path: Path, held: HeldSite) -> None:
    for name, text in texts(PROGRAM, TAGS, site=SITE).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    for words in (["forces"], ["unforce", "--all"], ["force", "x.sum=1", "-r", "x"], ["trace", "x.sum"]):
        done = CliRunner().invoke(app, [*words, "--site", str(tmp_path / "config/site.yaml")])
        assert done.exit_code == 75 and "is not running" in done.output
