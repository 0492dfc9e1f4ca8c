"""The verb `simulate`: report, plots and exit code; a wrong scenario starts nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from runtime.cli import app
from tests.aids.places import DEMO

SITE = str(DEMO / "config/site.yaml")
SHORT = """scenario: A short one
duration: 20 s
commands:
  - {at: 2 s, write: {hmi.reset: true}}
  - {at: 4 s, write: {hmi.close: true}}
  - {at: 12 s, write: {hmi.enable: true, hmi.p_set: 50 kW}}
never: [cell_v > 3.75 V]
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["simulate", SITE, *arguments])


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scenario") / "short.yaml"
    path.write_text(SHORT)
    return path


def test_a_run_writes_its_report_and_plots(scenario: Path, tmp_path: Path) -> None:
    done = run("--scenario", str(scenario), "--out", str(tmp_path / "out"))
    assert done.exit_code == 0, done.output
    assert "Everything held." in done.output
    names = {path.name for path in (tmp_path / "out").iterdir()}
    plots = {f"{name}.png" for name in ("power", "soc", "cells", "temperatures", "frequency", "alarms")}
    assert names == {"report.md", "report.json", *plots}
    assert all((tmp_path / "out" / name).read_bytes().startswith(b"\x89PNG") for name in plots)
    text = (tmp_path / "out/report.md").read_text()
    assert all(f"({name})" in text for name in plots), "the report shows its plots"


def test_what_must_hold_and_does_not_is_exit_code_1(scenario: Path, tmp_path: Path) -> None:
    path = tmp_path / "strict.yaml"
    path.write_text(SHORT.replace("cell_v > 3.75 V", "cell_v > 3.2 V"))
    done = run("--scenario", str(path), "--json")
    assert done.exit_code == 1
    (breach,) = json.loads(done.stdout)["must_hold"]
    assert breach["text"] == "never cell_v > 3.2 V"
    assert breach["at"].endswith("strict.yaml:7:9")


def test_length_and_seed_may_be_given_on_the_command_line(scenario: Path) -> None:
    done = run("--scenario", str(scenario), "--days", "0.0001", "--seed", "5", "--json")
    found = json.loads(done.stdout)
    assert found["seed"] == 5
    assert found["simulated_s"] == pytest.approx(8.64, abs=0.02)


@pytest.mark.parametrize("days", ["inf", "-1", "0", "1e9"])
def test_a_length_that_never_ends_is_refused(scenario: Path, days: str) -> None:
    done = run("--scenario", str(scenario), "--days", days)
    assert done.exit_code == 2
    assert "--days" in done.output


def test_a_wrong_scenario_starts_nothing(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(SHORT.replace("hmi.p_set: 50 kW", "hmi.p_set: 50 V").replace("cell_v >", "cell_q >"))
    done = run("--scenario", str(path))
    assert done.exit_code == 1
    assert "wrong.yaml:6:" in done.output
    assert "wrong.yaml:7:" in done.output
    assert "2 errors; nothing was simulated" in done.output


@pytest.mark.parametrize("arguments", [(), ("--scenario", "x", "--speed", "fast"), ("--scenario", "x", "--form", "pdf")])
def test_what_the_verb_cannot_do_is_exit_code_2(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    assert "error:" in done.output


def test_equal_runs_write_equal_files(scenario: Path, tmp_path: Path) -> None:
    for name in ("first", "again"):
        run("--scenario", str(scenario), "--days", "0.0001", "--form", "svg", "--out", str(tmp_path / name))
    first, again = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("first", "again"))
    assert len(first) == 8
    assert first == again


def test_a_speed_is_kept(scenario: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At half the speed of time nobody is fast enough not to wait, at every simulated second anew."""
    waits: list[float] = []
    monkeypatch.setattr("runtime.verbs_simulate.time.sleep", waits.append)
    assert run("--scenario", str(scenario), "--days", "0.0001", "--speed", "0.5", "--json").exit_code == 0
    assert len(waits) == 9  # after 0.01, 1.01, ... 8.01 s
    assert max(waits) <= 8.64 / 0.5
