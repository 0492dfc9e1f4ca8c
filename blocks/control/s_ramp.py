"""The ramp with rounded corners."""

from __future__ import annotations

from blocks.arithmetic import abs, clamp, is_finite, max, min, seconds, sqrt
from blocks.declare import BOOL, LREAL, Example, Input, Output, block


@block(source="time-optimal motion of a double integrator with bounded speed (Pontryagin), solved for scans of any length")
class S_RAMP:
    """A setpoint that starts and stops moving gently: OUT follows IN with slopes up to UP and DOWN, which change by ACC a second.

    OUT arrives at IN in the shortest time that the three bounds allow, and stays there: it never overshoots, unless IN itself moves
    nearer than OUT can stop; then OUT turns round as soon as it can. ACC = 0 (or NaN) is a plain ramp with sharp corners. OUT
    starts from 0; SET puts it to SET_TO at once. A NaN on IN brings OUT gently to a stop, one on SET_TO at once, and HELD
    tells; a broken rate is 0.
    """

    IN = Input(LREAL, "where OUT shall go", unit="{IN}")
    UP = Input(LREAL, "fastest rise per second", unit="{IN}/s", min=0)
    DOWN = Input(LREAL, "fastest fall per second, as a positive number", unit="{IN}/s", min=0)
    ACC = Input(LREAL, "fastest change of the slope per second; 0: any", unit="{IN}/s^2", min=0)
    SET = Input(BOOL, "puts OUT to SET_TO, at rest", default=False)
    SET_TO = Input(LREAL, "OUT while SET", unit="{IN}", default=0.0)
    OUT = Output(LREAL, "IN, with limited slopes and rounded corners", unit="{IN}")
    SLOPE = Output(LREAL, "how fast OUT moves per second", unit="{IN}/s")
    ARRIVED = Output(BOOL, "OUT stands at IN")
    HELD = Output(BOOL, "IN, or SET_TO while SET, is not a number")

    def step(fb, dt):
        h = seconds(dt)
        acc = max(fb.ACC, 0.0)
        dead = not is_finite(fb.IN)
        target = fb.OUT if dead else fb.IN
        # seen in the direction of the target
        toward = 1.0 if target >= fb.OUT else -1.0
        distance = abs(target - fb.OUT)
        speed = fb.SLOPE * toward
        top = max(fb.UP, 0.0) if toward > 0.0 else max(fb.DOWN, 0.0)
        gain = acc * h
        room = distance - 0.5 * speed * h
        # the speed v at the scan's end from which it can still stop: v^2/(2 ACC) is what is left after the scan
        root = 0.5 * gain + sqrt(0.25 * gain * gain + 2.0 * acc * max(room, 0.0))
        safe = 2.0 * acc * max(room, 0.0) / root if root > 0.0 and not dead else 0.0
        new = clamp(speed - gain, min(safe, top), speed + gain)
        way = 0.5 * (speed + new) * h
        if acc == 0.0:
            way = min(distance, top * h)
            new = way / h if h > 0.0 else 0.0
        elif speed >= 0.0 and speed <= gain and (room <= 0.0 or dead):  # it stops within this scan
            stop = 0.5 * speed * speed / acc
            way = distance if stop <= distance * 1.000000001 else stop
            new = 0.0
        out = fb.OUT + toward * way
        out = target if way == distance and not dead else out
        slope = toward * new
        if fb.SET:
            out = fb.SET_TO
            slope = 0.0
        moves = is_finite(out + slope)
        fb.OUT = out if moves else fb.OUT
        fb.SLOPE = slope if moves else 0.0
        fb.ARRIVED = fb.OUT == fb.IN and fb.SLOPE == 0.0
        fb.HELD = dead or (fb.SET and not is_finite(fb.SET_TO))

    example = Example(
        UP=10.0,
        DOWN=10.0,
        ACC=10.0,
        dt="500ms",
        table="""
        IN | OUT   SLOPE ARRIVED
        0  | 0     0     1
        30 | 1.25  5     0       # 1/2 ACC t^2
        30 | 5     10    0
        30 | 10    10    0
        30 | 15    10    0
        30 | 20    10    0
        30 | 25    10    0       # UP^2/(2 ACC) = 5 before the end it brakes
        30 | 28.75 5     0
        30 | 30    0     1
    """,
    )
