"""The reference for a browser: a page a block, every link and picture whole, nothing from the network."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import pytest

from blocks import catalogue, families
from runtime.reference.html_pages import write_html

VOID = {"meta", "link", "input", "br"}


class Page(HTMLParser):
    """A page read strictly: links, and tags that are not closed in order."""

    def __init__(self, text: str):
        super().__init__()
        self.links: list[str] = []
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("reference") / "html"
    assert write_html(place, catalogue(), families()) == len(catalogue()) + 1
    return place


def test_every_block_has_a_page_and_the_index_leads_to_it(folder: Path):
    links = Page((folder / "index.html").read_text()).links
    for block in catalogue().values():
        assert f"{block.family}/{block.name}.html" in links


def test_every_page_is_well_formed_and_every_link_leads_somewhere(folder: Path):
    for path in folder.rglob("*.html"):
        page = Page(path.read_text())
        assert (page.open, page.wrong) == ([], []), path
        for link in page.links:
            target, _, mark = link.partition("#")
            assert (path.parent / target).exists(), f"{path}: {link}"
            assert not mark or f'id="{mark}"' in (path.parent / target).read_text()


def test_nothing_comes_from_the_network(folder: Path):
    for path in folder.rglob("*.*"):
        assert "://" not in path.read_text().replace("http://www.w3.org/2000/svg", ""), path


def test_every_picture_is_svg_that_stays_inside_its_frame(folder: Path):
    for path in folder.rglob("*/*.html"):
        picture = re.search(r"<svg.*?</svg>", path.read_text(), re.DOTALL)
        assert picture is not None, path
        root = ET.fromstring(picture.group())
        width, height = float(root.get("width", 0)), float(root.get("height", 0))
        for line in root.iter("{http://www.w3.org/2000/svg}polyline"):
            for point in line.get("points", "").split():
                x, y = map(float, point.split(","))
                assert 0 <= x <= width and 0 <= y <= height, f"{path}: {point}"


def test_what_the_declaration_says_is_escaped_and_there(folder: Path):
    page = (folder / "standard/TON.html").read_text()
    assert "On-delay timer: Q turns true once IN has stayed true for PT." in page
    assert "PT: 30 ms" in page
    assert "IEC 61131-3:2013, table 46, figure 15" in page
