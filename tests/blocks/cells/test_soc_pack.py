"""SOC_PACK: what a series string can give and take."""

from __future__ import annotations

import numpy as np

from blocks.cells.soc_pack import SOC_PACK
from tests.aids.scan_table import Twin, scan


def test_the_weakest_cell_ends_the_discharge_and_the_fullest_the_charge():
    """80 Ah can be taken and 0 given: full. 30 left, 20 of room: 60 %."""
    scan(
        SOC_PACK,
        table="""
        CELLS      | SOC USABLE MIN MAX MEAN MIN_AT MAX_AT
        [80,100]   | 100 80     80  100 90   1      2
        [30,80]    | 60  50     30  80  55   1      2
        [0,10]     | 0   90     0   10  5    1      2
    """,
    )


def test_it_is_0_when_the_first_cell_is_empty_and_100_when_the_first_is_full_whatever_the_others():
    chance = np.random.default_rng(5)
    twin = Twin(SOC_PACK, length=7)
    for _ in range(50):
        cells = chance.uniform(5.0, 95.0, 7)
        for end in (0.0, 100.0):
            cells[3] = end
            twin.set("CELLS", cells)
            twin.scan(10_000_000)
            assert twin.get("SOC") == end
            assert min(cells) <= twin.get("WEIGHTED") <= max(cells)


def test_the_classic_blend_goes_from_the_lowest_to_the_highest_with_the_mean():
    scan(
        SOC_PACK,
        table="CELLS | WEIGHTED\n [5,5,20] | 6.5\n [40,50,60] | 50\n [80,95,95] | 93.5\n [0,0,0] | 0\n [100,100,100] | 100",
    )


def test_cells_without_a_value_are_left_out_and_none_at_all_is_no_number():
    scan(
        SOC_PACK,
        table="""
        CELLS         | SOC MIN MEAN USABLE MIN_AT MAX_AT BAD
        [nan,50,inf]  | 50  50  50   100    2      2      2
        [nan,nan,nan] | nan nan nan  nan    0      0      3
        [120,50,-3]   | 0   0   50   0      3      1      0
    """,
    )
