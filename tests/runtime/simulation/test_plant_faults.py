"""Every fault switch, on the real buses: what the controller would see, and what the devices do by themselves."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import cantools
import pytest
from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ModbusException

from runtime.simulation.faults import FAULTS
from tests.aids.plant import ROOT, bring_up, mastered_plant

pytestmark = pytest.mark.slow

DBC = cantools.database.load_file(ROOT / "dbc" / "rack.dbc")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with mastered_plant(tmp_path_factory.mktemp("plant")) as found:
        yield found


@pytest.fixture
def plant(site):
    """The shared plant, at rest and without faults."""
    plant, master = site
    plant.ask("clear_faults")
    plant.ask("estop", pressed=False)
    master.silent = master.heartless = False
    master.power(0)
    master.enable(False)
    plant.wait(lambda truth: abs(truth["pcs"]["p_ac_kw"]) < 0.1, 10.0, "no power")
    master.close = master.precharge = False
    master.reset = True
    plant.wait(lambda truth: truth["rack"]["ok"] and not truth["rack"]["main"] and truth["pcs"]["fault"] == "NONE", 10.0, "at rest")
    master.reset = False
    time.sleep(0.1)
    return plant


@pytest.fixture
def master(site):
    return site[1]


def decode(messages):
    """The last frames of a message, all selectors together."""
    signals = {}
    for message in messages:
        signals |= DBC.decode_message(message.arbitration_id, message.data, decode_choices=False)
    return signals


def test_the_bus_carries_every_message_at_its_rate(plant, master):
    dropped = plant.ask("counters")["can0"]["dropped"]
    master.skip()
    found = master.receive(3.0)
    for message in DBC.messages:
        if message.senders == ["BMS"]:
            frames = len(found.get(message.frame_id, [])) / (4 if message.is_multiplexed() else 1)
            # a machine that is busy for a while skips turns; it never sends more
            assert 0.5 <= frames / (3000 / message.cycle_time) <= 1.35, message.name
    counters = [DBC.decode_message(0x100, m.data)["AliveCounter"] for m in found[0x100]]
    gaps = sum((b - a) % 16 != 1 for a, b in itertools.pairwise(counters))
    assert gaps <= plant.ask("counters")["can0"]["dropped"] - dropped, "a frame is only missing where it was counted"
    truth = plant.truth(cells=True)
    for module in (1, 16):
        volts = decode(found[0x200 + module - 1][-8:])
        temperatures = decode(found[0x240 + module - 1][-8:])
        for cell in range(1, 17):
            at = (module - 1) * 16 + cell - 1
            assert volts[f"V_{cell}"] == pytest.approx(truth["cells"]["v"][at], abs=0.003)
            assert temperatures[f"T_{cell}"] == pytest.approx(truth["cells"]["celsius"][at], abs=0.2)


def test_a_silent_master_opens_the_rack_and_stops_the_converter(plant, master):
    bring_up(plant, master, 50.0)
    began = time.monotonic_ns()
    master.silent = master.heartless = True
    plant.wait(lambda truth: truth["pcs"]["p_ac_kw"] == 0.0 and not truth["rack"]["main"], 5.0, "all off")
    truth = plant.truth()
    assert truth["rack"]["fault"] == "COMM_TIMEOUT"
    assert truth["pcs"]["fault"] in ("COMM_TIMEOUT", "DC_UNDER_VOLTAGE")
    opened = next(e for e in plant.events(began) if e["what"] == "main_opened")
    assert 0.2e9 < opened["t"] - began < 2.5e9  # 500 ms, five times that at most


def test_a_converter_without_heartbeat_goes_to_zero_while_the_rack_stays(plant, master):
    bring_up(plant, master, 50.0)
    master.heartless = True
    truth = plant.wait(lambda truth: truth["pcs"]["state"] == "FAULT", 5.0, "fault")
    assert (truth["pcs"]["fault"], truth["pcs"]["p_ac_kw"], truth["rack"]["main"]) == ("COMM_TIMEOUT", 0.0, True)


def test_the_record_shows_the_order_in_which_things_were_written(plant, master):
    bring_up(plant, master, 50.0)
    began = time.monotonic_ns()
    master.power(0)
    plant.wait(lambda truth: truth["pcs"]["p_ac_kw"] == 0.0, 5.0)
    master.close = False
    plant.wait(lambda truth: not truth["rack"]["main"], 5.0)
    order = [(e["device"], e["what"], e["value"]) for e in plant.written(began)]
    assert order == [("pcs", "p_cmd", 0.0), ("rack", "Stack_Cmd.CloseReq", False)]
    times = [e["t"] for e in plant.written(began)]
    assert began < times[0] < times[1] < time.monotonic_ns()
    assert "main_opened_under_load" not in [e["what"] for e in plant.events(began)]


def test_cut_sensor_wires_read_not_available(plant, master):
    plant.fault("open_cell_sensor", cell=18)
    plant.fault("open_temperature_sensor", cell=3)
    time.sleep(0.2)
    master.skip()
    found = master.receive(1.5)
    volts, temperatures = decode(found[0x201][-8:]), decode(found[0x240][-8:])
    assert volts["V_2"] == pytest.approx(6.5534)
    assert 3.2 < volts["V_3"] < 3.4
    assert temperatures["T_3"] == pytest.approx(277.67)
    summary = decode(found[0x111][-1:])
    assert summary["VMax"] < 3.4 and summary["TMax"] < 40.0
    assert decode(found[0x100][-1:])["FaultCode"] == 9
    plant.clear("open_cell_sensor", cell=18)
    master.skip()
    assert 3.2 < decode(master.receive(0.5)[0x201][-8:])["V_2"] < 3.4


def test_a_frozen_message_repeats_and_a_stopped_one_is_silent(plant, master):
    plant.fault("freeze_message", message="BMS_Status")
    plant.fault("stop_message", message="Module_5")
    master.skip()
    found = master.receive(0.5)
    assert len({bytes(m.data) for m in found[0x100]}) == 1
    assert len(found[0x100]) > 10
    assert 0x204 not in found
    assert 0x203 in found
    plant.ask("clear_faults")
    master.skip()
    found = master.receive(0.5)
    assert len({bytes(m.data) for m in found[0x100]}) > 10
    assert 0x204 in found


def test_a_cut_can_wire_is_silence_both_ways(plant, master):
    bring_up(plant, master, 0.0)
    plant.fault("drop_link", link="can0")
    plant.wait(lambda truth: not truth["rack"]["main"], 5.0, "no frames heard: opens")
    time.sleep(0.1)
    master.skip()
    assert master.receive(0.5) == {}
    plant.clear("drop_link", link="can0")
    assert 0x100 in master.receive(1.0)


def read_input(port, unit, address=0, discrete=False):
    client = ModbusTcpClient("127.0.0.1", port=port, timeout=0.5, retries=0)
    try:
        if not client.connect():
            return "refused"
        read = client.read_discrete_inputs if discrete else client.read_input_registers
        answer = read(address, count=1, device_id=unit)
        return answer.exception_code if answer.isError() else "answered"
    except ModbusException:
        return "silent"
    finally:
        client.close()


@pytest.mark.parametrize(("link", "unit", "address"), [("pcs", 1, 0), ("meter", 2, 52), ("panel", 3, 0)])
def test_modbus_links_can_be_silent_unplugged_or_broken(plant, link, unit, address):
    port, discrete = plant.ports[link], link == "panel"
    for name, details, seen in [
        ("drop_link", {}, "silent"),
        ("unplug_link", {}, "refused"),
        ("exception_link", {"code": 6}, 6),
        ("slow_link", {"ms": 1500}, "silent"),
    ]:
        assert read_input(port, unit, address, discrete) == "answered"
        plant.fault(name, link=link, **details)
        assert read_input(port, unit, address, discrete) == seen, name
        plant.clear(name, link=link)
    assert read_input(port, unit, address, discrete) == "answered"


def test_a_hot_cell_trips_the_rack_after_a_warning(plant, master):
    bring_up(plant, master, 20.0)
    began = time.monotonic_ns()
    plant.fault("over_heat_cell", cell=100, celsius=70)
    plant.wait(lambda truth: not truth["rack"]["ok"], 10.0, "warned")
    plant.wait(lambda truth: not truth["rack"]["main"], 15.0, "opened")
    events = {e["what"]: e["t"] for e in plant.events(began) if e["device"] == "rack"}
    assert events["main_opened"] - events["state"] > 1.5e9, "two seconds for the controller to bring the power down"
    assert plant.truth()["rack"]["fault"] == "OVER_TEMPERATURE"


@pytest.mark.parametrize(
    ("name", "seen"),
    [("bms_fault", "INTERNAL"), ("earth_fault", "EARTH_FAULT")],
)
def test_faults_of_the_rack_itself(plant, master, name, seen):
    plant.fault(name)
    plant.wait(lambda truth: truth["rack"]["fault"] == seen and not truth["rack"]["ok"], 10.0, seen)


def test_a_welded_contactor_stays_closed(plant, master):
    bring_up(plant, master, 0.0)
    plant.fault("weld_main")
    master.close = False
    truth = plant.wait(lambda truth: truth["rack"]["fault"] == "CONTACTOR_WELDED", 5.0, "seen by feedback")
    assert truth["rack"]["main"]


def test_contactors_that_do_not_pull_in(plant, master):
    plant.fault("precharge_wont_close")
    master.precharge = True
    time.sleep(0.3)
    assert not plant.truth()["rack"]["precharge"]
    plant.clear("precharge_wont_close")
    plant.wait(lambda truth: truth["rack"]["v"] - truth["pcs"]["v_link"] < 1.0, 10.0, "precharged")
    plant.fault("main_wont_close")
    master.close = True
    truth = plant.wait(lambda truth: truth["rack"]["fault"] == "CONTACTOR_OPEN", 5.0, "seen by feedback")
    assert not truth["rack"]["main"]


def test_a_fault_of_the_converter(plant, master):
    bring_up(plant, master, 50.0)
    plant.fault("pcs_fault")
    truth = plant.wait(lambda truth: truth["pcs"]["state"] == "FAULT", 5.0, "fault")
    assert (truth["pcs"]["fault"], truth["pcs"]["p_ac_kw"]) == ("INTERNAL", 0.0)


def test_estop_by_button_and_by_cut_wire(plant, master):
    bring_up(plant, master, 0.0)
    plant.fault("cut_estop_wire")
    assert not plant.wait(lambda truth: not truth["rack"]["main"], 10.0, "the relay opens")["panel"]["estop_ok"]
    plant.clear("cut_estop_wire")
    plant.ask("estop", pressed=True)
    assert not plant.wait(lambda truth: not truth["panel"]["power_to_coils"], 10.0)["panel"]["estop_ok"]


def test_buttons_show_on_the_panel(plant):
    client = ModbusTcpClient("127.0.0.1", port=plant.ports["panel"], timeout=2)
    client.connect()
    try:
        plant.ask("press", button="start")
        plant.ask("key", remote=False)
        assert client.read_discrete_inputs(0, count=5, device_id=3).bits[:5] == [True, True, False, False, False]
        plant.ask("release", button="start")
        plant.ask("key", remote=True)
        assert client.read_discrete_inputs(0, count=5, device_id=3).bits[:5] == [True, False, False, False, True]
        client.write_coil(0, True, device_id=3)
        assert plant.truth()["panel"]["lamp_run"]
        plant.wait(lambda truth: not truth["panel"]["lamp_run"], 10.0, "the module's own time-out")
    finally:
        client.close()


def test_balancing_resistors_follow_their_bits(plant, master):
    master.balance = True
    master.send(0xC1, (0b101).to_bytes(2, "little"))
    plant.wait(lambda truth: truth["rack"]["bleeding"] == 2, 5.0, "two resistors on")
    cells = plant.truth(cells=True)["cells"]["bleeding"]
    assert [at for at, on in enumerate(cells) if on] == [16, 18]
    master.balance = False
    plant.wait(lambda truth: truth["rack"]["bleeding"] == 0, 5.0, "off")


def test_frames_that_make_no_sense_are_counted_and_left(plant, master):
    before = plant.ask("counters")["can0"]
    master.send(0x7AB, b"\x01")
    master.send(0xA0, b"")
    master.send(0xA0, b"\x01\x01", extended=True)
    deadline = time.monotonic() + 5.0
    while True:
        after = plant.ask("counters")["can0"]
        if (after["unknown"] - before["unknown"], after["malformed"] - before["malformed"]) == (2, 1):
            break
        assert time.monotonic() < deadline, after
        time.sleep(0.02)
    assert not plant.truth()["rack"]["main"]


def test_every_fault_switch_has_a_test_above_or_in_the_plants_own_faults():
    text = Path(__file__).read_text() + Path(__file__).with_name("test_plant_physical_faults.py").read_text()
    text += Path(__file__).with_name("test_plant_many_faults.py").read_text()
    assert [name for name in FAULTS if f'"{name}"' not in text] == []
