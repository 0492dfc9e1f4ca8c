"""`bessplc watch`: tags, elements and pins of a running site as a person and a script see them, the scan restarted or changed."""

from __future__ import annotations

import csv
import json
import math
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from blocks import catalogue
from runtime.app import generation_of, read_site
from runtime.cli import app
from runtime.engine.north import MEMORY_FILE
from runtime.engine.plc import Plc
from runtime.model import Tag
from runtime.quality import BAD_NO_COMMUNICATION, GOOD
from runtime.verbs_watch import _csv_writer, seconds
from runtime.watch_show import BARS, sparkline, value_text
from runtime.watch_view import Course, Item, Sample, UnknownNameError, Watch, choose
from tests.aids.onlooker import HeldSite

SITE = """site: here
tasks: {main: {interval: 10 ms, programs: [p]}}
tags:
  hmi.p: {type: LREAL, unit: kW, default: 12.5, write: operator}
  hmi.on: {type: BOOL, default: true, write: operator}
  x.p: {type: LREAL, unit: kW}
  cells.soc: {type: "LREAL[3]", unit: "%", default: 50}
"""
PROGRAM = """program: p
blocks:
  clamp: {type: LIMIT, MN: -10 kW, IN: hmi.p, MX: 10 kW}
  slope: {type: RAMP, IN: clamp.OUT, UP: 1000 kW/s, DOWN: 1000 kW/s}
  wait: {type: TON, IN: hmi.on and clamp.OUT > 0 kW, PT: 2.5 s}
modes:
  FOLLOW: {when: hmi.on, P: 1 kW}
  STANDBY: {P: 0 kW}
outputs: {x.p: slope.OUT}
"""
SLOPE = "  slope: {type: RAMP, IN: clamp.OUT, UP: 1000 kW/s, DOWN: 1000 kW/s}\n"
EDITED = PROGRAM.replace(SLOPE, "").replace("slope.OUT", "clamp.OUT").replace("10 kW,", "8 kW,").replace("10 kW}", "8 kW}")
Run = Callable[..., Result]


def write(folder: Path, program: str) -> Path:
    for name, text in {"config/site.yaml": SITE, "programs/p.yaml": program}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder / "config/site.yaml"


@pytest.fixture
def held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HeldSite]:
    monkeypatch.setenv("BESSPLC_RUN", str(tmp_path / "run"))
    file = write(tmp_path, PROGRAM)
    site = HeldSite(file, read_site(file)[0])
    site.scan()
    yield site
    site.close()


@pytest.fixture
def run(held: HeldSite) -> Run:
    return lambda *words: CliRunner().invoke(app, ["watch", *words, "--site", str(held.file)])


def watch_of(held: HeldSite, *words: str) -> Watch:
    return Watch(held.seen(), catalogue(), words, lambda: read_site(held.file)[0])


def looked(watch: Watch) -> dict[str, str]:
    return {sample.item.name: value_text(sample) for sample in watch.look()}


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["hmi.p"], ["hmi.p"]),
        (["HMI.*"], ["hmi.p", "hmi.on"]),
        (["p.clamp.OUT", "hmi.on"], ["p.clamp.OUT", "hmi.on"]),
        (["p.clamp.*"], ["p.clamp.MN", "p.clamp.IN", "p.clamp.MX", "p.clamp.OUT"]),
        (["cells.soc"], ["cells.soc[1]", "cells.soc[2]", "cells.soc[3]"]),
        (["cells.soc[3]"], ["cells.soc[3]"]),
        (["cells.*"], ["cells.soc"]),
        (["cells.*[*]"], ["cells.soc[1]", "cells.soc[2]", "cells.soc[3]"]),
        (["hmi.p", "hmi.*"], ["hmi.p", "hmi.on"]),
        (["p.wait.was"], ["p.wait.was"]),
    ],
)
def test_words_name_tags_elements_and_pins(held: HeldSite, words: list[str], found: list[str]) -> None:
    assert [item.name for item in choose(held.schedule, catalogue(), words)] == found


def test_a_pattern_leaves_out_what_blocks_remember_and_what_the_compiler_made(held: HeldSite) -> None:
    names = [item.name for item in choose(held.schedule, catalogue(), ["p.*"])]
    assert "p.wait.Q" in names and "p.wait.was" not in names
    assert not [name for name in names if "#" in name] and [pin for pin in held.schedule.pins if "#" in pin]


