"""Faults on inputs, many and overlapping: no tag shows a wrong value as good beyond its `stale`, nothing crashes, all recover."""

from __future__ import annotations

import random
import struct
import time
from pathlib import Path

import pytest
from pymodbus.framer.rtu import FramerRTU

from tests.aids import field_campaign
from tests.aids.fault_plant import TcpDevice, crc_j1850, crc_rtu, now_ms, registers, truth_frame
from tests.aids.field_campaign import LOW, MS, STALE_MS, US, campaign

SEED = 20


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_no_fault_makes_a_wrong_value_good_and_all_devices_recover(tmp_path: Path) -> None:
    with campaign(tmp_path, seed=SEED, tcp=8, rtu=2, can=4, slack_ms=1000, longest_s=0.8) as run:
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


# The watch itself: it must recognise what it is there to find -------------------------------------------------------------


def test_the_truth_is_recognised_and_poison_is_not() -> None:
    now = time.monotonic_ns()
    assert -1 <= field_campaign._age_ms(now // 1_000_000 % 2**32, MS, now) <= 1
    assert 399 <= field_campaign._age_ms((now // 1_000_000 - 400) % 2**32, MS, now) <= 401
    assert 399 <= field_campaign._age_ms(now // 1000 - 400_000, US, now) <= 401
    assert 399 <= field_campaign._age_ms((now // 1_000_000 - 400) % 2**15, LOW, now) <= 401
    dice = random.Random(1)
    wrong = sum(not -20 <= field_campaign._age_ms(dice.getrandbits(32), MS, now) <= STALE_MS for _ in range(10_000))
    assert wrong == 10_000


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
