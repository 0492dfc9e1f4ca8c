"""The bitwise functions of IEC 61131-3 on BOOL: AND, OR, XOR, NOT."""

from __future__ import annotations

from blocks.declare import BOOL, Example, Input, Output, block

TABLE = "IEC 61131-3:2013, table 31"


@block(source=TABLE, fold=("IN1", "IN2", "OUT"))
class AND:
    """True while every input is true."""

    IN1 = Input(BOOL, "first condition")
    IN2 = Input(BOOL, "second condition")
    OUT = Output(BOOL, "IN1 and IN2")

    def step(fb, dt):
        fb.OUT = fb.IN1 and fb.IN2

    example = Example(
        table="""
        IN1 IN2 | OUT
        0   0   | 0
        0   1   | 0
        1   0   | 0
        1   1   | 1
    """
    )


@block(source=TABLE, fold=("IN1", "IN2", "OUT"))
class OR:
    """True while at least one input is true."""

    IN1 = Input(BOOL, "first condition")
    IN2 = Input(BOOL, "second condition")
    OUT = Output(BOOL, "IN1 or IN2")

    def step(fb, dt):
        fb.OUT = fb.IN1 or fb.IN2

    example = Example(
        table="""
        IN1 IN2 | OUT
        0   0   | 0
        0   1   | 1
        1   0   | 1
        1   1   | 1
    """
    )


@block(source=TABLE, fold=("IN1", "IN2", "OUT"))
class XOR:
    """True while an odd number of inputs is true."""

    IN1 = Input(BOOL, "first condition")
    IN2 = Input(BOOL, "second condition")
    OUT = Output(BOOL, "IN1 or IN2, not both")

    def step(fb, dt):
        fb.OUT = fb.IN1 != fb.IN2

    example = Example(
        table="""
        IN1 IN2 | OUT
        0   0   | 0
        0   1   | 1
        1   0   | 1
        1   1   | 0
    """
    )


@block(source=TABLE)
class NOT:
    """True while the input is false."""

    IN = Input(BOOL, "condition")
    OUT = Output(BOOL, "the opposite of IN")

    def step(fb, dt):
        fb.OUT = not fb.IN

    example = Example(
        table="""
        IN | OUT
        0  | 1
        1  | 0
    """
    )
