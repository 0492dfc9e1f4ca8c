"""Outputs that a stop leaves as they are (`safe: keep`): nothing is written for them or repeated until a program runs."""

import asyncio
from typing import Any

import numpy as np

from runtime.child import FieldbusOrder
from runtime.fieldbus.can_transmit import Transmitter
from runtime.fieldbus.modbus_writes import Image
from runtime.fieldbus.supply import GRACE, SAFE, Supply
from runtime.model import Device, Point
from tests.aids.fieldbus import Cells, mapped
from tests.aids.fieldbus_dbc import write_synthetic

BREAKER = """
device: d
driver: modbus
host: 127.0.0.1
outputs:
  d.enable: {register: coil 1, safe: false}
  d.breaker: {register: coil 2, safe: keep}
  d.tap: {register: holding 7, safe: keep}
"""
RACK = """
device: d
driver: can
channel: can0
dbc: dbc/synthetic.dbc
outputs:
  a.close: {signal: Command.Close, safe: false, every: 20 ms}
  a.power: {signal: Command.Power, safe: 0 kW, every: 20 ms}
  a.word: {signal: Slow.Word, type: DINT, safe: keep, every: 20 ms}
"""


def written(image: Image) -> list[tuple[str, int, list[int]]]:
    """Everything that the device must be told now."""
    found = []
    while (run := image.next_run()) is not None:
        found.append((run.table, run.address, run.values.tolist()))
    return found


def test_a_coil_that_is_kept_is_not_told_again_until_the_program_speaks():
    device = mapped(BREAKER).device
    image, cells = Image("d", device.outputs), Cells(3)
    cells.integer[:] = (1, 1, 5)
    image.take(cells.integer)
    written(image)
    image.release([1, 2])
    image.take_safe([0])
    assert written(image) == [("coil", 1, [0])]
    image.refresh(image.periods[0])
    image.refresh_all()
    image.rescale()
    assert written(image) == [("coil", 1, [0])], "neither at its period nor to a device that has come back"
    cells.integer[:] = (1, 0, 5)
    image.take(cells.integer)
    assert written(image) == [("coil", 1, [1, 0]), ("holding", 7, [5])], "all of it: who knows what it has now"


def test_a_run_that_failed_is_not_tried_again_for_what_is_kept():
    device = mapped(BREAKER).device
    image, cells = Image("d", device.outputs), Cells(3)
    cells.integer[:] = (1, 1, 5)
    image.take(cells.integer)
    run = image.next_run()
    image.release([1, 2])
    image.put_back(run)
    assert ("coil", 1, [1]) in written(image)


def test_a_frame_that_is_kept_is_sent_no_more(tmp_path):
    write_synthetic(tmp_path)
    device = mapped(RACK, "site: t\nchannels: {can0: {interface: virtual}}\n", tmp_path).device
    sent: list[int] = []

    async def run() -> None:
        transmitter = Transmitter("d", device.settings.frames, device.outputs, 0, lambda key, data, fd: not sent.append(key))
        cells = np.zeros(3, np.int64)
        cells[2] = 9
        transmitter.start()
        transmitter.write(cells)
        transmitter.release([2])
        sent.clear()
        await transmitter.flush(transmitter.hold_safe([0, 1]))
        await asyncio.sleep(0.1)
        assert sent.count(32) >= 3 and 34 not in sent, "the safe values are repeated, the other message is not"
        transmitter.write(cells)
        assert 34 in sent
        transmitter.stop()

    asyncio.run(run())


class Scripted:
    """A connection that notes what it is asked."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def status(self) -> dict[str, bool]:
        return {"connected": False}

    def write(self) -> None:
        self.calls.append("write")

    def release(self, slots: Any) -> None:
        self.calls.append(("release", *slots))

    async def write_safe(self, slots: Any) -> None:
        self.calls.append(("safe", *slots))


def test_the_safe_sequence_releases_what_is_kept_and_misses_no_device_that_has_nothing_else():
    points = (Point("breaker", 0, "BOOL", 0, None, keeps=True),)
    devices = (Device("breaker", "scripted", None, (), points, 0, 0),)

    async def run() -> None:
        breaker = Scripted()
        supply = Supply(FieldbusOrder("", "", 0, devices, 0, 1, -1, 10**9, False), {"breaker": breaker})
        supply.begin()
        supply.follow()
        supply.go_safe("the scan process ended", must_finish=True)
        await asyncio.sleep(GRACE)
        assert breaker.calls == [("release", 0), "write", ("release", 0)]
        assert supply.state == SAFE and not supply.missed, "it is lost, and it was to be told nothing"

    asyncio.run(run())
