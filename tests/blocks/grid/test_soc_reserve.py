"""SOC_RESERVE: a floor with hysteresis, opened for a backup."""

from __future__ import annotations

from blocks.grid.soc_reserve import SOC_RESERVE
from tests.aids.scan_table import scan

KEEP = {"LIMIT": 100.0, "RESERVE": 30.0, "GAP": 3.0, "FLOOR": 5.0}


def test_it_closes_at_the_reserve_and_opens_above_the_gap():
    scan(SOC_RESERVE, **KEEP, table="SOC | P_MAX\n 40 | 100\n 30.1 | 100\n 30 | 0\n 33 | 0\n 33.1 | 100\n 29 | 0")


def test_it_starts_closed_inside_the_gap():
    scan(SOC_RESERVE, **KEEP, table="SOC | P_MAX CLOSED\n 32 | 0 1")


def test_a_backup_may_use_the_reserve_down_to_the_floor_and_its_end_closes_again():
    scan(SOC_RESERVE, **KEEP, table="SOC BACKUP | P_MAX\n 20 0 | 0\n 20 1 | 100\n 5.1 1 | 100\n 5 1 | 0\n 20 1 | 100\n 20 0 | 0")


def test_what_is_no_number_closes_and_is_forgotten():
    scan(SOC_RESERVE, **KEEP, table="SOC | P_MAX\n 50 | 100\n nan | 0\n inf | 0\n 50 | 100")
    scan(SOC_RESERVE, SOC=50.0, RESERVE=30.0, table="LIMIT | P_MAX\n nan | 0\n 70 | 70\n inf | 0\n -5 | 0")


def test_one_lost_value_does_not_end_a_backup():
    scan(SOC_RESERVE, **KEEP, BACKUP=True, table="SOC | P_MAX CLOSED\n 20 | 100 0\n 7 | 100 0\n nan | 0 1\n 7 | 100 0")
    scan(SOC_RESERVE, **KEEP, table="SOC | P_MAX CLOSED\n 32 | 0 1\n nan | 0 1\n 32 | 0 1")
    scan(SOC_RESERVE, **KEEP, table="SOC | P_MAX CLOSED\n 40 | 100 0\n nan | 0 1\n 29 | 0 1\n 32 | 0 1")


def test_a_full_battery_opens_however_wide_the_gap_is_unless_all_of_it_is_kept():
    scan(SOC_RESERVE, LIMIT=100.0, RESERVE=98.0, table="SOC | P_MAX\n 99.4 | 0\n 100 | 100\n 98.1 | 100\n 98 | 0\n 99.6 | 100")
    scan(SOC_RESERVE, LIMIT=100.0, RESERVE=30.0, GAP=100.0, table="SOC | P_MAX\n 99 | 0\n 100 | 100")
    scan(SOC_RESERVE, LIMIT=100.0, RESERVE=100.0, table="SOC | P_MAX\n 100 | 0")
