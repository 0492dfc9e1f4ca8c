"""ZONE_GUARD: the last word on a heater and a fan."""

from __future__ import annotations

import math

import pytest

from blocks.climate.zone_guard import ZONE_GUARD
from blocks.control.pid import PID
from blocks.control.ramp import RAMP
from blocks.control.split_range import SPLIT_RANGE
from blocks.plain import Instance
from tests.aids.scan_table import scan


def test_what_is_asked_passes_inside_its_range():
    scan(
        ZONE_GUARD,
        T=20.0,
        table="HEAT COOL | HEATER FAN REASON\n 60 0 | 60 0 0\n 0 40 | 0 40 0\n 150 0 | 100 0 0\n -5 250 | 0 100 0",
    )


def test_a_dead_sensor_stops_the_heater_and_runs_the_fan():
    scan(
        ZONE_GUARD,
        COOL_BLIND=70.0,
        table="""
        T    HEAT COOL | HEATER FAN REASON
        20   60   0    | 60     0   0
        nan  60   0    | 0      70  1
        nan  0    90   | 0      90  1        # what is asked, where that is more
        -inf 60   0    | 0      70  1
        20   60   0    | 60     0   0
    """,
    )


def test_it_does_not_heat_what_is_hot_until_it_is_back_by_the_hysteresis():
    scan(ZONE_GUARD, HEAT=50.0, COOL=0.0, table="T | HEATER CUT\n 29.9 | 50 0\n 30 | 0 1\n 28 | 0 1\n 27.9 | 50 0\n 29.9 | 50 0")


def test_a_cut_that_is_no_number_cuts():
    scan(ZONE_GUARD, T=20.0, HEAT=50.0, COOL=0.0, table="T_CUT | HEATER CUT REASON\n 30 | 50 0 0\n nan | 0 1 2\n 30 | 50 0 0")


def test_never_both_and_a_broken_demand_is_no_heat_and_full_cooling():
    scan(
        ZONE_GUARD,
        T=20.0,
        table="HEAT COOL | HEATER FAN REASON\n 60 1 | 0 1 3\n nan 10 | 0 10 4\n 60 nan | 0 100 4\n 60 0 | 60 0 0",
    )


def test_off_is_off():
    scan(ZONE_GUARD, HEAT=60.0, COOL=40.0, table="T EN | HEATER FAN REASON\n 20 0 | 0 0 5\n nan 0 | 0 0 5")


def test_a_small_demand_is_a_demand():
    scan(
        ZONE_GUARD,
        table="""
        T  HEAT COOL  | HEATER FAN REASON
        20 0.5  0     | 0.5    0   0
        20 0    0.5   | 0      0.5 0
        20 50   0.5   | 0      0.5 3
        20 0    100.5 | 0      100 0
        35 0.5  0     | 0      0   2
    """,
    )


def test_speeds_and_differences_outside_their_range_count_as_its_ends():
    scan(ZONE_GUARD, T=float("nan"), HEAT=0.0, COOL=0.0, table="COOL_BLIND | FAN\n 150 | 100\n -5 | 0")
    scan(ZONE_GUARD, HYSTERESIS=-5.0, HEAT=50.0, COOL=0.0, table="T | HEATER\n 30 | 0\n 29.9 | 50")


class Zone:
    """A zone as an engineer wires it: RAMP, PID, SPLIT_RANGE, ZONE_GUARD, on a container of 500 kJ/K that loses 0.2 kW/K."""

    def __init__(self) -> None:
        self.ramp, self.pid, self.split, self.guard = (Instance(b) for b in (RAMP, PID, SPLIT_RANGE, ZONE_GUARD))
        self.ramp.IN, self.ramp.UP, self.ramp.DOWN = 18.0, 0.01, 0.01
        self.pid.KP, self.pid.TI, self.pid.OUT_MIN, self.pid.OUT_MAX = -10.0, 600.0, 0.0, 100.0
        self.celsius = 10.0

    def second(self, outside: float, losses: float, sensor: float) -> None:
        """One scan and one second of the container: 6 kW of heater, 10 kW of cooling."""
        self.ramp.scan(1_000_000_000)
        self.pid.SP, self.pid.PV = self.ramp.OUT, sensor
        self.pid.scan(1_000_000_000)
        self.split.IN = self.pid.OUT
        self.split.scan(1_000_000_000)
        self.guard.T, self.guard.HEAT, self.guard.COOL = sensor, self.split.A, self.split.B
        self.guard.scan(1_000_000_000)
        power = 0.06 * float(self.guard.HEATER) - 0.1 * float(self.guard.FAN) + losses + 0.2 * (outside - self.celsius)
        self.celsius += power / 500.0


@pytest.mark.parametrize(("outside", "losses"), [(-5.0, 0.5), (30.0, 3.0)])
def test_a_zone_of_ramp_pid_and_split_range_holds_its_setpoint_winter_and_summer(outside, losses):
    zone = Zone()
    for _ in range(4 * 3600):
        zone.second(outside, losses, zone.celsius)
        assert zone.guard.HEATER == 0.0 or zone.guard.FAN == 0.0
    assert zone.celsius == pytest.approx(18.0, abs=0.1)
    needed = 0.2 * (zone.celsius - outside) - losses
    assert 0.06 * float(zone.guard.HEATER) - 0.1 * float(zone.guard.FAN) == pytest.approx(needed, abs=0.05)


def test_the_heater_of_a_zone_does_not_stay_on_when_its_sensor_breaks():
    """The PID holds its output at half the heater's power; the guard turns it off and the fan on in the same scan."""
    zone = Zone()
    for _ in range(3600):
        zone.second(-5.0, 0.5, zone.celsius)
    assert zone.guard.HEATER > 30.0
    zone.second(-5.0, 0.5, math.nan)
    assert zone.split.A > 30.0
    assert (zone.guard.HEATER, zone.guard.FAN, zone.guard.REASON) == (0.0, 100.0, 1)
    zone.second(-5.0, 0.5, zone.celsius)
    assert zone.guard.HEATER > 30.0


def test_one_broken_sample_does_not_keep_the_heater_off():
    scan(
        ZONE_GUARD,
        HEAT=60.0,
        COOL=0.0,
        table="""
            T T_CUT | HEATER CUT
            29 30 | 60 0
            nan 30 | 0 1
            29 30 | 60 0
            29 nan | 0 1
            29 30 | 60 0
            30 30 | 0 1
            nan 30 | 0 1
            29 30 | 0 1
        """,
    )
