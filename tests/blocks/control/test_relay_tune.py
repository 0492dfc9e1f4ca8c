"""RELAY_TUNE: ultimate gain and period of plants whose margins the control package knows."""

from __future__ import annotations

import math

import control
import numpy as np
import pytest

from blocks.control.pid import PID
from blocks.control.relay_tune import RELAY_TUNE
from tests.aids.scan_table import scan
from tests.blocks.control.compiled import Compiled

MS = 1_000_000
IDLE, RUNNING, DONE, FAILED = range(4)


class Lags:
    """Equal lags in a row, after a dead time; gain and number as told."""

    def __init__(self, gain: float, constant: float, number: int, delay: int):
        self.gain, self.share, self.levels = gain, -math.expm1(-0.01 / constant), [0.0] * number
        self.pipe = [0.0] * (delay + 1)

    def scan(self, drive: float) -> float:
        value = self.gain * drive
        for i, level in enumerate(self.levels):
            self.levels[i] = level + (value - level) * self.share
            value = self.levels[i]
        self.pipe = [*self.pipe[1:], value]
        return self.pipe[0]


PLANTS = {
    "three lags": (2.0, 1.0, 3, 0, control.tf([2.0], np.poly([-1.0, -1.0, -1.0]))),
    "two lags, gain below 0": (
        -1.0,
        2.0,
        2,
        100,
        control.tf([1.0], np.poly([-0.5, -0.5]) * 4.0) * control.tf(*control.pade(1.0, 8)),
    ),
}


def tuned(gain: float, constant: float, number: int, delay: int, **settings: float) -> Compiled:
    plant = Lags(gain, constant, number, delay)
    tune = Compiled(RELAY_TUNE, RUN=True, SP=0.0, BIAS=0.0, AMPLITUDE=1.0, MAX_ERROR=10.0, REVERSE=gain < 0, **settings)
    pv = 0.0
    for _ in range(20_000):
        tune.set(PV=pv)
        tune.scan(10 * MS)
        pv = plant.scan(tune.get("OUT"))
        if tune.get("STATE") != RUNNING:
            break
    return tune


@pytest.mark.parametrize("name", PLANTS)
def test_ultimate_gain_and_period(name, deviation):
    *plant, transfer = PLANTS[name]
    margin, _, omega, _ = control.margin(transfer)
    tune = tuned(*plant)
    assert tune.get("STATE") == DONE
    # the describing function leaves out the harmonics: 5 to 20 % (Astrom & Hagglund, 1984)
    deviation("RELAY_TUNE", "control 0.10", f"KU, {name}", abs(tune.get("KU") / margin - 1.0), 0.2)
    deviation("RELAY_TUNE", "control 0.10", f"TU, {name}", abs(tune.get("TU") * omega / (2.0 * math.pi) - 1.0), 0.1)


@pytest.mark.parametrize("rule", range(4))
def test_a_loop_with_the_settings_found_settles(rule):
    tune = tuned(2.0, 1.0, 3, 0, RULE=rule)
    plant, pv = Lags(2.0, 1.0, 3, 0), 0.0
    pid = Compiled(PID, SP=1.0, OUT_MIN=-1e3, OUT_MAX=1e3, **{name: tune.get(name) for name in ("KP", "TI", "TD")})
    seen = []
    for _ in range(6000):
        pid.set(PV=pv)
        pid.scan(10 * MS)
        pv = plant.scan(pid.get("OUT"))
        seen.append(pv)
    assert max(seen) < (1.35 if rule <= 1 else 2.0)
    assert abs(seen[-1] - 1.0) < 0.02


def test_the_rules_are_those_of_the_books():
    found = {rule: tuned(2.0, 1.0, 3, 0, RULE=rule) for rule in range(4)}
    shares = {0: (1 / 3.2, 2.2, 0.0), 1: (1 / 2.2, 2.2, 1 / 6.3), 2: (0.45, 1 / 1.2, 0.0), 3: (0.6, 0.5, 0.125)}
    for rule, tune in found.items():
        ku, tu = tune.get("KU"), tune.get("TU")
        assert (tune.get("KP") / ku, tune.get("TI") / tu, tune.get("TD") / tu) == pytest.approx(shares[rule])


