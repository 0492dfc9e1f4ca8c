"""The test setpoint is somebody's while their page is there; whatever ends that, it goes back to zero."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from nicegui import background_tasks

from hmi.hall import Visit
from hmi.screens import control_hold
from hmi.screens.control_hold import Hold, holder
from hmi.texts import control as said
from tests.aids.hmi_commands import Site, run, running_site


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("commands")) as found:
        yield found


@pytest.fixture
def site(running: Site) -> Site:
    running.clear()
    return running


async def held(site: Site, visit: Visit, told: list[tuple[str, str]], there: list[bool]) -> Hold:
    """Mode test, and the setpoint taken and at 30 kW."""
    site.scan.set("site.mode", 9)
    await asyncio.sleep(0.05)
    hold = Hold(visit, lambda: there[0], lambda *words: told.append(words))
    assert await hold.begin() == ""
    assert await hold.put(lambda now: now + 30) == "" and site.scan.get("set.p_test") == 30
    return hold


async def until(site: Site, zero: float = 0.0) -> None:
    for _ in range(200):
        if site.scan.get("set.p_test") == zero and holder(site.hall) is None:
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the test setpoint was left behind")


@pytest.mark.parametrize("why", ["asked", "left", "silent", "mode", "role", "closing"])
def test_the_test_setpoint_goes_to_zero_whatever_ends_the_test(site: Site, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_hold, "LOOK", 0.05)
    monkeypatch.setattr(control_hold, "PATIENCE", 0.3 if why == "silent" else 30.0)
    told: list[tuple[str, str]] = []

    async def test() -> None:
        visit, there = site.visit("engineer"), [True]
        hold = await held(site, visit, told, there)
        match why:
            case "asked":
                hold.end("asked")
            case "left":
                there[0] = False
            case "mode":
                site.scan.set("site.mode", 0)
            case "role":
                site.hall.visitors.sessions.end(visit.token)
            case "closing":
                await background_tasks.teardown()
        await until(site)
        assert await hold.put(lambda now: now + 1) == said.FREE

    run(site, test())
    assert told == [(why, "")] and site.scan.get("set.p_test") == 0
    assert site.deeds[-1].who.user == "engineer1" and site.deeds[-1].new == 0.0


def test_one_page_holds_the_test_setpoint_at_a_time_and_only_in_mode_test(site: Site) -> None:
    async def test() -> None:
        other = Hold(site.visit("admin"), lambda: True, lambda *_: None)
        assert await other.begin() == said.MUST_BE_TEST
        hold = await held(site, site.visit("engineer"), [], [True])
        assert "engineer1" in await other.begin()
        assert await hold.put(lambda now: now + 1e9) == "" and site.scan.get("set.p_test") == 80.0
        hold.end("asked")
        await until(site)
        low = Hold(site.visit("operator"), lambda: True, lambda *_: None)
        assert "engineer" in await low.begin() and holder(site.hall) is None

    run(site, test())


def test_a_test_setpoint_whose_server_died_is_set_to_zero_by_the_next_one(site: Site) -> None:
    note = Path(site.hall.order.run_dir) / control_hold.HELD

    async def test() -> None:
        hold = await held(site, site.visit("engineer"), [], [True])
        left = note.read_text()
        hold.end("asked")
        await until(site)
        assert not note.exists(), "whoever ends a test leaves nothing behind"
        for found, user in ((left, "engineer1"), ("{", "hmi")):
            note.write_text(found)
            site.scan.set("set.p_test", 30)
            await asyncio.sleep(0.05)
            await control_hold.end_hold_of_before(site.hall)
            assert site.scan.get("set.p_test") == 0 and not note.exists()
            assert site.deeds[-1].who.user == user and site.deeds[-1].taken
        await control_hold.end_hold_of_before(site.hall)  # with nothing noted nothing is written
        assert len([deed for deed in site.deeds if deed.subject == "set.p_test"]) == 5

    run(site, test())


def test_nobody_holds_a_test_setpoint_that_would_outlive_the_server(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_hold, "HELD", "no/such/folder")

    async def test() -> None:
        site.scan.set("site.mode", 9)
        await asyncio.sleep(0.05)
        why = await Hold(site.visit("engineer"), lambda: True, lambda *_: None).begin()
        assert "cannot be noted" in why and holder(site.hall) is None

    run(site, test())


def test_a_scan_that_does_not_answer_is_asked_for_zero_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_hold, "LOOK", 0.05)

    async def test() -> None:
        hold = await held(site, site.visit("engineer"), [], [True])
        site.scan.answer = 9
        hold.end("asked")
        await asyncio.sleep(0.3)
        assert site.scan.get("set.p_test") == 30 and holder(site.hall) is hold
        site.scan.answer = 0
        await until(site)

    run(site, test())
