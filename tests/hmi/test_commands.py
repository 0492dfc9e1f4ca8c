"""What a page may have the scan do: whose role suffices, from where, and which values are taken."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from hmi import commands
from hmi.screens.control_setpoints import groups_of
from runtime.quality import BAD_NO_COMMUNICATION, GOOD
from tests.aids.hmi_commands import Site, run, running_site

# where the page is shown, what the key switch says (None: it is not known), and whether a command is taken
PLACES = [
    ("10.0.0.9:5", 1, True),
    ("10.0.0.9:5", 0, False),
    ("10.0.0.9:5", None, False),
    ("[2001:db8::5]:7", 0, False),
    ("127.0.0.1:5", 0, True),
    ("[::1]:5", None, True),
]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("commands")) as found:
        yield found


@pytest.fixture
def site(running: Site) -> Site:
    running.clear()
    return running


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
