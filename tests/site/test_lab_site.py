"""The demo site on a real kernel: the rack on SocketCAN, the E-stop on a GPIO chip, the rest over Modbus TCP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import can
import cantools
import pytest

from runtime.site_files import plant_of
from tests.aids.estop import measure
from tests.aids.kernel import SimChip, needs_gpio_sim, needs_vcan
from tests.aids.lab_watch import ScanWatcher
from tests.aids.plant import RunningPlant, running_plant
from tests.aids.scada import Scada
from tests.aids.site import ROOT, RunningSite, copy_site, started, until

ESTOP, REMOTE = 0, 4  # lines of io_maps/panel_gpio.yaml
PATIENCE = 120  # s: the lab's kernel has one processor for everything
SITE = "config/lab.yaml"

lab = [pytest.mark.socketcan, pytest.mark.gpiochip, pytest.mark.site, pytest.mark.timeout(900), needs_vcan, needs_gpio_sim]


def with_marks(function: object) -> object:
    for mark in lab:
        function = mark(function)  # type: ignore[operator]
    return function


@pytest.fixture
def chip() -> SimChip:
    """The panel at rest: the E-stop chain closed, the key switch on remote, no button pressed."""
    chip = SimChip()
    for line in range(8):
        chip.pull(line, line in (ESTOP, REMOTE))
    return chip


@pytest.fixture
def demo(tmp_path: Path, chip: SimChip) -> Iterator[tuple[RunningSite, RunningPlant, Scada]]:
    plant_dir = tmp_path / "plant"
    plant_dir.mkdir()
    root, ports = copy_site(tmp_path / "demo")
    with (
        running_plant(plant_dir, "--ports-from-config", config=root / "config/lab_plant.yaml") as plant,
        started(root, ports, tmp_path, site_file=SITE) as site,
    ):
        site.wait_for("running", PATIENCE * 3)
        until(lambda: site.status("modbus").get("listening"), PATIENCE, "the Modbus server listens")
        scada = Scada(root, site.modbus)
        until(lambda: scada.read("bms.ok") and scada.read("panel.remote"), PATIENCE, "the rack's and the panel's data arrive")
        yield site, plant, scada
        scada.close()


@with_marks
def test_the_estop_of_the_gpio_panel_takes_the_power_and_opens_the_rack_on_vcan0(
    demo: tuple[RunningSite, RunningPlant, Scada], chip: SimChip
) -> None:
    site, plant, scada = demo
    bus = can.Bus(interface="socketcan", channel="vcan0", can_filters=[{"can_id": 0xA0, "can_mask": 0x7FF}])
    watcher = ScanWatcher(site.root / SITE, site.run_dir, ("panel.estop_ok", "site.ready"), ("pcs.p_cmd", "bms.main"))
    try:
        _close_and_run(plant, scada)
        since, since_ns = watcher.scan, time.monotonic_ns()
        _drain(bus)
        chip.pull(ESTOP, False)
        before, latched = watcher.wait_for(watcher.tags["panel.estop_ok"], 0.0, since, PATIENCE, "a scan latches the E-stop")
        _, safe = watcher.wait_for(watcher.outputs["pcs.p_cmd"], 0.0, before, PATIENCE, "the outbox says 0 kW")
        assert safe - (before + 1) <= 2, f"latched in scan {before + 1}..{latched}, 0 kW in the outbox of scan {safe}"
        plant.wait(lambda truth: not truth["rack"]["main"], PATIENCE, "the rack opens")
        changes = plant.written(since_ns)
        zero = min(c["t"] for c in changes if (c["device"], c["what"]) == ("pcs", "p_cmd") and c["value"] == 0)
        opened = min(c["t"] for c in changes if (c["device"], c["what"]) == ("rack", "Stack_Cmd.CloseReq") and not c["value"])
        assert zero < opened, "current to zero before opening"
        assert _last_close_request(bus) is False, "and the frames on vcan0 say so to everybody"
        assert not scada.read("site.ready")
        assert scada.read("site.first_permit") == 1
        chip.pull(ESTOP, True)
        watcher.wait_for(watcher.tags["panel.estop_ok"], 1.0, before, PATIENCE, "the chain is closed again")
        assert not scada.read("site.ready"), "a released E-stop arms nothing by itself"
    finally:
        watcher.close()
        bus.shutdown()


def _close_and_run(plant: RunningPlant, scada: Scada) -> None:
    until(lambda: plant.truth()["pcs"]["fault"] in (0, "NONE"), PATIENCE, "the PCS has no fault")
    assert not scada.write("hmi.reset", True).isError()
    until(lambda: scada.read("site.ready"), PATIENCE, "the interlock is armed")
    assert not scada.write("hmi.close", True).isError()
    until(lambda: scada.read("bms.main_fb"), PATIENCE, "the main contactors are closed")
    until(lambda: scada.read("site.closed"), PATIENCE, "the sequence says closed")
    for tag, value in (("hmi.p_set", 60.0), ("hmi.support", False), ("hmi.enable", True)):
        assert not scada.write(tag, value).isError()
    until(lambda: abs(scada.read("pcs.p") - 60) < 2, PATIENCE, "power follows the setpoint")


def _drain(bus: can.BusABC) -> None:
    while bus.recv(0) is not None:
        continue


def _last_close_request(bus: can.BusABC) -> bool | None:
    """What the newest command frame asks for, decoded by cantools."""
    message = cantools.database.load_file(ROOT / "dbc/rack.dbc").get_message_by_name("Stack_Cmd")
    last = None
    while (frame := bus.recv(0.5 if last is None else 0)) is not None:
        last = frame
    return None if last is None else bool(message.decode(last.data)["CloseReq"])


@with_marks
def test_from_the_latched_estop_to_safe_outputs_on_can_and_modbus_in_two_scans(tmp_path: Path, chip: SimChip) -> None:
    presses = measure(tmp_path, chip, 12)
    assert len(presses) == 12
    assert all(0 <= press.outbox <= 2 and press.can >= 0 and press.modbus >= 0 for press in presses), presses
    assert sorted(press.can for press in presses)[len(presses) // 2] <= 2, presses
    assert sorted(press.modbus for press in presses)[len(presses) // 2] <= 2, presses


# Without such a kernel -----------------------------------------------------------------------------------------------------


def test_a_site_file_has_its_own_plant_beside_it(tmp_path: Path) -> None:
    (tmp_path / "lab_plant.yaml").touch()
    assert plant_of(tmp_path / "lab.yaml") == tmp_path.resolve() / "lab_plant.yaml"
    assert plant_of(tmp_path / "site.yaml") == tmp_path.resolve() / "plant.yaml"
