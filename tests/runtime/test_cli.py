"""The command line: all mistakes in one go with caret and help, JSON for scripts, and a hint wherever a word is wrong."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from runtime.site_files import sites_of
from tests.aids.places import DEMO, DEMO_SITE

ROOT = Path(__file__).parents[2]
DEMO_FILE = str(DEMO_SITE)
VERBS = (
    "run",
    "load",
    "check",
    "show",
    "blocks",
    "devices",
    "io",
    "discover",
    "verify-interlocks",
    "map",
    "alarms",
    "audit",
    "history",
    "telemetry",
    "test",
    "simulate",
    "prequalify",
    "log",
    "watch",
    "schema",
    "fmt",
    "force",
    "unforce",
    "forces",
    "trace",
    "control",
    "replay",
    "new",
    "graph",
)
GROUPS = {
    "diag": ("harmonics",),
    "user": ("add", "password", "remove", "token", "certificate", "list"),
    "certificate": ("show", "list", "trust", "reject", "new"),
}
NESTED = [f"{group} {verb}" for group, verbs in GROUPS.items() for verb in verbs]
SITE = """site: bad
tasks:
  control: {interval: 10 ms, programs: [main]}
tags:
  bms.soc: {type: LREAL, unit: "%", default: 50, write: operator}
  hmi.p_set: {type: LREAL, unit: kW, range: -500..500, write: operatr}
  x.p: {type: LREAL, unit: kW}
"""
PROGRAM = """program: main
blocks:
  low: {type: HYSTERESYS, IN: bms.soc, LOW: 5 %, HIGH: 8 %}
  hot: {type: LAG, IN: bms.socc, T: 5 s}
  a: {type: ADD, A: b.OUT, B: 1 kW}
  b: {type: ADD, A: a.OUT, B: 1 kW}
outputs:
  x.p: bms.soc
"""
SAID = """config/site.yaml:6:63: error[E010]: `write` is one of operator, engineer, admin
 6 |   hmi.p_set: {type: LREAL, unit: kW, range: -500..500, write: operatr}
   |                                                               ^^^^^^^ did you mean `operator`?

programs/main.yaml:3:15: error[E102]: no block type named `HYSTERESYS`
 3 |   low: {type: HYSTERESYS, IN: bms.soc, LOW: 5 %, HIGH: 8 %}
   |               ^^^^^^^^^^ did you mean `HYSTERESIS`?
 = help: `bessplc blocks` lists the catalogue

programs/main.yaml:4:24: error[E101]: no tag named `bms.socc`
 4 |   hot: {type: LAG, IN: bms.socc, T: 5 s}
   |                        ^^^^^^^^ did you mean `bms.soc`?
 = help: `bms.soc` is defined at config/site.yaml:5

programs/main.yaml:5:21: error[E303]: these 2 feed each other within one scan
 5 |   a: {type: ADD, A: b.OUT, B: 1 kW}
   |                     ^^^^^ put `last` before one name of the loop
 = help: the loop is
    ┌─────┐
    │  a
    │    ↓
    │  b
    └─────┘
 = help: `last x` is the value of one scan ago: a loop needs one

programs/main.yaml:8:8: error[E201]: `bms.soc` is in %, and the tag `x.p` takes kW
 8 |   x.p: bms.soc
   |        ^^^^^^^
"""


def bessplc(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command as a script calls it: no terminal."""
    env = {**os.environ, "COLUMNS": "100", **environment}
    return subprocess.run(
        [sys.executable, "-m", "runtime.cli", *arguments], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60
    )


