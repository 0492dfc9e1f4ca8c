"""ISLAND_DETECT: each sign of a lost grid, and the way back."""

from __future__ import annotations

import pytest

from blocks.grid.island_detect import ISLAND_DETECT
from tests.aids.scan_table import scan

GOOD = {"V": "[100,100,100]", "F": "50", "RATE": "0", "SHIFT": "0", "BREAKER": "1"}


@pytest.mark.parametrize(
    ("sign", "scans", "cause"),
    [
        ({"BREAKER": "0"}, 0, 1),
        ({"V": "[100,79,100]"}, 19, 2),
        ({"V": "[100,116,100]"}, 19, 3),
        ({"F": "47.4"}, 19, 4),
        ({"F": "51.6"}, 19, 5),
        ({"RATE": "-2.1"}, 49, 6),
        ({"SHIFT": "1"}, 0, 7),
        ({"V": "[100,nan,100]"}, 19, 2),
        ({"F": "nan"}, 19, 4),
        ({"RATE": "nan"}, 49, 6),
    ],
)
def test_each_sign_ends_it_after_its_delay_and_a_good_grid_brings_it_back(sign, scans, cause):
    good, bad = " ".join(GOOD.values()), " ".join((GOOD | sign).values())
    waiting = f"{scans} {bad} | 1 0 0" if scans else ""
    scan(
        ISLAND_DETECT,
        V_NOM=100.0,
        RETURN="50ms",
        table=f"""
        x {" ".join(GOOD)} | GRID_OK LOST CAUSE
        5 {good}           | 0 1 0
        1 {good}           | 1 0 0
        {waiting}
        1 {bad}            | 0 1 {cause}
        9 {bad}            | 0 1 {cause}
        5 {good}           | 0 1 {0 if cause == 1 else cause}
        1 {good}           | 1 0 0
    """,
    )


def test_a_sign_shorter_than_its_delay_does_nothing():
    scan(
        ISLAND_DETECT,
        V_NOM=100.0,
        F=50.0,
        RETURN="0s",
        table="x V | GRID_OK\n 1 [100] | 1\n 19 [50] | 1\n 1 [100] | 1\n 19 [50] | 1\n 1 [50] | 0",
    )


def test_the_first_sign_is_kept_while_others_follow():
    scan(
        ISLAND_DETECT,
        V_NOM=100.0,
        RETURN="0s",
        table="x V F SHIFT | GRID_OK CAUSE\n 1 [100] 50 0 | 1 0\n 1 [50] 45 1 | 0 7\n 50 [50] 45 0 | 0 7\n 1 [100] 50 0 | 1 0",
    )


def test_any_sign_starts_the_return_anew():
    scan(
        ISLAND_DETECT,
        V_NOM=100.0,
        F=50.0,
        RETURN="50ms",
        table="x V | GRID_OK LEFT\n 5 [100] | 0 10ms\n 1 [70] | 0 50ms\n 5 [100] | 0 10ms\n 1 [100] | 1 0ms",
    )


@pytest.mark.parametrize(("pin", "cause"), [("V_HIGH", 3), ("V_LOW", 2), ("F_HIGH", 5), ("F_LOW", 4), ("RATE_LIMIT", 6)])
def test_a_broken_limit_is_passed(pin, cause):
    scan(
        ISLAND_DETECT,
        V_NOM=100.0,
        V=(100.0,),
        F=50.0,
        RETURN="0s",
        **{pin: float("nan")},
        table=f"x | GRID_OK CAUSE\n 99 | 0 {cause}",
    )


def test_an_open_breaker_is_the_cause_until_it_is_closed():
    scan(
        ISLAND_DETECT,
        V_NOM=100.0,
        F=50.0,
        RETURN="1s",
        table="x V BREAKER | GRID_OK CAUSE\n 1 [100] 0 | 0 1\n 1 [100] 1 | 0 0\n 30 [50] 1 | 0 2\n 9 [100] 1 | 0 2",
    )


def test_a_rate_that_is_not_known_is_no_loss_but_nothing_returns_without_it():
    scan(
        ISLAND_DETECT,
        V_NOM=100.0,
        V=(100.0,),
        F=50.0,
        RETURN="20ms",
        table="x RATE_READY | GRID_OK CAUSE\n 99 0 | 0 0\n 2 1 | 0 0\n 1 1 | 1 0\n 99 0 | 1 0",
    )
