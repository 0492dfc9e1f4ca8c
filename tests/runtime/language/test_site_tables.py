"""What the hall gets from a site: devices and points, tables of inputs, outputs and commands, digest; all can be pickled."""

from __future__ import annotations

import pickle
import struct
from itertools import pairwise
from pathlib import Path

import pytest

from runtime.language import load_site
from runtime.language.show import show_json, show_text
from runtime.model import ROLES
from runtime.quality import BAD_WAITING_FOR_INITIAL_DATA
from runtime.source import SiteError
from tests.aids.site_text import DRIVERS, MS, load, load_all, problems_of, texts

RACK = """
device: rack
driver: fake
host: somewhere
stale: 300 ms
timeout: 500 ms
inputs:
  bms.soc: {at: 1, known: LREAL, measured: "%", initial: 50 %, bad: hold, text: State of charge}
  bms.v: {at: 2, count: 3, known: LREAL, measured: V, initial: 3200 mV, bad: 3.1 V, stale: 1 s}
  bms.state: {at: 3, known: DINT, bad: 4, names: [off, ready, "on"]}
  bms.ok: {at: 4, known: BOOL, bad: false}
outputs:
  bms.main: {at: 5, known: BOOL, safe: {value: true, after: 1 s}}
  pcs.p: {at: 6, known: LREAL, measured: kW, safe: -2000 W, min: -10 kW, max: 10 kW}
"""
METER = "device: meter\ndriver: fake\nstale: 1 s\ninputs:\n  grid.f: {at: 9, type: LREAL, unit: Hz, bad: 50 Hz}\n"
TAGS = """
hmi.p: {type: LREAL, unit: kW, range: -500..500, default: 20 kW, retain: true, write: engineer, text: Setpoint}
hmi.go: {type: BOOL, pulse: true, write: operator}
hmi.mode: {type: DINT, range: 0..3, write: operator, names: {0: a, 3: d}}
"""
PROGRAM = "outputs: {bms.main: hmi.go, pcs.p: hmi.p}\n"


def site() -> object:
    return load(PROGRAM, TAGS, io={"rack": RACK, "meter": METER})


def test_devices_have_their_points_in_slots_that_count_through() -> None:
    found = load(PROGRAM, TAGS, io={"rack": RACK, "meter": METER})
    rack, meter = found.devices
    assert (rack.name, rack.driver, rack.stale, rack.timeout, rack.settings["host"]) == (
        "rack",
        "fake",
        300 * MS,
        500 * MS,
        "somewhere",
    )
    assert [(p.tag, p.element, p.type, p.slot, p.address) for p in rack.inputs] == [
        ("bms.soc", 0, "LREAL", 0, "1+0"),
        ("bms.v", 0, "LREAL", 1, "2+0"),
        ("bms.v", 1, "LREAL", 2, "2+1"),
        ("bms.v", 2, "LREAL", 3, "2+2"),
        ("bms.state", 0, "DINT", 4, "3+0"),
        ("bms.ok", 0, "BOOL", 5, "4+0"),
    ]
    assert [p.slot for p in rack.diagnostics] == list(range(6, 15)), "behind the device's own inputs"
    assert [(p.tag, p.slot) for p in meter.inputs] == [("grid.f", 15)]
    assert [(p.tag, p.slot, p.safe, p.safe_after) for p in rack.outputs] == [("bms.main", 0, 1, 1000 * MS), ("pcs.p", 1, -2.0, 0)]
    assert str(rack.inputs[0].at) == "io_maps/rack.yaml:8:3"


