"""The symmetrical components of three voltages or currents."""

from __future__ import annotations

from blocks.arithmetic import cosine_of_turns, is_finite, max, min, sine_of_turns, sqrt, turns_of
from blocks.declare import BOOL, LREAL, Array, Example, Input, Output, block

THIRD = 1.0 / 3.0
FULL = 360.0
MOST = 1000.0


@block(source="C. L. Fortescue, Method of symmetrical co-ordinates (AIEE Trans. 37, 1918); unbalance as IEC 61000-4-30:2015, 5.7")
class SEQUENCE_COMPONENTS:
    """Splits three phasors into a positive, a negative and a zero sequence, and says how unbalanced they are.

    X1 = (A + a B + a^2 C)/3, X2 = (A + a^2 B + a C)/3, X0 = (A + B + C)/3 with a = 1 at 120 degrees. A healthy grid with the
    phase order A B C has its voltages in X1 alone. UNBALANCE is X2 in % of X1, UNBALANCE0 is X0 in % of X1; both end at 1000
    %, and what is less than 1e-9 of all three counts as 0. REVERSED says that X2 is the greater: two phases are swapped. A NaN
    comes out on the magnitudes it touches and is not remembered; the unbalances are 0 then, and BAD is true.
    """

    X = Input(Array(LREAL, 3), "magnitudes of the phases A, B, C")
    PHASE = Input(Array(LREAL, 3), "angles of the phases", unit="deg", default=(0.0, -120.0, 120.0))
    X1 = Output(LREAL, "magnitude of the positive sequence", unit="{X}")
    X2 = Output(LREAL, "magnitude of the negative sequence", unit="{X}")
    X0 = Output(LREAL, "magnitude of the zero sequence", unit="{X}")
    PHASE1 = Output(LREAL, "angle of the positive sequence", unit="deg")
    UNBALANCE = Output(LREAL, "negative sequence over positive", unit="%", min=0, max=1000)
    UNBALANCE0 = Output(LREAL, "zero sequence over positive", unit="%", min=0, max=1000)
    REVERSED = Output(BOOL, "the negative sequence is the greater: two phases are swapped")
    BAD = Output(BOOL, "an input is not a number")

    def step(fb, dt):
        one_re = 0.0
        one_im = 0.0
        two_re = 0.0
        two_im = 0.0
        nil_re = 0.0
        nil_im = 0.0
        for i in range(3):
            turn = fb.PHASE[i] / FULL
            one_re = one_re + fb.X[i] * cosine_of_turns(turn + i * THIRD)
            one_im = one_im + fb.X[i] * sine_of_turns(turn + i * THIRD)
            two_re = two_re + fb.X[i] * cosine_of_turns(turn - i * THIRD)
            two_im = two_im + fb.X[i] * sine_of_turns(turn - i * THIRD)
            nil_re = nil_re + fb.X[i] * cosine_of_turns(turn)
            nil_im = nil_im + fb.X[i] * sine_of_turns(turn)
        fb.X1 = sqrt(one_re * one_re + one_im * one_im) / 3.0
        fb.X2 = sqrt(two_re * two_re + two_im * two_im) / 3.0
        fb.X0 = sqrt(nil_re * nil_re + nil_im * nil_im) / 3.0
        fb.PHASE1 = turns_of(one_im, one_re) * FULL
        least = 1e-9 * (fb.X1 + fb.X2 + fb.X0)
        share = min(fb.X2 / max(fb.X1, least) * 100.0, MOST) if fb.X2 > least else 0.0
        share0 = min(fb.X0 / max(fb.X1, least) * 100.0, MOST) if fb.X0 > least else 0.0
        fb.UNBALANCE = share if is_finite(share) else 0.0
        fb.UNBALANCE0 = share0 if is_finite(share0) else 0.0
        fb.REVERSED = fb.X2 > least and fb.X2 > fb.X1
        fb.BAD = not is_finite(fb.X1 + fb.X2 + fb.X0)

    example = Example(
        table="""
            X             PHASE        | X1      X2      X0      UNBALANCE UNBALANCE0 REVERSED
            [230,230,230] [0,-120,120] | ~230.00 ~0.00   ~0.00   ~0.00     ~0.00      0
            [230,230,230] [0,120,-120] | ~0.00   ~230.00 ~0.00   1000      0          1     # two phases swapped
            [5,5,5]       [30,30,30]   | ~0.00   ~0.00   ~5.00   0         1000       0
            [230,230,0]   [0,-120,120] | ~153.33 ~76.67  ~76.67  ~50.00    ~50.00     0     # phase C is lost
            [230,230,200] [0,-120,120] | ~220.00 ~10.00  ~10.00  ~4.545    ~4.545     0
        """,
    )
