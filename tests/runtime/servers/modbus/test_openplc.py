"""`map: openplc`: the addresses that an OpenPLC user knows, read with pymodbus."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymodbus.client import ModbusTcpClient

from runtime.model import Tag
from runtime.servers.modbus.listing import list_map
from runtime.servers.modbus.map import overlaps
from runtime.servers.modbus.openplc import lay_out_as_openplc, located
from tests.aids.servers_process import eventually, serving
from tests.aids.servers_scan import TAGS, TestScan, lay_out_region

MORE = (
    Tag("bms.main", "BOOL", 0, 0, 0, "output", "", "Close main contactors"),
    Tag("pcs.mode", "DINT", 0, 0, 0, "output", "", "Mode of the converter", 0, 3),
    Tag("dispatch.mode", "DINT", 0, 0, 0, "memory", "", "Mode", names=((0, "FAULT"), (1, "STANDBY"))),
    Tag("plc.bad_inputs", "DINT", 0, 0, 0, "system"),
    Tag("site.energies", "LINT", 3, 0, 0, "memory"),
)


def assigned() -> dict[str, tuple[str, int, str]]:
    tags, _ = lay_out_region((*TAGS, *MORE))
    entries = lay_out_as_openplc(tags)
    assert not overlaps(entries)
    return {line.tag: (line.table, line.address, line.located) for line in list_map(entries, located)}


@pytest.mark.parametrize(
    ("tag", "table", "address", "name"),
    [
        # NUMBERS.md: %QX coils 0.., %IX discrete inputs, %IW input registers, %QW holding 0.., %MW 1024, %MD 2048, %ML 4096
        ("bms.main", "coil", 0, "%QX0.0"),
        ("hmi.enable", "coil", 1, "%QX0.1"),
        ("bms.ok", "discrete", 0, "%IX0.0"),
        ("pcs.alarm", "input", 0, "%IW0"),
        ("pcs.state", "input", 1, "%IW1"),
        ("hmi.limit", "holding", 0, "%QW0"),
        ("pcs.mode", "holding", 1, "%QW1"),
        ("dispatch.mode", "holding", 1024, "%MW0"),
        ("bms.cell_v", "holding", 2048, "%MD0"),
        ("bms.current", "holding", 2048 + 16, "%MD8"),
        ("bms.cycles", "holding", 2048 + 18, "%MD9"),
        ("grid.energy", "holding", 4096, "%ML0"),
        ("hmi.count", "holding", 4100, "%ML1"),
        ("site.energies", "holding", 4112, "%ML4"),
    ],
)
def test_every_kind_of_tag_stands_where_openplc_has_it(tag: str, table: str, address: int, name: str) -> None:
    assert assigned()[tag] == (table, address, name)


def test_every_tag_has_one_place_within_openplcs_stretches() -> None:
    tags, _ = lay_out_region((*TAGS, *MORE))
    entries = lay_out_as_openplc(tags)
    assert sorted(e.tag.name for e in entries) == sorted(tag.name for tag in tags)
    ends = {"coil": 8192, "discrete": 8192, "input": 1024, "holding": 8192}
    assert all(e.end <= ends[e.table] for e in entries)


def test_the_ninth_coil_is_in_the_second_byte() -> None:
    tags, _ = lay_out_region(Tag(f"hmi.b{n:02d}", "BOOL", 0, 0, 0, "memory", write="operator") for n in range(10))
    assert [located(entry) for entry in lay_out_as_openplc(tags)][7:] == ["%QX0.7", "%QX1.0", "%QX1.1"]


def test_only_what_fits_sixteen_bits_stands_in_a_word() -> None:
    def place(low: float | None, high: float | None) -> str:
        tags, _ = lay_out_region([Tag("a.b", "DINT", 0, 0, 0, "input", "", "", low, high)])
        return located(lay_out_as_openplc(tags)[0])

    assert place(-32768, 32767) == "%IW0"
    assert [place(0, 32768), place(-32769, 0), place(None, None), place(0, None)] == ["%MD0"] * 4


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestScan, int, Path]]:
    folder = tmp_path_factory.mktemp("openplc")
    scan = TestScan(folder, (*TAGS, *MORE))
    with serving(scan.order("modbus", map="openplc")) as (_, port):
        yield scan, port, folder
    scan.stop()


def test_pymodbus_reads_and_writes_them(plant: Any) -> None:
    scan, port, _ = plant
    kind = ModbusTcpClient.DATATYPE
    with ModbusTcpClient("127.0.0.1", port=port, timeout=3, retries=0) as client:
        scan.set("bms.current", -12.5)
        scan.set("grid.energy", 2**40 + 1)
        scan.set("pcs.state", 2)

        def read(address: int, count: int) -> list[int]:
            return list(client.read_holding_registers(address, count=count, device_id=1).registers)

        eventually(lambda: client.convert_from_registers(read(2048 + 16, 2), kind.FLOAT32) == -12.5)
        assert client.convert_from_registers(read(4096, 4), kind.INT64) == 2**40 + 1  # the high word first
        assert client.read_input_registers(1, count=1, device_id=1).registers == [2]
        assert not client.write_coil(1, True, device_id=1).isError()
        assert scan.get("hmi.enable") == 1
        place = assigned()["hmi.p_set"][1]
        assert not client.write_registers(place, client.convert_to_registers(42.5, kind.FLOAT32), device_id=1).isError()
        assert scan.get("hmi.p_set") == 42.5
        assert client.write_coil(0, True, device_id=1).exception_code == 2, "an output belongs to its program"
        assert client.write_register(1, 1, device_id=1).exception_code == 2
