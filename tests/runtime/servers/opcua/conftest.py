"""One site with alarms, commands and history, and its OPC UA server, for all tests that need one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.aids.servers_alarms import AlarmSite, Plant
from tests.aids.servers_process import ServerProcess, serving
from tests.aids.servers_scan import TestScan
from tests.aids.servers_users import with_users


@pytest.fixture(scope="session")
def alarm_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    site = AlarmSite(tmp_path_factory.mktemp("alarms"))
    with serving(site.order(), more_later=True) as (server, port):
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


@pytest.fixture(scope="session")
def tag_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestScan, ServerProcess, int]]:
    """A site with tags alone: anonymous is an operator, eva an engineer, max a viewer."""
    scan = TestScan(tmp_path_factory.mktemp("tags"))
    order = scan.order("opcua", anonymous="operator", every="50 ms")
    users = {"eva": ("engineer", "volt"), "max": ("viewer", "amp")}
    with serving(with_users(order, scan.folder, **users)) as (server, port):
        yield scan, server, port
    scan.stop()


@pytest.fixture
def scan(tag_site: tuple[TestScan, ServerProcess, int]) -> Iterator[TestScan]:
    """The scan of that site, with nothing commanded and every quality good."""
    scan = tag_site[0]
    scan.taken.clear()
    yield scan
    scan.answer, scan.silent, scan.frozen = 0, False, False
    for name in scan.by_name:
        scan.spoil(name, 0)
