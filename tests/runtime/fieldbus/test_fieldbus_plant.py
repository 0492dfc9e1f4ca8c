"""The demo's own io_maps against the simulated plant: both drivers, real buses, and what the plant says is true."""

import time

import pytest

from runtime.quality import BAD_NO_COMMUNICATION, BAD_SENSOR_FAILURE, GOOD
from tests.aids.fieldbus import ROOT, FieldbusRun, mapped
from tests.aids.fieldbus_child import until
from tests.aids.places import DEMO
from tests.aids.plant import running_plant

SITE = "site: demo\nchannels: {can0: {interface: slcan, channel: $RUN/can0, bitrate: 500 kbit/s}}"
IO = ("rack1", "pcs", "meter", "panel")
PORTS = {"pcs": "15020", "meter": "15021", "panel": "15022"}


class Demo:
    """Plant, fieldbus process and a test's scan; `slots` finds a tag's first slot."""

    def __init__(self, folder, plant):
        self.plant, self.slots, devices = plant, {}, []
        inputs = outputs = 0
        for name in IO:
            text = (DEMO / "io_maps" / f"{name}.yaml").read_text(encoding="utf-8")
            if name in PORTS:
                text = text.replace(PORTS[name], str(plant.ports[name]))
            found = mapped(text, SITE, ROOT, inputs, outputs)
            devices.append(found.device)
            self.slots |= {tag: slots[0] for tag, slots in found.slots.items()}
            inputs, outputs = inputs + len(found.device.inputs), outputs + len(found.device.outputs)
        self.run = FieldbusRun(folder, devices)

    def value(self, tag: str, kind: str = "lreal"):
        return self.run.inbox()[kind][self.slots[tag]]

    def quality(self, tag: str) -> int:
        return self.run.inbox()["quality"][self.slots[tag]]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    with running_plant(folder) as plant:
        made = Demo(folder, plant)
        try:
            made.run.start()
            made.run.start_scan()
            until(lambda: set(made.run.inbox()["quality"]) == {GOOD}, 30, "every input of the site is good")
            yield made
        finally:
            made.run.close()


def test_the_inputs_say_what_is_true(demo):
    truth = demo.plant.truth(cells=True)
    assert demo.value("bms.soc") == pytest.approx(truth["rack"]["soc_bms"] * 100, abs=0.1)
    first = demo.slots["bms.cell_v"]
    cells = demo.run.inbox()["lreal"][first : first + 256]
    assert cells == pytest.approx(truth["cells"]["v"], abs=0.002)
    assert demo.value("grid.frequency") == pytest.approx(50.0, abs=0.2)
    assert demo.value("panel.estop_ok", "integer") == 1


def test_an_open_sensor_is_a_broken_reading_of_that_cell_only(demo):
    first = demo.slots["bms.cell_v"]
    demo.plant.fault("open_cell_sensor", cell=7)
    try:
        until(lambda: BAD_SENSOR_FAILURE in demo.run.inbox()["quality"], 5, "the cell is bad")
        broken = [i for i, q in enumerate(demo.run.inbox()["quality"][first : first + 256]) if q != GOOD]
        assert len(broken) == 1
    finally:
        demo.plant.clear("open_cell_sensor", cell=7)
    until(lambda: set(demo.run.inbox()["quality"]) == {GOOD}, 5, "good again")


def test_a_lost_link_is_bad_and_heals(demo):
    demo.plant.fault("drop_link", link="meter")
    try:
        until(lambda: demo.quality("grid.frequency") == BAD_NO_COMMUNICATION, 5, "the meter is bad")
        assert demo.quality("pcs.v_dc") == GOOD
    finally:
        demo.plant.clear("drop_link", link="meter")
    until(lambda: demo.quality("grid.frequency") == GOOD, 20, "good again")


def test_outputs_reach_the_devices_and_go_safe_in_order_when_the_scan_dies(demo):
    slots, scan = demo.slots, demo.run.scan
    assert scan is not None
    scan.ask("set", values={slots["bms.precharge"]: 1, slots["pcs.p_cmd"]: 0.0, slots["pcs.enable"]: 1})
    time.sleep(2.0)
    scan.ask("set", values={slots["bms.main"]: 1})
    until(lambda: demo.value("bms.main_fb", "integer") == 1, 10, "the main contactor closes")
    scan.ask("set", values={slots["bms.precharge"]: 0, slots["pcs.p_cmd"]: 20.0})
    until(lambda: any(w["what"] == "p_cmd" and w["value"] == pytest.approx(20.0) for w in demo.plant.written()), 5, "20 kW")
    since = time.monotonic_ns()
    scan.kill()
    seen: list[dict] = []

    def both() -> bool:
        seen[:] = demo.plant.written(since=since)
        return any(w["what"] == "Stack_Cmd.CloseReq" for w in seen)

    until(both, 10, "the contactor is told to open")
    power = next(w["t"] for w in seen if w["what"] == "p_cmd" and w["value"] == 0)
    opened = next(w["t"] for w in seen if w["what"] == "Stack_Cmd.CloseReq" and not w["value"])
    assert opened - power > 0.9e9, "power first, the contactor a second later"