def test_all_words_that_fit_nothing_are_said_with_a_hint(held: HeldSite, run: Run) -> None:
    with pytest.raises(UnknownNameError, match=r"fits hmi.q: did you mean `hmi.p`"):
        choose(held.schedule, catalogue(), ["hmi.q"])
    done = run("p.clamp.OUTT", "cells.soc[4]", "hmi.p", "--once")
    assert done.exit_code == 2 and done.stdout == ""
    assert "p.clamp.OUTT: did you mean `p.clamp.OUT`?" in done.stderr and "cells.soc[4]" in done.stderr


def test_values_have_the_units_of_their_declarations_or_of_their_wires(held: HeldSite) -> None:
    held.plc.set("cells.soc", [41.0, 50.0, 62.5])
    held.scan()
    shown = looked(watch_of(held, "p.clamp.OUT", "p.slope.UP", "p.wait.PT", "p.mode", "hmi.on", "cells.*", "cells.soc[3]"))
    assert shown == {
        "p.clamp.OUT": "10 kW",  # LIMIT takes any unit: this one comes along its wire
        "p.slope.UP": "1000 kW/s",
        "p.wait.PT": "2.5 s",
        "p.mode": "FOLLOW",
        "hmi.on": "true",
        "cells.soc": "[3] 41 .. 62.5 %",
        "cells.soc[3]": "62.5 %",
    }


def test_least_and_greatest_are_those_since_the_watch_began(held: HeldSite) -> None:
    watch = watch_of(held, "hmi.p")
    for value in (3.0, -4.0, 2.0):
        held.plc.set("hmi.p", value)
        held.scan()
        watch.look()
    course = watch.courses["hmi.p"]
    assert (course.least, course.greatest, list(course.recent)) == (-4.0, 3.0, [3.0, -4.0, 2.0])


def test_a_bad_value_and_no_number_count_for_neither_end() -> None:
    item, course = Item("a", Tag("a", "LREAL", 0, 0, 0), False), Course()
    for value, quality in ((5.0, GOOD), (900.0, BAD_NO_COMMUNICATION), (math.nan, GOOD), (math.inf, GOOD), (None, GOOD)):
        course.note(Sample(item, value, quality, None))
    assert (course.least, course.greatest) == (5.0, 5.0) and len(course.recent) == 5


def test_a_sparkline_reaches_from_the_least_to_the_greatest_and_shows_gaps() -> None:
    assert sparkline([0.0, 7.0, None, 3.5]) == f"{BARS[0]}{BARS[7]} {BARS[4]}"
    assert sparkline([1.0, 1.0], is_bool=True) == BARS[7] * 2 and sparkline([0.0], is_bool=True) == BARS[0]
    assert sparkline([2.0, 2.0]) == BARS[3] * 2 and sparkline([None]) == "" and sparkline([]) == ""


def test_once_prints_a_plain_table(run: Run) -> None:
    lines = run("hmi.p", "p.clamp.OUT", "--once").stdout.splitlines()
    assert lines[0].startswith("here: running, scan 1, outputs ")
    assert [line.split()[:4] for line in lines[2:]] == [
        ["name", "value", "quality", "age"],
        ["hmi.p", "12.5", "kW", "Good"],
        ["p.clamp.OUT", "10", "kW", "Good"],
    ]


def test_json_is_one_object_a_line_and_only_what_changed(run: Run) -> None:
    lines = run("hmi.p", "p.mode", "--json", "--count", "3", "--every", "10ms").stdout.splitlines()
    first, second = map(json.loads, lines)
    assert first["age_s"] is None and first["time"].endswith("+00:00")
    assert {"tag": "hmi.p", "value": 12.5, "unit": "kW", "quality": "Good", "good": True, "scan": 1}.items() <= first.items()
    assert (second["value"], second["name"]) == (0, "FOLLOW")
    steady = run("hmi.p", "--json", "--steady", "--count", "3", "--every", "10ms").stdout.splitlines()
    assert len(steady) == 3


def test_csv_has_a_column_a_name_and_a_line_a_look(run: Run) -> None:
    rows = list(csv.reader(run("hmi.p", "hmi.on", "p.mode", "--csv", "--count", "2", "--every", "10ms").stdout.splitlines()))
    assert rows[0] == ["time", "scan", "hmi.p [kW]", "hmi.on", "p.mode"]
    assert [row[1:] for row in rows[1:]] == [["1", "12.5", "true", "FOLLOW"]] * 2


