"""CC_CV: constant current, constant voltage, the end, and why it has not come; against the exact law of a linear cell."""

from __future__ import annotations

import math

import numpy as np
import pytest

from blocks.charge.cc_cv import CC_CV, PHASES, REASONS
from tests.aids.scan_table import SIGNATURE, Twin, scan

CAPACITY, R = 280.0, 0.0006
SECOND = 1_000_000_000
CALM = {"CAPACITY": CAPACITY, "V_CV": 3.65, "KP": 2.0, "TI": 1e6, "T_RECHARGE": "0s", "dt": "1s"}
IDLE, CURRENT, VOLTAGE, WAITING, FULL, BAD = range(6)


class Cell:
    """A cell whose open-circuit voltage is a line over its charge, with a resistance; driven by the compiled block."""

    def __init__(self, z: float, slope: float, dt: int, **params: float):
        self.twin = Twin(CC_CV)
        for name, value in ({"CAPACITY": CAPACITY, "V_CV": 3.65, "EN": True} | params).items():
            self.twin.set(name, value)
        self.call, self.z, self.slope, self.dt, self.current = SIGNATURE(self.twin.kernel.address), z, slope, dt, 0.0

    def scan(self) -> float:
        """One scan; the current that was asked for flows until the next. Returns the voltage that the block saw."""
        volts = 3.3 + self.slope * self.z + R * self.current
        columns = self.twin.columns
        columns["V_CELL"][0], columns["I"][0] = volts, -self.current
        self.call(self.twin._addresses.ctypes.data, 1, 0, self.dt)
        self.current = -float(columns["I_SET"][0])
        self.z += self.current * self.dt / SECOND / (3600.0 * CAPACITY)
        return volts

    def see(self, name: str) -> float:
        return float(self.twin.columns[name][0])


