"""The map of all cells as a browser fetches it: every value in its place with its quality, the program's limits, bad questions."""

from __future__ import annotations

import asyncio
import json
import struct
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi import FastAPI

from hmi import cellmap
from hmi.cellmap import CellMap, cell_routes, layout_of, limits_of
from hmi.hall import Hall
from hmi.server import hall_of
from hmi.settings import HmiSettings
from runtime.engine.image import HEADER, STAMP_SCAN, Shared
from runtime.engine.north import MEMORY_FILE
from runtime.model import Alarm, Tag
from runtime.quality import BAD_NO_COMMUNICATION, GOOD_LOCAL_OVERRIDE
from runtime.servers.door import Door
from tests.aids.servers_process import eventually
from tests.aids.servers_scan import GENERATION, TestScan

CELLS = 40


def tags_of(racks: int, cells: int = CELLS) -> list[Tag]:
    """The tags of a site with so many racks."""
    shared = [Tag("cells.soc", "LREAL", racks * cells, 0, 0, "memory", "%")]
    for rack in range(1, racks + 1):
        shared += [
            Tag(f"rack[{rack}].cell_v", "LREAL", cells, 0, 0, "input", "V", "", 0.0, 5.0),
            Tag(f"rack[{rack}].cell_t", "LREAL", cells, 0, 0, "input", "°C"),
            Tag(f"rack[{rack}].balance", "BOOL", cells, 0, 0, "output"),
            Tag(f"alarm.high_{rack}", "BOOL", 0, 0, 0, "memory", owner="program racks"),
        ]
    return shared


def hall_over(scan: TestScan, **more: Any) -> Hall:
    """What the pages over this scan are given."""
    order = replace(scan.order("hmi"), **more)
    hall = hall_of(order, Door(order), HmiSettings())
    eventually(lambda: (hall.picture.door.refresh(), hall.picture.has_any())[1])
    return hall


@pytest.fixture
def scan(tmp_path: Path) -> Iterator[TestScan]:
    running = TestScan(tmp_path, tags_of(3))
    yield running
    running.stop()


def read(body: bytes) -> tuple[dict[str, Any], np.ndarray]:
    """The header and the values, as the script of the page reads them."""
    (length,) = struct.unpack_from("<I", body)
    header = json.loads(body[4 : 4 + length])
    assert length % 4 == 0, "the browser cannot read floats in place"
    return header, np.frombuffer(body[4 + length :], np.uint8 if header["switch"] else "<f4")


def ask(hall: Hall, **params: str) -> httpx.Response:
    """The answer of the route."""
    app = FastAPI()
    app.include_router(cell_routes(hall), prefix="/data")

    async def get() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://plant") as client:
            return await client.get("/data/cells", params=params)

    return asyncio.run(get())


def fetched(hall: Hall, what: str) -> tuple[dict[str, Any], np.ndarray]:
    hall.picture.door.refresh()
    return read(CellMap(hall).body(what))


def seen(hall: Hall, scan: TestScan) -> None:
    """Wait for a scan that began after now."""
    done = int(scan.stamps[STAMP_SCAN]) + 2
    eventually(lambda: (hall.picture.door.refresh(), hall.picture.door.snapshot.scan > done)[1])


def test_every_cell_is_in_its_place_with_the_quality_of_its_rack(scan: TestScan) -> None:
    hall = hall_over(scan)
    for rack in (1, 2, 3):
        scan.set(f"rack[{rack}].cell_v", rack + np.arange(CELLS) / 1000)
        scan.set(f"rack[{rack}].balance", np.arange(CELLS) % 2)
    scan.set("cells.soc", np.arange(3 * CELLS))
    scan.column("rack[1].cell_v")[7] = np.nan
    scan.spoil("rack[2].cell_v", BAD_NO_COMMUNICATION)
    scan.spoil("rack[3].cell_v", GOOD_LOCAL_OVERRIDE)
    seen(hall, scan)
    header, values = fetched(hall, "voltage")
    assert header["grades"] == [0, 2, 3] and (header["unit"], header["decimals"], header["cells"]) == ("V", 3, 3 * CELLS)
    assert values[CELLS + 5] == pytest.approx(2.005) and values[3 * CELLS - 1] == pytest.approx(3.039)
    assert np.flatnonzero(np.isnan(values)).tolist() == [7]
    header, switches = fetched(hall, "balancing")
    assert header["switch"] and switches[CELLS : CELLS + 4].tolist() == [0, 1, 0, 1] and len(switches) == 3 * CELLS
    header, soc = fetched(hall, "soc")
    assert soc.tolist() == list(range(3 * CELLS))
    assert header["grades"] == [0, 1, 0], "a rack that is not heard is counted on: that is what was known last"


def test_nothing_is_current_once_the_scan_is_silent(scan: TestScan) -> None:
    hall = hall_over(scan)
    scan.frozen = True
    time.sleep(1.1)
    header, _ = fetched(hall, "temperature")
    assert header["grades"] == [1, 1, 1] and header["state"] == "no scan"


