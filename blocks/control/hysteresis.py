"""The two-point switch."""

from __future__ import annotations

from blocks.declare import BOOL, LREAL, Example, Input, Output, block


@block(source="CODESYS Util library, HYSTERESIS")
class HYSTERESIS:
    """A switch with a gap: Q turns true when IN falls below LOW and false when IN rises above HIGH; a NaN leaves it as it is."""

    IN = Input(LREAL, "value that is watched", unit="{IN}")
    LOW = Input(LREAL, "Q turns true below this", unit="{IN}")
    HIGH = Input(LREAL, "Q turns false above this", unit="{IN}")
    Q = Output(BOOL, "IN was last seen below LOW rather than above HIGH")

    def step(fb, dt):
        if fb.IN < fb.LOW:
            fb.Q = True
        elif fb.IN > fb.HIGH:
            fb.Q = False

    example = Example(
        LOW=5.0,
        HIGH=8.0,
        table="""
        IN  | Q
        6   | 0
        4.9 | 1       # below LOW
        6   | 1
        8   | 1
        8.1 | 0       # above HIGH
        6   | 0
    """,
    )
