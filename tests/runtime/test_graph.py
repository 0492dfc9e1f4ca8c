"""A program as a picture: everything that the text says is in it, nothing lies over anything else, and wires end at their pins."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from runtime.cli import app
from runtime.fieldbus import drivers
from runtime.graph_layout import GRID, Item, arrange, layers_of
from runtime.graph_read import draw_program
from runtime.graph_routing import place_layers
from runtime.graph_svg import svg
from runtime.language.network import ALL, Cell, Draft, Listed, Wire
from runtime.language.site import load_draft
from runtime.model import Site
from tests.aids.drawing import Seen, cuts, look, overlaps
from tests.aids.places import DEMO

ROOT = Path(__file__).parents[2]
PROGRAMS = ("protection", "dispatch", "cells")


@pytest.fixture(scope="module")
def demo() -> tuple[Draft, Site]:
    return load_draft(DEMO / "config/site.yaml", drivers())


@pytest.fixture(scope="module")
def seen(demo: tuple[Draft, Site]) -> dict[str, Seen]:
    draft, site = demo
    return {name: look(svg(draw_program(draft.programs[name], draft, site))) for name in PROGRAMS}


def feeds_behind(feed: Any) -> list[Any]:
    return [one for part in feed.feeds for one in feeds_behind(part)] if isinstance(feed, Listed) else [feed]


def path_of(node: Any, pin: str) -> str:
    """A pin as the picture names it: a counted instance is drawn once, as its first."""
    return f"{node.name}{'[1]' if node.count else ''}.{pin}"


def wired_pins(node: Any) -> list[tuple[str, Any]]:
    """What feeds each pin; one element of a list feeds one socket, `PIN[3]`."""
    return [
        one
        for pin, feed in node.feeds.items()
        for one in ([(f"{pin}[{n}]", part) for n, part in enumerate(feed.feeds, 1)] if isinstance(feed, Listed) else [(pin, feed)])
    ]


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_instance_is_in_the_picture(name: str, demo: tuple[Draft, Site], seen: dict[str, Seen]) -> None:
    _, site = demo
    mine = {one.partition("[")[0] for group in site.schedule.groups for one in group.instances if one.startswith(f"{name}.")}
    assert mine
    assert mine == seen[name].instances


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_tag_that_a_block_reads_or_the_program_writes_is_in_the_picture(
    name: str, demo: tuple[Draft, Site], seen: dict[str, Seen]
) -> None:
    draft, _ = demo
    program, picture = draft.programs[name], seen[name]
    written = {write.tag.name for write in program.writes if not write.tag.state_of}
    read = {
        feed.tag.name
        for node in program.nodes
        for whole in node.feeds.values()
        for feed in feeds_behind(whole)
        if isinstance(feed, Cell)
    }
    lacking = {tag for tag in written | read if tag not in picture.words}
    assert lacking == set()
    implicit = {tag.name for tag in program.implicit.values()}
    assert written - implicit <= picture.tags


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_wire_between_two_boxes_is_drawn_from_pin_to_pin(name: str, demo: tuple[Draft, Site], seen: dict[str, Seen]) -> None:
    draft, _ = demo
    picture = seen[name]
    drawn = {(source, target) for source, target, _ in picture.wires}
    meant = {
        (path_of(feed.node, feed.pin.name), path_of(node, pin))
        for node in draft.programs[name].nodes
        for pin, feed in wired_pins(node)
        if isinstance(feed, Wire) and {node.name, feed.node.name} <= set(picture.bodies) and feed.row == ALL and feed.element == ALL
    }
    assert meant and meant - drawn == set()
    for source, target, points in picture.wires:
        assert points[0] == picture.pins[f">{source}"], source
        assert points[-1] == picture.pins[f"<{target}"], target


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_wired_pin_of_a_block_has_its_place(name: str, demo: tuple[Draft, Site], seen: dict[str, Seen]) -> None:
    draft, _ = demo
    picture = seen[name]
    for node in draft.programs[name].nodes:
        if node.name in picture.bodies and "#" not in node.name and node.block.fold is None:
            for pin in node.feeds:
                path = f"{node.name}{'[1]' if node.count else ''}.{pin}"
                assert any(key.startswith(f"<{path}") for key in picture.pins), path


@pytest.mark.parametrize("name", PROGRAMS)
def test_nothing_lies_over_a_box_or_a_name(name: str, seen: dict[str, Seen]) -> None:
    picture = seen[name]
    bodies = list(picture.bodies.items())
    diagram = [(f"chip {text} at {rect}", rect) for text, rect in picture.chips]
    assert overlaps(bodies) == []
    assert [pair for pair in overlaps([*bodies, *diagram]) if "table" not in pair] == []
    for source, target, points in picture.wires:
        for box, rect in [*bodies, *diagram]:
            assert not cuts(points, rect), f"the wire {source} to {target} runs through {box}"


def test_the_picture_says_what_a_block_is_and_when_it_runs(demo: tuple[Draft, Site], seen: dict[str, Seen]) -> None:
    words = seen["dispatch"].words
    assert "dispatch.drive: GATE" in words
    assert "IN or 0" in words  # the pin's own sentence
    assert "230 kW" in words and "20 mHz" in words  # literals as they are written
    orders = [int(t.text or 0) for t in seen["dispatch"].root.iter("{http://www.w3.org/2000/svg}text") if t.get("class") == "order"]
    assert len(orders) == len(set(orders))


def test_modes_and_sequences_are_tables_of_the_words_as_written(seen: dict[str, Seen]) -> None:
    assert "follow.Q1 and site.closed and not (soc_low.Q and hmi.p_set > 0 kW)" in seen["dispatch"].words
    assert "bms.precharge_fb and abs(dv.OUT) < 1 V and abs(bms.current) < 0.05 A" in seen["protection"].words
    assert "→ precharge" in seen["protection"].words
    assert "Cell too hot" in seen["protection"].words


def test_two_drawings_of_one_program_are_equal_to_the_letter(demo: tuple[Draft, Site], tmp_path: Path) -> None:
    draft, site = demo
    file = tmp_path / "dispatch.svg"
    other = {**os.environ, "PYTHONHASHSEED": "7", "BESSPLC_RUN": str(tmp_path)}
    command = [
        sys.executable,
        "-m",
        "runtime.cli",
        "graph",
        "dispatch",
        "--svg",
        str(file),
        "--site",
        str(DEMO / "config/site.yaml"),
    ]
    done = subprocess.run(command, cwd=ROOT, env=other, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, f"wrote {file}\n"), done.stderr
    assert file.read_text() == svg(draw_program(draft.programs["dispatch"], draft, site))


def graph(*arguments: str, folder: Path) -> Any:
    site = str(DEMO / "config/site.yaml")
    return CliRunner().invoke(app, ["graph", *arguments, "--site", site], env={"BESSPLC_RUN": str(folder)})


def test_wrong_words_get_a_hint_and_a_site_that_does_not_run_is_said(tmp_path: Path) -> None:
    wrong = graph("dispach", folder=tmp_path)
    assert (wrong.exit_code, wrong.stdout) == (2, "")
    assert "did you mean `dispatch`?" in wrong.stderr
    still = graph("dispatch", "--live", "--svg", str(tmp_path / "x.svg"), folder=tmp_path)
    assert still.exit_code == 75
    assert "is not running" in still.stderr
    assert not (tmp_path / "x.svg").exists()
    assert graph("dispatch", "--live", "--svg", "-", folder=tmp_path).exit_code == 2
    assert graph("dispatch", "--svg", str(tmp_path / "none/x.svg"), folder=tmp_path).exit_code == 74


def test_a_picture_on_a_pipe_is_the_picture_and_nothing_else(tmp_path: Path) -> None:
    said = graph("cells", "--svg", "-", folder=tmp_path)
    assert said.exit_code == 0
    assert look(said.stdout).bodies
    assert list(tmp_path.iterdir()) == []


# --- layout of anything ---------------------------------------------------------------------------------------------------


@st.composite
def networks(draw: st.DrawFn) -> tuple[list[Item], list[tuple[str, int, str, int]]]:
    """Boxes of any size, each input fed by some output of a box before it."""
    count = draw(st.integers(1, 14))
    items, wires = [], []
    for number in range(count):
        ins, outs = draw(st.integers(0, 5)), draw(st.integers(1, 3))
        pins = lambda n: [18 * i + 9 for i in range(n)]  # noqa: E731
        height = 18 * max(ins, outs)
        items.append(Item(f"b{number}", number, 12, 12 * draw(st.integers(2, 9)), 12, height, pins(ins), pins(outs)))
        for into in range(ins):
            source = draw(st.integers(0, number)) - 1
            if source >= 0:
                wires.append((f"b{source}", draw(st.integers(0, len(items[source].outs) - 1)), f"b{number}", into))
    return items, wires


@settings(max_examples=60, deadline=None)
@given(networks())
def test_any_network_lies_apart_with_wires_from_left_to_right(
    network: tuple[list[Item], list[tuple[str, int, str, int]]],
) -> None:
    items, wires = network
    layer = layers_of([item.name for item in items], wires)
    assert all(layer[source] < layer[target] for source, _, target, _ in wires)
    for part in arrange(items, wires):
        mine = [wire for wire in wires if wire[0] in part.items]
        routes, width = place_layers(part, mine)
        boxes = [(i.name, (i.x, i.y, i.x + i.width, i.y + i.height)) for i in part.items.values() if i.lane_of is None]
        assert overlaps(boxes) == []
        assert all(i.y % GRID == 0 for i in part.items.values())
        assert len(routes) == len(mine)
        for route in routes:
            start, end = part.items[route.source], part.items[route.target]
            assert route.points[0] == (start.x + start.width, start.y + start.outs[route.out])
            assert route.points[-1] == (end.x, end.y + end.ins[route.into])
            assert [x for x, _ in route.points] == sorted(x for x, _ in route.points)
            assert max(x for x, _ in route.points) <= width
            assert not any(cuts(list(route.points), rect) for _, rect in boxes)
