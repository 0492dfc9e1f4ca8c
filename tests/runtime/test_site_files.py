"""Sites in `config/sites/`: which one is meant, where its root and its plant are, and that two of one root do not mix."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from runtime import rundir
from runtime.cli import app
from runtime.site_files import plant_of, root_of, sites_of

SITE = "site: {0}\ndescription: The {0} one.\ntasks: {{main: {{interval: 10 ms, programs: [p]}}}}\n"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in {
        "config/sites/small.yaml": SITE.format("small"),
        "config/sites/large.yaml": SITE.format("large"),
        "config/sites/large.plant.yaml": "racks: 64\n",
        "config/sites/users.yaml": "",
        "programs/p.yaml": "program: p\n",
        "programs/other.yaml": "program: other\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BESSPLC_RUN", str(tmp_path / "run"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("BESSPLC_SITE", raising=False)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.mark.parametrize(
    ("site", "expected"),
    [
        ("/plc/config/site.yaml", "/plc"),
        ("/plc/config/sites/grid.yaml", "/plc"),
        ("/plc/config/sites/north/one.yaml", "/plc"),
        ("/plc/other/site.yaml", "/plc"),  # no folder of that name: as deep as ever
    ],
)
def test_the_root_is_the_folder_above_config(site: str, expected: str) -> None:
    assert root_of(Path(site)) == Path(expected)


def test_the_plant_stands_beside_its_site(root: Path) -> None:
    assert plant_of(root / "config/sites/large.yaml").name == "large.plant.yaml"
    assert plant_of(root / "config/sites/small.yaml") == root / "config/sites/plant.yaml"
    assert plant_of(root / "config/site.yaml") == root / "config/plant.yaml"


def test_plants_and_users_are_no_sites(root: Path) -> None:
    assert [path.stem for path in sites_of(root)] == ["large", "small"]


def test_a_site_is_named(root: Path) -> None:
    for given in ("small", "config/sites/small.yaml"):
        done = run("check", "--site", given)
        assert done.exit_code == 0, done.output
    assert "E004" not in done.output


def test_programs_that_another_site_runs_are_no_warning(root: Path) -> None:
    assert "W804" not in run("check", "--site", "small").output


def test_the_environment_says_which_site(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BESSPLC_SITE", "large")
    assert run("show", "--json").output.count('"large"') == 1


@pytest.mark.parametrize("verb", ["check", "show", "run", "alarms", "log"])
def test_without_a_word_the_sites_are_listed(verb: str, root: Path) -> None:
    done = run(verb)
    assert done.exit_code == 2
    assert "there is no config/site.yaml here: say which site is meant, as --site large" in done.output
    assert [line.split() for line in done.output.splitlines()[1:]] == [
        ["large", "The", "large", "one."],
        ["small", "The", "small", "one."],
    ]


def test_a_slip_is_named(root: Path) -> None:
    done = run("check", "--site", "smal")
    assert done.exit_code == 2 and "no site is named smal here: did you mean `small`?" in done.output


def test_the_usual_file_comes_before_the_others(root: Path) -> None:
    (root / "config/site.yaml").write_text(SITE.format("usual"))
    assert '"usual"' in run("show", "--json").output


def test_the_one_that_runs_is_meant(root: Path) -> None:
    held = rundir.hold(root / "config/sites/large.yaml")
    try:
        assert '"large"' in run("show", "--json").output
        assert "runs now" in run("run").output, "a site to be started is said"
        with_both = rundir.hold(root / "config/sites/small.yaml")
        both = run("show")
        with_both.release()
        assert both.exit_code == 2 and "2 sites run here" in both.output
    finally:
        held.release()


def test_two_sites_of_one_root_share_neither_run_folder_nor_state(root: Path) -> None:
    small, large = root / "config/sites/small.yaml", root / "config/sites/large.yaml"
    assert rundir.folder_of(small) != rundir.folder_of(large)
    assert rundir.state_folder_of(small) != rundir.state_folder_of(large)
    assert rundir.folder_of(small).name.startswith(f"{root.name}-small-")
