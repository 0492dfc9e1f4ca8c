"""A plant of several racks as a process: every rack on a bus of its own, every converter on its own port."""

from __future__ import annotations

import time

import can
import pytest
from can.interfaces.slcan import slcanBus
from pymodbus.client import ModbusTcpClient

from runtime.simulation.process import channel_of
from tests.aids.plant import ROOT, running_plant

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fleet")
    (folder / "config").mkdir()
    (folder / "dbc").symlink_to(ROOT / "dbc")
    config = folder / "config" / "plant.yaml"
    config.write_text("racks: 3\nspread: {soc: 0.05}\nclimate: {liquid_w_per_k: 4}\n")
    with running_plant(folder / "run", config=config) as plant:
        yield plant


def test_channels_count_up():
    assert [channel_of("can0", at) for at in range(3)] == ["can0", "can1", "can2"]
    assert channel_of("vcan5", 2) == "vcan7"


def test_a_command_on_the_second_bus_reaches_the_second_rack_alone(fleet):
    bus = slcanBus(str(fleet.run_dir / "can1"), bitrate=500_000, sleep_after_open=0)
    try:
        for turn in range(40):
            bus.send(can.Message(arbitration_id=0xA0, data=bytes([2, turn % 16]), is_extended_id=False))
            seen = bus.recv(1.0)
            assert seen is not None
            time.sleep(0.02)
        links = [rack["v_link"] for rack in fleet.truth()["racks"]]
    finally:
        bus.shutdown()
    assert links[1] > 500.0
    assert links[0] == links[2] == 0.0
    assert {change["device"] for change in fleet.written()} == {"rack2"}


def test_every_converter_and_the_climate_have_their_port(fleet):
    assert {"pcs", "pcs2", "pcs3", "meter", "panel", "climate"} == set(fleet.ports)
    with ModbusTcpClient("127.0.0.1", port=fleet.ports["pcs3"]) as client:
        client.write_register(100, 420, device_id=1)
        assert client.read_holding_registers(100, count=1, device_id=1).registers == [420]
    with ModbusTcpClient("127.0.0.1", port=fleet.ports["pcs"]) as client:
        assert client.read_holding_registers(100, count=1, device_id=1).registers == [0]
    with ModbusTcpClient("127.0.0.1", port=fleet.ports["climate"]) as client:
        client.write_register(0, 700, device_id=4)
    fleet.wait(lambda truth: abs(truth["climates"][0]["pump"] - 0.7) < 1e-9, 3.0, "the pump runs as commanded")


def test_a_cut_wire_silences_one_rack(fleet):
    fleet.fault("drop_link", link="can2")
    bus = slcanBus(str(fleet.run_dir / "can2"), bitrate=500_000, sleep_after_open=0)
    try:
        assert bus.recv(0.5) is None
        fleet.clear("drop_link", link="can2")
        assert bus.recv(2.0) is not None
    finally:
        bus.shutdown()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """Three racks, two on one channel, as on the site `grid`."""
    folder = tmp_path_factory.mktemp("shared")
    (folder / "config").mkdir()
    (folder / "dbc").symlink_to(ROOT / "dbc")
    config = folder / "config" / "plant.yaml"
    can = "{dbc: dbc/rack_shared.dbc, racks_per_channel: 2, cell_period_s: 1}"
    config.write_text(f"racks: 3\ntick_s: 0.05\nbuses: {{can: {can}}}\n")
    with running_plant(folder / "run", config=config) as plant:
        yield plant


def test_racks_that_share_a_channel_have_identifiers_of_their_own(shared):
    bus = slcanBus(str(shared.run_dir / "can0"), bitrate=500_000, sleep_after_open=0)
    try:
        frames = {}
        began = time.monotonic()
        while time.monotonic() - began < 2.5:
            message = bus.recv(0.5)
            assert message is not None and message.is_extended_id
            frames[message.arbitration_id] = frames.get(message.arbitration_id, 0) + 1
        for turn in range(30):
            bus.send(can.Message(arbitration_id=0x10A0, data=bytes([2, turn % 16]), is_extended_id=True))
            time.sleep(0.05)
    finally:
        bus.shutdown()
    both = {0x100, 0x110, 0x111, *range(0x200, 0x210), *range(0x240, 0x250)}
    assert set(frames) == both | {number + 0x1000 for number in both}
    assert frames[0x100] > 3 * frames[0x200] / 4, "state every 50 ms, the four rows of a module once a second"
    links = [rack["v_link"] for rack in shared.truth()["racks"]]
    assert links[1] > 500.0
    assert links[0] == links[2] == 0.0


def test_channels_are_as_many_as_are_needed(shared):
    assert sorted(path.name for path in shared.run_dir.glob("can*")) == ["can0", "can1"]
