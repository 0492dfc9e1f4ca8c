"""LER_LIMITS: table 10 of the Nordic requirements, in the numbers of the SvK example and of one hour each way."""

from __future__ import annotations

from blocks.grid.ler_limits import LER_LIMITS
from tests.aids.scan_table import scan


def test_fcr_n_reserves_1_34_of_its_power_and_one_hour_each_way():
    scan(
        LER_LIMITS,
        CAPACITY="1MW",
        ENERGY=2000.0,
        table="PRODUCT | P_UP P_DOWN E_UP E_DOWN\n 0 | 1340 1340 1000 1000\n 1 | 1000 200 ~333.3 0\n 2 | 200 1000 0 ~333.3",
    )


def test_10_mw_of_fcr_d_need_3_3_mwh():
    """Svenska kraftnat's example: 10 MW x 1/3 h."""
    scan(LER_LIMITS, CAPACITY="10MW", ENERGY=10_000.0, PRODUCT=1, table="P_MAX | E_UP NEM_LOW_ON\n 1e9 | ~3333.3 ~33.333")


def test_the_thresholds_of_fcr_n():
    """1 MW in 4 MWh: m/60/4."""
    scan(
        LER_LIMITS,
        CAPACITY="1MW",
        ENERGY=4000.0,
        table="""
        PRODUCT | AEM_LOW_ON AEM_LOW_OFF NEM_LOW_ON NEM_LOW_OFF NEM_HIGH_OFF NEM_HIGH_ON AEM_HIGH_OFF AEM_HIGH_ON
        0       | ~2.0833    ~4.1667     12.5       ~23.9583    ~76.0417     87.5        ~95.8333     ~97.9167
    """,
    )


def test_enough_is_power_and_energy_both():
    scan(
        LER_LIMITS,
        CAPACITY="1MW",
        table="""
        ENERGY P_MAX P_MIN | ENOUGH
        2000   1340  -1340 | 1
        1999   1340  -1340 | 0
        2000   1339  -1340 | 0
        2000   1340  -1339 | 0
        nan    1340  -1340 | 0
        2000   nan   -1340 | 0
        2000   1340  -1340 | 1
    """,
    )


def test_a_capacity_that_is_no_number_reserves_nothing_and_is_not_enough():
    power = {"P_MIN": -2000.0, "P_MAX": 2000.0}
    scan(LER_LIMITS, **power, ENERGY=2000.0, table="CAPACITY | P_UP ENOUGH\n nan | 0 0\n 1000 | 1340 1\n inf | 0 0\n -5 | 0 0")
    scan(LER_LIMITS, **power, CAPACITY=1000.0, table="ENERGY | ENOUGH\n inf | 0\n -1 | 0\n 2000 | 1")
    scan(LER_LIMITS, CAPACITY=1000.0, table="ENERGY | AEM_LOW_ON NEM_HIGH_ON\n 0 | 0 100\n 100 | ~83.333 0")


def test_the_power_of_the_battery_must_be_known_before_it_is_enough():
    assert LER_LIMITS.pin("P_MIN").required
    assert LER_LIMITS.pin("P_MAX").required
    table = "P_MIN P_MAX | ENOUGH\n -inf 2000 | 0\n -2000 inf | 0\n nan 2000 | 0\n -2000 2000 | 1"
    scan(LER_LIMITS, CAPACITY=1000.0, ENERGY=2000.0, table=table)
