"""The program's screen: its diagrams name what a page can watch and nothing that does not run; its tabs survive any status file."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hmi.diagram import DONE, FAILED, Diagrams, Drawn, site_file
from hmi.hall import Hall
from hmi.live import Watched
from hmi.screens.program_devices import devices_html
from hmi.screens.program_histogram import histogram
from hmi.screens.program_servers import servers_html
from hmi.screens.program_tasks import tasks_html
from hmi.server import hall_of
from hmi.settings import HmiSettings
from runtime.app import generation_of
from runtime.child import FIELDBUS_STATUS, ServiceOrder
from runtime.engine.statistics import BUCKETS, FIRST_BUCKET, ROW, note, timing
from runtime.fieldbus import drivers
from runtime.language.site import load_draft
from runtime.rundir import folder_of
from runtime.servers.audit import Who
from runtime.servers.door import Door
from tests.aids.places import DEMO
from tests.aids.servers_rest import EXTRA, PASSWORD, described, say_fieldbus
from tests.aids.servers_scan import TAGS, TestScan

ENGINEER, NOBODY = Who("eve", "engineer", "here"), Who("anonymous", "viewer", "here")


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    shutil.copytree(DEMO, tmp_path / "demo")
    return tmp_path / "demo/config/site.yaml"


@pytest.fixture
def scan(tmp_path: Path) -> Iterator[TestScan]:
    running = TestScan(tmp_path, (*TAGS, *EXTRA))
    yield running
    running.stop()


def hall_over(order: ServiceOrder) -> Hall:
    return hall_of(order, Door(order), HmiSettings())


@pytest.fixture
def hall(scan: TestScan, tmp_path: Path) -> Iterator[Hall]:
    made = hall_over(replace(described(tmp_path, scan).order, service="hmi"))
    yield made
    made.close()


def order_of(site: Path, generation: int) -> ServiceOrder:
    return ServiceOrder("hmi", "demo", str(folder_of(site)), str(site.parents[1]), generation, (), None, (), {})  # type: ignore[arg-type]


def drawn_of(site: Path, generation: int) -> Drawn:
    """What the screen gets of this site, where the program of this generation runs."""
    order = order_of(site, generation)

    class Room:
        def __init__(self) -> None:
            self.order = order

    async def wait() -> Drawn:
        diagrams = Diagrams(Room())  # type: ignore[arg-type]
        while (found := diagrams.look()).state not in (DONE, FAILED):
            await asyncio.sleep(0.02)
        return found

    return asyncio.run(asyncio.wait_for(wait(), 120))


def pictures_of(drawn: Drawn) -> str:
    return "\n".join(gzip.decompress(one).decode() for one in drawn.pictures.values())


def test_each_program_is_drawn_with_names_that_a_page_can_watch(demo: Path, hall: Hall) -> None:
    _, model = load_draft(demo, drivers())
    drawn = drawn_of(demo, generation_of(model.schedule))
    assert drawn.state == DONE and drawn.is_same and drawn.problems == []
    assert set(drawn.pictures) == {name for task in model.schedule.tasks for name in task.programs}
    text = pictures_of(drawn)
    names = sorted(set(re.findall(r'data-(?:live|when)="([^"]*)"', text)))
    assert len(names) > 100 and any(name.startswith("pin:") for name in names)
    assert " data-tag=" not in text  # the page would watch all of them at once
    assert len(re.findall(r'^<g class="\w+" data-box=[^>]*>', text, re.MULTILINE)) == text.count(
        " data-box="
    )  # the page cuts there
    hall.follow(replace(hall.order, tags=model.schedule.tags, pins=model.schedule.pins, region=model.schedule.region))
    assert [name for name, known in zip(names, Watched(hall, names).about, strict=True) if known is None] == []


def test_a_program_that_does_not_run_is_drawn_without_a_name_of_a_value(demo: Path) -> None:
    drawn = drawn_of(demo, 4711)
    assert drawn.state == DONE and not drawn.is_same and drawn.pictures
    assert "data-live" not in pictures_of(drawn)


def test_files_with_mistakes_say_which(demo: Path) -> None:
    demo.write_text(demo.read_text() + "\nnonsense: 3\n")
    drawn = drawn_of(demo, 1)
    assert drawn.state == FAILED and any("nonsense" in problem and "site.yaml" in problem for problem in drawn.problems)


def test_the_site_is_found_by_its_run_folder_and_by_no_other(demo: Path, tmp_path: Path) -> None:
    order = order_of(demo, 1)
    assert site_file(order) == demo
    for name in ("demo-site-00000000", "demo-*-00000000", "", "-", "../../etc", "demo-[a-z]-1"):
        assert site_file(replace(order, run_dir=str(tmp_path / name))) is None
    drawn = Drawn(1)
    assert json.loads(json.dumps(drawn.said()))["state"] == "reading"


def test_an_element_of_a_pin_is_watched_and_a_whole_array_is_not(hall: Hall) -> None:
    hall.follow(replace(hall.order, pins={"a.X": ("LREAL", 0, 0), "a.V": ("LREAL", 8, 3)}))
    names = ["pin:a.X", "pin:a.V[1]", "pin:a.V[3]", "pin:a.V", "pin:a.V[0]", "pin:a.V[4]", "pin:a.X[1]", "pin:"]
    watched = Watched(hall, names)
    assert [known is not None for known in watched.about] == [True] * 3 + [False] * 5
    assert len(watched.changes()) == 3  # there is no scan with such pins: bad, and no exception


class Words(HTMLParser):
    """What a browser would make of it: tags and text."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_devices_show_what_went_wrong_and_nothing_that_they_say_is_markup(hall: Hall, scan: TestScan, tmp_path: Path) -> None:
    assert "rack1" in devices_html(hall)  # the fieldbus has said nothing yet
    say_fieldbus(tmp_path)
    scan.set("device.rack1.state", 4)
    said = {"driver": "<script>x</script>", "host": '"><img src=x>', "last_error": "<b>late</b>", "state": "lost"}
    for devices in ({"rack1": said, "<i>new</i>": {}}, {"rack1": "no object"}, ["no object"], None):
        (tmp_path / FIELDBUS_STATUS).write_text(json.dumps({"outputs": "<u>live</u>", "devices": devices}))
        shown = Words(devices_html(hall))
        assert not {"script", "img", "b", "i", "u"} & set(shown.tags) and "rack1" in shown.text
    for broken in ("", "[1]", "{"):
        (tmp_path / FIELDBUS_STATUS).write_text(broken)
        assert "rack1" in devices_html(hall)


