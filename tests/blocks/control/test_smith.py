"""SMITH: with a right model the loop is that of the plant without dead time, only later."""

from __future__ import annotations

import math

import numpy as np
import pytest

from blocks.control.pid import PID
from blocks.control.smith import SMITH
from tests.aids.scan_table import scan
from tests.blocks.control.compiled import Compiled

MS = 1_000_000
GAIN, LAG, DELAY, SETTINGS = 2.0, 5.0, 400, {"KP": 8.0, "TI": 4.0, "OUT_MIN": -1e3, "OUT_MAX": 1e3}  # DELAY in scans of 10 ms


def loop(delay: int, predictor: Compiled | None, scans: int = 4000, gain: float = GAIN) -> np.ndarray:
    """PV of the plant gain e^(-delay s)/(1 + LAG s) under a PI, after a setpoint step of 1."""
    pid = Compiled(PID, SP=1.0, **SETTINGS)
    undelayed, pv, drive = np.zeros(scans + 1), np.zeros(scans), 0.0
    for i in range(scans):
        pv[i] = undelayed[i - delay] if i >= delay else 0.0
        if predictor is not None:
            predictor.set(PV=pv[i], U=drive)
            predictor.scan(10 * MS)
        pid.set(PV=pv[i] if predictor is None else predictor.get("OUT"))
        pid.scan(10 * MS)
        drive = pid.get("OUT")
        undelayed[i + 1] = undelayed[i] + (gain * drive - undelayed[i]) * -math.expm1(-0.01 / LAG)
    return pv


def test_the_loop_behaves_as_without_dead_time_but_later(deviation):
    free = loop(0, None)
    smith = Compiled(SMITH, PV=0.0, U=0.0, K=GAIN, T=LAG, L=DELAY * 10 * MS)
    smith.scan(10 * MS)
    late = loop(DELAY, smith)
    # the delay keeps each second scan: half a scan, on average, of 60 in the loop's time constant
    deviation("SMITH", "theory", "setpoint step, 4 s of dead time", np.max(np.abs(late[DELAY:] - free[:-DELAY])), 0.01)


def test_without_it_the_same_settings_swing_out_of_bounds():
    assert np.max(np.abs(loop(DELAY, None))) > 10.0


def test_with_a_plant_of_another_gain_it_still_settles_without_error():
    smith = Compiled(SMITH, PV=0.0, U=0.0, K=GAIN, T=LAG, L=DELAY * 10 * MS)
    smith.scan(10 * MS)
    assert loop(DELAY, smith, scans=12_000, gain=1.1 * GAIN)[-1] == pytest.approx(1.0, abs=1e-3)


def test_it_starts_settled_whatever_drives_the_plant():
    scan(SMITH, PV=35.0, K=2.0, T=10.0, L="3s", U=40.0, table="x | OUT MODEL\n 1 | 35 80\n 900 | 35 80")


def test_a_broken_measurement_is_shown_and_a_broken_drive_holds_the_model():
    scan(
        SMITH,
        K=2.0,
        T=0.0,
        L="200ms",
        dt="100ms",
        table="""
        PV  U   | OUT MODEL
        1   5   | 1   10
        nan 5   | nan 10
        1   6   | 3   12
        1   nan | 3   12
        1   nan | 1   12
        1   6   | 1   12
    """,
    )


def test_a_broken_drive_at_the_start_is_waited_for():
    scan(SMITH, PV=1.0, K=2.0, T=1.0, L="1s", table="U | OUT\n nan | 1\n nan | 1\n 7 | 1\n 7 | 1")


@pytest.mark.parametrize("dt", [100 * MS, 1000 * MS])
def test_a_right_model_is_the_plant_without_its_dead_time(dt, deviation):
    """U as `last` is what drove the plant since the scan before, so model and plant are one, however long the scans are."""
    delay, span = 5_000 * MS // dt, dt / 1e9
    smith = Compiled(SMITH, K=GAIN, T=LAG, L=5_000 * MS)
    undelayed, drive, worst = [], 0.0, 0.0
    free = 0.0
    for i in range(400):
        undelayed.append(free)
        smith.set(PV=undelayed[i - delay] if i >= delay else 0.0, U=drive)
        smith.scan(dt)
        worst = max(worst, abs(smith.get("OUT") - free))
        drive = math.copysign(1.0, math.sin(i * span / 4.0))
        free += (GAIN * drive - free) * -math.expm1(-span / LAG)
    # settling() is off by at most (dt/T)^3/6 of a step of 4, once per scan of T
    deviation("SMITH", "exact law of the plant", f"undelayed plant, scans of {dt // MS} ms", worst, 4.0 * (span / LAG) ** 2 / 6.0)
