"""VOTE_BOOL: the MooN architectures of IEC 61508-6, annex B."""

from __future__ import annotations

import itertools

import pytest

from blocks.control.vote_bool import VOTE_BOOL
from tests.aids.scan_table import Twin, scan


@pytest.mark.parametrize(("m", "n"), [(1, 1), (1, 2), (2, 2), (2, 3), (1, 3), (2, 4), (3, 3)])
def test_every_architecture_trips_for_m_channels_and_not_for_fewer(m, n):
    twin = Twin(VOTE_BOOL, length=n)
    twin.set("M", m)
    for channels in itertools.product((False, True), repeat=n):
        twin.set("IN", channels)
        twin.scan(10_000_000)
        assert twin.get("Q") == (sum(channels) >= m), channels
        assert twin.get("VOTES") == sum(channels)
        assert twin.get("DISCREPANT") == (0 < sum(channels) < n)


def test_a_dead_channel_votes_for_the_trip_so_2oo3_becomes_1oo2():
    scan(
        VOTE_BOOL,
        M=2,
        table="""
        IN      GOOD    | Q VOTES BAD
        [0,0,0] [1,1,1] | 0 0     0
        [0,0,0] [0,1,1] | 0 1     1
        [0,1,0] [0,1,1] | 1 2     1
        [0,0,0] [0,0,1] | 1 2     2
        [1,0,0] [0,1,1] | 0 1     1      # what a dead channel says does not count twice
    """,
    )


def test_left_out_it_becomes_2oo2_then_1oo1_and_trips_when_none_is_left():
    scan(
        VOTE_BOOL,
        M=2,
        LEAVE_OUT=1,
        table="""
        IN      GOOD    | Q VOTES BAD
        [1,1,0] [0,1,1] | 0 1     1
        [0,1,1] [0,1,1] | 1 2     1
        [0,0,0] [0,0,1] | 0 0     2
        [0,0,1] [0,0,1] | 1 1     2
        [0,0,0] [0,0,0] | 1 0     3
    """,
    )


def test_an_m_without_sense_counts_as_the_nearest_that_has_some():
    scan(VOTE_BOOL, table="IN M | Q\n [0,0] 0 | 0\n [1,0] 0 | 1\n [1,0] -3 | 1\n [1,0] 9 | 0\n [1,1] 9 | 1")
