"""What trends fetch: no spike, bad value or gap is lost however few points are asked for, and nothing that is asked breaks it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from hmi.history import history_routes
from hmi.past import Question, TooSlowError, lines
from runtime.model import Tag
from runtime.quality import BAD_NO_COMMUNICATION, GOOD, GOOD_LOCAL_OVERRIDE, UNCERTAIN_LAST_USABLE
from runtime.servers.records.blocks import SAMPLE
from runtime.servers.records.file import NotKeptError
from runtime.servers.records.history import number_of
from runtime.servers.records.states import ACTIVE
from runtime.servers.records.store import Records
from runtime.servers.rest.problems import ProblemError, told

S, DAY = 1_000_000_000, 86_400_000_000_000
BEGUN = time.time_ns() // S * S - 10 * DAY  # all of it lies in the past
POWER = Tag("site.p", "LREAL", 0, 0, 0, unit="kW", text="Power at the meter")
READY = Tag("site.ready", "BOOL", 0, 1, 0)
CELLS = Tag("rack[1].cell_v", "LREAL", 256, 2, 0, unit="V", text="Voltage of each cell")


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    found = Records(tmp_path, is_strict=True)
    found.past.declare([POWER, READY])
    yield found
    found.close()


def keep(records: Records, tag: Tag, samples: list[tuple[int, float, int]]) -> None:
    """Samples of a tag: seconds since BEGUN, value, quality."""
    made = np.zeros(len(samples), SAMPLE)
    values = np.array([value for _, value, _ in samples])
    made["tag"], made["quality"] = number_of(tag), [quality for *_, quality in samples]
    made["time"] = [BEGUN + second * S for second, *_ in samples]
    made["bits"] = values.view(np.int64) if tag.type == "LREAL" else values.astype(np.int64)
    records.past.write(made)


def asked(start: int, end: int, points: int = 1000) -> Question:
    return Question(BEGUN + start * S, BEGUN + end * S, points, time.monotonic() + 60)


def drawn(records: Records, question: Question, tag: Tag = POWER) -> list[tuple[float, float | None, int]]:
    """Seconds since BEGUN, value (None: a gap) and grade of each point."""
    points = lines(records, [tag.name], question)[tag.name].points
    return [((t - BEGUN) / S, None if np.isnan(v) else v, q) for t, v, q in points.tolist()]


@pytest.mark.parametrize("is_sorted", [False, True])
def test_of_a_week_of_seconds_no_spike_is_lost(records: Records, is_sorted: bool) -> None:
    week = 200_000
    noise = np.random.default_rng(7).normal(0, 1, week)
    noise[123_456], noise[150_000] = 900.0, -800.0
    keep(records, POWER, [(second, float(noise[second]), GOOD) for second in range(week)])
    if is_sorted:
        records.past.sort(now=True)
    points = drawn(records, asked(0, week, 400))
    assert len(points) <= 402  # and the value at the end
    assert (123_456, 900.0, 0) in points and (150_000, -800.0, 0) in points
    assert [t for t, *_ in points] == sorted(t for t, *_ in points)
    assert None not in [value for _, value, _ in points]


def test_a_short_failure_is_a_gap_even_where_few_points_are_asked_for(records: Records) -> None:
    samples = [(second, 5.0, GOOD) for second in range(50_000)]
    samples[31_000] = (31_000, 5.0, BAD_NO_COMMUNICATION)
    keep(records, POWER, samples)
    points = drawn(records, asked(0, 50_000, 50))
    assert (31_000, None, 2) in points
    after = next(value for second, value, _ in points if second > 31_000)
    assert after == 5.0


def test_the_value_before_and_after_the_time_asked_for_is_carried_into_it(records: Records) -> None:
    keep(records, POWER, [(0, 3.0, GOOD), (500, 4.0, GOOD_LOCAL_OVERRIDE), (1000, 5.0, GOOD)])
    assert drawn(records, asked(100, 700)) == [(100, 3.0, 0), (500, 4.0, 3), (700, 4.0, 3)]


def test_what_nobody_recorded_for_long_is_a_gap_and_what_stands_still_is_none(records: Records) -> None:
    keep(records, POWER, [(0, 1.0, GOOD), (600, 1.0, GOOD), (1200, 1.0, GOOD), (40_000, 1.0, GOOD), (40_600, 1.0, GOOD)])
    points = drawn(records, asked(0, 41_000))
    assert [value for _, value, _ in points] == [1.0, 1.0, 1.0, None, 1.0, 1.0, 1.0]
    keep(records, READY, [(hour * 3600, 1, GOOD) for hour in range(30)])  # a site that records every hour what does not move
    assert None not in [value for _, value, _ in drawn(records, asked(0, 29 * 3600), READY)]


def test_uncertain_and_no_numbers_are_told_apart(records: Records) -> None:
    keep(records, POWER, [(0, 1.0, UNCERTAIN_LAST_USABLE), (1, float("nan"), GOOD), (2, float("inf"), GOOD), (3, 2.0, GOOD)])
    assert drawn(records, asked(0, 4)) == [(0, 1.0, 1), (1, None, 0), (2, None, 0), (3, 2.0, 0), (4, 2.0, 0)]


def test_a_read_that_takes_too_long_is_given_up(records: Records) -> None:
    keep(records, POWER, [(0, 1.0, GOOD)])
    with pytest.raises(TooSlowError):
        lines(records, [POWER.name], Question(BEGUN, BEGUN + S, 100, time.monotonic() - 1))


@pytest.fixture
def client(records: Records) -> TestClient:
    return served(lambda read: read(records))


def served(read: Callable[[Any], Any]) -> TestClient:
    async def read_records(ask: Any) -> Any:
        return read(ask)

    pins = {"dispatch.clamp.OUT": ("LREAL", 0, 0)}
    hall: Any = SimpleNamespace(
        read_records=read_records, picture=SimpleNamespace(tags=(POWER, READY, CELLS)), order=SimpleNamespace(pins=pins)
    )
    app = FastAPI()
    app.add_exception_handler(ProblemError, told)
    app.include_router(history_routes(hall))
    return TestClient(app)


def test_the_answer_has_units_and_names_what_has_no_history(records: Records, client: TestClient) -> None:
    keep(records, POWER, [(0, 1.5, GOOD), (1, 2.5, BAD_NO_COMMUNICATION)])
    start = BEGUN // 1_000_000
    answer = client.get(f"/history?tags=SITE.P,rack[1].cell_v[17],<script>&start={start}&end={start + 5000}").json()
    assert answer["missing"] == ["rack[1].cell_v[17]", "<script>"]
    told = answer["tags"]["SITE.P"]
    assert told == {"unit": "kW", "t": [start, start + 1000, start + 5000], "v": [1.5, None, None], "q": [0, 2, 2]}


@pytest.mark.parametrize(
    "query",
    [
        "",
        "tags=a",
        "tags=a&start=5&end=5",
        "tags=a&start=-1&end=5",
        "tags=a&start=1e3&end=5",
        "tags=a&start=0&end=99999999999999999999",
        "tags=a&start=0&end=8796093022208",
        "tags=a&start=0&end=9&points=4001",
        "tags=a&start=0&end=9&points=٣٣",
        "tags=" + "x" * 201 + "&start=0&end=9",
        "tags=" + ",".join(f"t{n}" for n in range(13)) + "&start=0&end=9",
        "tags=,,,&start=0&end=9",
    ],
)
def test_what_cannot_be_answered_is_refused_with_a_reason(client: TestClient, query: str) -> None:
    answer = client.get(f"/history?{query}")
    assert answer.status_code == 422 and answer.json()["detail"]


def test_records_that_cannot_be_read_are_said_so_and_a_site_without_any_has_no_history() -> None:
    def fail(_: Any) -> Any:
        raise NotKeptError("the disk is gone")

    answer = served(fail).get("/history?tags=a&start=0&end=9")
    assert answer.status_code == 503 and "the disk is gone" in answer.json()["detail"]
    assert served(lambda _: None).get("/history?tags=a&start=0&end=9").json() == {"tags": {}, "missing": ["a"]}


def test_the_moments_of_alarms_are_told_and_those_of_shelved_ones_are_not() -> None:
    def event(at: int, kind: str, shelved: str = "") -> Any:
        state = SimpleNamespace(severity="error", text="<b>hot</b>", shelved=shelved)
        return SimpleNamespace(time=at * 1_000_000, kind=kind, alarm="hot", state=state)

    newest_first = [event(3, ACTIVE), event(2, "cleared"), event(2, ACTIVE, "timed"), event(1, ACTIVE)]
    client = served(lambda read: read(SimpleNamespace(events=lambda start, end, limit: newest_first)))
    told = client.get("/marks?start=0&end=9").json()
    assert [mark["t"] for mark in told["marks"]] == [1, 3] and told["more"] is False
    assert told["marks"][0] == {"t": 1, "name": "hot", "severity": "error", "text": "<b>hot</b>"}
    assert client.get("/marks?start=9&end=0").status_code == 422


def test_tags_are_found_by_the_words_of_their_names_and_texts(client: TestClient) -> None:
    def names(find: str) -> list[str]:
        return [found["name"] for found in client.get("/tags", params={"find": find, "pins": True}).json()]

    assert names("meter power") == ["site.p"]
    assert names("CELL rack") == ["rack[1].cell_v"]
    assert names("site") == ["site.p", "site.ready"]
    assert names("clamp") == ["dispatch.clamp.OUT"]
    assert names("(.*[") == []
