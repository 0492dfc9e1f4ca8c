"""The status view: values as people write them, one line for a log, alarms with the worst first."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path
from typing import Any

import pytest

import runtime.status as status_module
from runtime.model import Site, Tag
from runtime.status import Status, format_value, render
from tests.aids.engine import GENERATION, Bench
from tests.aids.site_text import load_all

RACK = 'device: rack\ndriver: fake\nstale: 100 ms\ninputs:\n  bms.soc: {at: a, type: LREAL, unit: "%", initial: 50 %, bad: hold}\n'
PROGRAM = """
program: p
outputs: {x.mode: hmi.mode}
alarms:
  note: {when: hmi.a, severity: warning, text: Filter due}
  minor: {when: hmi.b, severity: warning, text: Cabinet door open}
  worst: {when: hmi.c, severity: critical, text: Cell too hot}
  bad: {when: hmi.d, severity: error, text: Fan stopped}
"""
SITE = """
site: here
tasks: {t: {interval: 10 ms, programs: [p]}}
io: [rack]
overview: [bms.soc, hmi.p, x.mode]
servers: {opcua: {port: 0}, modbus: {port: 0, map: none.yaml}}
tags:
  hmi.p: {type: LREAL, unit: kW, default: 12.5, write: operator}
  hmi.mode: {type: DINT, default: 1, write: operator}
  x.mode: {type: DINT, names: {0: off, 1: follow}}
  hmi.a: {type: BOOL, write: operator}
  hmi.b: {type: BOOL, write: operator}
  hmi.c: {type: BOOL, write: operator}
  hmi.d: {type: BOOL, write: operator}
"""


def site() -> Site:
    return load_all({"config/site.yaml": SITE, "programs/p.yaml": PROGRAM, "io_maps/rack.yaml": RACK})


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, site())


@pytest.fixture(autouse=True)
def _clock_of_the_bench(request, monkeypatch):
    """The bench plays the clock; a snapshot of it is not old."""
    if "silent" not in request.node.name:
        monkeypatch.setattr(status_module, "STALE_S", float("inf"))


def test_a_silent_scan_is_said_and_not_its_last_state(tmp_path):
    bench = Bench(tmp_path, site())
    bench.scan(2)
    assert status_of(bench).state == "no scan"


def status_of(bench: Bench) -> Status:
    status = Status(bench.site, bench.folder, GENERATION)
    status.refresh()
    return status


def tag(type: str = "LREAL", **more: Any) -> Tag:
    return Tag("x.y", type, more.pop("length", 0), 0, 0, **more)


@pytest.mark.parametrize(
    ("of", "value", "shown"),
    [
        (tag(unit="kW"), 12.5, "12.5 kW"),
        (tag(unit="kW"), -0.000123456789, "-0.000123457 kW"),
        (tag(), 3.0, "3"),
        (tag(unit="%"), 49.99999999, "50 %"),
        (tag(unit="V"), math.nan, "nan V"),
        (tag("BOOL"), True, "true"),
        (tag("BOOL"), False, "false"),
        (tag("DINT", unit="A"), 7, "7 A"),
        (tag("LINT"), -5, "-5"),
        (tag("DINT", names=((0, "off"), (1, "follow"))), 1, "follow"),
        (tag("DINT", names=((0, "off"), (1, "follow"))), 9, "9"),
        (tag("BOOL", names=((0, "open"), (1, "closed"))), True, "closed"),
        (tag(length=3), [1.0, 2.0, 3.0], "[3]"),
    ],
)
def test_a_value_is_shown_with_its_unit_or_its_name(of: Tag, value: Any, shown: str) -> None:
    assert format_value(of, value) == shown


def test_a_line_has_state_scan_timing_overview_and_alarms(bench: Bench) -> None:
    bench.scan(3)
    line = status_of(bench).line()
    assert list(line) == [
        "state",
        "scan",
        "overruns",
        "scan_us",
        "scan_max_us",
        "late_us",
        "late_p99_us",
        "late_max_us",
        "bms.soc",
        "hmi.p",
        "x.mode",
        "alarms",
    ]
    assert (line["state"], line["scan"], line["overruns"], line["alarms"]) == ("running", 3, 0, [])
    assert (line["bms.soc"], line["hmi.p"], line["x.mode"]) == ("50 % (Bad_WaitingForInitialData)", "12.5 kW", "follow")
    assert line["scan_max_us"] >= line["scan_us"] > 0
    json.dumps(line)


def test_a_good_reading_is_shown_without_its_quality(bench: Bench) -> None:
    bench.feed("bms.soc", 81.25)
    bench.scan()
    assert status_of(bench).line()["bms.soc"] == "81.25 %"


def test_before_the_first_scan_the_site_is_starting(bench: Bench) -> None:
    status = status_of(bench)
    assert status.state == "starting" and status.snapshot.scan == 0


def test_active_alarms_come_worst_first_in_the_order_of_the_file(bench: Bench) -> None:
    for name in ("hmi.a", "hmi.b", "hmi.c", "hmi.d"):
        bench.plc.set(name, True)
    bench.scan(2)
    assert status_of(bench).active_alarms() == [
        "critical: Cell too hot",
        "error: Fan stopped",
        "warning: Filter due",
        "warning: Cabinet door open",
    ]
    bench.plc.set("hmi.c", False)
    bench.scan(2)
    assert status_of(bench).active_alarms()[0] == "error: Fan stopped"


def test_listening_is_what_each_server_says_of_itself(bench: Bench) -> None:
    (bench.folder / "opcua.json").write_text(json.dumps({"listening": "opc.tcp://127.0.0.1:4840"}))
    (bench.folder / "modbus.json").write_text("{half of a fi")
    assert status_of(bench).listening() == {"opcua": "opc.tcp://127.0.0.1:4840", "modbus": "not listening yet"}


def test_the_live_view_shows_the_same(bench: Bench) -> None:
    from rich.console import Console

    bench.plc.set("hmi.c", True)
    bench.scan(2)
    out = io.StringIO()
    Console(file=out, width=120, no_color=True).print(render(status_of(bench), {"opcua": (0, 2), "modbus": (77, 0)}))
    for text in (
        "here",
        "RUNNING",
        "scan 2",
        "12.5 kW",
        "Bad_WaitingForInitialData",
        "! critical: Cell too hot",
        "opcua is down, restarted 2 times",
    ):
        assert text in out.getvalue()
    assert "modbus is down" not in out.getvalue()
