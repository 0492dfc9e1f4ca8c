"""Recordings of trips, the plant's own log, the table of protections, and reading long lists page by page."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from hmi.incidents import incidents_of
from hmi.paging import page_of
from hmi.plant_log import plant_log
from hmi.protection import rows_about
from runtime.engine.tape_file import Span
from runtime.servers.recorder.segments import FOLDER, INCIDENTS, Segments
from tests.aids.hmi_hall import TestHall, hall_over

BEGAN = 1_795_000_000_000_000_000
SECOND = 1_000_000_000


@pytest.fixture
def site(tmp_path: Path) -> Iterator[TestHall]:
    with hall_over(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestHall]:
    """A site with one recording."""
    with hall_over(tmp_path_factory.mktemp("recorded")) as made:
        freeze(state_of(made), "smoke", BEGAN)
        yield made


def freeze(state: Path, why: str, tripped: int) -> Path:
    """A recording as the recorder makes it: two minutes, the trip in their middle."""
    segments = Segments(state)
    segments.begin({"digest": "d1", "session": 7}, "a program", tripped - 60 * SECOND)
    segments.write(b"\0" * 64, Span(1, 100, tripped - 60 * SECOND, tripped + 60 * SECOND))
    note = {"why": why, "scan": 50, "wall": tripped, "site": "s", "digest": "d1"}
    path = segments.freeze(note, (tripped - 600 * SECOND) / 1e9, 20)
    segments.end()
    for part in segments.segments():
        part.unlink()
    os.utime(path, ns=(tripped + 60 * SECOND, tripped + 60 * SECOND))
    return path


def state_of(site: TestHall) -> Path:
    return Path(site.hall.order.state_dir)


def test_an_incident_holds_what_was_recorded_and_no_other_time(site: TestHall) -> None:
    freeze(state_of(site), "smoke", BEGAN)
    freeze(state_of(site), "estop", BEGAN + 3600 * SECOND)
    later, earlier = incidents_of(str(state_of(site)))
    assert (later.why, earlier.why, earlier.scan) == ("estop", "smoke", 50)
    held = [earlier.holds(BEGAN + at * SECOND) for at in (-61, -60, 0, 60, 61)]
    assert held == [False, True, True, True, False]


def test_what_is_no_incident_is_left_out(site: TestHall, tmp_path: Path) -> None:
    whole = freeze(state_of(site), "smoke", BEGAN)
    folder = state_of(site) / FOLDER / INCIDENTS
    (folder / "empty.tape").touch()
    (folder / "noise.tape").write_bytes(os.urandom(5000))
    (folder / "cut.tape").write_bytes(whole.read_bytes()[:20])
    secret = tmp_path / "secret"
    secret.write_bytes(whole.read_bytes())
    (folder / "link.tape").symlink_to(secret)
    assert [incident.path for incident in incidents_of(str(state_of(site)))] == [whole]
    assert site.get("/data/incident/link.tape", "operator").status_code == 404
    assert incidents_of("") == incidents_of(str(tmp_path / "nowhere")) == []


def test_an_incident_is_fetched_by_those_who_may_and_it_is_noted(site: TestHall) -> None:
    path = freeze(state_of(site), "smoke", BEGAN)
    assert site.get("/data/incidents").json()["items"][0]["command"] == ""  # where it is on the machine is nobody's business
    refused = site.get(f"/data/incident/{path.name}")
    assert refused.status_code == 403 and "operator" in refused.text
    answer = site.get(f"/data/incident/{path.name}", "operator")
    assert answer.content == path.read_bytes()
    assert answer.headers["content-disposition"] == f'attachment; filename="{path.name}"'
    assert [deed.taken for deed in site.deeds("fetch")] == [True, False]
    assert site.get("/data/incidents", "operator").json()["items"][0]["command"].endswith(str(path))


@pytest.mark.parametrize(
    "name", ["..%2f..%2frecords.sqlite", "%2e%2e", "..%5crecords.sqlite", "nothing.tape", "%00.tape", "%2fetc%2fpasswd", "*.tape"]
)
def test_no_other_file_can_be_fetched(recorded: TestHall, name: str) -> None:
    assert recorded.get(f"/data/incident/{name}", "engineer").status_code == 404


def test_the_plants_log_tells_of_no_person_and_survives_garbage(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    folder.mkdir()
    at = "2026-11-22T05:00:0{}.000000Z"
    lines = [
        {"event": "mode", "tag": "site.mode", "was": "A", "now": "{tag.__class__}", "scan": 5, "timestamp": at.format(1)},
        {"event": "scan state", "was": None, "state": "running", "scan": 1, "level": "info", "timestamp": at.format(0)},
        {"event": "write", "audit": True, "user": "eve", "timestamp": at.format(2)},
        {"event": "mode", "audit": True, "user": "eve", "timestamp": at.format(2)},
        {"event": "load", "user": "eve", "text": "loaded", "timestamp": at.format(3)},
        {"event": "mode", "timestamp": "yesterday"},
    ]
    text = "\n".join(json.dumps(line) for line in lines)
    (folder / "runtime.log").write_text(f'{{"event": "mode", "tag": \nnull\n["event": "mode"]\n{text}\n{{"event": "mode", "time')
    (folder / "hmi.log").write_text(json.dumps({"event": "mode", "timestamp": at.format(4)}))
    found = plant_log(str(tmp_path), 10)
    assert [line.kind for line in found] == ["load", "mode", "state"]
    assert found[1].text == "site.mode: A → {tag.__class__}"
    assert not any("eve" in line.text for line in found)
    assert [line.kind for line in plant_log(str(tmp_path), 1)] == ["load"]


def test_an_alarm_finds_its_row_in_the_table_of_protections(tmp_path: Path) -> None:
    table = tmp_path / "programs" / "PROTECTION.md"
    table.parent.mkdir()
    table.write_text(
        "# P\n\n| a | b |\n|---|---|\n| x | cell_high_1 |\n\n| what | limits | alarm | reaction |\n|---|---|---|---|\n"
        "| High | 3.6 V | cell_high_{rack} trip_{rack} | trips |\n| Torn | row |\n| Smoke | | smoke | stops |\n"
    )
    assert rows_about(str(tmp_path), "cell_high_12") == [{"what": "High", "limits": "3.6 V", "reaction": "trips"}]
    assert rows_about(str(tmp_path), "smoke") == [{"what": "Smoke", "reaction": "stops"}]
    assert rows_about(str(tmp_path), "cell_high_x") == rows_about(str(tmp_path), "alarm") == []
    assert rows_about(str(tmp_path / "nowhere"), "smoke") == []


@pytest.mark.parametrize("step", [1, 2, 3, 7])
def test_page_by_page_everything_that_fits_is_shown_once(step: int) -> None:
    every = list(range(5000, 0, -1))
    found: list[int] = []
    at: int | None = 0
    while at is not None:
        page = page_of(lambda most: every[:most], lambda one: one % step == 0, at, 333)
        found, at = found + page.rows, page.older
    assert found == [one for one in every if one % step == 0]


def test_a_search_ends_where_it_would_take_too_long() -> None:
    asked: list[int] = []

    def read(most: int) -> list[int]:
        asked.append(most)
        return list(range(most))

    page = page_of(read, lambda _: False, 0, 10, most=3000)
    assert page.rows == [] and page.older is None and page.is_cut and max(asked) == 3000