def test_servers_survive_any_status_and_show_logins_to_engineers_only(hall: Hall, tmp_path: Path) -> None:
    user = hall.users.by_password_now("operator1", PASSWORD, "here")
    assert user is not None
    hall.visitors.sessions.begin(user)
    for text in (
        '{"listening": "<script>", "pid": "x", "clients": 3, "odd": {"a": 1}}',
        "[]",
        "{",
        '{"pid": 99999999}',
        '{"pid": -1}',
    ):
        (tmp_path / "rest.json").write_text(text)
        (tmp_path / "lock").write_text(text)
        shown = Words(servers_html(hall, ENGINEER))
        assert "script" not in shown.tags and "operator1" in shown.text
    assert "operator1" not in servers_html(hall, NOBODY)


def test_tasks_show_the_scan_or_that_there_is_none(hall: Hall, tmp_path: Path) -> None:
    shown = Words(tasks_html(hall))
    assert "task control" in shown.text and "tick" in shown.text.lower()
    (tmp_path / "elsewhere").mkdir()
    nobody = hall_over(replace(hall.order, run_dir=str(tmp_path / "elsewhere"), state_dir=""))
    assert "No scan runs" in tasks_html(nobody)


@pytest.mark.parametrize("times", [(), (0,), (1,), (5_000,) * 7, (100, 2**40), (50_000, 60_000, 10_000_000) * 1000])
def test_a_histogram_stays_inside_its_frame(times: tuple[int, ...]) -> None:
    words = np.zeros(2 * ROW, np.int64)
    for one in times:
        note(words, 1, one)
    drawn = histogram(words, 1, timing(words, 1), "<what>", 10_000.0)
    assert "<what>" not in drawn
    if not times:
        assert "<svg" not in drawn
        return
    bars = re.findall(r'class="count" x="([-\d.]+)" y="([-\d.]+)" width="([-\d.]+)" height="([-\d.]+)"', drawn)
    assert len(bars) == len([bucket for bucket in range(BUCKETS) if words[ROW + FIRST_BUCKET + bucket]])
    for x, y, width, height in (map(float, bar) for bar in bars):
        assert 0 <= x and x + width <= 320.1 and 0 <= y and y + height <= 184 and height > 0
