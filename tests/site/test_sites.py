"""The ready sites: each is read without a mistake or a warning, its files are in order, and the tests of its programs pass."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.app import read_site
from runtime.fieldbus.safe import kept_slots, safe_steps
from tests.aids.places import ROOT

SITES = sorted(p for p in (ROOT / "config/sites").glob("*.yaml") if not p.name.endswith(".plant.yaml"))
NAMES = [site.stem for site in SITES]


def bessplc(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "runtime.cli", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200)


def test_there_is_one_for_each_size() -> None:
    assert NAMES == ["commercial", "grid", "industrial", "residential"]


@pytest.mark.parametrize("site", NAMES)
def test_a_site_is_read_without_a_mistake_or_a_warning(site: str) -> None:
    said = bessplc("check", "--site", site)
    assert said.returncode == 0, said.stderr
    assert "no problems" in said.stdout, said.stdout + said.stderr


@pytest.mark.slow
@pytest.mark.parametrize("site", ["commercial"])
def test_the_tests_of_its_programs_pass(site: str, tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    said = bessplc("test", "--site", site, "--junit", str(report))
    assert said.returncode == 0, said.stdout[-4000:] + said.stderr[-2000:]
    assert report.is_file()


def test_the_sites_run_the_same_programs() -> None:
    """A size is constants, channels and servers: no site has tasks, devices or tags of its own."""
    shown = [json.loads(bessplc("show", "--site", name, "--json").stdout) for name in ("residential", "industrial")]
    programs = [[task["programs"] for task in one["tasks"]] for one in shown]
    assert programs[0] == programs[1]
    assert any(programs[0])


def test_a_controller_that_stops_takes_power_converters_and_then_contactors_and_leaves_the_breaker_as_it_is() -> None:
    """A breaker that closed by itself could close out of step."""
    site = read_site(ROOT / "config/sites/commercial.yaml")[0]
    tags = {(device.name, point.slot): point.tag for device in site.devices for point in device.outputs}
    steps = [{tags[name, slot] for name, slots in step.slots.items() for slot in slots} for step in safe_steps(site.devices)]
    wanted = ["pcs[2].p_cmd", "pcs[2].enable", "rack[2].main"]
    assert [next(i for i, step in enumerate(steps) if tag in step) for tag in wanted] == [0, 1, 2]
    assert "pcs[2].forming" in steps[0]
    assert {tags[name, slot] for name, slots in kept_slots(site.devices).items() for slot in slots} == {"grid_side.breaker"}
    assert not any("grid_side.breaker" in step for step in steps)
