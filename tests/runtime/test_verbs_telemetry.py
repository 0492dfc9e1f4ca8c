"""The verb `telemetry`: the operators' file from the records of a site, read back by what judges such files."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from runtime import rundir
from runtime.cli import app
from runtime.model import Tag
from runtime.prequalify import record_csv
from runtime.quality import BAD_NO_COMMUNICATION, GOOD
from runtime.servers.records.store import Records
from runtime.telemetry import RESERVES
from tests.runtime.servers.records.test_history import samples_of

Run = Callable[..., Result]
Course = dict[str, list[tuple[float, float]]]
BEGIN = int(datetime(2026, 7, 1, 10, 0, tzinfo=UTC).timestamp())
SITE = """site: grid_battery
constants: {e_site: 2 MWh}
tasks: {main: {interval: 100 ms, programs: [p]}}
tags: {a.b: {type: LREAL, write: operator}, a.c: {type: LREAL}}
"""
PROGRAM = "program: p\noutputs: {a.c: a.b}\n"
BOOLS = ("grid.in_service", "services.aem_fcr_d_up")
# a quarter of a minute: the frequency falls at 5 s, the power follows at 6 s, and NEM charges meanwhile
COURSE: Course = {
    "grid.frequency": [(0, 50.0), (5, 49.7), (10, 50.0)],
    "site.p": [(0, -30.0), (6, 470.0), (11, -30.0)],
    "site.p_allowed": [(0, -30.0), (5, 470.0), (10, -30.0)],
    "bms.soc": [(-60, 61.5)],
    "grid.in_service": [(-60, 1)],
    "set.fcr_d_up": [(-86_400, 1000.0)],
    "services.fcr_d_up": [(-60, 0.0), (5, 500.0), (10, 0.0)],
    "services.nem_fcr_d_up": [(-60, -30.0)],
    "services.aem_fcr_d_up": [(-60, 0), (12, 1)],
}


def write_history(site: Path, course: Course, bad: tuple[str, float] = ("", 0.0)) -> None:
    records = Records(rundir.state_folder_of(site))
    tags = {name: Tag(name, "BOOL" if name in BOOLS else "LREAL", 0, 0, 0, "memory") for name in course}
    records.past.declare(list(tags.values()))
    rows = [
        samples_of(tags[name], [(int((BEGIN + at) * 1e9), value, BAD_NO_COMMUNICATION if (name, at) == bad else GOOD)])
        for name, points in course.items()
        for at, value in points
    ]
    records.past.write(np.concatenate(rows))
    records.close()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BESSPLC_RUN", str(tmp_path / "run"))
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    monkeypatch.setenv("TZ", "Europe/Vienna")
    time.tzset()
    for name, text in (("config/site.yaml", SITE), ("programs/p.yaml", PROGRAM)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path / "config" / "site.yaml"


@pytest.fixture
def run(site: Path) -> Run:
    words = ("--since", "2026-07-01T12:00:00", "--until", "2026-07-01T12:00:15", "--out", str(site.parent.parent / "out"))
    return lambda service, *more: CliRunner().invoke(app, ["telemetry", service, *words, *more, "--site", str(site)])


def test_a_day_of_fcr_d_is_the_operators_file(site: Path, run: Run) -> None:
    write_history(site, COURSE)
    answer = run("fcr-d-up", "--name", "Battery-1", "--json")
    assert answer.exit_code == 0, answer.output
    said = json.loads(answer.stdout)
    path = Path(said["file"])
    assert path.name == "Battery-1_FcrdUp_Operation_FI_UTC_20260701T1000-20260701T1000_1000ms.csv"
    assert (said["lines"], said["left_out"]) == (15, 0)
    head, *rows = list(csv.reader(path.read_text().splitlines()))
    assert path.read_bytes().count(b"\r\n") == 16 and rows[0][0] == "20260701T100000.000"
    fifth = dict(zip(head, rows[7], strict=True))
    # 500 of 1000 kW at 49.7 Hz, beside a baseline of 30 kW of charging; NEM is 30 of 200 kW
    assert float(fifth["GridFreq"]) == 49.7 and float(fifth["InsAcPow"]) == 0.47
    assert float(fifth["CalcBaseline"]) == -0.03 and float(fifth["Activated_FcrdUp"]) == 0.5
    assert (fifth["Cap_FcrdUp"], fifth["RegStr_FcrdUp"], fifth["ResSize_FcrdUp"], fifth["SOC"]) == ("1", "2.5", "2", "61.5")
    management = [fifth[f"{word}_FcrdUp"] for word in ("NEM_MW", "NEM", "AEM", "ContMode")]
    assert management == ["-0.03", "-0.15", "0", "1"]
    assert [dict(zip(head, row, strict=True))["AEM_FcrdUp"] for row in rows[11:13]] == ["0", "1"]
    record, resource = record_csv.read(path)
    assert resource.capacity == 1000.0 and resource.band == 0.4 and record.dp[7] == pytest.approx(500.0)


def test_what_was_not_measured_is_left_out_and_counted(site: Path, run: Run) -> None:
    course: Course = {**COURSE, "grid.frequency": [(0, 50.0), (4, 50.0), (8, 50.0)]}
    write_history(site, course, bad=("grid.frequency", 4))
    answer = run("fcr-d-up")
    assert answer.exit_code == 0 and ": 11 lines" in answer.stdout
    assert "4 times are left out" in answer.stderr


def test_a_finer_file_and_one_of_another_area(site: Path, run: Run) -> None:
    write_history(site, COURSE)
    answer = run("fcr-d-up", "--every", "0.5", "--area", "SE3", "--json")
    assert json.loads(answer.stdout)["lines"] == 30
    assert json.loads(answer.stdout)["file"].endswith("grid-battery_FcrdUp_Operation_SE3_UTC_20260701T1000-20260701T1000_500ms.csv")


def test_what_is_missing_is_said(site: Path, run: Run) -> None:
    answer = run("fcr-d-up")
    assert answer.exit_code == 75 and "no records yet" in answer.stderr
    write_history(site, {name: points for name, points in COURSE.items() if not name.startswith("services.")})
    answer = run("fcr-d-up")
    assert answer.exit_code == 2 and "services.fcr_d_up, services.nem_fcr_d_up, services.aem_fcr_d_up" in answer.stderr
    assert run("fcr-x").exit_code == 2 and run("fcr-d-up", "--every", "0").exit_code == 2


def test_a_day_without_a_sale_makes_no_file(site: Path, run: Run) -> None:
    write_history(site, {**COURSE, "set.fcr_d_up": [(-60, 0.0)]})
    answer = run("fcr-d-up")
    assert answer.exit_code == 1 and "no fcr-d-up was sold" in answer.stderr
    assert not (site.parent.parent / "out").exists()


def test_every_tag_that_it_needs_is_one_of_the_site() -> None:
    from runtime.app import read_site

    known = {tag.name for tag in read_site(Path(__file__).parents[2] / "config/sites/commercial.yaml")[0].schedule.tags}
    assert {tag for reserve in RESERVES.values() for tag in reserve.needed} <= known
