"""The comparisons of IEC 61131-3: GT, GE, EQ, LE, LT, NE. With NaN on a side all are false, NE is true (IEEE 754)."""

from __future__ import annotations

from blocks.declare import ANY, BOOL, Example, Input, Output, block

TABLE = "IEC 61131-3:2013, table 33; NaN: IEEE 754-2019, 5.11"


@block(source=TABLE)
class GT:
    """True while IN1 is greater than IN2."""

    IN1 = Input(ANY, "left side", unit="{IN1}")
    IN2 = Input(ANY, "right side", unit="{IN1}")
    OUT = Output(BOOL, "whether IN1 is greater than IN2")

    def step(fb, dt):
        fb.OUT = fb.IN1 > fb.IN2

    example = Example(
        table="""
        IN1 IN2 | OUT
        1   2   | 0
        2   2   | 0
        3   2   | 1
        nan 2   | 0
    """
    )


@block(source=TABLE)
class GE:
    """True while IN1 is greater than IN2 or equal."""

    IN1 = Input(ANY, "left side", unit="{IN1}")
    IN2 = Input(ANY, "right side", unit="{IN1}")
    OUT = Output(BOOL, "whether IN1 is greater than IN2 or equal")

    def step(fb, dt):
        fb.OUT = fb.IN1 >= fb.IN2

    example = Example(
        table="""
        IN1 IN2 | OUT
        1   2   | 0
        2   2   | 1
        3   2   | 1
        nan 2   | 0
    """
    )


@block(source=TABLE)
class EQ:
    """True while IN1 equals IN2."""

    IN1 = Input(ANY, "left side", unit="{IN1}")
    IN2 = Input(ANY, "right side", unit="{IN1}")
    OUT = Output(BOOL, "whether IN1 equals IN2")

    def step(fb, dt):
        fb.OUT = fb.IN1 == fb.IN2

    example = Example(
        table="""
        IN1 IN2 | OUT
        1   2   | 0
        2   2   | 1
        3   2   | 0
        nan 2   | 0
    """
    )


@block(source=TABLE)
class LE:
    """True while IN1 is less than IN2 or equal."""

    IN1 = Input(ANY, "left side", unit="{IN1}")
    IN2 = Input(ANY, "right side", unit="{IN1}")
    OUT = Output(BOOL, "whether IN1 is less than IN2 or equal")

    def step(fb, dt):
        fb.OUT = fb.IN1 <= fb.IN2

    example = Example(
        table="""
        IN1 IN2 | OUT
        1   2   | 1
        2   2   | 1
        3   2   | 0
        nan 2   | 0
    """
    )


@block(source=TABLE)
class LT:
    """True while IN1 is less than IN2."""

    IN1 = Input(ANY, "left side", unit="{IN1}")
    IN2 = Input(ANY, "right side", unit="{IN1}")
    OUT = Output(BOOL, "whether IN1 is less than IN2")

    def step(fb, dt):
        fb.OUT = fb.IN1 < fb.IN2

    example = Example(
        table="""
        IN1 IN2 | OUT
        1   2   | 1
        2   2   | 0
        3   2   | 0
        nan 2   | 0
    """
    )


@block(source=TABLE)
class NE:
    """True while IN1 differs from IN2."""

    IN1 = Input(ANY, "left side", unit="{IN1}")
    IN2 = Input(ANY, "right side", unit="{IN1}")
    OUT = Output(BOOL, "whether IN1 differs from IN2")

    def step(fb, dt):
        fb.OUT = fb.IN1 != fb.IN2

    example = Example(
        table="""
        IN1 IN2 | OUT
        1   2   | 1
        2   2   | 0
        3   2   | 1
        nan 2   | 1
    """
    )
