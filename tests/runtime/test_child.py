"""Orders to a child arrive whole and in the order in which they were given, whatever their size."""

from __future__ import annotations

import os
import subprocess
import sys

from runtime import child

COUNTS = """
import pickle, sys, time
time.sleep(0.3)  # the first order fills the pipe meanwhile
found = [len(pickle.load(sys.stdin.buffer)) for _ in range(6)]
print(found)
"""


def test_a_small_order_does_not_overtake_a_large_one() -> None:
    sizes = [3_000_000, 1, 400_000, 2, 3, 1_000_000]
    with subprocess.Popen([sys.executable, "-c", COUNTS], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as counting:
        for place, size in enumerate(sizes):
            child.give(counting, os.urandom(size), more_later=place < len(sizes) - 1)
        assert counting.stdout is not None
        assert counting.stdout.read().decode().strip() == str(sizes)


def test_a_child_that_died_holds_nobody_up() -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""], stdin=subprocess.PIPE)
    child.give(dead, os.urandom(1_000_000), more_later=True)
    assert dead.wait(60) == 0
    child.give(dead, b"more", more_later=False)
    child._givers[dead].join(60)
    assert not child._givers[dead].is_alive()