def test_a_linear_cell_is_charged_as_its_exact_law_says(deviation):
    """At constant voltage the current of V = V0 + s z + R I dies as exp(-t s/(3600 Q R)).

    The PI trails a falling current by TI/(KP Q) dI/dt = 0.5/140 * 0.081 A/s = 0.3 mV; through 0.6 mOhm that is 0.5 A, at scans
    of 0.1 s: the bar for the current is 1 A of 140 A, that for the voltage 1 mV. At the end 0.05 A of trail are 6 s of a current
    that falls by 0.008 A/s: 10 s. (A scan longer than TI counts as TI, so at scans of 1 s the trail is twice as long.)
    """
    h = 0.1
    cell = Cell(z=0.2, slope=0.35, dt=SECOND // 10)
    volts, amps = [], []
    while cell.see("PHASE") != FULL and len(amps) < 100_000:
        volts.append(cell.scan())
        amps.append(cell.current)
    until = (3.65 - R * 140.0 - 3.3) / 0.35  # charge at which the voltage is reached
    start = (until - 0.2) * 2.0 * 3600.0
    tau = 3600.0 * CAPACITY * R / 0.35
    # the integral starts at 0, so the first seconds are softer; what they lack in charge, the law is late
    late = float(np.sum(140.0 - np.array(amps[:100]))) * h / 140.0
    t = (np.arange(len(amps)) + 1.0) * h - late
    exact = np.where(t < start, 140.0, 140.0 * np.exp(-(t - start) / tau))
    held = (t > 10.0) & (t < start + tau * math.log(10.0))
    deviation("CC_CV", "exact law of a linear cell", "current", np.max(np.abs(np.array(amps) - exact)[held]), 1.0, "A")
    deviation("CC_CV", "V_CV", "overshoot of the voltage", max(volts) - 3.65, 1e-3, "V")
    expected = late + start + tau * math.log(10.0) + 30.0
    deviation("CC_CV", "exact law of a linear cell", "time to full", abs(len(amps) * h - expected), 10.0, "s")


@pytest.mark.parametrize("dt", [10_000_000, 100_000_000])
def test_nothing_winds_up_in_constant_current_even_where_the_voltage_rises_steeply(dt, deviation):
    """LFP's last bend: 10 V over the whole charge, 1.4 mV/s at 0.5 C, after minutes at the current's limit.

    To hold the voltage the current falls by 1.4 mV/s / 0.6 mOhm = 2.3 A/s, which the PI trails by 0.5/140 s V/A * 2.3 A/s = 8.3 mV.
    """
    cell = Cell(z=0.0, slope=10.0, dt=dt)
    worst = max(cell.scan() for _ in range(300 * SECOND // dt))
    deviation("CC_CV", "V_CV", f"overshoot at a steep bend, scans of {dt // 1_000_000} ms", worst - 3.65, 0.01, "V")
    assert cell.see("PHASE") == VOLTAGE


def test_phases_and_reasons_of_a_whole_charge():
    scan(
        CC_CV,
        **CALM,
        END_TIME="2s",
        table=f"""
        EN V_CELL I    BALANCED | I_SET   PHASE      WHY
        0  3.20   0    0        | 0       {IDLE}     {REASONS.index("charging is not enabled")}
        1  3.20   0    0        | -140    {CURRENT}  {REASONS.index("cell voltage below the end voltage")}
        1  3.642  -140 0        | ~-4.48  {VOLTAGE}  {REASONS.index("current above the end current")}
        1  3.642  -15  0        | ~-4.48  {VOLTAGE}  {REASONS.index("current above the end current")}
        1  3.642  -14  0        | ~-4.48  {VOLTAGE}  {REASONS.index("end current not held long enough")}
        1  3.642  -4   0        | ~-4.48  {VOLTAGE}  {REASONS.index("end current not held long enough")}
        1  3.642  -4   0        | ~-4.48  {WAITING}  {REASONS.index("cells not balanced")}
        1  3.642  -4   1        | 0       {FULL}     {REASONS.index("nothing: it is full")}
    """,
    )
    assert PHASES[WAITING] == "waiting for balancing"


def test_the_end_current_must_be_held_without_a_gap():
    scan(
        CC_CV,
        **CALM,
        EN=True,
        V_CELL=3.645,
        END_TIME="3s",
        table="""
        I   | HELD FULL
        -10 | 0s   0
        -10 | 1s   0
        -10 | 2s   0
        -15 | 0s   0
        -10 | 0s   0
        -10 | 1s   0
        -10 | 2s   0
        -10 | 3s   1
    """,
    )


def test_a_current_that_somebody_else_limits_is_no_sign_of_a_full_battery():
    """The BMS allows 5 A, below the end current of 14 A; at 3.643 V the PI itself would ask for 20 A and more."""
    scan(
        CC_CV,
        CAPACITY=CAPACITY,
        EN=True,
        I_MIN=-5.0,
        V_CV=3.65,
        KP=20.0,
        END_TIME="0s",
        dt="1s",
        table=f"""
        x   V_CELL I  | I_SET PHASE     FULL WHY
        1   3.643  -5 | -5    {CURRENT} 0    {REASONS.index("current limited from outside")}
        100 3.643  -5 | -5    {CURRENT} 0    {REASONS.index("current limited from outside")}
    """,
    )


def test_a_limit_that_is_zero_or_of_the_wrong_sign_is_no_current():
    scan(CC_CV, **CALM, EN=True, V_CELL=3.2, I=0.0, table="I_MIN | I_SET\n -inf | -140\n -50 | -50\n 0 | 0\n 50 | 0\n -50 | -50")


def test_while_it_waits_for_balancing_it_gives_no_more_than_the_end_current():
    scan(
        CC_CV,
        **CALM,
        EN=True,
        BALANCED=False,
        END_TIME="0s",
        table=f"""
        V_CELL I   | I_SET PHASE     WAITED
        3.648  -5  | ~-1.1 {WAITING} 0s
        3.60   -1  | -14   {WAITING} 1s     # the PI would ask for 28 A
        3.40   -14 | -14   {WAITING} 2s
        3.29   -14 | -140  {CURRENT} 0s     # so low that it is charged anew
    """,
    )


def test_balancing_that_never_ends_is_given_up_and_said():
    scan(
        CC_CV,
        **CALM,
        EN=True,
        BALANCED=False,
        END_TIME="0s",
        WAIT_MAX="3s",
        V_CELL=3.648,
        table=f"""
        x I  | PHASE     WHY WAITED FULL
        1 -1 | {WAITING} {REASONS.index("cells not balanced")} 0s 0
        2 -1 | {WAITING} {REASONS.index("cells not balanced")} 2s 0
        1 -1 | {FULL}    {REASONS.index("full, but balancing took too long")} 3s 1
        9 0  | {FULL}    {REASONS.index("full, but balancing took too long")} 0s 1
    """,
    )


def test_full_survives_commands_that_are_repeated_and_ends_at_the_recharge_voltage():
    scan(
        CC_CV,
        **CALM,
        END_TIME="0s",
        table=f"""
        EN V_CELL I  | I_SET FULL PHASE
        1  3.645  -3 | 0     1    {FULL}
        0  3.38   0  | 0     1    {FULL}
        1  3.38   0  | 0     1    {FULL}
        0  3.38   0  | 0     1    {FULL}
        1  3.30   0  | 0     1    {FULL}
        1  3.299  0  | -140  0    {CURRENT}
    """,
    )


def test_a_voltage_above_the_end_is_no_current_and_never_a_discharge():
    scan(CC_CV, CAPACITY=CAPACITY, EN=True, I=0.0, END_TIME="1h", dt="1s", table="V_CELL | I_SET\n 3.651 | 0\n 3.9 | 0\n 1e6 | 0")


@pytest.mark.parametrize(
    "pin", ["V_CELL", "I", "CAPACITY", "RATE", "I_MIN", "V_CV", "V_BAND", "END_RATE", "V_RECHARGE", "KP", "TI"]
)
def test_a_nan_is_no_current_and_is_not_remembered(pin):
    good = {"V_CELL": 3.2, "I": 0.0, "CAPACITY": 280.0, "RATE": 0.5, "I_MIN": -200.0, "V_CV": 3.65, "V_BAND": 0.01}
    good |= {"END_RATE": 0.05, "V_RECHARGE": 3.3, "KP": 2.0, "TI": 2.0}
    rest = {name: value for name, value in good.items() if name != pin}
    scan(
        CC_CV,
        **rest,
        EN=True,
        table=f"""
        {pin}        | I_SET PHASE     WHY
        {good[pin]}  | -140  {CURRENT} 2
        nan          | 0     {BAD}     {REASONS.index("bad input")}
        {good[pin]}  | -140  {CURRENT} 2
    """,
    )


@pytest.mark.parametrize("capacity", [0.0, -280.0])
def test_without_a_capacity_there_is_no_current_and_nothing_is_full(capacity):
    scan(CC_CV, CAPACITY=capacity, EN=True, I=0.0, END_TIME="0s", table="V_CELL | I_SET FULL\n 3.2 | 0 0\n 3.65 | 0 0\n 3.7 | 0 0")


def test_the_end_voltage_is_reached_at_exactly_the_band_and_nobody_else_is_blamed_for_the_rated_current():
    scan(
        CC_CV,
        CAPACITY=100.0,
        EN=True,
        V_CV=3.5,
        V_BAND=0.25,
        V_RECHARGE=3.0,
        KP=1.0,
        TI=2.0,
        I_MIN=-50.0,
        dt="1s",
        table=f"""
        V_CELL I   | I_SET PHASE     WHY
        3.2499 -99 | ~-25.01 {CURRENT} {REASONS.index("cell voltage below the end voltage")}
        3.25   -99 | ~-37.51 {VOLTAGE} {REASONS.index("current above the end current")}
    """,
    )
    table = f"V_CELL I | PHASE WHY\n 3.25 -99 | {CURRENT} {REASONS.index('cell voltage below the end voltage')}"
    scan(CC_CV, CAPACITY=100.0, EN=True, V_CV=3.5, V_BAND=0.25, KP=9.0, I_MIN=-50.0, table=table)
