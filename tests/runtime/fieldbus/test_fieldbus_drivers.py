"""Drivers are found by importing every file of their folder, and describing devices stays cheap."""

import subprocess
import sys
import textwrap

import pytest

import runtime.fieldbus
from runtime.fieldbus import DriverError, driver, drivers
from tests.aids.fieldbus_child import ROOT


def test_the_file_name_is_the_driver_key():
    assert {"can", "modbus"} <= set(drivers())
    for name, found in drivers().items():
        assert found.__name__ == f"runtime.fieldbus.{name}"
        for words in (found.DEVICE_WORDS, found.INPUT_WORDS, found.OUTPUT_WORDS):
            assert all(key and text for key, text in words.items()), "every word has its sentence"


def test_a_room_that_is_no_driver_is_refused_by_name():
    with pytest.raises(DriverError, match=r"words.py is no driver: it lacks DEVICE_WORDS"):
        driver("words")


def test_every_file_is_a_driver_or_a_listed_room():
    found = {path.stem for path in (ROOT / "runtime" / "fieldbus").glob("*.py")}
    assert found >= runtime.fieldbus.ROOMS, "the list names files that are gone"
    assert found - runtime.fieldbus.ROOMS == set(drivers())


def test_checking_a_site_loads_no_bus_library():
    """`bessplc check` imports the fronts: python-can, pymodbus, cantools and numba wait until they are needed."""
    program = textwrap.dedent("""
        import sys
        from runtime.fieldbus import drivers
        drivers()
        print(sorted({"can", "pymodbus", "numba", "cantools"} & set(sys.modules)))
    """)
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
