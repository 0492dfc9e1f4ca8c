"""One Modbus server for all tests of this folder that change nothing for the others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pymodbus.client import ModbusTcpClient

from tests.aids.servers_modbus import MAP
from tests.aids.servers_process import ServerProcess, serving
from tests.aids.servers_scan import TestScan


@pytest.fixture(scope="package")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestScan, ServerProcess, int]]:
    folder = tmp_path_factory.mktemp("modbus")
    (folder / "scada.yaml").write_text(MAP)
    scan = TestScan(folder)
    with serving(scan.order("modbus", map="scada.yaml", idle="2 s", clients="20", clients_per_address="20")) as (server, port):
        yield scan, server, port
    scan.stop()


@pytest.fixture
def scan(plant: Any) -> Iterator[TestScan]:
    scan: TestScan = plant[0]
    scan.taken.clear()
    yield scan
    scan.answer, scan.silent, scan.frozen = 0, False, False
    for name in scan.by_name:
        scan.spoil(name, 0)


@pytest.fixture
def client(plant: Any) -> Iterator[ModbusTcpClient]:
    with ModbusTcpClient("127.0.0.1", port=plant[2], timeout=3, retries=0) as client:
        yield client
