"""64 Modbus devices, four of them dead and two slow, beside a real fieldbus process: the others do not notice."""

import statistics

import pytest

from runtime.fieldbus.modbus_errors import ERRORS
from tests.aids.fieldbus_child import until
from tests.aids.modbus_fleet import fleet

FAULTS = ("unplugged", "timeout", "reset", "unreachable", "slow", "patient")
MARGIN = 5


@pytest.mark.slow
def test_dead_and_slow_devices_never_slow_the_others(tmp_path):
    with fleet(tmp_path, 58, 4, FAULTS) as (ships, run):
        ships.forget()
        until(
            lambda: min(member.ask("count") for member in ships.good) > 20, 20 * 0.1 * MARGIN, "twenty polls of every good device"
        )
        intervals = ships.intervals()
        for one in intervals:
            assert statistics.median(one) == pytest.approx(0.1, rel=0.5)
        assert sum(max(one) > MARGIN * 0.1 for one in intervals) <= 3, "nobody waits for a dead device's request time-out"
        devices = until(lambda: _known(run.status()), 20.0, "the status tells each fault")
        for number, kind in enumerate(("refused", "timeout", "reset", "unreachable", "timeout")):
            device = devices[f"d{number}"]
            assert device["errors"].get(kind), (FAULTS[number], device)
            assert set(device["errors"]) <= {*ERRORS, "outputs_unfit", "mismatches", "not_verified"}
        assert devices["d5"]["connected"], "who is given 1.5 s answers after 0.9 s"
        assert all(devices[f"d{number}"]["connected"] for number in range(6, 64))
        points = run.inbox()
        good = {slot for member in ships.good for slot in (p.slot for p in member.device.inputs)}
        bad = {p.slot for member in ships.members if member.fault not in ("", "patient") for p in member.device.inputs}
        assert not any(points["quality"][slot] for slot in good)
        assert all(points["quality"][slot] for slot in bad)


def _known(status):
    """The devices of the status, once each of the dead ones has been counted."""
    devices = status["devices"]
    return (
        devices
        if all(sum(devices[f"d{number}"]["errors"].values()) for number in range(5)) and devices["d5"]["connected"]
        else None
    )
