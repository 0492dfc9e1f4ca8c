"""Debian's Chromium driven by Playwright: pages as an operator sees them, that fail their test on any error of a script."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.aids.servers_rest import PASSWORD

PANEL = (1024, 600)  # a touch panel of 7 inches
FLAGS = ("--no-sandbox", "--disable-background-timer-throttling", "--disable-renderer-backgrounding")
WHY_NOT = "no chromium here: apt-get install chromium"


def path_of_chromium() -> str:
    """Where it is; empty where it is not."""
    return shutil.which("chromium") or ""


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A browser of its own, ended on the way out."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path_of_chromium(), args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


class Screen:
    """One page of one user; `errors` are what its scripts complained of."""

    def __init__(self, page: Page, origin: str):
        self.page, self.origin = page, origin
        self.errors: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _hear(self, message: ConsoleMessage) -> None:
        # that a server was cut off is what some tests do; the page itself says it
        if message.type == "error" and "WebSocket connection" not in message.text and "net::ERR" not in message.text:
            self.errors.append(message.text)

    def log_in(self, user: str, password: str = PASSWORD) -> None:
        self.page.goto(f"{self.origin}/login")
        self.page.fill("#name", user)
        self.page.fill("#password", password)
        self.page.click("button[type=submit]")

    def open(self, path: str = "/") -> None:
        """Load a screen, and wait until values have come."""
        self.page.goto(f"{self.origin}{path}")
        self.until_live()

    def until_live(self) -> None:
        self.page.wait_for_function("window.bess?.pictures > 2 && document.body.dataset.link !== 'lost'")
        self.page.wait_for_selector("#screen .nicegui-sub-pages > *")

    def value(self, tag: str) -> Any:
        """What the page shows of a tag, as text."""
        return self.page.locator(f'[data-tag="{tag}"]').first.inner_text()

    def until_shown(self, tag: str, wanted: str, seconds: float = 20) -> None:
        """Wait until an element shows a tag as this."""
        script = (
            """([tag, wanted]) => [...document.querySelectorAll(`[data-tag="${tag}"]`)].some(e => e.textContent.includes(wanted))"""
        )
        self.page.wait_for_function(script, arg=[tag, wanted], timeout=seconds * 1000)


@contextlib.contextmanager
def screen(browser: Browser, origin: str, size: tuple[int, int] = PANEL, **options: Any) -> Iterator[Screen]:
    """A page of a browser with nothing stored. Fails where a script of the page failed."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, has_touch=True, **options)
    context.set_default_timeout(30_000)
    try:
        seen = Screen(context.new_page(), origin)
        yield seen
        assert seen.errors == []
    finally:
        context.close()
