"""HEATER_STAGES: how many heaters."""

from __future__ import annotations

import pytest

from blocks.climate.heater_stages import HEATER_STAGES
from tests.aids.scan_table import scan


def test_a_stage_comes_at_its_share_and_goes_a_hysteresis_below():
    scan(
        HEATER_STAGES,
        STAGES=4,
        HYSTERESIS=10.0,
        table="""
        DEMAND | COUNT
        24.9   | 0
        25     | 1
        50     | 2
        41     | 2
        39     | 1
        16     | 1
        14     | 0
        100    | 4        # several at once, where the demand jumps
        91     | 4
        89     | 3
        0      | 0
    """,
    )


def test_the_rest_is_what_a_continuous_heater_would_add():
    scan(
        HEATER_STAGES,
        STAGES=2,
        HYSTERESIS=10.0,
        table="DEMAND | COUNT REST\n 25 | 0 50\n 75 | 1 50\n 45 | 1 0\n 100 | 2 0\n 20 | 0 40",
    )


@pytest.mark.parametrize("stages", range(1, 13))
def test_full_demand_is_all_stages(stages):
    scan(HEATER_STAGES, STAGES=stages, table=f"DEMAND | COUNT\n 100 | {stages}\n 150 | {stages}\n 0 | 0\n -20 | 0")


def test_a_demand_that_nobody_knows_is_no_heat():
    scan(HEATER_STAGES, STAGES=3, table="DEMAND | COUNT REST\n 100 | 3 0\n nan | 0 0\n inf | 0 0\n 34 | 1 ~2")


def test_a_broken_hysteresis_is_none():
    scan(HEATER_STAGES, STAGES=2, table="DEMAND HYSTERESIS | COUNT\n 50 nan | 1\n 49 nan | 0\n 50 -5 | 1\n 49 -5 | 0")


@pytest.mark.parametrize("stages", [1, 3, 4, 20, 64])
@pytest.mark.parametrize("hysteresis", ["0", "5", "25", "100", "inf"])
def test_without_a_demand_no_stage_is_on_however_wide_the_hysteresis(stages, hysteresis):
    scan(
        HEATER_STAGES,
        STAGES=stages,
        table=f"""
            DEMAND HYSTERESIS | COUNT
            100 {hysteresis} | {stages}
            0 {hysteresis} | 0
            100 {hysteresis} | {stages}
            -1 {hysteresis} | 0
        """,
    )


def test_never_more_than_one_stage_is_on_too_many():
    """50 % of 20 stages is 10; a gap of a whole stage would hold the eleventh for ever, and one of two stages the twelfth."""
    scan(
        HEATER_STAGES,
        STAGES=20,
        HYSTERESIS=10.0,
        table="DEMAND | COUNT\n 100 | 20\n 50.1 | 10\n 54.9 | 10\n 55 | 11\n 51 | 11\n 50 | 10",
    )
