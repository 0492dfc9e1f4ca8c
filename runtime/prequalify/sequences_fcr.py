"""The test sequences of the Nordic FCR products, as data.

Source: Technical Requirements for FCR Provision in the Nordic Synchronous Area v1.1, 28 March 2025 (NUMBERS.md). It knows no
criterion and no plant.
"""

from __future__ import annotations

from dataclasses import dataclass

from runtime.prequalify.sequence import Sequence, Sine, ramps, stairs

NORDIC = "Technical Requirements for FCR in the Nordic Synchronous Area v1.1 (2025)"
PERIODS = (10.0, 15.0, 25.0, 40.0, 50.0, 60.0, 70.0)  # s, of the sines for stability
LONG_PERIODS = (*PERIODS, 90.0, 150.0, 300.0)  # s, as the drafts of 2021 tested the performance of FCR-N; v1.1 unconfirmed
AMPLITUDE = 0.1  # Hz
SETTLE, COUNTED = 2, 5  # periods of a sine that are let pass, and that are evaluated


@dataclass(frozen=True)
class Product:
    """One FCR product: where it begins and where it is full (Hz), and the share of the grid's reserve that scales its loop.

    `sign` is +1 where a low frequency asks for it. `regulating` is the whole reserve in MW, `log_every` the longest time between
    two samples of a test in s, `step` the step of the linearity test in Hz.
    """

    service: str
    title: str
    start: float
    full: float
    centre: float
    sign: float
    regulating: float
    log_every: float
    step: float

    @property
    def band(self) -> float:
        """From no activation to all of it, in Hz."""
        return round(abs(self.full - self.start), 9)

    @property
    def is_symmetric(self) -> bool:
        """It answers in both directions."""
        return self.start == 50.0


FCR_N = Product("Fcrn", "FCR-N", 50.0, 49.9, 50.0, 1.0, 600.0, 0.2, 0.02)
FCR_D_UP = Product("FcrdUp", "FCR-D upwards", 49.9, 49.5, 49.7, 1.0, 1450.0, 0.1, 0.1)
FCR_D_DOWN = Product("FcrdDo", "FCR-D downwards", 50.1, 50.5, 50.3, -1.0, 1450.0, 0.1, 0.1)
PRODUCTS = {"fcr-n": FCR_N, "fcr-d-up": FCR_D_UP, "fcr-d-down": FCR_D_DOWN}


def step_test(*, endurance: bool = False) -> Sequence:
    """The FCR-N step test: 49.95, 50, 49.9, 50.1 and 50 Hz; each full step for 5 min, or for 15 min to show endurance."""
    hold = 900.0 if endurance else 300.0
    up, down, back = 360.0, 360.0 + hold, 360.0 + 2.0 * hold
    steps = ((0.0, 50.0), (30.0, 49.95), (60.0, 50.0), (up, 49.9), (down, 50.1), (back, 50.0))
    marks = {"up": up, "down": down, "back": back, "end": back + 300.0}
    title = "step test" + (" with endurance" if endurance else "")
    kind = "Endurance" if endurance else "Step"
    return Sequence(kind, title, f"{NORDIC}, table 3", back + 300.0, stairs(steps), marks=marks)


def ramp_test(product: Product, *, endurance: bool = False) -> Sequence:
    """The fast ramp test of FCR-D; downwards it is mirrored about 50 Hz. The hold at full is 300 s, or 900 s for endurance.

    Ramps 1 to 6: to 49.45 at 0.14 Hz/s, to 49.9 at 0.09, to 49.5 at 0.24 (held), to 49.9, to 49.0 for 60 s, to 50.0.
    The text puts the nadir 4.4 s after the first ramp's start, the table turns at 4.9 s: both are marks.
    """
    late = 600.0 if endurance else 0.0
    legs: tuple[tuple[float, float, float], ...] = (
        (30.0, 49.45, 0.14),
        (34.9, 49.9, 0.09),
        (90.0, 49.5, 0.24),
        (390.0 + late, 49.9, 0.24),
        (690.0 + late, 49.0, 0.24),
        (750.0 + late, 50.0, 0.24),
    )
    if product.sign < 0.0:
        legs = tuple((start, 100.0 - target, rate) for start, target, rate in legs)
    marks = {
        "ramp 1": 30.0,
        "nadir, text": 34.4,
        "nadir, table": 34.9,
        "ramp 3": 90.0,
        "steady": 390.0,
        "ramp 4": 390.0 + late,
        "ramp 5": 690.0 + late,
        "ramp 6": 750.0 + late,
    }
    title = "fast ramp test" + (" with endurance" if endurance else "")
    kind = "Endurance" if endurance else "Ramp"
    views = (("deactivation after ramp 1", 25.0, 80.0), ("7.5 s from ramp 5 on", 685.0 + late, 705.0 + late))
    return Sequence(kind, title, f"{NORDIC}, table 4", 810.0 + late, ramps(product.start, legs), marks=marks, views=views)


def sine_test(product: Product, period: float) -> Sequence:
    """A sine of 100 mHz about the middle of the product's band: two periods to settle, five to evaluate, 60 s of rest before."""
    start = 60.0
    evaluate, end = start + SETTLE * period, start + (SETTLE + COUNTED) * period
    course = Sine(product.centre, AMPLITUDE, period, start, end)
    marks = {"start": start, "evaluate": evaluate, "end": end, "period": period}
    return Sequence(f"Sine{period:.0f}s", f"sine of {period:.0f} s", f"{NORDIC}, sine tests", end, course, marks=marks)


def linearity_test(product: Product, hold: float = 150.0) -> Sequence:
    """Stairs through the whole band and back: 20 mHz (FCR-N) or 100 mHz (FCR-D) a step, each held for `hold` s.

    NUMBERS.md states the steps; the time of each is ours: a plant of 60 s settles to a fiftieth of the band in it, and the whole
    takes less energy than the test of endurance.
    """
    count, down = round(product.band / product.step), -product.sign * product.step
    legs = [*range(1, count + 1), *range(count - 1, -1, -1)]
    levels = [0, *legs, *(-level for level in legs)] if product.is_symmetric else [0, *legs]
    steps = tuple((i * hold, round(product.start + level * down, 6)) for i, level in enumerate(levels))
    marks = {"hold": hold}
    return Sequence("Lin", "linearity test", f"{NORDIC}, linearity", len(levels) * hold, stairs(steps), marks=marks)


def sequences(product: Product) -> list[Sequence]:
    """All tests of a product, the short ones first."""
    if product.is_symmetric:
        first = [step_test(), *(sine_test(product, period) for period in LONG_PERIODS)]
        return [*first, linearity_test(product), step_test(endurance=True)]
    first = [ramp_test(product), *(sine_test(product, period) for period in PERIODS)]
    return [*first, linearity_test(product), ramp_test(product, endurance=True)]
