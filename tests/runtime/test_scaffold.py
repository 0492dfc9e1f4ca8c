"""`bessplc new`: each template passes check without a warning, the smallest one runs against its own plant, and nothing is lost."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from runtime.app import read_site
from runtime.cli import app
from runtime.scaffold import KINDS, PORTS, ScaffoldError, scaffold, template_files
from runtime.simulation.settings import read_settings
from runtime.site_files import plant_of
from tests.aids.drawing import look
from tests.aids.site import free_ports, started, until

ROOT = Path(__file__).parents[2]


def bessplc(*arguments: str, **environment: str) -> Any:
    """The command as a script calls it, in this process."""
    return CliRunner().invoke(app, list(arguments), env=environment)


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_site_passes_check_without_a_warning_and_knows_its_plant(kind: str, tmp_path: Path) -> None:
    made = scaffold(tmp_path / "north", kind)
    site, warnings = read_site(made.root / "config/site.yaml")
    assert warnings == ()
    assert site.name == "north"
    assert site.schedule.alarms
    assert set(made.files) == {str(p.relative_to(made.root)) for p in made.root.rglob("*") if p.is_file()}
    buses = read_settings(plant_of(made.root / "config/site.yaml")).buses
    assert [buses.pcs.port, buses.meter.port, buses.panel.port] == [made.ports[name] for name in PORTS[:3]]
    assert not any(re.search(r"@[A-Z_]+@", (made.root / name).read_text()) for name in made.files)


@pytest.mark.slow  # where no kernel is compiled yet
@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", KINDS)
def test_a_new_site_passes_its_own_tests(kind: str, tmp_path: Path) -> None:
    made = scaffold(tmp_path / "north", kind)
    said = bessplc("test", "--site", str(made.root / "config/site.yaml"))
    assert said.exit_code == 0, said.output
    assert "all passed" in said.output


@pytest.mark.parametrize("kind", KINDS)
def test_the_readme_is_short_and_names_files_that_are_there(kind: str, tmp_path: Path) -> None:
    made = scaffold(tmp_path / "north", kind)
    text = (made.root / "README.md").read_text()
    assert len(text.splitlines()) <= 14
    program = re.search(r"bessplc graph (\w+)", text)
    assert program and (made.root / f"programs/{program[1]}.yaml").exists()
    assert "config/*users.yaml" in (made.root / ".gitignore").read_text()


def test_the_can_database_is_the_demos_own_and_not_a_copy_that_may_differ() -> None:
    assert template_files("rack")["dbc/rack.dbc"].read_bytes() == (ROOT / "dbc/rack.dbc").read_bytes()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_the_service_is_what_systemd_understands(tmp_path: Path) -> None:
    made = scaffold(tmp_path / "north", "minimal")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(made.root / "bessplc.service")], capture_output=True, text=True
    )
    ours = [line for line in done.stderr.splitlines() if "bessplc" in line and "not executable" not in line]
    assert ours == []


def test_a_folder_that_is_not_empty_is_left_alone_unless_forced(tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine.txt").write_text("mine")
    said = bessplc("new", str(full))
    assert (said.exit_code, said.stdout) == (2, "")
    assert "is not empty" in said.stderr
    assert [p.name for p in full.iterdir()] == ["mine.txt"]
    assert bessplc("new", str(full), "--force").exit_code == 0
    assert (full / "mine.txt").read_text() == "mine"
    assert (full / "config/site.yaml").exists()


def test_wrong_words_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    for wrong, kind, what in (("a b", "minimal", "no name"), ("x", "huge", "templates are"), (".", "minimal", "no name")):
        with pytest.raises(ScaffoldError, match=what):
            scaffold(tmp_path / "odd name" / wrong, kind)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(ScaffoldError, match="a file"):
        scaffold(tmp_path / "file", "minimal")


def test_it_names_every_file_and_the_next_three_commands_and_they_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = bessplc("new", "north")
    assert said.exit_code == 0, said.stderr
    written = {str(p.relative_to(tmp_path)) for p in (tmp_path / "north").rglob("*") if p.is_file()}
    assert written == set(re.findall(r"^  (north/\S+)$", said.stdout, re.M))
    commands = re.findall(r"^  bessplc (.+?)(?:  .*)?$", said.stdout, re.M)
    assert len(commands) == 3
    checked = bessplc(*commands[0].split())
    assert (checked.exit_code, checked.stderr) == (0, "")
    assert checked.stdout.endswith("no problems\n")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_smallest_site_runs_and_its_picture_shows_live_values(tmp_path: Path) -> None:
    made = scaffold(tmp_path / "north", "minimal")
    new = {str(made.ports[name]): str(port) for name, port in zip(PORTS, free_ports(len(PORTS)), strict=True)}
    for path in [*made.root.glob("config/*.yaml"), *made.root.glob("io_maps/*.yaml")]:
        path.write_text(re.sub("|".join(map(re.escape, new)), lambda m: new[m.group()], path.read_text()))
    with started(made.root, [0, 0], tmp_path, "--sim") as site:
        site.wait_for("running", 200)
        words = ("graph", "peak", "--site", str(made.root / "config/site.yaml"), "--svg", str(tmp_path / "peak.svg"))

        def drawn() -> str:
            done = bessplc(*words, BESSPLC_RUN=str(tmp_path / "run"))
            assert done.exit_code == 0, done.stderr
            text = (tmp_path / "peak.svg").read_text()
            return text if "running, scan" in text and 'class="chip tag good" data-tag="grid.p"' in text else ""

        text = until(drawn, 60, "a picture with good values of the meter")
        picture = look(text)
        assert " kW" in picture.words
        status = site.wait_for("status", state="running")
        assert status["overruns"] >= 0
        assert site.stop() == 0
    assert site.wait_for("stopped", outputs="safe")["missed"] == []
