"""The page at the running commercial site with its simulated plant: what people do there, what comes of it, what is refused."""

from __future__ import annotations

import json
import math
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.aids.browser import Screen, screen
from tests.aids.workshop import Workshop, running_workshop

pytestmark = [pytest.mark.slow, pytest.mark.site]
See = Callable[[str, str], Screen]
TREMBLE_MS = 600  # a second touch that comes sooner, in the dialog that the first one opened, counts nothing
TARGET = "set.grid_target"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    with running_workshop(tmp_path_factory.mktemp("workshop")) as running:
        running.until(lambda: running.value("grid.in_service"), 60, "the plant is in service")
        yield running


@pytest.fixture
def see(browser: Browser, site: Workshop) -> Iterator[See]:
    """Open a screen as a user; all are closed on the way out, and fail the test where their scripts failed."""
    opened: list[Any] = []

    def open_as(user: str, path: str) -> Screen:
        one = screen(browser, site.page)
        seen = one.__enter__()
        opened.append(one)
        if user:
            seen.log_in(user)
        seen.open(path)
        return seen

    yield open_as
    for one in opened:
        one.__exit__(None, None, None)


def deed(page: Page, about: str) -> Any:
    return page.locator(f'[data-about="{about}"]').first


def enter(page: Page, keys: str) -> None:
    """Type on the pad by touch, once it is there."""
    page.locator(".pad input:focus").wait_for()
    page.wait_for_timeout(TREMBLE_MS)
    for key in keys:
        page.locator(f'.pad [data-key="{key}"]').tap()
    page.locator('.pad [data-key="ok"]').tap()


def yes(page: Page) -> None:
    page.wait_for_timeout(TREMBLE_MS)
    page.locator("[data-yes]").tap()


def test_an_operator_starts_the_site_and_power_follows_the_setpoint(see: See, site: Workshop) -> None:
    site.verb("control", "--mode", "self-consumption", "--commission")
    page = see("operator1", "/control").page
    deed(page, "cmd.GoToState_Running").tap()
    yes(page)
    site.until_it_runs(180)
    site.until_metered(0, 120)

    page = see("operator1", "/control/setpoints").page
    page.locator('[data-about="mode"]').tap()
    deed(page, TARGET).tap()
    enter(page, "12")
    expect(page.get_by_role("alertdialog")).to_contain_text("12")
    yes(page)
    site.until(lambda: site.value(TARGET) == 12, 10, "the setpoint is written")
    site.until_metered(12, 120)
    expect(page.locator(f'[data-tag="{TARGET}"]').first).to_contain_text("12")
    written = json.loads(site.verb("audit", "--json"))
    assert any(TARGET in json.dumps(line) and "operator1" in json.dumps(line) for line in written)


@pytest.mark.parametrize("typed", ["999999", "-999999", "."])
def test_a_value_that_cannot_be_is_refused_as_it_is_typed(see: See, typed: str) -> None:
    page = see("operator1", "/control/setpoints").page
    page.locator('[data-about="mode"]').tap()
    deed(page, TARGET).tap()
    page.locator(".pad input:focus").fill(typed)
    page.locator(".pad input").press("Enter")
    expect(page.locator(".pad .why")).not_to_be_empty()
    expect(page.get_by_role("alertdialog")).to_have_count(0)


@pytest.mark.parametrize("user", ["", "viewer1"])
def test_whoever_may_only_look_commands_nothing_and_is_told_why(see: See, site: Workshop, user: str) -> None:
    stops = site.verb("audit", "--json").count("cmd.GoToState_Idling")
    page = see(user, "/control").page
    deed(page, "cmd.GoToState_Idling").tap(force=True)
    expect(page.locator("body")).to_contain_text("operator")
    expect(page.get_by_role("alertdialog")).to_have_count(0)
    assert site.verb("audit", "--json").count("cmd.GoToState_Idling") == stops


def test_an_engineer_forces_a_tag_and_lets_it_go_and_an_operator_may_not(see: See, site: Workshop) -> None:
    page = see("engineer1", "/control/forces").page
    page.get_by_role("textbox").first.fill("set.load_base")
    deed(page, "set.load_base").tap()
    enter(page, "7")
    page.get_by_label("Why (it stands").fill("test of the page")
    page.get_by_role("button", name="Force", exact=True).last.tap()
    site.until(lambda: site.value("plc.forced") == 1 and site.value("set.load_base") == 7, 30, "the force holds")
    expect(page.locator("table.forces")).to_contain_text("test of the page")
    expect(page.locator("table.forces")).to_contain_text("engineer1")

    other = see("operator1", "/control/forces").page
    expect(other.locator("table.forces")).to_contain_text("set.load_base")
    deed(other, "set.load_base").tap(force=True)
    expect(other.locator("body")).to_contain_text("engineer")
    assert site.value("plc.forced") == 1

    deed(page, "set.load_base").tap()
    yes(page)
    site.until(lambda: site.value("plc.forced") == 0, 10, "the force is lifted")


