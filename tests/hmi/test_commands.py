"""What a page may have the scan do: whose role suffices, which values are taken, and that a test ends with whoever began it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from nicegui import background_tasks, core

from hmi import commands
from hmi.hall import Hall, Visit
from hmi.screens import control_hold
from hmi.screens.control_hold import Hold, holder
from hmi.screens.control_setpoints import groups_of
from hmi.server import hall_of
from hmi.settings import HmiSettings
from hmi.texts import control as said
from runtime.engine.image import STAMP_SCAN
from runtime.model import Tag
from runtime.quality import BAD_NO_COMMUNICATION, GOOD
from runtime.servers.audit import Deed
from runtime.servers.door import Door
from tests.aids.servers_process import eventually
from tests.aids.servers_rest import described
from tests.aids.servers_scan import TAGS, TestScan

MODES = ((0, "PASSIVE"), (9, "TEST"))
MORE = (
    Tag("set.p_test", "LREAL", 0, 0, 0, "memory", "kW", "Power in mode test", -80.0, 80.0, 0.0, "operator", "engineer"),
    Tag("site.mode", "DINT", 0, 0, 0, "memory", "", "Mode", names=MODES),
    Tag("cmd.GoToState_Running", "BOOL", 0, 0, 0, "memory", "", "Run", write="operator", pulse=True),
    Tag("own.setting", "LREAL", 0, 0, 0, "memory", "kW", "A site's own", write="operator"),
)
# where the page is shown, what the key switch says (None: it is not known), and whether a command is taken
PLACES = [
    ("10.0.0.9:5", 1, True),
    ("10.0.0.9:5", 0, False),
    ("10.0.0.9:5", None, False),
    ("[2001:db8::5]:7", 0, False),
    ("127.0.0.1:5", 0, True),
    ("[::1]:5", None, True),
]


class Site:
    """A hall over a scan, what was noted, and visits of any role."""

    def __init__(self, scan: TestScan, hall: Hall, tokens: dict[str, str]):
        self.scan, self.hall, self._tokens, self.deeds = scan, hall, tokens, list[Deed]()
        hall.door.keep = [self.deeds.append]

    def visit(self, role: str) -> Visit:
        user = self.hall.users.by_token(self._tokens[role]) if role != "viewer" else None
        return Visit(self.hall, self.hall.visitors.sessions.begin(user) if user else "", "127.0.0.1:5")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("commands")
    scan = TestScan(folder, (*TAGS, *MORE))
    made = described(folder, scan)
    order = replace(made.order, service="hmi", alarms=(), state_dir="")
    hall = hall_of(order, Door(order), replace(HmiSettings(), anonymous="viewer"))
    with contextlib.closing(hall):
        yield Site(scan, hall, made.tokens)
    scan.stop()


@pytest.fixture
def site(running: Site) -> Site:
    """Nothing is written yet, and whoever waited for an answer waits no more."""
    running.hall.door.follow(running.hall.order)
    for tag in running.scan.tags:
        running.scan.set(tag.name, 0)
    before = int(running.scan.stamps[STAMP_SCAN]) + 1  # what is set now is in the picture of the scan after this one
    eventually(lambda: running.hall.door.refresh() and running.hall.door.snapshot.scan > before, 20)
    running.scan.taken.clear()
    running.deeds.clear()
    return running


def run(site: Site, deed: Awaitable[Any]) -> Any:
    """What becomes of it, once the scan has published something."""

    async def begun() -> Any:
        core.loop = asyncio.get_running_loop()
        while site.hall.door.is_stale():
            await asyncio.sleep(0.01)
            site.hall.picture.look()
        return await deed

    return asyncio.run(begun())


def test_who_may_write_writes_and_it_is_noted_with_old_and_new(site: Site) -> None:
    assert run(site, commands.write(site.visit("operator"), "HMI.p_set", 12.5)) == ""
    assert site.scan.get("hmi.p_set") == 12.5
    deed = site.deeds[-1]
    assert (deed.who.user, deed.action, deed.subject, deed.old, deed.new, deed.taken) == (
        "operator1",
        "write",
        "hmi.p_set",
        0.0,
        12.5,
        True,
    )


@pytest.mark.parametrize(("peer", "is_remote", "is_taken"), PLACES)
def test_in_local_control_only_a_panel_of_the_plant_commands(
    site: Site, peer: str, is_remote: int | None, is_taken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site.hall.picture, "order", replace(site.hall.order, authority="bms.ok"))
    site.scan.set("bms.ok", is_remote or 0)
    site.scan.spoil("bms.ok", BAD_NO_COMMUNICATION if is_remote is None else GOOD)
    run(site, asyncio.sleep(0.05))
    visit = replace(site.visit("engineer"), peer=peer)
    answers = [
        run(site, commands.write(visit, "hmi.p_set", 5.0)),
        run(site, commands.write_all(visit, [("hmi.p_set", 5.0, 0)])),
        run(site, commands.force(visit, "hmi.p_set", 5.0, "a test", 60.0)),
    ]
    site.scan.spoil("bms.ok", GOOD)
    assert all(("local control" in answer) != is_taken for answer in answers)
    assert bool(site.scan.taken) == is_taken


@pytest.mark.parametrize(("role", "name"), [("viewer", "hmi.p_set"), ("operator", "hmi.limit"), ("admin", "bms.soc")])
def test_who_may_not_is_refused_with_the_role_it_needs_and_the_scan_is_not_asked(site: Site, role: str, name: str) -> None:
    assert run(site, commands.write(site.visit(role), name, 1))
    assert site.scan.taken == [] and not site.deeds[-1].taken


def test_a_login_that_has_ended_writes_nothing(site: Site) -> None:
    visit = site.visit("engineer")
    site.hall.visitors.sessions.end(visit.token)
    assert "Log in" in run(site, commands.write(visit, "hmi.limit", 1)) and site.scan.taken == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hmi.enable", 1),
        ("hmi.enable", "true"),
        ("hmi.enable", None),
        ("hmi.p_set", True),
        ("hmi.p_set", "5"),
        ("hmi.p_set", 10**400),
        ("hmi.p_set", float("nan")),
        ("hmi.p_set", float("inf")),
        ("hmi.p_set", 501.0),
        ("hmi.count", 1.5),
        ("hmi.count", 2**63),
        ("hmi.count", float("-inf")),
        ("hmi.count", [1]),
        ("hmi.steps", {"a": 1}),
        ("no.such", 1),
    ],
)
def test_a_value_that_the_tag_cannot_have_is_refused_in_words(site: Site, name: str, value: Any) -> None:
    why = run(site, commands.write(site.visit("admin"), name, value))
    assert why and site.scan.taken == []


def test_several_values_are_written_in_one_go_or_none_is(site: Site) -> None:
    wanted = [("hmi.steps", 1.0, 0), ("hmi.steps", 2.0, 2), ("hmi.count", 7, 0)]
    assert run(site, commands.write_all(site.visit("operator"), wanted)) == ""
    assert site.scan.get("hmi.steps") == [1.0, 0.0, 2.0] and site.scan.get("hmi.count") == 7


@pytest.mark.parametrize(
    "spoilt",
    [
        ("hmi.steps", 501.0, 0),
        ("hmi.steps", 1.0, 3),
        ("hmi.steps", 1.0, -1),
        ("hmi.limit", 1, 0),
        ("bms.soc", 1.0, 0),
        ("no", 1, 0),
    ],
)
def test_one_that_cannot_be_keeps_all_others_from_being_written(site: Site, spoilt: tuple[str, Any, int]) -> None:
    assert run(site, commands.write_all(site.visit("operator"), [("hmi.steps", 1.0, 0), spoilt]))
    assert site.scan.taken == []


def test_more_values_than_a_scan_takes_are_refused(site: Site) -> None:
    assert run(site, commands.write_all(site.visit("operator"), [("hmi.count", 1, 0)] * 65)) and site.scan.taken == []


@pytest.mark.parametrize(
    ("role", "reason", "lasts", "value"),
    [
        ("operator", "a test", 60.0, 5.0),
        ("engineer", "  ", 60.0, 5.0),
        ("engineer", "x" * 201, 60.0, 5.0),
        ("engineer", "a test", 59.0, 5.0),
        ("engineer", "a test", 8 * 3600 + 1.0, 5.0),
        ("engineer", "a test", float("nan"), 5.0),
        ("engineer", "a test", -1.0, 5.0),
        ("engineer", "a test", 60.0, True),
    ],
)
def test_a_force_needs_an_engineer_a_reason_and_a_time(site: Site, role: str, reason: str, lasts: float, value: Any) -> None:
    why = run(site, commands.force(site.visit(role), "bms.soc", value, reason, lasts))
    assert why and not site.deeds[-1].taken and site.deeds[-1].action == "force"


def test_only_an_engineer_ends_all_forces(site: Site) -> None:
    assert "engineer" in run(site, commands.unforce_all(site.visit("operator")))
    assert site.deeds[-1].subject == "all forces" and not site.deeds[-1].taken


def test_what_no_group_knows_is_a_setpoint_all_the_same_and_commands_are_none(site: Site) -> None:
    groups = groups_of(site.hall)
    assert "own.setting" in {tag.name for tag in groups["more"]}
    assert not {"set.p_test", "cmd.GoToState_Running"} & {tag.name for tags in groups.values() for tag in tags}


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