def bessplc_on_a_terminal(*arguments: str, **environment: str) -> str:
    """The same on a terminal: what a person sees, with its colours."""
    ours, theirs = pty.openpty()
    env = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | {"TERM": "xterm", **environment}
    with subprocess.Popen(
        [sys.executable, "-m", "runtime.cli", *arguments], cwd=ROOT, env=env, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        seen = b""
        while True:
            if not select.select([ours], [], [], 30)[0]:
                process.kill()
                break
            try:
                data = os.read(ours, 65536)
            except OSError:  # the other end was closed: the way a terminal says that all was read
                break
            seen += data
    os.close(ours)
    return seen.decode()


def write_site(folder: Path, site: str = SITE, program: str = PROGRAM) -> str:
    for name, text in (("config/site.yaml", site), ("programs/main.yaml", program)):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return str(folder / "config/site.yaml")


@pytest.fixture
def bad(tmp_path: Path) -> str:
    return write_site(tmp_path)


@pytest.fixture
def good(tmp_path: Path) -> str:
    return write_site(tmp_path, SITE.replace("operatr", "operator"), "program: main\noutputs: {x.p: hmi.p_set}\n")


def test_check_prints_every_mistake_of_every_file_with_its_caret_and_help(bad: str) -> None:
    done = bessplc("check", "--site", bad)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == f"{SAID}\n5 errors\n"


def test_every_verb_that_reads_the_site_says_the_same_and_starts_nothing(bad: str) -> None:
    done = bessplc("show", "--site", bad)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"{SAID}\n5 errors; nothing was started\n"


def test_check_as_json_has_every_mistake_with_its_place(bad: str) -> None:
    done = bessplc("check", "--site", bad, "--json")
    assert (done.returncode, done.stderr) == (1, "")
    found = json.loads(done.stdout)
    assert found["ok"] is False
    assert [(p["code"], p["file"], p["line"], p["column"], p["width"]) for p in found["problems"]] == [
        ("E010", "config/site.yaml", 6, 63, 7),
        ("E102", "programs/main.yaml", 3, 15, 10),
        ("E101", "programs/main.yaml", 4, 24, 8),
        ("E303", "programs/main.yaml", 5, 21, 5),
        ("E201", "programs/main.yaml", 8, 8, 7),
    ]
    assert found["problems"][2] == {
        "file": "programs/main.yaml",
        "line": 4,
        "column": 24,
        "width": 8,
        "code": "E101",
        "severity": "error",
        "message": "no tag named `bms.socc`",
        "hint": "did you mean `bms.soc`?",
        "help": ["`bms.soc` is defined at config/site.yaml:5"],
    }


def test_check_of_a_good_site_says_so_on_stdout(good: str) -> None:
    done = bessplc("check", "--site", good)
    assert done.returncode == 0
    assert re.fullmatch(r"\d+ tags, \d+ block instances in \d+ groups: (no problems|\d+ warnings?)\n", done.stdout)
    facts = json.loads(bessplc("check", "--site", good, "--json").stdout)
    assert facts["ok"] is True and re.fullmatch("[0-9a-f]{64}", facts["digest"])


@pytest.mark.parametrize("site", [DEMO_FILE, str(DEMO / "config/lab.yaml")])
def test_the_demo_has_no_problems(site: str) -> None:
    done = bessplc("check", "--site", site)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(" tests: no problems\n")


@pytest.mark.parametrize(
    "site", [pytest.param(one.stem, marks=pytest.mark.slow if one.stem == "grid" else ()) for one in sites_of(ROOT)]
)
def test_the_sites_of_the_project_have_no_mistakes(site: str) -> None:
    done = bessplc("check", "--site", site)
    assert done.returncode == 0, done.stderr
    assert "error[" not in done.stderr


def test_a_site_that_is_not_there_is_a_mistake_and_no_traceback(tmp_path: Path) -> None:
    done = bessplc("check", "--site", str(tmp_path / "config/none.yaml"))
    assert done.returncode == 1
    assert "error[E004]" in done.stderr and "none.yaml" in done.stderr and "Traceback" not in done.stderr


def test_blocks_describes_one_block_with_its_pins_and_source() -> None:
    done = bessplc("blocks", "TON")
    assert done.returncode == 0
    assert done.stdout.startswith("TON: On-delay timer: Q turns true once IN has stayed true for PT.\n")
    assert "IEC 61131-3:2013, table 46" in done.stdout
    pins = [line.split() for line in done.stdout.partition("example:")[0].splitlines() if line.startswith("  ")]
    assert [(p[0], p[1]) if p[0] != "->" else (p[1], p[2]) for p in pins] == [
        ("IN", "BOOL"),
        ("PT", "TIME"),
        ("Q", "BOOL"),
        ("ET", "TIME"),
    ]


def test_blocks_lists_the_catalogue() -> None:
    import blocks

    listed = bessplc("blocks").stdout
    for name in blocks.catalogue():
        assert re.search(rf"^  {name} ", listed, re.MULTILINE), name
    assert [b["name"] for b in json.loads(bessplc("blocks", "PID", "--json").stdout)] == ["PID"]


def test_blocks_lists_one_family_and_draws_one_blocks_example() -> None:
    listed = bessplc("blocks", "climate").stdout
    assert listed.startswith("climate: Heating, cooling, fans, pumps, condensation.\n")
    assert re.search(r"^  DEW_POINT ", listed, re.MULTILINE) and "  PID " not in listed
    shown = bessplc("blocks", "TON").stdout
    assert "    ton1:" in shown and "      PT: 30 ms" in shown
    assert re.search(r"^  -> Q +─+┘ +└─+$", shown, re.MULTILINE), "the pulse of Q"


def test_blocks_writes_its_pages_or_says_why_not(tmp_path: Path) -> None:
    done = bessplc("blocks", "PID", "--html", str(tmp_path / "html"))
    assert (done.returncode, done.stdout) == (0, f"2 pages: {tmp_path}/html/index.html\n")
    assert (tmp_path / "html/control/PID.html").exists()
    (tmp_path / "file").write_text("")
    done = bessplc("blocks", "--html", str(tmp_path / "file/html"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"error: {tmp_path}/file/html: Not a directory\n"


def test_names_of_blocks_are_compared_without_case() -> None:
    assert bessplc("blocks", "pid").stdout == bessplc("blocks", "PID").stdout


@pytest.mark.parametrize(
    ("name", "hint"),
    [("PDI", "did you mean `PID`"), ("HYSTERESYS", "did you mean `HYSTERESIS`?"), ("QQQQQQQQ", "`bessplc blocks` lists them all")],
)
def test_an_unknown_block_is_a_wrong_word_with_a_hint(name: str, hint: str) -> None:
    done = bessplc("blocks", name)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: no block named {name}: {hint}")
    assert len(done.stderr.splitlines()) == 1


def test_show_prints_the_order_of_execution_of_the_demo() -> None:
    text = bessplc("show", "--site", DEMO_FILE).stdout
    assert text.startswith("demo: base tick 10 ms, ")
    tasks = re.findall(r"^task (\w+): every (\S+) ms", text, re.MULTILINE)
    assert tasks == [("protection", "10"), ("control", "50"), ("cells", "100")]
    assert re.search(r"CELL_EKF +256 rows", text)


def test_show_as_json_has_the_same_tasks_groups_and_tags() -> None:
    found = json.loads(bessplc("show", "--json", "--site", DEMO_FILE).stdout)
    assert (found["site"], found["tick_ms"]) == ("demo", 10)
    assert [(t["task"], t["interval_ms"]) for t in found["tasks"]] == [("protection", 10), ("control", 50), ("cells", 100)]
    ekf = next(g for t in found["tasks"] for g in t["order"] if g["block"] == "CELL_EKF")
    assert ekf["rows"] == len(ekf["instances"]) == 256
    assert {"tag": "hmi.p_set", "type": "LREAL", "unit": "kW"}.items() <= next(
        t for t in found["tags"] if t["tag"] == "hmi.p_set"
    ).items()
    memory = found["memory"]
    for part, following in pairwise(memory):
        assert part["offset"] + part["bytes"] == following["offset"], "the map has no holes"


@pytest.mark.parametrize("verb", [*VERBS, *NESTED])
def test_the_help_of_every_verb_has_an_example(verb: str) -> None:
    done = bessplc(*verb.split(), "--help")
    assert done.returncode == 0
    assert re.search(rf"Examples?:\s+bessplc {verb}", done.stdout)


def test_every_verb_is_listed_with_one_sentence() -> None:
    listed = bessplc("--help").stdout
    for verb in (*VERBS, *GROUPS):
        assert re.search(rf"^  {verb} +[A-Z]", listed, re.MULTILINE)


def test_the_version_is_that_of_the_package() -> None:
    from runtime import __version__

    assert bessplc("--version").stdout == f"bessplc {__version__}\n"


@pytest.mark.parametrize("arguments", [["cheque"], ["check", "--sight", "x"], ["show", "--json", "--site", DEMO_FILE, "extra"]])
def test_a_wrong_word_on_the_command_line_is_exit_2_and_no_traceback(arguments: list[str]) -> None:
    done = bessplc(*arguments)
    assert done.returncode == 2
    assert "Error" in done.stderr and "Traceback" not in done.stderr


def test_mistakes_are_coloured_on_a_terminal_only_and_not_against_the_persons_wish(bad: str) -> None:
    assert "\x1b[31m" in bessplc_on_a_terminal("check", "--site", bad)
    assert "\x1b[" not in bessplc_on_a_terminal("check", "--site", bad, NO_COLOR="1")
    assert "\x1b[" not in bessplc("check", "--site", bad).stderr


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    """`bessplc show | head -1`: the pipe breaks while there is more to say."""
    process = subprocess.Popen(
        [sys.executable, "-m", "runtime.cli", "show", "--json", "--site", DEMO_FILE],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    said = process.stderr.read().decode()
    assert process.wait(30) in (0, 1)
    assert said == ""
    process.stderr.close()


def test_drivers_lists_what_an_io_map_may_say() -> None:
    from runtime import fieldbus

    assert [line.split()[0] for line in bessplc("drivers").stdout.splitlines()] == sorted(fieldbus.drivers())
    modbus = fieldbus.driver("modbus")
    shown = bessplc("drivers", "modbus").stdout
    for word, meaning in {**modbus.DEVICE_WORDS, **modbus.INPUT_WORDS, **modbus.OUTPUT_WORDS, **modbus.ERRORS}.items():
        assert re.search(rf"^  {word} +{re.escape(meaning)}$", shown, re.MULTILINE), word
    [facts] = json.loads(bessplc("drivers", "can", "--json").stdout)
    assert facts["input"] == dict(fieldbus.driver("can").INPUT_WORDS)


def test_an_unknown_driver_is_a_wrong_word_with_a_hint() -> None:
    done = bessplc("drivers", "modbuss")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: no driver named modbuss: did you mean `modbus`?")
