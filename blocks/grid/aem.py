"""Alert state energy management of a limited reservoir."""

from __future__ import annotations

from blocks.arithmetic import NS_PER_S, clamp, div, is_finite, min, to_int, to_lreal
from blocks.declare import BOOL, DINT, LINT, LREAL, TIME, Array, Example, Input, Output, Var, block
from blocks.grid.laws import PRODUCTS, is_grid, reservoir_soc


@block(source="Technical Requirements for FCR Provision in the Nordic Synchronous Area v1.1 (2025), 3.5 and table 10")
class AEM:
    """Alert state energy management: moves the reserve's reference frequency when a limited reservoir is nearly empty or full.

    ON where SOC falls below CAPACITY * 5 / 60 / ENERGY, or rises above 1 minus that; off again within the same with 10 minutes.
    Once a second a sample is taken: F held within the product's band while ON, else the product's nominal 50.0, 49.9 or 50.1 Hz.
    F_REF = mean of the last 300 samples, for the pin of that name of FCR_N, FCR_D_UP or FCR_D_DOWN: a lasting deviation fades out
    in 5 minutes, a fast one is still answered. FCR-D upwards watches the lower end only, downwards the upper one.

    ON stays as it is while SOC is no finite number, or CAPACITY or ENERGY none above 0: an empty battery must not lose its
    protection by a lost value. A dead F (no number, or outside 40 .. 60 Hz) counts as nominal. Samples are kept in whole nanohertz,
    so their sum stays exact. Another PRODUCT begins anew from its nominal frequency, and so does a restart.
    """

    F = Input(LREAL, "frequency of the grid", unit="Hz")
    SOC = Input(LREAL, "state of charge of the reservoir", unit="%")
    CAPACITY = Input(LREAL, "capacity sold, as a positive number", unit="kW", min=0)
    ENERGY = Input(LREAL, "energy of the reservoir from 0 to 100 %", unit="kWh", min=0)
    PRODUCT = Input(DINT, "which reserve", default=0, min=0, max=2, names=PRODUCTS)
    F_REF = Output(LREAL, "frequency without activation", unit="Hz", default=50.0)
    ON = Output(BOOL, "alert state energy management is on; the endurance to report is 0")
    samples = Var(Array(LINT, 300), "F less nominal of the last 300 seconds, in nHz", volatile=True)
    total = Var(LINT, "sum of the samples", volatile=True)
    at = Var(DINT, "where the next sample goes, from 0", volatile=True)
    since = Var(TIME, "time since the last sample", volatile=True)
    started = Var(BOOL, "the first scan is over", volatile=True)
    sold = Var(DINT, "PRODUCT one scan ago")

    def step(fb, dt):
        nominal = 50.0 if fb.PRODUCT == 0 else (49.9 if fb.PRODUCT == 1 else 50.1)
        low = 49.9 if fb.PRODUCT == 0 else (49.5 if fb.PRODUCT == 1 else 50.1)
        high = 50.1 if fb.PRODUCT == 0 else (49.9 if fb.PRODUCT == 1 else 50.5)
        on = reservoir_soc(fb.CAPACITY, fb.ENERGY, 5.0)
        off = reservoir_soc(fb.CAPACITY, fb.ENERGY, 10.0)
        empty = fb.PRODUCT != 2 and (fb.SOC < on or (fb.ON and fb.SOC < off))
        full = fb.PRODUCT != 1 and (fb.SOC > 100.0 - on or (fb.ON and fb.SOC > 100.0 - off))
        if is_finite(fb.SOC + fb.CAPACITY + fb.ENERGY) and fb.CAPACITY > 0.0 and fb.ENERGY > 0.0:
            fb.ON = empty or full
        if fb.PRODUCT != fb.sold:
            for i in range(300):
                fb.samples[i] = 0
            fb.total = 0
            fb.started = False
        fb.sold = fb.PRODUCT
        since = fb.since + dt if fb.started else NS_PER_S
        fb.started = True
        due = div(since, NS_PER_S)
        fb.since = since - due * NS_PER_S
        sample = to_int((clamp(low, fb.F, high) - nominal) * 1e9) if fb.ON and is_grid(fb.F) else 0
        for _second in range(min(due, 300)):
            fb.total = fb.total + sample - fb.samples[fb.at]
            fb.samples[fb.at] = sample
            fb.at = fb.at + 1 if fb.at < 299 else 0
        fb.F_REF = nominal + to_lreal(fb.total) / 3e11

    example = Example(
        CAPACITY="1MW",
        ENERGY=2000.0,
        dt="1s",
        table="""
        x   F    SOC | F_REF  ON
        1   49.9 50  | 50     0
        1   49.9 4.1 | ~49.9997 1     # below 4.167 %
        149 49.9 4.1 | 49.95  1       # half of the deviation is forgotten
        150 49.9 8   | 49.9   1       # on until 8.333 %
        1   50   8.4 | ~49.9003 0
        299 50   8.4 | 50     0
    """,
    )
