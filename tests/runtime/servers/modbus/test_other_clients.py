"""Clients that we did not write: libmodbus, the library of most C SCADA, and mbpoll, the tool of whoever commissions."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.aids.servers_modbus import published
from tests.aids.servers_scan import TestScan

MASTER = Path(__file__).parents[3] / "aids" / "modbus_master.c"
needs_mbpoll = pytest.mark.skipif(shutil.which("mbpoll") is None, reason="mbpoll is not installed")


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The libmodbus client, compiled here."""
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    program = tmp_path_factory.mktemp("master") / "master"
    made = subprocess.run(["gcc", "-O2", "-Wall", str(MASTER), "-lmodbus", "-o", str(program)], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"no libmodbus to compile with: {made.stderr.splitlines()[0]}")
    return program


def test_libmodbus_reads_writes_and_hears_the_exceptions(plant: Any, scan: TestScan, master: Path) -> None:
    published(scan, "bms.soc", 42.5)
    published(scan, "bms.cell_v", [3.3, 3.301, 3.2995, 2.5, 3.65, 0, 4.2, 3.4])
    said = subprocess.run([master, "127.0.0.1", str(plant[2]), "1"], capture_output=True, text=True, timeout=30)
    assert said.stdout.splitlines() == [
        "input float: 2",
        "value 42.5",
        "input array: 8",
        "values 3300 3400",
        "discrete: 2",
        "coil write: 1",
        "coil: 1",
        "bit 1",
        "coils write: 1",
        "register write: 1",
        "mask write: 1",
        "register: 1",
        "register 1235",
        "registers write: 4",
        "write and read: 1",
        "read back 77",
        "out of range: Illegal data value",
        "not mapped: Illegal data address",
        "too many: Illegal data address",
        "report slave id: Illegal function",
    ], said.stderr
    assert [taken[:3] for taken in scan.taken] == [
        ("hmi.enable", 0, 1),
        ("hmi.enable", 0, 0),
        ("hmi.p_set", 0, 123.4),
        ("hmi.p_set", 0, 123.5),
        ("hmi.steps", 0, 1.5),
        ("hmi.p_set", 0, 7.7),
    ]


def mbpoll(port: int, *words: str) -> str:
    """One call of mbpoll over TCP, addresses from 0, unit 1."""
    command = ["mbpoll", "-m", "tcp", "-p", str(port), "-a", "1", "-0", "-1", "-o", "5", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=30).stdout


@needs_mbpoll
@pytest.mark.parametrize(
    ("tag", "value", "words", "shown"),
    [
        ("bms.soc", 12.5, ["-t", "3:float", "-B", "-r", "0"], "12.5"),
        ("bms.current", -3.25, ["-t", "3:float", "-r", "2"], "-3.25"),
        ("bms.cycles", -70000, ["-t", "3:int", "-B", "-r", "20"], "-70000"),
        ("bms.cell_v", 3.3, ["-t", "3", "-r", "10", "-c", "8"], "3300"),
        ("bms.cell_v", 3.3, ["-t", "3:hex", "-r", "17"], "0x0CE4"),
        ("bms.ok", 1, ["-t", "1", "-r", "0"], "1"),
        ("hmi.enable", 1, ["-t", "0", "-r", "0"], "1"),
        ("hmi.p_set", -0.2, ["-t", "4", "-r", "0"], "-2"),
    ],
)
def test_mbpoll_reads(plant: Any, scan: TestScan, tag: str, value: Any, words: list[str], shown: str) -> None:
    published(scan, tag, value)
    said = mbpoll(plant[2], *words, "127.0.0.1")
    lines = [line.replace("(", " ").replace(")", " ").split() for line in said.splitlines() if line.startswith("[")]
    assert any(shown in line for line in lines), said


@needs_mbpoll
@pytest.mark.parametrize(
    ("words", "values", "taken"),
    [
        (["-t", "0", "-r", "0"], ["1"], ("hmi.enable", 0, 1)),
        (["-t", "4", "-r", "0"], ["250"], ("hmi.p_set", 0, 25.0)),
        (["-t", "4:float", "-B", "-r", "30"], ["1.5"], ("hmi.steps", 0, 1.5)),
        (["-t", "4:int", "-B", "-r", "26"], ["1500"], ("hmi.delay", 0, 1_500_000_000)),
    ],
)
def test_mbpoll_writes(plant: Any, scan: TestScan, words: list[str], values: list[str], taken: Any) -> None:
    said = mbpoll(plant[2], *words, "127.0.0.1", *values)
    assert "Written" in said, said
    assert [one[:3] for one in scan.taken] == [taken]