def test_lifting_all_forces_names_them_first(see: See, site: Workshop) -> None:
    for name, held in (("set.load_base", "7"), ("set.grid_target", "3")):
        site.verb("force", f"{name}={held}", "--reason", "test of the page")
    page = see("engineer1", "/control/forces").page
    page.get_by_role("button", name="Lift all").tap()
    sure = page.get_by_role("alertdialog")
    expect(sure).to_contain_text("set.load_base")
    expect(sure).to_contain_text("set.grid_target")
    yes(page)
    site.until(lambda: site.value("plc.forced") == 0, 10, "all forces are lifted")
    expect(page.locator("table.forces")).to_have_count(0)


def test_a_forced_tag_is_marked_on_the_wires_of_its_diagram(see: See, site: Workshop) -> None:
    site.verb("force", "set.load_base=7", "--reason", "test of the page")
    page = see("engineer1", "/program?program=modes&at=set.load_base").page
    chip = page.locator('.canvas [data-name="set.load_base"]').first
    chip.wait_for(state="attached", timeout=120_000)
    expect(page.locator('.canvas [data-state="forced"]').first).to_be_attached(timeout=20_000)
    site.verb("unforce", "--all")
    expect(page.locator('.canvas [data-state="forced"]')).to_have_count(0, timeout=20_000)


def test_an_operator_plans_an_hour_on_a_date_and_changes_a_price(see: See, site: Workshop) -> None:
    page = see("operator1", "/control/schedule").page
    page.get_by_role("button", name="Add an entry").tap()
    dialog = page.get_by_role("dialog").last
    dialog.get_by_role("button", name="on one date").tap()
    dialog.locator("input[type=date]").fill("2030-01-31")
    dialog.get_by_role("button", name="Power (discharge").tap()
    enter(page, "15")
    page.wait_for_timeout(TREMBLE_MS)
    dialog.get_by_role("button", name="Save").tap()
    expect(page.get_by_role("alertdialog")).to_contain_text("2030-01-31")
    yes(page)
    begin = (datetime(2030, 1, 31, 8) - datetime(1970, 1, 1)).total_seconds()  # the plant's own clock knows no zones
    wanted = [0, begin, 3600, 15]
    names = [f"set.schedule_{column}" for column in ("days", "start", "length", "p")]
    site.until(lambda: [site.value(name)[0] for name in names] == wanted, 10, "the entry is written")
    expect(page.locator(".entry-list")).to_contain_text("2030-01-31")

    page.locator('[data-deed="price"][data-about="18"]').tap()
    enter(page, "0.42")
    yes(page)
    site.until(lambda: site.value("set.price")[17] == 0.42, 10, "the price is written")

    page.locator('[data-deed="delete"][data-about="1"]').tap()
    yes(page)
    site.until(lambda: site.value("set.schedule_length")[0] == 0, 10, "the entry is deleted")


def test_an_engineer_resets_the_statistics_and_an_operator_may_not(see: See, site: Workshop) -> None:
    def scans() -> int:
        return int(site.rest.get("/api/v1/statistics").json()["steps"]["scan"]["count"])

    site.until(lambda: scans() > 1000, 60, "a thousand scans")
    page = see("operator1", "/program?tab=tasks").page
    page.get_by_role("button", name="Reset statistics").tap()
    expect(page.locator("body")).to_contain_text("engineer")
    assert scans() > 1000
    page = see("engineer1", "/program?tab=tasks").page
    page.get_by_role("button", name="Reset statistics").tap()
    yes(page)
    site.until(lambda: scans() < 1000, 10, "the statistics begin anew")


def test_the_phases_at_the_connection_sum_up_to_its_power(see: See, site: Workshop) -> None:
    page = see("", "/power").page

    def shown(letter: str) -> float:
        return sum(float(page.locator(f'[data-tag="grid.{letter}_l{phase}"]').inner_text()) for phase in (1, 2, 3))

    site.until(lambda: abs(shown("p") - site.value("grid.p")) < 1, 20, "the phases share the power")
    site.until(lambda: abs(shown("q") - site.value("grid.q")) < 1, 20, "the phases share the reactive power")
    for phase in (1, 2, 3):  # the apparent power of each is its voltage times its current
        volts, amps, kw, kvar = (site.value(f"grid.{letter}_l{phase}") for letter in "vipq")
        assert volts * amps / 1000 == pytest.approx(math.hypot(kw, kvar), abs=1)


def test_the_highest_cell_leads_to_its_trend(see: See) -> None:
    page = see("", "/cells").page
    page.locator('.figures [data-name="high"]').tap()
    link = page.locator(".cell a", has_text="Trend")
    expect(link).to_have_attribute("href", re.compile(r"rack\[\d\]\.cell_v\[\d+\]|rack%5B"))
    link.tap()
    expect(page.locator("#trends")).to_contain_text("cell_v", timeout=20_000)


