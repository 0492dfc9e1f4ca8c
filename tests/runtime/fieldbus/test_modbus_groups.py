"""The fewest requests that read all registers: known layouts, and random ones against a search of all cuts."""

import random
from itertools import pairwise

import pytest

from runtime.fieldbus.modbus_groups import halves, read_groups, without_bridges
from runtime.fieldbus.modbus_register import FORMATS, ModelPoint, Register
from runtime.model import Point


def point(table: str, address: int, form: str = "uint16", slot: int = 0) -> Point:
    kind, width, tag_type = FORMATS[form]
    return Point(f"{table}{address}", 0, tag_type, slot, Register(table, address, kind, width, -1, False, False, 1.0, 0.0, 0))


def spans(points, gap=8, max_read=120) -> list[tuple[str, int, int]]:
    return [(g.table, g.address, g.count) for g in read_groups(points, gap, max_read)]


def test_contiguous_registers_are_one_request():
    assert spans([point("holding", a) for a in (3, 1, 2, 0)]) == [("holding", 0, 4)]


def test_a_hole_as_wide_as_the_gap_is_read_over_a_wider_one_is_not():
    assert spans([point("holding", 0), point("holding", 9)]) == [("holding", 0, 10)]
    assert spans([point("holding", 0), point("holding", 10)]) == [("holding", 0, 1), ("holding", 10, 1)]


def test_tables_are_never_mixed():
    assert spans([point("input", 0), point("holding", 0)]) == [("holding", 0, 1), ("input", 0, 1)]


def test_a_request_is_no_longer_than_the_device_allows_and_never_cuts_a_value():
    points = [point("holding", 2 * i, "float32") for i in range(100)]
    groups = spans(points, max_read=25)
    assert all(count <= 25 for _, _, count in groups)
    assert all(address % 2 == 0 and count % 2 == 0 for _, address, count in groups)
    assert sum(count for _, _, count in groups) == 200


def test_coils_come_in_their_own_larger_requests():
    assert spans([point("coil", a, "bool") for a in range(2500)]) == [("coil", 0, 2000), ("coil", 2000, 500)]


def model_point(address: int, model: int) -> Point:
    register = Register("holding", address, *FORMATS["uint16"][:2], -1, False, False, 1.0, 0.0, 0, model=ModelPoint(model, 1, "x"))
    return Point(f"m{address}", 0, "DINT", 0, register)


def test_a_model_is_read_in_one_request_whatever_its_holes():
    points = [model_point(a, 701) for a in (2, 40, 100)] + [model_point(a, 702) for a in (105, 150)]
    assert spans(points) == [("holding", 2, 99), ("holding", 105, 46)], "the second would not fit whole into the first request"
    assert [count for _, _, count in spans(points, max_read=30)] == [1, 1, 6, 1], "a model too long for a request is cut"
    assert spans(points[:2], gap=0) == [("holding", 2, 1), ("holding", 40, 1)], "no gap at all means none"


@pytest.mark.parametrize("count", range(1, 9))
def test_halves_never_cut_a_value_and_lose_none(count):
    (group,) = read_groups([point("holding", 2 * i, "float32") for i in range(count)], 8, 120)
    parts = halves(group)
    assert len(parts) == min(count, 2)
    assert [p for part in parts for p in part.points] == list(group.points)
    assert sum(part.count for part in parts) == group.count


def test_two_tags_on_one_register_are_read_once():
    assert spans([point("holding", 5), point("holding", 5)]) == [("holding", 5, 1)]


def test_a_refused_group_is_cut_at_its_holes():
    (group,) = read_groups([point("holding", a) for a in (0, 1, 4, 9)], 8, 120)
    assert group.is_bridged
    assert [(g.address, g.count) for g in without_bridges(group)] == [(0, 2), (4, 1), (9, 1)]
    assert not any(g.is_bridged for g in without_bridges(group))


@pytest.mark.parametrize("seed", range(30))
def test_no_way_of_cutting_needs_fewer_requests(seed):
    chance = random.Random(seed)
    addresses = sorted(chance.sample(range(60), 12))
    gap, most = chance.randint(0, 6), chance.randint(4, 20)
    assert len(spans([point("holding", a) for a in addresses], gap, most)) == fewest(addresses, gap, most)


def fewest(addresses: list[int], gap: int, most: int) -> int:
    """By trying: the fewest runs of neighbours that are short enough and have no hole that is too wide."""
    best = [0] + [len(addresses)] * len(addresses)
    for end in range(1, len(addresses) + 1):
        for start in range(end):
            run = addresses[start:end]
            holes = [b - a - 1 for a, b in pairwise(run)]
            if run[-1] - run[0] + 1 <= most and all(hole <= gap for hole in holes):
                best[end] = min(best[end], best[start] + 1)
    return best[-1]
