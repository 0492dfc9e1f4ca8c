"""One site with alarms, commands and history, and its OPC UA server, for all tests that need one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.aids.servers_alarms import AlarmSite, Plant
from tests.aids.servers_process import serving


@pytest.fixture(scope="session")
def alarm_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    site = AlarmSite(tmp_path_factory.mktemp("alarms"))
    with serving(site.order()) as (server, port):
        yield site, server, port
    site.end()


@pytest.fixture
def plant(alarm_site: Plant) -> Iterator[Plant]:
    """The site at rest: no alarm, nothing commanded."""
    site = alarm_site[0]
    site.scan.taken.clear()
    yield alarm_site
    site.scan.answer, site.scan.silent, site.scan.frozen = 0, False, False
    site.declare()
    site.calm()
