"""PID_GAINS: the three forms of a PID are one controller, shown by their transfer functions."""

from __future__ import annotations

import control
import numpy as np
import pytest

from blocks.control.pid_gains import PID_GAINS
from tests.aids.scan_table import Twin, scan

STANDARD, PARALLEL, SERIES = 0, 1, 2
s = control.tf("s")


def converted(**given: float) -> tuple[float, float, float]:
    twin = Twin(PID_GAINS)
    for name, value in given.items():
        twin.set(name, value)
    twin.scan(10_000_000)
    assert not twin.get("INVALID")
    return tuple(float(twin.get(name)) for name in ("KP_OUT", "TI_OUT", "TD_OUT"))


@pytest.mark.parametrize("form", [PARALLEL, SERIES])
def test_the_standard_form_has_the_same_frequency_response(form, deviation):
    given = {"KP": -3.0, "TI": 8.0, "TD": 1.5, "KI": -0.7, "KD": -2.2}
    law = {
        PARALLEL: given["KP"] + given["KI"] / s + given["KD"] * s,
        SERIES: given["KP"] * (1 + 1 / (given["TI"] * s)) * (1 + given["TD"] * s),
    }[form]
    kp, ti, td = converted(FORM=form, **given)
    omega = np.logspace(-3, 3, 50)
    one, other = ((part(1j * omega)) for part in (law, kp * (1 + 1 / (ti * s) + td * s)))
    name = {PARALLEL: "parallel", SERIES: "series"}[form]
    # algebra only, so rounding
    deviation("PID_GAINS", "control 0.10", f"{name} form, frequency response", np.max(np.abs(one / other - 1)), 1e-12)


def test_a_controller_without_integral_or_derivative_stays_one():
    scan(
        PID_GAINS,
        KP=2.0,
        table="""
        FORM TI TD KI KD | KP_OUT TI_OUT TD_OUT INVALID
        0    5  0  9  9  | 2      5      0      0
        1    9  9  0  0  | 2      0      0      0
        1    9  9  0  3  | 2      0      1.5    0
        1    9  9  4  0  | 2      0.5    0      0
        2    0  3  9  9  | 2      0      3      0
        2    4  0  9  9  | 2      4      0      0
    """,
    )


def test_what_has_no_standard_form_is_told_and_the_settings_before_stay():
    scan(
        PID_GAINS,
        FORM=PARALLEL,
        KD=0.0,
        table="""
        KP KI  | KP_OUT TI_OUT INVALID
        2  0.5 | 2      4      0
        0  0.5 | 2      4      1        # an integral without a gain
        2  -1  | 2      4      1        # works against the gain
        2  nan | 2      4      1
        -2 -1  | -2     2      0
        0  0   | 0      0      0
    """,
    )
