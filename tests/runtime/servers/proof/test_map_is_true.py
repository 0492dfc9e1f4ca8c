"""`bessplc map --csv` is what the SCADA engineer is given: every register that it lists, read by it alone, is the tag's value.

pymodbus reads the registers and asyncua the tags, at the demo. The transcript is build/transcripts/map.txt.
"""

from __future__ import annotations

import asyncio
import csv
import io
import math
import subprocess
import sys
from typing import Any

import pytest
from asyncua import Client, ua
from pymodbus.client import ModbusTcpClient

from tests.aids.servers_proof import Proof, Transcript
from tests.aids.site import ROOT

READ = {"1": "read_coils", "2": "read_discrete_inputs", "3": "read_holding_registers", "4": "read_input_registers"}
BASE = {"coil": 1, "discrete": 10_001, "input": 30_001, "holding": 40_001}
MISSING = {"NaN": math.nan, "0xFFFF": 0xFFFF, "0x8000": -0x8000, "0x80000000": -0x80000000, "0xFFFFFFFF": 0xFFFFFFFF}
TRIES = 40


@pytest.fixture(scope="module")
def rows(proof: Proof) -> list[dict[str, str]]:
    command = [sys.executable, "-m", "runtime.cli", "map", "--csv", "--site", str(proof.site.root / "config/site.yaml")]
    done = subprocess.run(command, cwd=ROOT, env=proof.environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return list(csv.DictReader(io.StringIO(done.stdout)))


def over_modbus(client: ModbusTcpClient, row: dict[str, str]) -> Any:
    """The value as the row says that it is to be read; None where the registers say that there is none."""
    answer = getattr(client, READ[row["read FC"]])(int(row["address"]), count=int(row["count"]))
    assert not answer.isError(), f"{row['tag']}: {answer}"
    if row["type"] == "bool":
        return bool(answer.bits[0])
    raw = client.convert_from_registers(answer.registers, client.DATATYPE[row["type"].upper()], word_order=row["words"] or "big")
    missing = MISSING.get(row["when bad"])
    if missing is not None and (raw == missing or (isinstance(raw, float) and math.isnan(raw))):
        return None
    return raw * float(row["scale"] or 1)


async def over_opcua(client: Client, row: dict[str, str]) -> Any:
    """The tag's value, or what the row says of its quality; None where it is bad."""
    name, part = row["tag"], ""
    if row["description"].startswith(("Quality of ", "1 while ")):
        name, _, part = name.rpartition(".")
    data = await client.get_node(f"ns=2;s={name}").read_data_value(raise_on_bad_status=False)
    code = data.StatusCode or ua.StatusCode()
    if part:
        return code.is_good() if part == "good" else float(code.value >> 16)
    return None if code.is_bad() or data.Value is None else data.Value.Value


def same(row: dict[str, str], register: Any, tag: Any) -> bool:
    """Equal to within half a step of the register, or what a float32 can hold."""
    if register is None or tag is None or isinstance(tag, bool):
        return register is tag or register == tag
    step = float(row["scale"] or 1) / 2 + 1e-9 if "int" in row["type"] else abs(tag) * 6e-8 + 1e-30
    return abs(register - tag) <= step


def test_every_listed_register_is_the_tag_that_it_is_said_to_be(proof: Proof, rows: list[dict[str, str]]) -> None:
    """A value that moves is read between two readings of its tag, and again where it moved in between."""

    async def compare() -> dict[str, str]:
        wrong = {}
        async with Client(proof.opcua, timeout=20) as tags:
            for row in rows:
                for turn in range(TRIES):
                    before, register = await over_opcua(tags, row), over_modbus(scada, row)
                    await asyncio.sleep(0.2 * turn)  # the pictures of the two servers are not equally new
                    after = await over_opcua(tags, row)
                    numbers = [n for n in (before, after) if n is not None and not isinstance(n, bool)]
                    is_between = len(numbers) == 2 and register is not None and min(numbers) <= register <= max(numbers)
                    if is_between or same(row, register, before) or same(row, register, after):
                        break
                else:
                    wrong[f"{row['table']} {row['address']}"] = f"{row['tag']}: {register} over Modbus, {after} over OPC UA"
                transcript.note(f"{row['modicon']} {row['tag']}: {register} {row['unit']}; OPC UA {before} .. {after}")
        return wrong

    transcript = Transcript("map", "every register of `bessplc map --csv`, read with pymodbus, and its tag, read with asyncua")
    with ModbusTcpClient("127.0.0.1", port=proof.modbus, timeout=5) as scada:
        assert asyncio.run(compare()) == {}
    assert len(rows) >= 35


def test_the_addresses_of_the_listing_say_the_same_both_ways(rows: list[dict[str, str]]) -> None:
    assert {row["table"] for row in rows} == set(BASE)
    assert [int(row["modicon"]) for row in rows] == [BASE[row["table"]] + int(row["address"]) for row in rows]


def test_what_is_listed_as_writable_is_written_and_nothing_else(proof: Proof, rows: list[dict[str, str]]) -> None:
    with ModbusTcpClient("127.0.0.1", port=proof.modbus, timeout=5) as scada:
        for row in rows:
            if row["table"] == "coil" and "pulse" not in row["description"] and "one scan" not in row["description"]:
                now = over_modbus(scada, row)
                assert scada.write_coil(int(row["address"]), now).isError() == (not row["write FC"])
        setpoint = next(row for row in rows if row["table"] == "holding")
        low, high = (float(end) for end in setpoint["range"].split(".."))
        step = float(setpoint["scale"])
        for value, is_refused in ((low, False), (high + step, True), (low - step, True), (0.0, False)):
            registers = scada.convert_to_registers(round(value / step), scada.DATATYPE[setpoint["type"].upper()])
            answer = scada.write_registers(int(setpoint["address"]), registers)
            assert (answer.exception_code if answer.isError() else 0) == (3 if is_refused else 0)
            assert is_refused or over_modbus(scada, setpoint) == value
