"""CURVE: the characteristic curve of CODESYS Util, with its example from the manual."""

from __future__ import annotations

import numpy as np
import pytest

from blocks.control.curve import CURVE
from tests.aids.scan_table import Twin, scan

X = [0.0, 250.0, 500.0, 750.0, 1000.0]
Y = [0.0, 50.0, 150.0, 400.0, 1000.0]


def test_it_is_linear_between_its_points_and_flat_beyond(deviation):
    """Values up to 1000 in doubles: 1e-12 is a few units in the last place."""
    twin = Twin(CURVE, length=5)
    twin.set("X", X)
    twin.set("Y", Y)
    worst = 0.0
    for place in np.linspace(-100.0, 1100.0, 121):
        twin.set("IN", float(place))
        twin.scan(10_000_000)
        worst = max(worst, abs(float(twin.get("OUT")) - float(np.interp(place, X, Y))))
    deviation("CURVE", "numpy 2 interp", "121 places", worst, 1e-12)


def test_it_goes_on_as_its_first_and_last_piece_where_that_is_asked():
    scan(
        CURVE,
        X=X,
        Y=Y,
        EXTRAPOLATE=1,
        table="IN | OUT OUTSIDE\n -250 | -50 1\n 0 | 0 0\n 500 | 150 0\n 1000 | 1000 0\n 1250 | 1600 1",
    )


def test_a_curve_may_fall_and_may_have_a_single_point():
    scan(CURVE, X=[40.0, 50.0], Y=[100.0, 0.0], table="IN | OUT\n 30 | 100\n 45 | 50\n 60 | 0")
    scan(CURVE, X=[40.0], Y=[7.0], EXTRAPOLATE=1, table="IN | OUT OUTSIDE ERROR\n 30 | 7 1 0\n 40 | 7 0 0\n 50 | 7 1 0")


@pytest.mark.parametrize("points", ["[0,10,10]", "[0,10,5]", "[10,5,0]", "[0,nan,10]", "[nan,5,10]", "[0,5,inf]"])
def test_places_that_do_not_rise_are_an_error_wherever_in_is(points):
    scan(
        CURVE,
        Y=[1.0, 2.0, 3.0],
        table=f"X IN | OUT ERROR\n {points} -1 | 0 1\n {points} 7 | 0 1\n {points} 99 | 0 1\n [0,5,10] 5 | 2 0",
    )


def test_a_value_that_is_no_number_is_an_error_too():
    scan(CURVE, X=[0.0, 10.0], table="Y IN | OUT ERROR\n [1,nan] 0 | 0 1\n [inf,1] 10 | 0 1\n [1,2] 5 | 1.5 0")


def test_a_dead_input_closes_a_limit_in_either_direction_or_gives_what_is_asked():
    scan(CURVE, X=[0.0, 10.0], Y=[-500.0, -100.0], table="IN | OUT OUTSIDE ERROR\n nan | 0 1 0\n 5 | -300 0 0\n inf | -100 1 0")
    scan(CURVE, X=[0.0, 10.0], Y=[1.0, 2.0], FAIL=9.0, table="IN | OUT\n nan | 9\n 5 | 1.5")


def test_the_inverse_is_the_same_curve_with_its_axes_swapped():
    there, back = Twin(CURVE, length=5), Twin(CURVE, length=5)
    for twin, x, y in ((there, X, Y), (back, Y, X)):
        twin.set("X", x)
        twin.set("Y", y)
    for place in np.linspace(0.0, 1000.0, 41):
        there.set("IN", float(place))
        there.scan(10_000_000)
        back.set("IN", there.get("OUT"))
        back.scan(10_000_000)
        assert float(back.get("OUT")) == pytest.approx(place, abs=1e-9)


def test_both_end_pieces_go_on_with_their_own_slope():
    """From (10, 3) with 2 per unit downwards, from (30, 13) with -1 per unit upwards."""
    scan(CURVE, X=[10.0, 15.0, 20.0, 30.0], Y=[3.0, 13.0, 23.0, 13.0], EXTRAPOLATE=1, table="IN | OUT\n 5 | -7\n 10 | 3\n 34 | 9")
