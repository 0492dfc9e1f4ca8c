"""FCR_ENDURANCE: minutes of full activation that are left."""

from __future__ import annotations

from blocks.grid.fcr_endurance import FCR_ENDURANCE
from tests.aids.scan_table import scan

MW = {"ENERGY": 2000.0, "C_UP": 1000.0, "C_DOWN": 1000.0}


def test_energy_over_power_each_way():
    scan(FCR_ENDURANCE, **MW, table="SOC | UP DOWN\n 50 | 60 60\n 25 | 30 90\n 0 | 0 120\n 100 | 120 0\n -3 | 0 123.6")


def test_what_runs_beside_the_reserve_counts():
    """1 MWh: discharging 250 kW beside leaves 60/1.25 = 48 min up and 60/0.75 = 80 min down."""
    scan(FCR_ENDURANCE, **MW, SOC=50.0, table="P | UP DOWN\n 250 | 48 80\n -250 | 80 48\n 1000 | 30 9999\n -2000 | 9999 20")


def test_the_usable_range_is_counted():
    scan(FCR_ENDURANCE, **MW, SOC=50.0, SOC_MIN=10.0, SOC_MAX=90.0, table="MOST | UP DOWN\n 9999 | 48 48\n 30 | 30 30")


def test_in_aem_and_without_numbers_it_is_0():
    scan(FCR_ENDURANCE, **MW, table="SOC AEM P | UP DOWN\n 50 1 0 | 0 0\n nan 0 0 | 0 0\n 50 0 nan | 0 0\n 50 0 0 | 60 60")


def test_a_product_that_is_not_sold_lasts_for_ever():
    scan(FCR_ENDURANCE, ENERGY=2000.0, SOC=50.0, table="C_UP C_DOWN | UP DOWN\n 0 0 | 9999 9999\n 1000 0 | 60 9999")


def test_a_longest_time_that_is_not_above_0_reports_0():
    scan(FCR_ENDURANCE, **MW, SOC=50.0, table="MOST | UP DOWN\n -5 | 0 0\n 0 | 0 0\n nan | 0 0\n 9999 | 60 60")
