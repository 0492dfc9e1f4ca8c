"""Live values as a browser gets them: what changed and no more, at 10 Hz, with quality, also of what is stale or not there."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from runtime.quality import BAD_SENSOR_FAILURE, GOOD, GOOD_LOCAL_OVERRIDE, UNCERTAIN_SUBSTITUTE
from tests.aids.servers_hmi import HmiSite, hmi_site, told
from tests.aids.servers_process import eventually

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HmiSite]:
    with hmi_site(tmp_path_factory.mktemp("hmi")) as running:
        yield running


def news(site: HmiSite, *names: str, seconds: float) -> list[dict]:  # type: ignore[type-arg]
    with site.live() as live:
        told(live, *names)
        until, found = time.monotonic() + seconds, []
        while time.monotonic() < until:
            found.append(json.loads(live.recv(timeout=5)))
        return found


def test_a_page_is_told_values_with_unit_names_and_decimals(site: HmiSite) -> None:
    site.scan.set("bms.soc", 81.23456)
    site.scan.set("pcs.state", 2)
    site.scan.set("hmi.steps", [1.0, 2.0, 3.0])
    with site.live() as live:
        live.send(json.dumps({"watch": ["bms.soc", "pcs.state", "hmi.steps[2]", "nope", "hmi.steps[4]", "rack[1].soc"]}))
        while "about" not in (said := json.loads(live.recv(timeout=5))):
            pass
    assert said["about"][0]["unit"] == "%" and said["about"][1]["names"]["2"] == "running"
    assert said["about"][3] is None and said["about"][4] is None
    assert [0, 81.2, 0] in said["values"] and [1, 2, 0] in said["values"] and [2, 2.0, 0] in said["values"]
    assert {place for place, *_ in said["values"]} == {0, 1, 2, 5}


def test_only_what_changed_is_told_and_noise_below_the_last_decimal_is_no_change(site: HmiSite) -> None:
    site.scan.set("bms.soc", 50.0)
    with site.live() as live:
        told(live, "bms.soc", "pcs.state")
        site.scan.set("bms.soc", 50.004)
        assert all(not json.loads(live.recv(timeout=5))["values"] for _ in range(5))
        site.scan.set("bms.soc", 51.0)
        found = [json.loads(live.recv(timeout=5))["values"] for _ in range(5)]
        assert [change for change in found if change] == [[[0, 51.0, 0]]]


def test_a_page_is_told_ten_times_a_second(site: HmiSite) -> None:
    assert 12 <= len(news(site, "bms.soc", seconds=3)) <= 40


@pytest.mark.parametrize(
    ("code", "grade"), [(UNCERTAIN_SUBSTITUTE, 1), (BAD_SENSOR_FAILURE, 2), (GOOD_LOCAL_OVERRIDE, 3), (GOOD, 0)]
)
def test_every_quality_is_told(site: HmiSite, code: int, grade: int) -> None:
    site.scan.spoil("bms.current", code)
    time.sleep(0.05)
    with site.live() as live:
        assert told(live, "bms.current")["bms.current"][1] == grade
    site.scan.spoil("bms.current", GOOD)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_told_as_none_and_bad(site: HmiSite, value: float) -> None:
    site.scan.set("bms.current", value)
    time.sleep(0.05)
    with site.live() as live:
        assert told(live, "bms.current")["bms.current"] == (None, 2)
    site.scan.set("bms.current", 0.0)


def test_when_the_scan_falls_silent_nothing_is_good_any_more(site: HmiSite) -> None:
    with site.live() as live:
        assert told(live, "bms.ok")["bms.ok"][1] == 0
        site.scan.frozen = True
        try:
            seen = eventually(lambda: next((n for n in [json.loads(live.recv(timeout=5))] if n["values"]), None), 5)
            assert seen["state"] == "no scan" and seen["values"][0][2] == 1
        finally:
            site.scan.frozen = False
        back = eventually(lambda: next((n for n in [json.loads(live.recv(timeout=5))] if n["values"]), None), 5)
        assert back["state"] == "running" and back["values"][0][2] == 0


@pytest.mark.parametrize(
    "said", ["no JSON", "[1, 2]", '{"watch": 7}', '{"watch": [1]}', '{"watch": ["' + '", "'.join("x" * 5000) + '"]}']
)
def test_nonsense_from_a_page_harms_nobody(site: HmiSite, said: str) -> None:
    with site.live() as other, site.live() as rude:
        told(other, "bms.soc")
        rude.send(said)
        if not said.startswith(("{", "[")):
            with pytest.raises(ConnectionClosed, match="1003"):
                [rude.recv(timeout=5) for _ in range(9)]
        assert json.loads(other.recv(timeout=5))["state"] == "running"
    assert site.server.process.poll() is None


def test_a_message_that_is_too_large_ends_that_page_only(site: HmiSite) -> None:
    with site.live() as live, pytest.raises(ConnectionClosed):
        live.send(json.dumps({"watch": ["x" * 300_000]}))
        [live.recv(timeout=5) for _ in range(50)]
    assert len(news(site, "bms.soc", seconds=0.5)) > 1


def test_a_page_that_vanishes_gives_its_place_back(site: HmiSite) -> None:
    assert eventually(lambda: site.server.status()["clients"] == 0, 20)
    with site.live() as other, site.live() as vanishing:
        told(other, "bms.soc")
        assert eventually(lambda: site.server.status()["clients"] == 2, 20)
        vanishing.socket.close()
        assert eventually(lambda: site.server.status()["clients"] == 1, 20)


def test_pages_of_the_program_before_load_themselves_anew(site: HmiSite) -> None:
    url = f"ws://127.0.0.1:{site.port}/live?generation=99"
    with connect(url, origin=site.origin, proxy=None) as live, pytest.raises(ConnectionClosed) as ended:  # type: ignore[arg-type]
        live.recv(timeout=5)
    assert ended.value.rcvd is not None and ended.value.rcvd.code == 4001


def test_the_process_ends_in_order_while_pages_are_open(tmp_path: Path) -> None:
    with hmi_site(tmp_path) as site, site.live() as live:
        told(live, "bms.soc")
        site.client().get("/")
        assert site.server.end() == 0
        with pytest.raises(ConnectionClosed) as ended:
            [live.recv(timeout=5) for _ in range(50)]
    assert ended.value.rcvd is not None and ended.value.rcvd.code == 1012
    assert not [line for line in site.server.lines() if line.get("level") == "error"]
