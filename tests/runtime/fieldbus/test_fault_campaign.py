"""Faults on inputs, many and overlapping: no tag shows a wrong value as good beyond its `stale`, nothing crashes, all recover."""

from __future__ import annotations

import random
import struct
import time
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from pymodbus.framer.rtu import FramerRTU

from runtime import quality
from runtime.engine.north import Snapshot
from tests.aids import field_campaign
from tests.aids.fault_can import crc_j1850, truth_frame
from tests.aids.fault_line import now_ms
from tests.aids.fault_modbus import TcpDevice, crc_rtu, registers
from tests.aids.fault_panel import PANEL_KINDS, WIDTH, Carried, Panel, gray
from tests.aids.field_campaign import campaign
from tests.aids.field_watch import LOW, MS, STALE_MS, US, Look, WatchedPanel, age_ms

SEED = 20


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_no_fault_makes_a_wrong_value_good_and_all_devices_recover(tmp_path: Path) -> None:
    with campaign(tmp_path, seed=SEED, tcp=8, rtu=2, can=4, panels=2, slack_ms=1000, longest_s=0.8) as run:
        run.run(120, kills=1)
        assert run.violations == []
        assert run.injected >= 120
        assert run.good_looks > 100 * len(run.devices), "the tags were good most of the time"
        internal = [line for line in run.site.log() if line.get("event") in ("internal error", "driver failed, restarting it")]
        assert internal == [], "no driver failed on what it was sent"
        restarts = [line for line in run.site.log() if line.get("event") == "restarted"]
        assert {line.get("process") for line in restarts} <= {"fieldbus"}, "only the process that was killed was restarted"
        kinds = {row["kind"]: row for row in run.rows()}
        assert kinds[field_campaign.FIELDBUS]["count"] >= 1
        assert kinds[field_campaign.PLANT]["count"] >= 1
        lines = [row for name, row in kinds.items() if name in {f"lines {kind}" for kind in PANEL_KINDS}]
        assert sum(row["count"] for row in lines) >= 2, "the panels had their share"


# The watch itself: it must recognise what it is there to find -------------------------------------------------------------


def test_the_truth_is_recognised_and_poison_is_not() -> None:
    now = time.monotonic_ns()
    assert -1 <= age_ms(now // 1_000_000 % 2**32, MS, now) <= 1
    assert 399 <= age_ms((now // 1_000_000 - 400) % 2**32, MS, now) <= 401
    assert 399 <= age_ms(now // 1000 - 400_000, US, now) <= 401
    assert 399 <= age_ms((now // 1_000_000 - 400) % 2**15, LOW, now) <= 401
    dice = random.Random(1)
    wrong = sum(not -20 <= age_ms(dice.getrandbits(32), MS, now) <= STALE_MS for _ in range(10_000))
    assert wrong == 10_000


def test_lines_are_read_in_any_order_and_never_tell_a_third_number() -> None:
    assert len({gray(n) for n in range(2**WIDTH)}) == 2**WIDTH
    assert all((gray(n) ^ gray(n + 1)).bit_count() == 1 for n in range(2**WIDTH))


def test_wires_carried_a_level_from_its_order_until_the_next_was_answered() -> None:
    wires = Carried(5)
    first = time.monotonic_ns()
    wires.begin(6)
    between = time.monotonic_ns()
    wires.settle(6)
    after = time.monotonic_ns()
    wires.begin(5)
    wires.settle(5)
    end = time.monotonic_ns()
    assert wires.within(0, first - 1) == {5}
    assert wires.within(between, between) == {5, 6}
    assert wires.within(after, after) == {6}
    assert wires.within(end, end) == {5}
    assert wires.within(after, end) == {5, 6}


def panel_that_carries(*numbers: int) -> WatchedPanel:
    """A panel whose counter stood at these one after another, and whose contact is open."""
    panel = Panel(Path("nowhere.lines"), SEED)
    for number in numbers:
        panel.codes.begin(gray(number))
        panel.codes.settle(gray(number))
    tags = tuple((np.zeros(1, np.uint8), line, line) for line in range(WIDTH + 1))
    return WatchedPanel("p0", PANEL_KINDS, -1, tags, panel=panel)


def seen(device: WatchedPanel, code: int, *, contact: int = 0, not_good: int = 0, later_ms: float = 0) -> Look:
    """What the watch finds where the tags say this so much later; the lines of `not_good` are bad."""
    levels = code | contact << WIDTH
    for column, _, line in device.tags:
        column[0] = levels >> line & 1
    qualities = [quality.BAD_NOT_CONNECTED if not_good >> line & 1 else quality.GOOD for line in range(WIDTH + 1)]
    snapshot = SimpleNamespace(qualities=qualities, monotonic=time.monotonic_ns() + int(later_ms * 1e6))
    return device.look(cast(Snapshot, snapshot), slack_ms=5000 - STALE_MS)


def test_lines_that_stand_still_or_never_were_so_are_found() -> None:
    device = panel_that_carries(1000, 1001)
    assert seen(device, gray(1001)).is_well
    assert seen(device, gray(1000), later_ms=100).is_well, "the step before is not too old"
    assert seen(device, gray(1000), later_ms=6000).wrong == [f"lines {gray(1000):#x} of 0xfff that they were not since 5000 ms"]
    assert len(seen(device, gray(1003)).wrong) == 1
    assert len(seen(device, gray(1001), contact=1).wrong) == 1


def test_lines_that_are_not_good_may_say_anything() -> None:
    device = panel_that_carries(1000)
    found = seen(device, gray(1000) ^ 0b101, not_good=0b101)
    assert (found.wrong, found.good, found.bad) == ([], WIDTH - 1, [quality.BAD_NOT_CONNECTED] * 2)
    assert len(seen(device, gray(1000) ^ 0b101, not_good=0b001).wrong) == 1


def test_the_devices_tell_the_time_in_their_registers() -> None:
    ms = struct.unpack(">I", registers(3, 0, 2))[0]
    us = struct.unpack(">Q", registers(4, 10, 4))[0]
    assert 0 <= now_ms() - ms < 1000
    assert 0 <= time.monotonic_ns() // 1000 - us < 1_000_000
    assert registers(3, 100, 2) == bytes(4)


def test_checksums_are_those_of_the_standards() -> None:
    assert crc_j1850(b"123456789") == 0x4B  # catalogue of parametrised CRC algorithms: CRC-8/SAE-J1850
    assert crc_rtu(b"123456789") == struct.pack("<H", 0x4B37)  # CRC-16/MODBUS
    frame = bytes.fromhex("010300000002")
    assert crc_rtu(frame) == struct.pack(">H", FramerRTU.compute_CRC(frame))
    assert len(truth_frame(1, 2)) == 8


def test_a_poisoned_answer_is_well_formed_and_never_the_time() -> None:
    device = TcpDevice(0, SEED)
    request = struct.pack(">BHH", 3, 0, 2)
    device.kind = "wrong_unit"
    unit, pdu = device.wrong_pdu(request) or (0, b"")
    assert (unit, pdu[:2], len(pdu)) == (2, b"\x03\x04", 6)
    assert abs(struct.unpack(">I", pdu[2:])[0] - now_ms()) > 60_000
