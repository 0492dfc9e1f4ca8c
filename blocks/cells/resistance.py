"""The internal resistance of a cell from steps of its current."""

from __future__ import annotations

from blocks.arithmetic import abs, clamp, is_finite, max, min
from blocks.cells.laws import arrhenius
from blocks.declare import BOOL, LINT, LREAL, TIME, Example, Input, Output, Var, block

STILL = 0.1  # share of STEP that a steady current may move
MANY = 2_000_000_000
COLDEST, HOTTEST = -40.0, 90.0  # °C: what a cell in use can have


@block(source="IEC 61960-3:2017 and IEC 62660-1 (resistance as voltage over a step of the current); Arrhenius's law")
class RESISTANCE:
    """Measures the internal resistance of a cell at real steps of its current: R = -dV/dI, discharging being positive.

    The current must be steady (within a tenth of STEP), then change by STEP or more within SPAN, then stay steady for SPAN: the
    voltage SPAN after the step, against that before, gives R. A ramp slower than that, a pulse shorter than SPAN and noise give
    nothing. R25 is R at 25 °C by exp(ACTIVATION (1/T - 1/298.15 K)), smoothed: each new one counts WEIGHT. A result that is not
    positive or beyond R_MAX is dropped and counted in DROPPED. A NaN on V or I drops the step that was going on; without a T of
    -40 to 90 °C only R is measured. One instance a cell.
    """

    V = Input(LREAL, "cell voltage", unit="V")
    I = Input(LREAL, "current, discharging is positive", unit="A")  # noqa: E741 - the letter of the trade
    T = Input(LREAL, "cell temperature", unit="°C", default=25.0)
    STEP = Input(LREAL, "smallest change of current that is measured", unit="A", default=50.0, min=0.001, max=1e6)
    SPAN = Input(TIME, "how long after the step the voltage is taken", min=0, default=1_000_000_000)
    WEIGHT = Input(LREAL, "share of a new measurement in R25", default=0.2, min=0.001, max=1)
    ACTIVATION = Input(LREAL, "activation energy over the gas constant; 0: no law", unit="K", default=3644.0, min=0, max=2e4)
    R_MAX = Input(LREAL, "largest resistance that is believed", unit="Ohm", default=0.1, min=0, max=1e3)
    R = Output(LREAL, "last measured resistance; 0 before the first", unit="Ohm", min=0)
    R25 = Output(LREAL, "resistance at 25 °C, smoothed; 0 before the first", unit="Ohm", min=0)
    DONE = Output(BOOL, "true in the scan of a new measurement")
    COUNT = Output(LINT, "measurements since the start", min=0)
    DROPPED = Output(LINT, "steps whose result was not believed", min=0)
    v_before = Var(LREAL, "voltage before the step", unit="V")
    i_before = Var(LREAL, "current before the step", unit="A")
    level = Var(LREAL, "current after the step", unit="A")
    age = Var(TIME, "time since the current left i")
    steady = Var(TIME, "time that it has stayed at level")
    moving = Var(BOOL, "a step is going on")
    started = Var(BOOL, "v and i are set")

    def step(fb, dt):
        fb.DONE = False
        still = STILL * fb.STEP
        span = max(fb.SPAN, 0)
        settled = False
        if not is_finite(fb.V + fb.I + still):
            fb.started = False
            fb.moving = False
        elif fb.moving:
            fb.age = min(fb.age, MANY * 1000) + dt
            fb.steady = min(fb.steady, MANY * 1000) + dt
            if not abs(fb.I - fb.level) <= still:
                fb.level = fb.I
                fb.steady = 0
            settled = fb.steady >= span
        elif not fb.started or abs(fb.I - fb.i_before) <= still:
            fb.v_before = fb.V
            fb.i_before = fb.I
            fb.started = True
        else:
            fb.moving = True
            fb.level = fb.I
            fb.age = 0
            fb.steady = 0
            settled = span <= 0
        if settled:
            change = fb.I - fb.i_before
            if abs(change) >= fb.STEP and fb.age - fb.steady <= span:
                r = (fb.v_before - fb.V) / change
                if r > 0.0 and r <= fb.R_MAX:
                    fb.R = r
                    fb.DONE = True
                    fb.COUNT = fb.COUNT + 1
                    normal = r / arrhenius(max(fb.ACTIVATION, 0.0), fb.T)
                    if fb.T >= COLDEST and fb.T <= HOTTEST and is_finite(normal):
                        fb.R25 = fb.R25 + clamp(0.0, fb.WEIGHT, 1.0) * (normal - fb.R25) if fb.R25 > 0.0 else normal
                else:
                    fb.DROPPED = fb.DROPPED + 1
            fb.v_before = fb.V
            fb.i_before = fb.I
            fb.moving = False

    example = Example(
        SPAN="1s",
        STEP=50.0,
        dt="500ms",
        table="""
        V    I   | R      DONE COUNT
        3.30 0   | 0      0    0
        3.25 100 | 0      0    0        # 0.5 mOhm act at once
        3.24 100 | 0      0    0
        3.24 100 | 0.6mOhm 1   1        # 1 s after the step
        3.24 98  | 0.6mOhm 0   1        # too small a change
        3.27 50  | 0.6mOhm 0   1
        3.30 0   | 0.6mOhm 0   1
        3.30 0   | 0.6mOhm 0   1
        3.30 0   | ~0.61mOhm 1 2        # 98 A within SPAN, in two halves: 60 mV
    """,
    )
