"""Who looks at a running site sees the program that runs, also while its files are edited and not loaded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from runtime.app import generation_of
from runtime.io_generation import io_generation_of
from runtime.model import Site
from runtime.onlooker import NOT_LOADED, NotRunningError, Onlooker
from runtime.running_program import leave_program, running_program
from tests.aids.onlooker import HeldSite
from tests.aids.site_text import load_all

SITE = "tasks: {main: {interval: 10 ms, programs: [p]}}\nio: [pcs]\ntags:\n  hmi.p: {type: LREAL, default: 3, write: operator}\n"
DEVICE = "device: pcs\ndriver: fake\ntimeout: 500 ms\noutputs:\n  pcs.p: {at: a, type: LREAL, safe: 0}\n"


def site_of(value: str, device: str = DEVICE) -> Site:
    program = f"program: p\nblocks: {{sum: {{type: ADD, A: hmi.p, B: {value}}}}}\noutputs: {{pcs.p: sum.OUT}}\n"
    return load_all({"config/site.yaml": SITE, "io_maps/pcs.yaml": device, "programs/p.yaml": program})


@pytest.fixture
def held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HeldSite]:
    monkeypatch.setenv("BESSPLC_RUN", str(tmp_path / "run"))
    (tmp_path / "config").mkdir()
    file, site = tmp_path / "config/site.yaml", site_of("1.0")
    file.write_text(SITE)
    one = HeldSite(file, site, io_generation_of(site))
    leave_program(one.folder, site.schedule).join()
    one.scan()
    yield one
    one.close()


def test_the_program_that_runs_is_found_though_the_files_say_another(held: HeldSite, capsys: pytest.CaptureFixture[str]) -> None:
    seen = Onlooker(site_of("2.0"), held.file)
    seen.attach(with_devices=True)
    assert seen.site.schedule.digest == held.schedule.digest and [d.name for d in seen.site.devices] == ["pcs"]
    assert seen.value(seen.tag("pcs.p")) == 4.0
    assert capsys.readouterr().err == f"{NOT_LOADED}\n"


def test_the_same_program_is_not_talked_about(held: HeldSite, capsys: pytest.CaptureFixture[str]) -> None:
    Onlooker(held.site, held.file).attach(with_devices=True, as_in_files=True)
    assert capsys.readouterr().err == ""


def test_edited_devices_are_no_picture_of_those_that_run(held: HeldSite) -> None:
    edited = site_of("1.0", DEVICE.replace("safe: 0", "safe: 5"))
    assert generation_of(edited.schedule) != held.generation
    seen = Onlooker(edited, held.file)
    with pytest.raises(NotRunningError, match="put the io_maps back, or restart the site"):
        seen.attach(with_devices=True)
    tags_only = Onlooker(edited, held.file)
    tags_only.attach()
    assert tags_only.site.devices == () and tags_only.value(tags_only.tag("hmi.p")) == 3.0


def test_what_must_be_as_in_the_files_is_refused_with_what_to_do(held: HeldSite) -> None:
    with pytest.raises(NotRunningError, match="`bessplc load` loads what was edited"):
        Onlooker(site_of("2.0"), held.file).attach(0.05, as_in_files=True)


def test_a_program_that_was_tampered_with_is_not_believed(held: HeldSite) -> None:
    [left] = held.folder.glob("program.*.json")
    text = left.read_text()
    left.write_text(text.replace('"tick":10000000', '"tick":0'))
    assert running_program(held.folder) is None
    left.write_text(text[:1000])
    assert running_program(held.folder) is None


def test_the_folder_keeps_no_more_than_two_programs(held: HeldSite) -> None:
    for n in range(4):
        leave_program(held.folder, replace(held.schedule, digest=f"{n + 1:064x}")).join()
    assert len(list(held.folder.glob("program.*"))) == 2
