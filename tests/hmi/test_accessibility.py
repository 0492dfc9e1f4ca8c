"""Every screen against axe-core (WCAG 2.1 A and AA) by day and by night: no serious fault, on a panel of 1024x600."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from hmi.frame import SCREENS, path_of
from tests.aids.browser import screen
from tests.aids.places import ROOT
from tests.aids.servers_hmi import HmiSite, hmi_site
from tests.aids.servers_rest import raise_alarm

AXE = ROOT / "tests/clients/node_modules/axe-core/axe.min.js"
RULES = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'], resultTypes: ['violations']}"
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not AXE.exists(), reason="no axe-core: npm ci --prefix tests/clients")]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HmiSite]:
    with hmi_site(tmp_path_factory.mktemp("hmi")) as running:
        raise_alarm(running, "cell_hot_h")
        yield running


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("name", [*SCREENS, "login"])
def test_no_screen_has_a_serious_fault(browser: Browser, site: HmiSite, name: str, colours: str) -> None:
    with screen(browser, site.origin, color_scheme=colours) as seen:
        if name == "login":
            seen.page.goto(f"{site.origin}/login")
        else:
            seen.log_in("operator1")
            seen.open(path_of(name))
        seen.page.wait_for_timeout(500)  # a screen that fetches its data
        seen.page.add_script_tag(path=AXE)
        found = seen.page.evaluate(f"async () => (await axe.run(document, {RULES})).violations")
    serious = [
        f"{fault['impact']} {fault['id']}: {fault['help']}: " + "; ".join(node["html"][:160] for node in fault["nodes"][:4])
        for fault in found
        if fault["impact"] in ("serious", "critical")
    ]
    assert serious == []
