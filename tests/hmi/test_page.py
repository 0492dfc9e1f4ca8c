"""The frame of every page in a real browser: quality, a cut link, a silent PLC, dimming, keys, logins that end."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from hmi.frame import SCREENS, path_of
from runtime.quality import BAD_SENSOR_FAILURE, GOOD, GOOD_LOCAL_OVERRIDE
from tests.aids.browser import Screen, screen
from tests.aids.servers_hmi import HmiSite, hmi_site
from tests.aids.servers_rest import PASSWORD

pytestmark = pytest.mark.slow
SOC = '<span class="value" data-tag="bms.soc" data-decimals="1">–</span>'


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HmiSite]:
    with hmi_site(tmp_path_factory.mktemp("hmi"), dim="3 s") as running:
        yield running


@pytest.fixture
def seen(browser: Browser, site: HmiSite) -> Iterator[Screen]:
    site.scan.set("bms.soc", 62.5)
    with screen(browser, site.origin) as page:
        page.open()
        page.page.evaluate(f"document.querySelector('main').insertAdjacentHTML('afterbegin', `<p id=here>{SOC}</p>`)")
        expect(page.page.locator("#here")).to_contain_text("62.5")
        yield page


def test_a_value_shows_its_unit_and_follows_within_a_moment(seen: Screen, site: HmiSite) -> None:
    assert seen.page.locator("#here").inner_text().replace("\u202f", " ") == "62.5 %"
    site.scan.set("bms.soc", 63.5)
    expect(seen.page.locator("#here")).to_contain_text("63.5")


def test_quality_is_seen_on_the_value(seen: Screen, site: HmiSite) -> None:
    shown = seen.page.locator("#here .value")
    for code, word in ((BAD_SENSOR_FAILURE, "bad"), (GOOD_LOCAL_OVERRIDE, "forced"), (GOOD, "good")):
        site.scan.spoil("bms.soc", code)
        expect(shown).to_have_attribute("data-q", word)


def test_a_page_that_hears_nothing_greys_out_within_a_second_and_says_since_when(seen: Screen, site: HmiSite) -> None:
    os.kill(site.server.process.pid, signal.SIGSTOP)
    try:
        cut = time.monotonic()
        seen.page.wait_for_selector("body[data-link=lost]", timeout=5000)
        assert time.monotonic() - cut < 2.5  # 0.8 s, and 5 looks of a busy machine
        assert "No connection since" in seen.page.inner_text("#link")
        assert float(seen.page.evaluate("getComputedStyle(document.querySelector('#here .value')).opacity")) < 0.7
    finally:
        os.kill(site.server.process.pid, signal.SIGCONT)
    seen.page.wait_for_selector("body[data-link=live]", timeout=20_000)
    expect(seen.page.locator("#link")).to_be_hidden()


def test_when_the_plc_falls_silent_the_page_says_so_and_nothing_looks_fresh(seen: Screen, site: HmiSite) -> None:
    site.scan.frozen = True
    try:
        seen.page.wait_for_selector("body[data-link=silent]", timeout=10_000)
        assert "has said nothing since" in seen.page.inner_text("#link")
        expect(seen.page.locator("#here .value")).to_have_attribute("data-q", "uncertain")
    finally:
        site.scan.frozen = False
    seen.page.wait_for_selector("body[data-link=live]", timeout=20_000)


def test_the_screen_dims_and_the_touch_that_wakes_it_commands_nothing(seen: Screen) -> None:
    seen.page.evaluate(
        "document.querySelector('#here').insertAdjacentHTML('beforeend', '<button id=deed style=\"width:200px\">deed</button>');"
        "window.deeds = 0; document.querySelector('#deed').addEventListener('click', () => window.deeds++)"
    )
    seen.page.wait_for_selector("body[data-dim]", timeout=15_000)
    seen.page.locator("#deed").tap(force=True)
    seen.page.wait_for_selector("body:not([data-dim])", timeout=2000)
    assert seen.page.evaluate("window.deeds") == 0
    seen.page.wait_for_timeout(600)
    seen.page.locator("#deed").tap()
    assert seen.page.evaluate("window.deeds") == 1


def test_every_screen_is_a_touch_away_and_its_target_is_large_enough(seen: Screen) -> None:
    for name in SCREENS:
        link = seen.page.locator(f'nav.menu a[data-screen="{name}"]')
        box = link.bounding_box()
        assert box is not None and box["width"] >= 44 and box["height"] >= 44
        link.tap()
        expect(link).to_have_attribute("aria-current", "page")
        assert seen.page.evaluate("location.pathname") == path_of(name)


def test_day_and_night_colours_stay_as_chosen(seen: Screen) -> None:
    seen.page.click("#theme")
    seen.page.click("#theme")
    assert seen.page.evaluate("document.documentElement.dataset.colours") == "night"
    seen.page.reload()
    assert seen.page.evaluate("document.documentElement.dataset.colours") == "night"


def test_a_login_by_keyboard_and_logging_out(browser: Browser, site: HmiSite) -> None:
    with screen(browser, site.origin) as seen:
        seen.page.goto(f"{site.origin}/login?next=/alarms")
        expect(seen.page.locator("#name")).to_be_focused()
        seen.page.keyboard.type("operator1")
        seen.page.keyboard.press("Tab")
        seen.page.keyboard.type(PASSWORD)
        seen.page.keyboard.press("Enter")
        seen.until_live()
        assert seen.page.evaluate("location.pathname") == "/alarms"
        assert "operator1" in seen.page.inner_text("header")
        seen.page.get_by_role("button", name="Log out").click()
        seen.page.wait_for_function(
            "document.querySelector('header') && !document.querySelector('header').innerText.includes('operator1')"
        )


def test_a_name_that_is_markup_is_shown_and_not_obeyed(browser: Browser, site: HmiSite) -> None:
    with screen(browser, site.origin) as seen:
        seen.page.goto(f"{site.origin}/login?next=/%22%3E%3Cimg src=x onerror=alert(1)%3E")
        assert seen.page.locator("img").count() == 0
