"""The trace of a page: one at a time, every scan, around a trigger; it ends once nobody looks, and no wrong question starts one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from hmi.scope import UNSEEN, Scope, scope_routes, start
from hmi.scope_asked import NotWantedError, wanted
from hmi.texts import trends as words
from runtime.child import ServiceOrder
from runtime.servers.audit import Who
from runtime.servers.rest.problems import ProblemError, told
from tests.aids.engine import GENERATION, Bench
from tests.aids.site_text import load

PROGRAM = """
blocks:
  count: {type: ADD, A: last count.OUT, B: 1}
outputs:
  x.count: count.OUT
"""
TAGS = """
x.count: {type: LREAL, unit: kW}
x.on: {type: BOOL, default: true}
x.many: {type: "DINT[40]", default: 7}
"""
EVE, OTTO, OLGA = Who("eve", "engineer", "here"), Who("otto", "engineer", "there"), Who("olga", "operator", "there")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, load(PROGRAM, TAGS))


@pytest.fixture
def picture(bench: Bench) -> Any:
    s = bench.schedule
    order = ServiceOrder("hmi", "s", str(bench.folder), "", GENERATION, s.tags, s.region, (), {}, pins=dict(s.pins))
    return SimpleNamespace(order=order, tag={tag.name: tag for tag in s.tags}.get)


@pytest.fixture
def scope(picture: Any) -> Iterator[Scope]:
    made = Scope(picture)
    yield made
    made.end("")


def begin(scope: Scope, bench: Bench, who: Who = EVE, **said: Any) -> str:
    async def go() -> str:
        why = scope.begin(who, {"names": ["x.count", "x.on"], "seconds": 0.2, **said})
        if scope._watching is not None:
            scope._watching.cancel()  # the test looks itself
        return why

    why = asyncio.run(go())
    if not why:
        bench.plc.attach()
    return why


def numbers(told: dict[str, Any], place: int = 0) -> list[float]:
    return [float(value) for value in told["values"][place]]


def test_what_comes_is_told_once_and_a_late_page_gets_what_is_kept(bench: Bench, scope: Scope) -> None:
    assert begin(scope, bench) == ""
    bench.scan(5)
    first = scope.told(0, 0)
    assert numbers(first["samples"]) == [1, 2, 3, 4, 5] and first["lost"] == 0 and first["who"] == "eve"
    assert [channel["unit"] for channel in first["channels"]] == ["kW", ""]
    bench.scan(3)
    assert numbers(scope.told(0, int(first["samples"]["numbers"][-1]))["samples"]) == [6, 7, 8]
    bench.scan(100)
    assert len(scope.told(0, 0)["samples"]["numbers"]) == 20, "a window of 0.2 s at 10 ms is kept, not more"


@pytest.mark.parametrize(("edge", "level", "at"), [("rise", 50.5, 51), ("either", 50.5, 51)])
def test_a_trigger_has_its_share_before_it(bench: Bench, scope: Scope, edge: str, level: float, at: int) -> None:
    assert begin(scope, bench, on="x.count", edge=edge, level=level, share=0.5, single=True) == ""
    bench.scan(45)
    waiting = scope.told(0, 0)
    assert not waiting["triggered"] and "window" not in waiting
    bench.scan(40)
    caught = scope.told(0, 0)
    window = caught["window"]
    assert numbers(window)[window["trigger"]] == at and window["trigger"] == 10 and len(numbers(window)) == 20
    assert window["seconds"][10] == 0 and window["missing"] == 0
    assert not caught["running"] and caught["why"] == words.CAUGHT
    assert "window" not in scope.told(1, 0), "a page that has it is not sent it again"


def test_a_falling_edge_needs_to_have_been_above(bench: Bench, scope: Scope) -> None:
    assert begin(scope, bench, on="x.count", edge="fall", level=1000.0) == ""
    bench.scan(100)
    assert not scope.told(0, 0)["triggered"]


def test_another_engineer_waits_and_an_error_does_not_cost_the_trace_that_runs(bench: Bench, scope: Scope) -> None:
    assert begin(scope, bench) == ""
    assert "eve" in begin(scope, bench, who=OTTO)
    assert begin(scope, bench, names=["x.nothing"]) == words.NO_SUCH_CHANNEL.format(name="x.nothing")
    assert scope.told(0, 0)["running"]
    assert begin(scope, bench, names=["x.many[3]"]) == "", "whose trace it is may start another in its place"
    bench.scan(2)
    assert numbers(scope.told(0, 0)["samples"]) == [7, 7]


def test_another_process_of_the_site_has_the_only_trace(bench: Bench, scope: Scope, picture: Any) -> None:
    other = Scope(picture)
    assert begin(other, bench) == ""
    assert begin(scope, bench) == words.BUSY_ELSEWHERE
    other.end("")
    assert begin(scope, bench) == ""


def test_it_ends_when_nobody_looks_and_when_another_program_is_loaded(bench: Bench, scope: Scope, picture: Any) -> None:
    assert begin(scope, bench) == ""
    bench.scan(1)
    running = scope.running
    assert running is not None
    running.looked -= UNSEEN + 1
    running.read()
    assert running.closed == words.NOBODY_LOOKS
    assert not list(bench.folder.glob("hmi.trace")), "the scan is told to stop"
    assert begin(scope, bench, who=OTTO) == ""
    picture.order = SimpleNamespace()
    assert scope.told(0, 0)["why"] == words.OTHER_PROGRAM


@pytest.mark.parametrize(
    "said",
    [
        None,
        [],
        {},
        {"names": "x.count"},
        {"names": []},
        {"names": [1]},
        {"names": [""]},
        {"names": [f"x.many[{n}]" for n in range(1, 10)]},
        {"names": ["a"], "seconds": 0},
        {"names": ["a"], "seconds": 1e9},
        {"names": ["a"], "seconds": float("nan")},
        {"names": ["a"], "seconds": True},
        {"names": ["a"], "share": 1},
        {"names": ["a"], "share": "0.5"},
        {"names": ["a"], "on": "b"},
        {"names": ["a"], "on": 1},
        {"names": ["a"], "on": "a", "edge": "up"},
        {"names": ["a"], "on": "a", "level": float("inf")},
        {"names": ["a"], "on": "a", "hysteresis": -1},
    ],
)
def test_what_cannot_be_traced_is_refused(said: Any) -> None:
    with pytest.raises(NotWantedError):
        wanted(said)


def test_an_array_is_not_a_channel_and_a_pin_is(bench: Bench, scope: Scope) -> None:
    assert "x.many[1]" in begin(scope, bench, names=["x.many"])
    assert begin(scope, bench, names=["p.count.OUT", "x.on"], on="x.on") == ""
    bench.scan(3)
    assert scope.told(0, 0)["triggered"] is False, "it is on all the time: no edge"


@pytest.mark.parametrize(("who", "is_taken"), [(EVE, True), (OLGA, False), (Who("anonymous", "viewer", ""), False)])
def test_only_an_engineer_starts_it_and_it_is_noted(bench: Bench, scope: Scope, who: Who, is_taken: bool) -> None:
    notes: list[tuple[Any, ...]] = []
    hall = SimpleNamespace(scope=scope, door=SimpleNamespace(note=lambda *words: notes.append(words)))
    visit: Any = SimpleNamespace(hall=hall, who=who)
    assert (asyncio.run(start(visit, {"names": ["x.count"]})) == "") == is_taken
    assert notes[0][0] is who and notes[0][4] is is_taken
    assert (scope.running is not None) == is_taken


def test_a_page_that_asks_nonsense_is_told_so(scope: Scope) -> None:
    app = FastAPI()
    app.add_exception_handler(ProblemError, told)
    hall: Any = SimpleNamespace(scope=scope)
    app.include_router(scope_routes(hall))
    client = TestClient(app)
    assert client.get("/scope").json() == {"begun": 0, "running": False, "why": ""}
    for query in ("seen=x", "since=-1", "since=" + "9" * 40, "seen=٣"):
        assert client.get(f"/scope?{query}").status_code == 422
