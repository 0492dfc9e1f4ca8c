"""Which numbers the whole-number types hold: NumPy's limits of the same sizes."""

from __future__ import annotations

import numpy as np
import pytest

from runtime.servers.integers import INTEGERS, holds


@pytest.mark.parametrize("type", INTEGERS)
def test_a_type_holds_what_its_bits_do(type: str) -> None:
    limits = np.iinfo(f"int{INTEGERS[type]}")
    lowest, highest = int(limits.min), int(limits.max)
    assert [holds(type, number) for number in (lowest - 1, lowest, 0, highest, highest + 1)] == [False, True, True, True, False]