def test_the_input_table_says_what_a_stale_input_becomes() -> None:
    schedule = load(PROGRAM, TAGS, io={"rack": RACK, "meter": METER}).schedule
    table = schedule.inputs
    names = [schedule.tags[i].name for i in table.tag]
    own = [slot for slot, name in enumerate(names) if not name.startswith("device.")]
    assert [names[slot] for slot in own] == ["bms.soc"] + ["bms.v"] * 3 + ["bms.state", "bms.ok", "grid.f"]
    assert table.target[2] == schedule.tag("bms.v").offset + 8
    assert (table.stale // MS)[own].tolist() == [300, 1000, 1000, 1000, 300, 300, 1000]
    assert table.hold[own].tolist() == [1, 0, 0, 0, 0, 0, 0]
    lreal, dint, bool_ = ord("f") * 16 + 8, ord("i") * 16 + 4, ord("u") * 16 + 1
    assert table.type[own].tolist() == [lreal] * 4 + [dint, bool_, lreal]
    assert struct.unpack("<d", struct.pack("<q", table.bad[1])) == (3.1,)
    assert table.bad[4] == 4
    assert struct.unpack("<d", struct.pack("<q", table.bad[own[-1]])) == (50.0,)


def test_inputs_wait_for_their_first_data_at_their_initial_value() -> None:
    schedule = load(PROGRAM, TAGS, io={"rack": RACK, "meter": METER}).schedule
    tag = schedule.tag("bms.v")
    assert schedule.initial[tag.offset : tag.offset + 24].view("f8").tolist() == [3.2] * 3
    quality = schedule.initial[schedule.region.quality : schedule.region.quality + 4 * schedule.region.tags].view("u4")
    good = schedule.initial[schedule.region.good : schedule.region.good + schedule.region.tags]
    for tag in schedule.tags:
        assert quality[tag.index] == (BAD_WAITING_FOR_INITIAL_DATA if tag.kind == "input" else 0)
        assert good[tag.index] == (tag.kind != "input")


def test_outputs_start_at_their_safe_value_and_have_it_in_their_table() -> None:
    schedule = load(PROGRAM, TAGS, io={"rack": RACK}).schedule
    assert schedule.outputs.source.tolist() == [schedule.tag("bms.main").offset, schedule.tag("pcs.p").offset]
    assert schedule.outputs.safe[0] == 1
    assert struct.unpack("<d", struct.pack("<q", schedule.outputs.safe[1])) == (-2.0,)
    assert schedule.tag("pcs.p").default == -2.0


def test_tags_carry_what_everybody_shows() -> None:
    schedule = load(PROGRAM, TAGS, io={"rack": RACK}).schedule
    p = schedule.tag("HMI.P")
    assert (p.type, p.unit, p.minimum, p.maximum, p.default, p.retain, p.write, p.owner, p.text) == (
        "LREAL",
        "kW",
        -500.0,
        500.0,
        20.0,
        True,
        "engineer",
        "operator",
        "Setpoint",
    )
    assert schedule.tag("bms.state").names == ((0, "off"), (1, "ready"), (2, "on"))
    assert schedule.tag("hmi.mode").names == ((0, "a"), (3, "d"))
    assert {t.name: t.owner for t in schedule.tags if t.kind in ("input", "output") and t.name[:7] != "device."} == {
        "bms.soc": "device rack",
        "bms.v": "device rack",
        "bms.state": "device rack",
        "bms.ok": "device rack",
        "bms.main": "program p",
        "pcs.p": "program p",
    }
    assert (schedule.tag("pcs.p").minimum, schedule.tag("pcs.p").maximum) == (-10.0, 10.0)
    assert schedule.tag("plc.state").names[1] == (1, "running")


def test_the_command_table_says_who_may_write_what() -> None:
    schedule = load(PROGRAM, TAGS, io={"rack": RACK}).schedule
    commands = schedule.commands
    p, go, soc = (schedule.tag(name) for name in ("hmi.p", "hmi.go", "bms.soc"))
    assert commands.target[p.index] == p.offset
    assert commands.target[soc.index] == -1
    assert ROLES[commands.role[p.index]] == "engineer"
    assert (commands.low[p.index], commands.high[p.index]) == (-500.0, 500.0)
    assert (commands.pulse[p.index], commands.pulse_count[p.index], commands.pulse_count[go.index]) == (-1, 0, 1)
    pending = commands.pulse_cells[commands.pulse[go.index]]
    assert [pair[0] for pair in schedule.tasks[0].pulses] == [pending]


def test_the_digest_is_that_of_the_texts() -> None:
    first = load(PROGRAM, TAGS, io={"rack": RACK})
    again = load(PROGRAM, TAGS, io={"rack": RACK})
    other = load(PROGRAM + "# a comment\n", TAGS, io={"rack": RACK})
    assert first.schedule.digest == again.schedule.digest != other.schedule.digest
    assert len(first.schedule.digest) == 64
    assert first.files == ("config/site.yaml", "io_maps/rack.yaml", "programs/p.yaml")


def test_a_site_can_be_sent_to_a_child_process() -> None:
    files = texts(PROGRAM, TAGS, io={"rack": RACK})
    files["config/site.yaml"] += "servers: {opcua: {port: 4840}}\n"
    found = load_all(files)
    sent = pickle.loads(pickle.dumps(found))
    assert sent.schedule.tags == found.schedule.tags
    assert sent.servers["opcua"]["port"] == "4840"
    assert (sent.schedule.initial == found.schedule.initial).all()


def test_a_site_on_disk_is_read_from_the_folder_above_config(tmp_path: Path) -> None:
    for name, text in texts(PROGRAM, TAGS, io={"rack": RACK}).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    found, warnings = load_site(tmp_path / "config" / "site.yaml", DRIVERS)
    assert found.root == str(tmp_path)
    assert found.name == tmp_path.name
    assert [w.code for w in warnings] == ["W802"], "hmi.mode is used by nobody"


def test_a_missing_site_is_a_problem_and_no_traceback(tmp_path: Path) -> None:
    with pytest.raises(SiteError) as caught:
        load_site(tmp_path / "config" / "site.yaml", DRIVERS)
    assert [p.code for p in caught.value.problems] == ["E004"]


def test_authority_and_overview_name_tags() -> None:
    files = texts(PROGRAM, TAGS, io={"rack": RACK})
    files["config/site.yaml"] += "authority: bms.ok\noverview: [bms.soc, HMI.p]\nwatchdog: {overruns: 3, then: safe}\n"
    found = load_all(files)
    assert found.schedule.authority == found.schedule.tag("bms.ok").offset
    assert found.overview == ("bms.soc", "hmi.p")
    assert (found.schedule.watchdog.overruns, found.schedule.watchdog.then) == (3, "safe")
    files["config/site.yaml"] += "\n"
    wrong = problems_of({**files, "config/site.yaml": files["config/site.yaml"].replace("authority: bms.ok", "authority: bms.soc")})
    assert [p.code for p in wrong if p.severity == "error"] == ["E202"]


@pytest.mark.parametrize(
    ("interval", "written", "expected"),
    [("10 ms", "", 200e6), ("100 ms", "", 500e6), ("10 ms", "heartbeat: 500 ms", 500e6), ("10 ms", "heartbeat: 50 ms", 50e6)],
)
def test_how_long_the_scan_may_be_silent(interval: str, written: str, expected: float) -> None:
    files = texts(PROGRAM, TAGS, io={"rack": RACK})
    site = files["config/site.yaml"].replace("10 ms", interval) + (f"watchdog: {{{written}}}\n" if written else "")
    assert load_all({**files, "config/site.yaml": site}).schedule.watchdog.heartbeat == expected


def test_a_heartbeat_of_a_few_scans_is_refused() -> None:
    files = texts(PROGRAM, TAGS, io={"rack": RACK})
    files["config/site.yaml"] += "watchdog: {heartbeat: 40 ms}\n"
    [wrong] = [p for p in problems_of(files) if p.severity == "error"]
    assert (wrong.code, wrong.message) == ("E010", "`heartbeat` is at least 5 scans of 10 ms")


def test_what_runs_can_be_shown() -> None:
    found = load(
        "blocks:\n  g: {type: GATE, IN: hmi.p, EN: hmi.go}\n  s: {type: CELL_STATS, V: bms.v}\n" + PROGRAM, TAGS, io={"rack": RACK}
    )
    page = show_json(found)
    assert [(g["block"], g["rows"], g["length"], g["instances"]) for g in page["tasks"][0]["order"]] == [
        ("GATE", 1, 0, ["p.g"]),
        ("CELL_STATS", 1, 3, ["p.s"]),
    ]
    parts = page["memory"]
    assert all(a["offset"] + a["bytes"] == b["offset"] for a, b in pairwise(parts))
    assert parts[-1]["offset"] + parts[-1]["bytes"] == found.schedule.initial.size
    text = show_text(found)
    assert "task main: every 10 ms: p" in text
    assert "CELL_STATS[3]" in text


def test_the_range_of_a_time_tag_is_written_in_durations():
    site = load_all(
        {
            "config/site.yaml": "tasks: {t: {interval: 10 ms, programs: [p]}}\n"
            "tags:\n  x.delay: {type: TIME, range: 0 s..10 s, default: 2 s, write: operator, text: Delay}\n"
            "  x.q: {type: BOOL, text: Q}\n",
            "programs/p.yaml": "program: p\nblocks:\n  t: {type: TON, IN: true, PT: x.delay}\noutputs:\n  x.q: t.Q\n",
        }
    )
    tag = site.schedule.tag("x.delay")
    assert (tag.minimum, tag.maximum, tag.default) == (0, 10_000_000_000, 2_000_000_000)
