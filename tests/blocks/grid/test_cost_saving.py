"""COST_SAVING: which slots it trades in, what the round trip must earn, and how it compares with the best possible plan."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog

from blocks.grid.cost_saving import COST_SAVING
from blocks.plain import Instance
from tests.aids.scan_table import scan

BATTERY = {"ENERGY": 100.0, "P_RATED": 50.0, "P_MIN": -50.0, "P_MAX": 50.0, "SOC_MIN": 0.0, "SOC_MAX": 100.0}


def test_it_charges_in_the_cheapest_slots_that_it_needs_and_discharges_in_the_dearest():
    """Two slots of 50 kWh fill 100 kWh: slots 2 and 3 are cheaper than 1; 5 and 6 are dearer than 4, and 85 % of them less."""
    prices = {"PRICE": [0.12, 0.08, 0.10, 0.35, 0.40, 0.36]}
    scan(COST_SAVING, **BATTERY, **prices, SOC=0.0, table="SLOT | P\n 1 | 0\n 2 | -50\n 3 | -50\n 4 | 0")
    scan(COST_SAVING, **BATTERY, **prices, SOC=100.0, table="SLOT | P\n 3 | 0\n 4 | 0\n 5 | 50\n 6 | 50")


def test_a_spread_that_does_not_pay_the_loss_or_the_wear_moves_nothing():
    """85 % of 0.23 is 0.1955: not more than 0.20. 85 % of 0.30 less 0.04 is 0.215, less 0.06 is 0.195."""
    empty = BATTERY | {"SOC": 0.0, "SLOT": 1}
    scan(COST_SAVING, **empty, PRICE=[0.20, 0.23], table="WEAR | STATE\n 0 | 0")
    scan(COST_SAVING, **empty, PRICE=[0.20, 0.30], table="WEAR | STATE\n 0 | 1\n 0.04 | 1\n 0.06 | 0")
    scan(COST_SAVING, **BATTERY, SOC=100.0, SLOT=2, PRICE=[0.20, 0.23], table="WEAR | STATE\n 0 | 0")


def test_negative_prices_pay_for_charging():
    scan(COST_SAVING, **BATTERY, SLOT=1, PRICE=[-0.05, 0.02], table="SOC | P STATE\n 0 | -50 1\n 100 | 0 0")
    scan(COST_SAVING, **BATTERY, SLOT=2, SOC=100.0, PRICE=[-0.3, -0.05], table="WEAR | P\n 0 | 0")  # nor sold so


def test_it_ends_softly_at_its_limits_and_keeps_those_of_the_battery():
    """What is missing at 99.5 % of 100 kWh is half a kWh: 30 kW for a minute."""
    params = BATTERY | {"PRICE": [0.1, 0.5]}
    scan(COST_SAVING, **params, SLOT=1, table="SOC | P\n 50 | -50\n 99.5 | -30\n 100 | 0\n 104 | 0")
    scan(COST_SAVING, **params, SLOT=2, table="SOC | P\n 50 | 50\n 0.5 | 30\n 0 | 0\n -3 | 0")
    scan(COST_SAVING, **params | {"P_MIN": -20.0}, SLOT=1, SOC=50.0, table="P_RATED | P\n 50 | -20\n 10 | -10")


def test_what_is_no_number_gives_0_and_is_forgotten():
    params = BATTERY | {"SLOT": 1}
    scan(COST_SAVING, **params, PRICE=[0.1, 0.5], table="SOC | P STATE\n 50 | -50 1\n nan | 0 3\n 50 | -50 1")
    scan(COST_SAVING, **params, SOC=50.0, table="PRICE | P STATE\n [nan,0.5] | 0 3\n [0.1,nan] | 0 0\n [0.1,0.5] | -50 1")
    scan(COST_SAVING, **BATTERY, SOC=50.0, PRICE=[0.1, 0.5], table="SLOT | P\n 0 | 0\n 3 | 0\n 1 | -50")


@pytest.mark.parametrize(("slot", "power"), [(1, -50), (2, 50)])
def test_a_rated_power_that_is_none_trades_nothing(slot, power):
    """Not with all that the battery could do, and not the other way round."""
    wide = {name: value for name, value in BATTERY.items() if name != "P_RATED"} | {"P_MIN": -1000.0, "P_MAX": 1000.0}
    params = wide | {"SOC": 50.0, "SLOT": slot, "PRICE": [0.1, 0.5]}
    table = f"P_RATED SLOT_TIME | P STATE\n nan 1 | 0 3\n -50 1 | 0 -\n inf 1 | 0 3\n 50 nan | 0 3\n 50 1 | {power} -"
    scan(COST_SAVING, **params, table=table)


def test_a_noisy_state_of_charge_does_not_switch_the_trade():
    """Slot 2 is cheaper and needs 50 kWh of room: at 50 +- 0.05 % slot 1 must not buy in every second scan."""
    chance = np.random.default_rng(1)
    one = Instance(COST_SAVING, length=3)
    for name, value in (BATTERY | {"PRICE": [0.10, 0.05, 0.5], "SLOT": 1}).items():
        setattr(one, name, value)
    for middle, most in ((50.0, 0), (49.0, 1), (100.0, 1), (99.5, 1)):
        states = []
        for _ in range(500):
            one.SOC = middle + chance.choice([-0.05, 0.05])
            one.scan(10_000_000)
            states.append(int(one.STATE))
        assert np.count_nonzero(np.diff(states)) <= most, f"at {middle} %"


def profit(prices: np.ndarray, efficiency: float) -> tuple[float, np.ndarray]:
    """A day in quarters of an hour with slots of an hour, from empty; all of the loss is taken while charging."""
    one = Instance(COST_SAVING, length=len(prices))
    for name, value in (BATTERY | {"PRICE": list(prices), "EFFICIENCY": 100.0 * efficiency}).items():
        setattr(one, name, value)
    soc, money, course = 0.0, 0.0, []
    for quarter in range(4 * len(prices)):
        one.SLOT, one.SOC = quarter // 4 + 1, soc
        one.scan(10_000_000)
        kwh = float(one.P) * 0.25
        kwh = min(kwh, soc) if kwh > 0.0 else max(kwh, (soc - 100.0) / efficiency)
        soc -= kwh if kwh > 0.0 else kwh * efficiency
        money += kwh * prices[quarter // 4]
        course.append(soc)
    return money, np.array(course)


def best_possible(prices: np.ndarray, efficiency: float) -> float:
    """The best plan of all, as a linear program over the energy bought and sold in each slot."""
    n = len(prices)
    fill = np.tril(np.ones((n, n)))
    a = np.block([[efficiency * fill, -fill], [-efficiency * fill, fill]])
    found = linprog(
        np.concatenate([prices, -prices]), A_ub=a, b_ub=np.concatenate([np.full(n, 100.0), np.zeros(n)]), bounds=(0.0, 50.0)
    )
    return -float(found.fun)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_on_days_with_two_peaks_it_earns_most_of_what_the_best_plan_could(seed, deviation):
    """Prices as of a day-ahead market: night and noon valleys, two peaks that pay two cycles. Greedy, so the bar is a tenth."""
    shape = np.interp(np.arange(24), [0, 4, 8, 13, 19, 23], [0.08, 0.06, 0.22, 0.05, 0.30, 0.12])
    prices = shape + np.random.default_rng(seed).normal(0.0, 0.005, 24)
    money, course = profit(prices, 0.85)
    assert money > 0.0
    assert np.min(course) >= 0.0
    assert np.max(course) <= 100.0
    deviation("COST_SAVING", "scipy linprog", f"profit that is missed, day {seed}", 1.0 - money / best_possible(prices, 0.85), 0.1)
