"""The loop that keeps a site up: a scan that never publishes is found, and a reload waits for the load before it."""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from runtime import run
from runtime.app import generation_of
from runtime.engine.plc import Plc
from runtime.engine.retain import restore
from runtime.model import Site
from runtime.rundir import state_folder_of
from tests.aids.site_text import load_all

SITE = "tasks: {main: {interval: 10 ms, programs: [p]}}\ntags:\n  hmi.p: {type: LREAL, default: 3, write: operator, retain: true}\n"
PROGRAM = "program: p\nblocks: {sum: {type: ADD, A: hmi.p, B: 1.0}}\n"


def site_of(more: str = "") -> Site:
    return load_all({"config/site.yaml": SITE + more, "programs/p.yaml": PROGRAM})


def watch(
    folder: Path, looks: int, *, is_ready: bool = True, reload: list[int] | None = None, loaded: Site | None = None
) -> tuple[list[str], list[str]]:
    """The kills and the loads of so many looks at a site whose scan says that it scans; `loaded` is its program in the last."""
    stop: list[int] = []
    left, kills, loads = [looks], [], []  # type: ignore[var-annotated]

    def attend(seconds: float) -> None:
        left[0] -= 1
        if not left[0]:
            stop.append(1)
            app.site = loaded or app.site

    app: Any = SimpleNamespace(
        site=site_of(),
        folder=folder,
        options=SimpleNamespace(site=folder / "config/site.yaml", reboot=()),
        attend=attend,
        scanning=True,
        tell=lambda *_: None,
        audit=SimpleNamespace(keep=lambda _: None),
        processes=dict,
        supervisor=SimpleNamespace(kill=lambda name, why: kills.append(f"{name}: {why}")),
    )
    control: Any = SimpleNamespace(attend=lambda: None, load_files=loads.append, loader=SimpleNamespace(is_ready=is_ready))
    run._watch(app, stop, logging.getLogger("none"), control, [] if reload is None else reload)
    return kills, loads


def test_a_scan_that_never_publishes_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert watch(tmp_path, run.HUNG_LOOKS)[0] == []
    assert watch(tmp_path, 2 * run.HUNG_LOOKS + 2)[0] == ["scan: no snapshot at all"]


def test_a_reload_waits_for_the_load_that_is_under_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    asked = [1]
    assert watch(tmp_path, 3, is_ready=False, reload=asked)[1] == [] and asked == [1]
    assert watch(tmp_path, 3, reload=asked)[1] == ["SIGHUP"] and asked == []


def test_what_a_program_retains_is_kept_when_another_takes_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An undo, or a restart with the program before, begins from there and not from a second earlier."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(run, "KEEP_EVERY_S", 3600.0)
    schedule = site_of().schedule
    plc = Plc(schedule, tmp_path, generation_of(schedule))
    plc.set("hmi.p", 42.0)
    plc.scan(1_000_000_000)
    watch(tmp_path, 2, loaded=site_of("  x.more: {type: BOOL}\n"))
    place = schedule.tag("hmi.p").offset
    kept = restore(schedule, state_folder_of(tmp_path / "config/site.yaml")).schedule.initial
    assert kept[place : place + 8].view("f8")[0] == 42.0
