"""What tests with a browser share: one Chromium a module, for Playwright's event loop must end before another test runs its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.aids.browser import WHY_NOT, chromium, path_of_chromium


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not path_of_chromium():
        pytest.skip(WHY_NOT)
    with chromium() as found:
        yield found
