"""The list of alarms in a flood, in a real browser: rows come in the order that is told, and only those that must are moved."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Route

from tests.aids.browser import screen
from tests.aids.servers_hmi import HmiSite, hmi_site

pytestmark = pytest.mark.slow
COUNT = """() => {
  const body = document.querySelector('.alarm-list tbody');
  window.moved = 0;
  const count = (changes) => { for (const change of changes) window.moved += change.addedNodes.length; };
  new MutationObserver(count).observe(body, { childList: true });
}"""
SHOWN = "[...document.querySelectorAll('.alarm-list tbody tr')].map((row) => row.querySelector('.open').textContent)"
NAMES = [f"alarm {number}" for number in range(150)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HmiSite]:
    with hmi_site(tmp_path_factory.mktemp("hmi")) as running:
        yield running


def item(name: str) -> dict[str, Any]:
    """What the server tells of an alarm, as far as a row needs it."""
    nothing = dict.fromkeys(("active_at", "cleared_at", "acknowledged_by", "shelved_by", "value"))
    words = dict.fromkeys(("id", "source", "comment", "limit", "tag", "shelved"), "")
    said = {"severity": "error", "active": True, "acknowledged": False, "confirmed": None, "suppressed": False, "first_out": False}
    return {"name": name, "text": name, "count": 1, "quality": "Good", **nothing, **words, **said}


@pytest.mark.parametrize(
    ("after", "most"),
    [
        (["new", *NAMES], 1),
        (NAMES[3:], 0),
        ([*NAMES[1:], NAMES[0]], 1),
        ([NAMES[-1], *NAMES[:-1]], 1),
        ([*NAMES[:50], "new", *NAMES[60:], NAMES[55]], 2),
        (NAMES[::-1], len(NAMES) - 1),
        ([], 0),
    ],
)
def test_only_rows_that_must_are_moved(browser: Browser, site: HmiSite, after: list[str], most: int) -> None:
    told = list(NAMES)

    def answer(route: Route) -> None:
        said = {"items": [item(name) for name in told], "total": len(told), "counts": {}, "sources": [], "recorded": True}
        route.fulfill(body=json.dumps({**said, "unconfirmed": 0}), content_type="application/json")

    with screen(browser, site.origin) as seen:
        seen.page.route(re.compile(r"/data/alarms\?"), answer)
        seen.open("/alarms")
        seen.page.wait_for_function(f"{SHOWN}.length === {len(NAMES)}")
        seen.page.evaluate(COUNT)
        told[:] = after
        seen.page.wait_for_function(f"(wanted) => JSON.stringify({SHOWN}) === wanted", arg=json.dumps(after, separators=(",", ":")))
        assert seen.page.evaluate("window.moved") <= most