def test_the_cells_of_a_rack_that_is_not_heard_look_so(see: See, site: Workshop) -> None:
    page = see("", "/cells").page
    of_first = page.locator('tr[data-of="1"] [data-low]')
    expect(of_first).to_have_attribute("data-q", "good")
    site.plant("set_fault", fault="drop_link", link="can0")
    expect(of_first).to_have_attribute("data-q", "uncertain", timeout=20_000)  # what was heard last
    expect(page.locator('tr[data-of="2"] [data-low]')).to_have_attribute("data-q", "good")
    page.locator('[data-what="soc"]').tap()  # the program counts on with what it heard last
    expect(of_first).to_have_attribute("data-q", "uncertain", timeout=20_000)
    expect(page.locator('.figures [data-name="mean"] b')).to_have_attribute("data-q", "uncertain")
    site.plant("clear_fault", fault="drop_link", link="can0")
    expect(of_first).to_have_attribute("data-q", "good", timeout=20_000)


def test_an_alarm_of_a_real_fault_is_seen_on_every_screen_and_acknowledged_with_a_comment(see: See, site: Workshop) -> None:
    seen = see("operator1", "/trends")
    page = seen.page
    site.plant("set_fault", fault="smoke")
    expect(page.locator("#banner")).to_have_attribute("data-severity", "critical", timeout=20_000)
    page.locator("#banner").tap()
    row = page.locator("tr", has_text="smoke").first
    row.locator("input[type=checkbox]").check(force=True)
    page.get_by_role("button", name="With comment").tap()
    page.get_by_role("dialog").get_by_role("textbox").fill("seen from the gate")
    page.wait_for_timeout(TREMBLE_MS)
    page.get_by_role("dialog").get_by_role("button", name="Acknowledge").tap()
    told = site.until(
        lambda: next((a for a in json.loads(site.verb("alarms", "--json")) if "smoke" in a["name"] and a["acked"]), None),
        20,
        "the alarm is acknowledged",
    )
    assert told["comment"] == "seen from the gate" and told["acked_by"] == "operator1"
    assert site.value("site.closed") is False, "smoke opens the contactors, whatever the page shows"

    site.plant("clear_fault", fault="smoke")
    site.verb("control", "--reset")  # it is latched
    page.get_by_role("tab", name="Unacknowledged").tap()
    row = page.locator("tr", has_text="smoke").first
    expect(row).to_contain_text("to be confirmed", timeout=20_000)  # it is gone, and stays here until its cause is seen to
    row.locator("input[type=checkbox]").check(force=True)
    page.get_by_role("button", name="Confirm").tap()
    page.wait_for_timeout(TREMBLE_MS)
    page.get_by_role("dialog").get_by_role("button", name="Confirm").tap()
    expect(page.locator("tr", has_text="smoke")).to_have_count(0, timeout=20_000)
    assert not any("smoke" in alarm["name"] for alarm in json.loads(site.verb("alarms", "--json")))


def test_the_page_is_grey_while_its_process_is_cut_off_and_the_scan_goes_on(see: See, site: Workshop) -> None:
    page = see("", "/").page
    pid, scans = site.running.pid_of("hmi"), site.value("plc.scan")
    os.kill(pid, signal.SIGSTOP)
    try:
        page.wait_for_selector("body[data-link=lost]", timeout=5000)
        expect(page.locator("#link")).to_contain_text("No connection since")
        time.sleep(1)
        assert site.value("plc.scan") > scans + 50
    finally:
        os.kill(pid, signal.SIGCONT)
    page.wait_for_selector("body:not([data-link=lost])", timeout=20_000)


def test_a_test_setpoint_goes_to_zero_though_the_page_and_its_server_are_killed(see: See, site: Workshop) -> None:
    site.verb("control", "--reset", "--mode", "test")
    page = see("engineer1", "/control/test").page
    page.get_by_role("button", name="Take the test setpoint").tap()
    page.get_by_role("button", name="Type a value").tap()
    enter(page, "5")
    site.until(lambda: site.value("set.p_test") == 5, 10, "the setpoint is driven")
    pid = site.running.pid_of("hmi")
    os.kill(pid, signal.SIGKILL)
    site.until(lambda: site.value("set.p_test") == 0, 60, "the next server ends the test")
    assert site.running.pid_of("hmi") != pid
    expect(page.get_by_role("button", name="Take the test setpoint")).to_be_visible(timeout=60_000)


def test_a_page_that_was_killed_is_back_and_costs_the_scan_nothing(see: See, site: Workshop) -> None:
    page = see("", "/").page
    missed = site.value("plc.missed")
    pid = site.running.pid_of("hmi")
    os.kill(pid, signal.SIGKILL)
    page.wait_for_selector("body[data-link=lost]", timeout=5000)
    site.until(lambda: site.running.pid_of("hmi") not in (0, pid), 30, "the supervisor starts it again")
    page.wait_for_selector("body:not([data-link=lost])", timeout=60_000)
    assert site.value("state.machine") is not None and site.value("plc.missed") - missed < 20
