"""Permits of an interlock, followed from the schedule's wires back to the tags, against a scan that has all pins in memory."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blocks import catalogue
from runtime.model import Site
from runtime.permits import Interlock, Permits
from tests.aids.site_text import PlainScan, load

TAGS = """
  s.a: {type: BOOL, default: false, write: operator, text: A contact}
  s.b: {type: BOOL, default: false, write: operator, text: A contact}
  s.c: {type: BOOL, default: false, write: operator, text: A contact}
  s.reset: {type: BOOL, default: false, write: operator, text: Reset}
  s.t: {type: LREAL, unit: °C, default: 20, write: operator, text: A temperature}
  s.u: {type: LREAL, unit: V, default: 0, write: operator, text: A voltage}
  s.cells: {type: "LREAL[3]", unit: V, default: 3.2, write: operator, text: Voltages}
  s.armed: {type: BOOL, default: false, text: The interlock is armed}
  s.first: {type: DINT, default: 0, text: The permit that tripped it}
"""
PROGRAM = """
blocks:
  late: {type: TON, IN: s.b and s.u > 5 V, PT: 50 ms}
  keep: {type: RS, S: s.a, R1: s.b}
  ready:
    type: INTERLOCK
    PERMIT:
      - s.a
      - not s.b
      - s.a or s.c
      - s.t < 55 °C
      - not late.Q
      - abs(s.u) < 10 V and not (s.b xor s.c)
      - keep.Q1
      - s.c.good
      - s.cells[2] > 3 V
    RESET: s.reset
outputs: {s.armed: ready.OK, s.first: ready.FIRST}
"""
WITH_MEMORY = {5, 7}  # late.Q while its input is true, keep.Q1


@pytest.fixture(scope="module")
def site() -> Site:
    return load(PROGRAM, TAGS)


def looking_at(site: Site, scan: PlainScan) -> Permits:
    """Permits that see of the scan what a snapshot holds: the tag region, and nothing behind it."""
    return Permits(site.schedule, catalogue(), lambda: scan.memory[: site.schedule.region.size])


def look(site: Site, scan: PlainScan) -> Interlock:
    (found,) = looking_at(site, scan).interlocks()
    return found


def test_only_those_that_were_asked_for_are_followed(site: Site) -> None:
    permits = looking_at(site, PlainScan(site.schedule))
    assert [one.name for one in permits.interlocks(("p.ready",))] == ["p.ready"] == [one.name for one in permits.interlocks()]
    assert permits.interlocks(("p.other",)) == ()


contacts = st.fixed_dictionaries(
    {
        **dict.fromkeys(("s.a", "s.b", "s.c", "s.reset"), st.booleans()),
        "s.t": st.floats(-40, 90),
        "s.u": st.sampled_from([-20.0, 0.0, 6.0, 9.9, 11.0, float("nan")]),
        "s.cells": st.lists(st.floats(2.5, 3.7), min_size=3, max_size=3),
        "s.c.good": st.booleans(),
    }
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scans=st.lists(contacts, min_size=1, max_size=4))
def test_what_is_known_of_a_permit_is_what_the_scan_computed(site: Site, scans: list[dict[str, object]]) -> None:
    scan = PlainScan(site.schedule)
    for values in scans:
        for name, value in values.items():
            scan[name] = value
        scan.scan()
        found, truth = look(site, scan), scan["p.ready.PERMIT"]
        assert found.is_armed is scan["s.armed"]
        assert found.first == scan["s.first"]
        for permit, holds in zip(found.permits, truth, strict=True):
            assert permit.holds in (holds, None), f"permit {permit.number}"
            if permit.number not in WITH_MEMORY or scan["s.armed"]:
                assert permit.holds is holds, f"permit {permit.number} depends on no memory"
        assert found.is_closed <= all(truth)


def test_a_block_at_rest_is_known_whatever_it_remembers(site: Site) -> None:
    scan = PlainScan(site.schedule)
    scan["s.b"] = False
    scan.scan()
    assert look(site, scan).permits[4].holds is True, "a TON whose IN is false has Q false"
    scan["s.b"], scan["s.u"] = True, 6.0
    scan.scan()
    assert look(site, scan).permits[4].holds is None, "and one whose IN is true may be on its way"


def test_each_permit_names_the_tags_that_decide_it(site: Site) -> None:
    scan = PlainScan(site.schedule)
    names = [{contact.name for contact in permit.contacts} for permit in look(site, scan).permits]
    assert names == [
        {"s.a"},
        {"s.b"},
        {"s.a", "s.c"},
        {"s.t"},
        {"s.b", "s.u"},
        {"s.u", "s.b", "s.c"},
        {"s.a", "s.b"},
        {"s.c.good"},
        {"s.cells[2]"},
    ]


def test_an_armed_interlock_has_all_its_permits(site: Site) -> None:
    scan = PlainScan(site.schedule)
    for name, value in {"s.a": True, "s.b": False, "s.c": False, "s.u": 0.0, "s.cells": [3.2, 3.2, 3.2], "s.c.good": True}.items():
        scan[name] = value
    scan.scan()
    scan["s.reset"] = True
    scan.scan()
    found = look(site, scan)
    assert found.is_armed is True
    assert found.is_closed
    scan["s.a"] = False
    scan.scan()
    tripped = look(site, scan)
    assert (tripped.is_armed, tripped.first) == (False, 1)
    assert [permit.number for permit in tripped.open] == [1, 3], "keep.Q1 was set before and is remembered: not known"
    assert tripped.permits[6].holds is None


def test_a_site_without_interlock_has_none() -> None:
    tags = "s.a: {type: BOOL, default: false, write: operator}\ns.b: {type: BOOL, default: false}"
    site = load("blocks: {n: {type: NOT, IN: s.a}}\noutputs: {s.b: n.OUT}", tags)
    assert looking_at(site, PlainScan(site.schedule)).interlocks() == ()


def test_many_interlocks_of_one_type_are_told_apart() -> None:
    tags = "".join(f"s.x{n}: {{type: BOOL, default: {str(n == 2).lower()}, write: operator}}\n" for n in range(4))
    blocks = "".join(f"  r{n}: {{type: INTERLOCK, PERMIT: [s.x{n}, not s.x{n}], RESET: false}}\n" for n in range(4))
    program = f"blocks:\n{blocks}outputs: {{s.any: r0.OK or r1.OK or r2.OK or r3.OK}}"
    site = load(program, tags + "s.any: {type: BOOL, default: false}\n")
    scan = PlainScan(site.schedule)
    scan.scan()
    found = {one.name: one for one in looking_at(site, scan).interlocks()}
    assert sorted(found) == ["p.r0", "p.r1", "p.r2", "p.r3"]
    assert [permit.holds for permit in found["p.r2"].permits] == [True, False]
    assert [permit.holds for permit in found["p.r1"].permits] == [False, True]
    assert {contact.name for contact in found["p.r3"].permits[0].contacts} == {"s.x3"}
    assert [one.is_armed for one in found.values()] == [None] * 4, "no tag shows any OK by itself"
