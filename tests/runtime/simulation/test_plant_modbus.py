"""Modbus: the register tables against the standard, and the servers against pymodbus's client."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import asynccontextmanager

import pytest
from pymodbus.client import AsyncModbusTcpClient

from runtime.simulation.modbusmaps import map_meter, map_panel, map_pcs
from runtime.simulation.modbusserver import ModbusDevice
from runtime.simulation.registers import (
    COIL,
    HOLDING,
    INPUT,
    Cell,
    RefusedAddressError,
    RefusedValueError,
    Registers,
    read_span,
    value_of,
    words_of,
    write_span,
)
from runtime.simulation.written import Written
from tests.aids.plant import even_plant


@pytest.mark.parametrize(
    ("form", "words", "scale", "value", "wire"),
    [
        ("int16", "big", 0.1, -12.3, [0xFF85]),
        ("uint16", "big", 0.1, 842.7, [8427]),
        ("int32", "big", 1.0, -2, [0xFFFF, 0xFFFE]),
        ("int32", "little", 0.001, 100.0, [0x86A0, 0x0001]),
        ("uint32", "little", 1.0, 0x12345678, [0x5678, 0x1234]),
        ("float32", "big", 1.0, 50.0, [0x4248, 0x0000]),
        ("float32", "little", 1.0, 50.0, [0x0000, 0x4248]),
        ("int16", "big", 0.1, 99999.0, [0x7FFF]),
        ("uint16", "big", 1.0, -3.0, [0]),
    ],
)
def test_quantities_become_words(form, words, scale, value, wire):
    cell = Cell("x", INPUT, 0, lambda: value, form=form, words=words, scale=scale)
    assert list(words_of(cell)()) == wire


@pytest.mark.parametrize(("form", "words"), [("int16", "big"), ("int32", "big"), ("int32", "little"), ("float32", "little")])
def test_words_become_the_quantity_again(form, words):
    cell = Cell("x", HOLDING, 0, lambda: -40.5, form=form, words=words, scale=0.5)
    assert value_of(cell, words_of(cell)()) == -40.5


def registers_of(*cells):
    seen = []
    return Registers(cells, lambda name, value: seen.append((name, value))), seen


def test_a_span_reads_across_cells_and_gaps():
    registers, _ = registers_of(Cell("a", INPUT, 10, lambda: 1), Cell("b", INPUT, 12, lambda: 1.0, form="float32"))
    assert read_span(registers, INPUT, 10, 4) == [1, 0, 0x3F80, 0]
    assert read_span(registers, INPUT, 13, 1) == [0]


@pytest.mark.parametrize(("address", "count"), [(9, 1), (10, 5), (14, 1), (10, 0)])
def test_outside_the_device_is_refused(address, count):
    registers, _ = registers_of(Cell("a", INPUT, 10, lambda: 1), Cell("b", INPUT, 12, lambda: 1.0, form="float32"))
    with pytest.raises(RefusedAddressError):
        read_span(registers, INPUT, address, count)


def test_a_write_is_taken_whole_or_not_at_all():
    taken = {}
    registers, seen = registers_of(
        Cell("a", HOLDING, 0, lambda: 0, lambda v: taken.update(a=v), "int16", low=-5, high=5),
        Cell("b", HOLDING, 1, lambda: 0, lambda v: taken.update(b=v), "int16", low=-5, high=5),
        Cell("c", HOLDING, 2, lambda: 0),
    )
    with pytest.raises(RefusedValueError):
        write_span(registers, HOLDING, 0, [1, 6])
    with pytest.raises(RefusedAddressError):
        write_span(registers, HOLDING, 1, [1, 1])
    assert (taken, seen) == ({}, [])
    write_span(registers, HOLDING, 0, [5, 0xFFFB])
    assert taken == {"a": 5, "b": -5}
    assert seen == [("a", 5), ("b", -5)]


def test_half_of_a_wide_register_cannot_be_written():
    registers, seen = registers_of(Cell("a", HOLDING, 0, lambda: 0, seen_nothing, "int32"))
    for address, values in ((0, [1]), (1, [1])):
        with pytest.raises(RefusedAddressError):
            write_span(registers, HOLDING, address, values)
    assert not seen


def seen_nothing(value):
    raise AssertionError("must not be written")


def test_overlapping_cells_are_a_mistake():
    with pytest.raises(ValueError, match="overlaps a"):
        registers_of(Cell("a", INPUT, 0, lambda: 0, form="int32"), Cell("b", INPUT, 1, lambda: 0))


@asynccontextmanager
async def device_of(make, unit=1):
    plant, written = even_plant(), Written()
    device = ModbusDevice(unit, make(plant, written), "127.0.0.1", 0)
    await device.plug()
    client = AsyncModbusTcpClient("127.0.0.1", port=device.port, timeout=2, retries=0)
    await client.connect()
    try:
        yield plant, written, device, client
    finally:
        client.close()
        await device.unplug()


def test_the_converter_reads_and_writes():
    async def work():
        async with device_of(map_pcs) as (plant, written, _, client):
            plant.rack.circuit.v_link, plant.pcs.p_ac_kw = 842.7, -123.456
            read = await client.read_input_registers(0, count=14, device_id=1)
            assert (read.registers[0], read.registers[2]) == (0, 8427)
            raw = struct.unpack(">i", struct.pack(">HH", read.registers[7], read.registers[6]))[0]
            assert raw == -123456
            assert not (await client.write_register(100, 65536 - 1500, device_id=1)).isError()
            assert plant.pcs.p_cmd_kw == pytest.approx(-150.0)
            assert (await client.read_holding_registers(100, count=1, device_id=1)).registers == [65536 - 1500]
            await client.write_coil(0, True, device_id=1)
            assert plant.pcs.enable
            assert (await client.read_discrete_inputs(0, count=2, device_id=1)).bits[:2] == [True, False]
            await client.write_registers(100, [100, 0, 7], device_id=1)
            assert (plant.pcs.p_cmd_kw, plant.pcs.heartbeat, plant.pcs.silent_s) == (10.0, 7, 0.0)
            assert [(what, value) for _, _, what, value in written.changes] == [
                ("p_cmd", -150.0),
                ("enable", True),
                ("p_cmd", 10.0),
                ("q_cmd", 0.0),
            ]

    asyncio.run(work())


@pytest.mark.parametrize(("address", "value", "code"), [(100, 2600, 3), (99, 1, 2), (120, 1, 2), (104, 1, 2)])
def test_the_converter_refuses_with_the_right_exception(address, value, code):
    # Modbus application protocol V1.1b3: 02 illegal data address, 03 illegal data value
    async def work():
        async with device_of(map_pcs) as (plant, _, device, client):
            answer = await client.write_register(address, value, device_id=1)
            assert answer.isError() and answer.exception_code == code
            assert plant.pcs.p_cmd_kw == 0.0
            assert device.line.refused == 1

    asyncio.run(work())


def test_inputs_cannot_be_written():
    async def work():
        async with device_of(map_panel) as (_, __, ___, client):
            answer = await client.write_coil(7, True, device_id=1)
            assert answer.exception_code == 2

    asyncio.run(work())


def test_the_meter_is_an_sdm630():
    # Eastron SDM630 protocol: 30053 total system power (W), 30071 frequency, 30043 mean volts: float32, high word first
    async def work():
        async with device_of(map_meter, unit=2) as (plant, _, __, client):
            plant.grid.frequency_set, plant.grid.p_kw = 49.875, -12.5
            read = (await client.read_input_registers(42, count=34, device_id=2)).registers
            as_float = {at: struct.unpack(">f", struct.pack(">HH", *read[at - 42 : at - 40]))[0] for at in (42, 52, 70)}
            assert as_float == {42: pytest.approx(230.9), 52: -12500.0, 70: 49.875}

    asyncio.run(work())


def test_the_panel_reads_buttons_and_takes_lamps():
    async def work():
        async with device_of(map_panel, unit=3) as (plant, _, __, client):
            plant.panel.pressed["stop"] = 1.0
            assert (await client.read_discrete_inputs(0, count=5, device_id=3)).bits[:5] == [True, False, True, False, True]
            plant.panel.estop_pressed = True
            assert (await client.read_discrete_inputs(0, count=1, device_id=3)).bits[0] is False
            await client.write_coils(0, [True, False, True], device_id=3)
            assert {name for name, on in plant.panel.outputs.items() if on} == {"lamp_run", "horn"}
            assert plant.panel.silent_s == 0.0

    asyncio.run(work())


def test_another_unit_is_not_at_home():
    async def work():
        async with device_of(map_pcs) as (_, __, device, client):
            answer = await client.read_input_registers(0, count=1, device_id=9)
            assert answer.exception_code == 11
            assert device.line.foreign == 1

    asyncio.run(work())


def read_request(transaction, unit=1, function=4, address=0, count=1):
    return struct.pack(">HHHBBHH", transaction, 0, 6, unit, function, address, count)


async def exchange(port, sent, wanted):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    try:
        return await asyncio.wait_for(reader.readexactly(wanted), 5.0)
    finally:
        writer.close()


def test_every_request_of_one_segment_is_answered_in_order():
    async def work():
        async with device_of(map_pcs) as (_, __, device, ___):
            answer = await exchange(device.port, b"".join(read_request(n) for n in range(1, 21)), 20 * 11)
            assert [int.from_bytes(answer[at : at + 2], "big") for at in range(0, 220, 11)] == list(range(1, 21))

    asyncio.run(work())


def test_an_unknown_function_is_exception_one():
    async def work():
        async with device_of(map_pcs) as (_, __, device, ___):
            answer = await exchange(device.port, struct.pack(">HHHBB", 5, 0, 2, 1, 0x55), 9)
            assert answer[7:] == bytes([0xD5, 1]) or answer[7:] == bytes([0x80, 1])

    asyncio.run(work())


def test_noise_does_not_stop_the_device():
    async def work():
        async with device_of(map_pcs) as (_, __, device, client):
            _, writer = await asyncio.open_connection("127.0.0.1", device.port)
            writer.write(bytes(range(256)) * 50)
            await writer.drain()
            writer.close()
            assert not (await client.read_input_registers(0, count=1, device_id=1)).isError()

    asyncio.run(work())


def test_lines_can_be_silent_slow_or_broken():
    async def work():
        async with device_of(map_pcs) as (_, __, device, client):
            device.line.exception = 6
            assert (await client.read_input_registers(0, count=1, device_id=1)).exception_code == 6
            device.line.exception, device.line.delay_s = 0, 0.2
            loop = asyncio.get_running_loop()
            began = loop.time()
            assert not (await client.read_input_registers(0, count=1, device_id=1)).isError()
            assert loop.time() - began >= 0.2
            device.line.delay_s, device.line.silent = 0.0, True
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(exchange(device.port, read_request(1), 1), 0.3)
            assert device.line.lost == 1

    asyncio.run(work())


def test_an_unplugged_device_closes_and_comes_back_on_its_port():
    async def work():
        async with device_of(map_pcs) as (_, __, device, ___):
            port = device.port
            await device.unplug()
            with pytest.raises(OSError):
                await asyncio.open_connection("127.0.0.1", port)
            await device.plug()
            assert device.port == port
            assert len(await exchange(port, read_request(1), 11)) == 11

    asyncio.run(work())


def test_a_taken_port_is_named():
    async def work():
        taken = socket.socket()
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        try:
            with pytest.raises(RuntimeError, match=f"cannot listen on 127.0.0.1:{port}"):
                await ModbusDevice(1, map_pcs(even_plant(), Written()), "127.0.0.1", port).plug()
        finally:
            taken.close()

    asyncio.run(work())


def test_the_meter_has_nothing_to_write():
    registers = map_meter(even_plant(), Written())
    assert all(cell.write is None for cell in registers.cells)
    assert COIL not in registers.window
