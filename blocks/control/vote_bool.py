"""The vote of binary trip channels."""

from __future__ import annotations

from blocks.arithmetic import clamp, max
from blocks.declare import BOOL, DINT, Array, Example, Input, Output, block


@block(source="IEC 61508-6:2010, annex B: MooN architectures (1oo1, 1oo2, 2oo2, 2oo3, 1oo3)")
class VOTE_BOOL:
    """M out of N: Q asks for the trip when at least M of the channels do.

    A channel whose GOOD is false votes for the trip, so 2oo3 becomes 1oo2 of the others. With LEAVE_OUT it is left out instead and
    2oo3 becomes 2oo2, then 1oo1; with no channel left Q is true. M below 1 counts as 1, above N as N.
    """

    IN = Input(Array(BOOL, "N"), "the channels; true asks for the trip")
    GOOD = Input(Array(BOOL, "N"), "the channel is healthy", default=True)
    M = Input(DINT, "how many must ask", default=2, min=1)
    LEAVE_OUT = Input(BOOL, "a bad channel is left out rather than counted as asking", default=False)
    Q = Output(BOOL, "trip")
    VOTES = Output(DINT, "channels that ask, bad ones included unless left out", min=0)
    BAD = Output(DINT, "channels that are not good", min=0)
    DISCREPANT = Output(BOOL, "the good channels do not agree")

    def step(fb, dt):
        asking = 0
        bad = 0
        for i in range(len(fb.IN)):
            if not fb.GOOD[i]:
                bad = bad + 1
            elif fb.IN[i]:
                asking = asking + 1
        good = len(fb.IN) - bad
        voters = good if fb.LEAVE_OUT else len(fb.IN)
        fb.VOTES = asking if fb.LEAVE_OUT else asking + bad
        fb.Q = fb.VOTES >= clamp(1, fb.M, max(voters, 1)) or voters == 0
        fb.BAD = bad
        fb.DISCREPANT = 0 < asking and asking < good

    example = Example(
        M=2,
        table="""
        IN      GOOD    | Q VOTES BAD DISCREPANT
        [0,0,0] [1,1,1] | 0 0     0   0
        [1,0,0] [1,1,1] | 0 1     0   1          # one channel alone does not trip
        [1,0,1] [1,1,1] | 1 2     0   1
        [0,0,0] [1,0,1] | 0 1     1   0          # a dead channel votes for the trip:
        [0,0,1] [1,0,1] | 1 2     1   1          # 2oo3 has become 1oo2
        [0,0,0] [0,0,1] | 1 2     2   0
    """,
    )
