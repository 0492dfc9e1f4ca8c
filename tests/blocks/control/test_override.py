"""OVERRIDE_MIN and OVERRIDE_MAX: selection, and controllers that do not wind up while another one drives."""

from __future__ import annotations

from blocks.control.override import OVERRIDE_MAX, OVERRIDE_MIN
from blocks.control.pid_full import PID_FULL
from blocks.plain import Instance
from tests.aids.scan_table import scan


def test_the_lowest_or_the_highest_drives_and_the_others_track():
    scan(
        OVERRIDE_MIN,
        table="""
        IN         | OUT ACTIVE TRACKS
        [3,1,2]    | 1   2      [1,0,1]
        [1,1,2]    | 1   1      [0,1,1]     # of equals the lowest number
        [inf,5,inf] | 5  2      [1,0,1]     # infinite: limits nothing
        [-7,5,-8]  | -8  3      [1,1,0]
    """,
    )
    scan(OVERRIDE_MAX, table="IN | OUT ACTIVE TRACKS\n [3,1,2] | 3 1 [0,1,1]\n [1,2,2] | 2 2 [1,0,1]\n [-inf,-9,-8] | -8 3 [1,1,0]")


def test_a_controller_that_is_not_enabled_does_not_count():
    scan(OVERRIDE_MIN, NONE=7.0, table="IN EN | OUT ACTIVE\n [3,1] [1,0] | 3 1\n [nan,1] [0,1] | 1 2\n [3,1] [0,0] | 7 0")
    scan(OVERRIDE_MAX, NONE=7.0, table="IN EN | OUT ACTIVE\n [3,1] [0,1] | 1 2\n [3,nan] [1,0] | 3 1\n [3,1] [0,0] | 7 0")


def test_a_dead_controller_is_seen_wherever_it_stands():
    for block in (OVERRIDE_MIN, OVERRIDE_MAX):
        scan(block, table="IN | OUT ACTIVE\n [nan,1,2] | nan 1\n [1,nan,2] | nan 2\n [1,2,nan] | nan 3\n [5,5,5] | 5 1")


def test_a_dead_controller_counts_as_fail_where_that_is_given():
    scan(OVERRIDE_MIN, FAIL=0.0, table="IN | OUT ACTIVE\n [30,nan] | 0 2\n [-5,nan] | -5 1")
    scan(OVERRIDE_MAX, FAIL=100.0, table="IN | OUT ACTIVE\n [30,nan] | 100 2\n [30,20] | 30 1")


def test_a_controller_that_waits_takes_over_without_delay():
    """Two PI controllers on one valve, each with `last` OUT as its external reset. The first drives for an hour with the second far
    from its setpoint: the second must not wind up, and takes over in the scan in which its P part crosses."""

    def controller(**params: float) -> Instance:
        made = Instance(PID_FULL)
        for name, value in {"OUT_MIN": 0.0, "OUT_MAX": 100.0, "TI": 10.0, "EXT_RESET": True, **params}.items():
            setattr(made, name, value)
        return made

    level = controller(KP=1.0, SP=50.0)
    pressure = controller(KP=2.0, SP=8.0)
    low = Instance(OVERRIDE_MIN, length=2)
    out = 0.0

    def run(level_pv: float, pressure_pv: float) -> int:
        nonlocal out
        level.PV, pressure.PV = level_pv, pressure_pv
        for one in (level, pressure):
            one.EXT = out
            one.scan(100_000_000)
        low.IN = [level.OUT, pressure.OUT]
        low.scan(100_000_000)
        out = float(low.OUT)
        return int(low.ACTIVE)

    for _ in range(36_000):
        active = run(50.0 + 0.02 * (out - 30.0), 3.0)  # the level settles where OUT is 30; pressure has 5 bar to spare
    assert active == 1
    assert abs(out - 30.0) < 0.5
    assert abs(float(pressure.OUT) - (out + 2.0 * 5.0)) < 0.5, "waits at OUT plus its P part, not at 100"
    assert run(50.0, 8.5) == 2, "half a bar too much: it drives in the same scan"
