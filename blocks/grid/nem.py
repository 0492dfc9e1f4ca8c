"""Normal state energy management of a limited reservoir."""

from __future__ import annotations

from blocks.arithmetic import NS_PER_S, div, is_finite, max, min, to_lreal
from blocks.declare import BOOL, DINT, LREAL, TIME, Array, Example, Input, Output, Var, block
from blocks.grid.laws import PRODUCTS, reservoir_soc


@block(source="Technical Requirements for FCR Provision in the Nordic Synchronous Area v1.1 (2025), 3.5 and table 10")
class NEM:
    """Normal state energy management: a little power that brings a limited reservoir back while the grid is calm.

    Once a second ALLOWED becomes -1 (charge) where SOC is below the lower threshold, 1 (discharge) above the upper one, else 0,
    and only while 49.9 < F < 50.1 Hz. Thresholds are CAPACITY * m / 60 / ENERGY and 1 minus that: for FCR-N m = 30 switches on
    and 57.5 off, for FCR-D 20 both. NEM = mean of the last 300 seconds of ALLOWED, so it needs 5 minutes to come and to go, also
    when the frequency leaves the band. P = 0.34 (FCR-N) or 0.20 (FCR-D) * CAPACITY * NEM, to be added to the reserve's P.

    FCR-D upwards only charges and FCR-D downwards only discharges: a reservoir that sells one direction shall be full, or empty.
    After the frequency has left the band the switching-on threshold counts again. Where a reservoir is so small that both
    thresholds call, and for an input that is no finite number, ALLOWED is 0. Another PRODUCT begins anew, and so does a restart.
    """

    F = Input(LREAL, "frequency of the grid", unit="Hz")
    SOC = Input(LREAL, "state of charge of the reservoir", unit="%")
    CAPACITY = Input(LREAL, "capacity sold, as a positive number", unit="kW", min=0)
    ENERGY = Input(LREAL, "energy of the reservoir from 0 to 100 %", unit="kWh", min=0)
    PRODUCT = Input(DINT, "which reserve", default=0, min=0, max=2, names=PRODUCTS)
    P = Output(LREAL, "power to add, discharging is positive", unit="kW")
    NEM = Output(LREAL, "mean of ALLOWED over 300 s (NEM_current)", min=-1, max=1)
    ALLOWED = Output(DINT, "-1 charge, 1 discharge, 0 nothing (NEM_allowed)", min=-1, max=1)
    samples = Var(Array(DINT, 300), "ALLOWED of the last 300 seconds", volatile=True)
    total = Var(DINT, "sum of the samples", volatile=True)
    at = Var(DINT, "where the next sample goes, from 0", volatile=True)
    since = Var(TIME, "time since the last sample", volatile=True)
    started = Var(BOOL, "the first scan is over", volatile=True)
    sold = Var(DINT, "PRODUCT one scan ago")

    def step(fb, dt):
        if fb.PRODUCT != fb.sold:
            for i in range(300):
                fb.samples[i] = 0
            fb.total = 0
            fb.ALLOWED = 0
            fb.started = False
        fb.sold = fb.PRODUCT
        since = fb.since + dt if fb.started else NS_PER_S
        fb.started = True
        due = div(since, NS_PER_S)
        fb.since = since - due * NS_PER_S
        if due > 0:
            on_minutes = 30.0 if fb.PRODUCT == 0 else 20.0
            off_minutes = 57.5 if fb.PRODUCT == 0 else 20.0
            on = reservoir_soc(fb.CAPACITY, fb.ENERGY, on_minutes)
            off = reservoir_soc(fb.CAPACITY, fb.ENERGY, off_minutes)
            calm = fb.F > 49.9 and fb.F < 50.1 and is_finite(fb.SOC)
            low = fb.SOC < on or (fb.ALLOWED < 0 and fb.SOC < off)
            high = fb.SOC > 100.0 - on or (fb.ALLOWED > 0 and fb.SOC > 100.0 - off)
            charge = calm and low and fb.PRODUCT != 2
            discharge = calm and high and fb.PRODUCT != 1
            fb.ALLOWED = 0 if charge == discharge else (-1 if charge else 1)
        for _second in range(min(due, 300)):
            fb.total = fb.total + fb.ALLOWED - fb.samples[fb.at]
            fb.samples[fb.at] = fb.ALLOWED
            fb.at = fb.at + 1 if fb.at < 299 else 0
        fb.NEM = to_lreal(fb.total) / 300.0
        share = 0.34 if fb.PRODUCT == 0 else 0.2
        fb.P = share * max(fb.CAPACITY, 0.0) * fb.NEM if is_finite(fb.CAPACITY) else 0.0

    example = Example(
        F=50.0,
        CAPACITY="1MW",
        ENERGY=2000.0,
        dt="1s",
        table="""
        x   SOC | ALLOWED NEM    P
        1   50  | 0       0      0
        150 24  | -1      -0.5   -170     # below 25 %: half of it after 150 s
        150 40  | -1      -1     -340     # on until 47.917 %
        1   48  | 0       ~-0.997 ~-338.9
        299 48  | 0       0      0
    """,
    )