def test_before_the_first_scan_nothing_is_known(scan: TestScan) -> None:
    order = replace(scan.order("hmi"), generation=GENERATION + 1)  # of a program that does not run
    header, values = fetched(hall_of(order, Door(order), HmiSettings()), "voltage")
    assert header["grades"] == [2, 2, 2] and np.isnan(values).all() and header["limits"] == []


def test_all_who_ask_at_the_same_time_are_told_the_same(scan: TestScan, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = CellMap(hall_over(scan))
    now = [100.0]
    monkeypatch.setattr(cellmap.time, "monotonic", lambda: now[0])
    first = cells.body("voltage")
    assert cells.body("voltage") is first and cells.body("soc") is not first
    now[0] += 1
    assert cells.body("voltage") is not first


@pytest.mark.parametrize(
    "what", ["", "current", "VOLTAGE", "<script>alert(1)</script>", "x" * 5000, "rack[1].cell_v", "voltage\x00"]
)
def test_what_cannot_be_shown_is_refused_in_words(scan: TestScan, what: str) -> None:
    hall = hall_over(scan)
    answer = ask(hall, what=what)
    assert answer.status_code == 422 and "voltage, temperature, soc, balancing" in answer.text and len(answer.text) < 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert ask(hall).status_code == 200


def test_a_site_without_cells_has_no_map(tmp_path: Path) -> None:
    scan = TestScan(tmp_path)
    try:
        hall = hall_over(scan)
        assert layout_of(hall.picture).shown == () and layout_of(hall.picture).cells == 0
        assert ask(hall, what="voltage").status_code == 422
    finally:
        scan.stop()


def test_an_array_that_does_not_fit_its_rack_is_not_shown(tmp_path: Path) -> None:
    tags = [tag if tag.name != "rack[2].cell_t" else replace(tag, length=CELLS - 1) for tag in tags_of(2)]
    scan = TestScan(tmp_path, [replace(tag, length=CELLS) if tag.name == "cells.soc" else tag for tag in tags])
    try:
        hall = hall_over(scan, constants={"cells_per_module": "8"})
        layout = layout_of(hall.picture)
        assert (len(layout.racks), layout.per_module) == (2, 8)
        header, values = fetched(hall, "temperature")
        assert header["grades"] == [0, 2] and not np.isnan(values[:CELLS]).any() and np.isnan(values[CELLS:]).all()
    finally:
        scan.stop()


@pytest.mark.parametrize(
    ("said", "found"), [("16", 16), ("0", 16), ("-4", 16), ("1e3", 16), ("999", 16), ("", 16), ("40", 40), ("²", 16)]
)
def test_how_many_cells_a_module_has_is_believed_where_it_can_be(scan: TestScan, said: str, found: int) -> None:
    assert layout_of(hall_over(scan, constants={"cells_per_module": said}).picture).per_module == found


def test_another_program_brings_its_own_cells(scan: TestScan, tmp_path: Path) -> None:
    hall = hall_over(scan)
    cells = CellMap(hall)
    assert cells.layout.cells == 3 * CELLS and cells.body("voltage")
    (tmp_path / "next").mkdir()
    other = TestScan(tmp_path / "next", tags_of(1, 8))
    try:
        hall.follow(other.order("hmi"))
        hall.picture.door.follow(other.order("hmi"))
        assert cells.layout.cells == 8 and len(read(cells.body("voltage"))[1]) == 8
    finally:
        other.stop()


def test_the_limits_are_those_of_the_running_program_the_closest_of_all_racks(scan: TestScan, tmp_path: Path) -> None:
    limits = {1: 3.55, 2: 3.5, 3: float("nan")}
    pins = {f"racks.alarm.high_{rack}.H": ("LREAL", 8 * rack, 0) for rack in limits}
    pins["racks.guard[1].soa.V_HIGH"] = ("LREAL", 64, 3)
    pins["racks.guard[2].soa.V_LOW"] = ("LREAL", 96, 2)  # too short: it names no limit that trips
    memory = Shared.create(tmp_path / MEMORY_FILE, HEADER + 256, GENERATION)
    words = memory.memory[HEADER:].view(np.float64)
    for rack, at in limits.items():
        words[rack] = at
    words[8:11] = 3.55, 3.59, 3.62
    alarms = tuple(
        Alarm(f"high_{rack}", f"alarm.high_{rack}", f"RACK[{rack}].v_cell_max", "H", "warning", "", kind="limit") for rack in limits
    )
    hall = hall_over(scan, pins=pins, alarms=(*alarms, Alarm("any", "alarm.nope", "", "H", "error", "", kind="limit")))
    found = limits_of(hall, "voltage", layout_of(hall.picture))
    assert [(limit.side, limit.at, limit.severity) for limit in found] == [("high", 3.5, "warning"), ("high", 3.62, "error")]
    assert limits_of(hall, "soc", layout_of(hall.picture)) == []
