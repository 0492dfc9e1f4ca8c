"""`include:`: several files make one site, and only constants may be given twice."""

from __future__ import annotations

import pytest

from runtime.language import load_text
from runtime.source import SiteError
from tests.aids.site_text import DRIVERS, problems_of

COMMON = """constants: {racks: 1, p_rack: 100 kW, cells: "{$racks * 256}"}
tasks:
  main: {interval: 10 ms, programs: [p]}
io: [first]
tags:
  hmi.p: {type: LREAL, unit: kW, default: $p_rack, write: operator}
overview: hmi.p
"""
OWN = """site: plant
include: [config/common.yaml]
constants: {racks: 4}
io: [second]
tags:
  hmi.all: {type: "LREAL[$racks]", write: operator}
overview: [hmi.q]
"""
IO = "device: {0}\ndriver: fake\nstale: 1 s\ninputs: {{{0}.x: {{at: a, type: LREAL, bad: hold}}}}\n"
FILE = "config/sites/plant.yaml"


def site(**changed: str) -> dict[str, str]:
    files = {
        FILE: OWN.replace(", write", ", write").replace("[hmi.q]", "[hmi.all]"),
        "config/common.yaml": COMMON,
        "programs/p.yaml": "program: p\n",
        "io_maps/first.yaml": IO.format("first"),
        "io_maps/second.yaml": IO.format("second"),
    }
    return {**files, **{{"own": FILE, "common": "config/common.yaml"}.get(name, name): text for name, text in changed.items()}}


def problems(files: dict[str, str]) -> list[tuple[str, str, str]]:
    try:
        found = load_text(files, DRIVERS, file=FILE)[1]
    except SiteError as error:
        found = error.problems
    return [(str(p.at), p.code, p.message) for p in found if p.severity == "error"]


def test_sections_are_joined_and_lists_follow_each_other_the_included_first() -> None:
    found, _ = load_text(site(), DRIVERS, file=FILE)
    assert found.name == "plant"
    assert [device.name for device in found.devices] == ["first", "second"]
    assert found.overview[0] == "hmi.p" and found.schedule.tag("hmi.all").length == 4
    assert [task.name for task in found.schedule.tasks] == ["main"]


def test_the_sites_own_constant_wins_also_in_what_is_computed_from_it() -> None:
    found, _ = load_text(site(), DRIVERS, file=FILE)
    assert found.constants == {"racks": "4", "p_rack": "100 kW", "cells": "1024"}
    assert found.schedule.tag("hmi.p").default == 100.0


def test_every_file_is_among_the_texts_of_the_site() -> None:
    found, _ = load_text(site(), DRIVERS, file=FILE)
    assert "config/common.yaml" in found.files and FILE in found.files
    changed, _ = load_text(site(common=COMMON + "# a remark\n"), DRIVERS, file=FILE)
    assert changed.schedule.digest != found.schedule.digest


def test_an_included_file_may_include_another() -> None:
    files = site(common="include: config/tasks.yaml\n" + COMMON.replace(COMMON[COMMON.index("tasks") : COMMON.index("io:")], ""))
    files["config/tasks.yaml"] = COMMON[COMMON.index("tasks") : COMMON.index("io:")]
    assert problems(files) == []


@pytest.mark.parametrize(
    ("own", "found"),
    [
        (
            OWN.replace("hmi.all", "hmi.p"),
            ("config/sites/plant.yaml:6:3", "E105", "`hmi.p` stands in two files of this site"),
        ),
        (
            OWN + "tasks: {main: {interval: 20 ms}}\n",
            ("config/sites/plant.yaml:8:9", "E105", "`main` stands in two files of this site"),
        ),
        (
            OWN.replace("common.yaml]", "common.yaml, config/common.yaml]"),
            ("config/sites/plant.yaml:2:31", "E702", "the file config/common.yaml is included twice"),
        ),
        (
            OWN.replace("common.yaml]", f"common.yaml, {FILE}]"),
            ("config/sites/plant.yaml:2:31", "E702", "the file config/sites/plant.yaml is included twice"),
        ),
        (
            OWN.replace("common.yaml]", "comon.yaml]"),
            ("config/sites/plant.yaml:2:11", "E004", "the file config/comon.yaml cannot be read: No such file or directory"),
        ),
        (OWN.replace("[config/common.yaml]", "{a: b}"), ("config/sites/plant.yaml:2:10", "E005", "`include` is a list")),
    ],
)
def test_what_cannot_be_joined_is_said_where_it_stands(own: str, found: tuple[str, str, str]) -> None:
    assert found in problems(site(own=own))


def test_a_mistake_in_an_included_file_is_shown_there() -> None:
    assert problems(site(common=COMMON.replace("type: LREAL, unit: kW", "type: LREEL, unit: kW"))) == [
        ("config/common.yaml:6:17", "E202", "`LREEL` is no type of a wire")
    ]


def test_a_site_of_one_file_needs_no_include() -> None:
    files = {"config/site.yaml": COMMON.replace("io: [first]\n", ""), "programs/p.yaml": "program: p\n"}
    assert [p for p in problems_of(files) if p.severity == "error"] == []