def test_csv_has_another_head_where_an_online_change_left_other_columns(held: HeldSite, capsys: pytest.CaptureFixture[str]) -> None:
    watch = watch_of(held, "hmi.p", "p.clamp.OUT")
    write_look = _csv_writer(watch)
    write_look(watch.look())
    write_look(watch.look())
    watch.items = watch.items[:1]
    write_look(watch.look())
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("time,")] == [lines[0], lines[3]] and len(lines) == 5
    assert lines[3] == "time,scan,hmi.p [kW]" and lines[4].count(",") == 2


def test_on_a_pipe_each_change_is_a_line(run: Run) -> None:
    [line] = run("p.mode", "--count", "2", "--every", "10ms").stdout.splitlines()
    assert line.split("  ")[1:] == ["p.mode", "FOLLOW", "Good"]


NO_TIME = "is no time for --every: write 10 s, 500 ms, 10 min or 2 h"
FAR = "is outside 10 ms to 60 min"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [("500", NO_TIME), ("5 hours", NO_TIME), ("fast", NO_TIME), ("0 s", NO_TIME), ("1ms", FAR), ("2000 min", FAR), ("2 h", FAR)],
)
def test_a_wrong_interval_is_a_wrong_word(run: Run, wrong: str, said: str) -> None:
    done = run("hmi.p", "--every", wrong)
    assert done.exit_code == 2 and wrong in done.stderr and said in " ".join(done.stderr.split())


def test_intervals_are_written_with_their_unit() -> None:
    assert (seconds("500 ms"), seconds("2s"), seconds("1.5 min"), seconds("1 h")) == (0.5, 2.0, 90.0, 3600.0)


def test_json_and_csv_at_once_are_refused(run: Run) -> None:
    assert run("hmi.p", "--json", "--csv").exit_code == 2


def test_a_site_that_nobody_runs_is_exit_75(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BESSPLC_RUN", str(tmp_path / "run"))
    done = CliRunner().invoke(app, ["watch", "hmi.p", "--site", str(write(tmp_path, PROGRAM))])
    assert done.exit_code == 75 and "is not running" in done.stderr


def test_a_silent_scan_makes_nothing_good(held: HeldSite, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = watch_of(held, "hmi.p", "p.clamp.OUT")
    monkeypatch.setattr("runtime.onlooker.STALE_S", 0.0)
    assert [sample.quality >> 30 for sample in watch.look()] == [1, 1]


def test_a_restarted_scan_is_found_again(held: HeldSite) -> None:
    watch = watch_of(held, "hmi.p", "p.clamp.OUT")
    assert looked(watch) == {"hmi.p": "12.5 kW", "p.clamp.OUT": "10 kW"}
    held.plc = Plc(held.schedule, held.folder, held.generation)
    held.plc.set("hmi.p", 3.0)
    held.scan()
    watch.look()  # this one notices that the file is another
    assert looked(watch) == {"hmi.p": "3 kW", "p.clamp.OUT": "3 kW"}
    os.remove(held.folder / MEMORY_FILE)
    assert looked(watch)["p.clamp.OUT"] == "-"


def test_another_program_is_followed_and_what_it_has_no_more_is_left_out(held: HeldSite, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = watch_of(held, "p.slope.OUT", "p.clamp.OUT", "p.clamp.M*")
    monkeypatch.setattr("runtime.watch_view.REREAD_S", 0.0)
    write(held.file.parents[1], EDITED)
    changed = read_site(held.file)[0]
    held.plc = Plc(changed.schedule, held.folder, generation_of(changed.schedule))
    held.scan()
    until = time.monotonic() + 5
    while "p.slope.OUT" in looked(watch) and time.monotonic() < until:
        time.sleep(0.01)
    assert looked(watch) == {"p.clamp.OUT": "8 kW", "p.clamp.MN": "-8 kW", "p.clamp.MX": "8 kW"}


def test_the_table_of_a_terminal_has_what_there_is_room_for(held: HeldSite) -> None:
    from rich.console import Console

    from runtime.watch_show import FRAME, table

    watch = watch_of(held, "hmi.p", "cells.soc")
    console = Console(width=120, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    console.print(table(watch, watch.look(), FRAME + 2))
    text = console.export_text()
    assert "hmi.p" in text and "cells.soc[1]" in text and "cells.soc[2]" not in text
    assert "2 more: a taller window or fewer names show them" in text