def test_a_square_wave_of_known_size_and_period():
    """PV swings by 2 with a period of 40 ms: KU = 4 * 5/(pi 2), and after the first cycle three are like it."""
    scan(
        RELAY_TUNE,
        SP=0.0,
        BIAS=50.0,
        AMPLITUDE=5.0,
        MAX_ERROR=9.0,
        table=f"""
        RUN PV | OUT STATE KU TU
        1   2  | 45  1     0  0
        {"1 -2 | 55  1     0  0" + chr(10)}
        {("1 -2 | 55 1 - -" + chr(10) + "1 2 | 45 1 - -" + chr(10) + "1 2 | 45 1 - -" + chr(10) + "1 -2 | 55 1 - -" + chr(10)) * 3}
        1 -2   | 55  1     0  0
        1 2    | 45  1     0  0
        1 2    | 45  1     0  0
        1 -2   | 50  2     ~3.183 0.04
        1 9    | 50  2     ~3.183 0.04
        0 9    | 50  2     ~3.183 0.04
    """,
    )


@pytest.mark.parametrize(
    ("pin", "value"), [("PV", math.nan), ("PV", 99.0), ("SP", math.nan), ("AMPLITUDE", 0.0), ("AMPLITUDE", math.nan)]
)
def test_it_fails_safely(pin, value):
    good = {"RUN": True, "SP": 20.0, "PV": 20.0, "BIAS": 50.0, "AMPLITUDE": 5.0, "MAX_ERROR": 9.0}
    tune = Compiled(RELAY_TUNE, **good)
    tune.scan(10 * MS)
    assert (tune.get("STATE"), tune.get("OUT")) == (RUNNING, 45.0)
    tune.set(**{pin: value})
    tune.scan(10 * MS)
    assert (tune.get("STATE"), tune.get("OUT")) == (FAILED, 50.0)
    tune.set(**good)
    tune.scan(10 * MS)
    assert tune.get("STATE") == FAILED, "it must not go on by itself"


def test_a_broken_bias_fails_and_rests_at_the_last_good_one():
    scan(
        RELAY_TUNE,
        SP=20.0,
        PV=20.0,
        AMPLITUDE=5.0,
        MAX_ERROR=9.0,
        table="RUN BIAS | OUT STATE\n 0 50 | 50 0\n 1 50 | 45 1\n 1 nan | 50 3\n 1 60 | 60 3",
    )


def test_it_gives_up_after_its_time():
    scan(
        RELAY_TUNE,
        RUN=True,
        SP=20.0,
        PV=20.0,
        BIAS=50.0,
        AMPLITUDE=5.0,
        MAX_ERROR=9.0,
        T_MAX="1s",
        dt="100ms",
        table="x | STATE OUT\n 11 | 1 45\n 1 | 3 50",
    )


def test_a_swing_with_hysteresis_counts_by_the_describing_function_of_such_a_relay():
    """N(a) = 4 d/(pi a) at an angle whose sine is h/a: the part along -180 degrees gives KU = 4 d/(pi sqrt(a^2 - h^2)).

    PV swings by 2 with a period of 40 ms, as above; with h = 1 KU is 4 * 5/(pi sqrt(3)) = 3.676.
    """
    tune = Compiled(RELAY_TUNE, RUN=True, SP=0.0, BIAS=50.0, AMPLITUDE=5.0, MAX_ERROR=9.0, HYSTERESIS=1.0)
    for i in range(40):
        tune.set(PV=-2.0 if i % 4 in (1, 2) else 2.0)
        tune.scan(10 * MS)
    assert (tune.get("STATE"), tune.get("KU")) == (DONE, pytest.approx(4.0 * 5.0 / (math.pi * math.sqrt(3.0))))


def test_hysteresis_leaves_the_ultimate_gain_within_the_methods_error(deviation):
    *plant, transfer = PLANTS["three lags"]
    margin, *_ = control.margin(transfer)
    tune = tuned(*plant, HYSTERESIS=0.03)
    assert tune.get("STATE") == DONE
    # a = 4 d/(pi KU) = 0.32: the hysteresis is a tenth of the swing, and the method is right to 20 %
    deviation(
        "RELAY_TUNE", "control 0.10", "KU, three lags, hysteresis a tenth of the swing", abs(tune.get("KU") / margin - 1.0), 0.2
    )
