"""Simulations of the devices that the sites have: a panel on GPIO, racks that share a CAN channel, several converters."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from runtime.fieldbus import drivers
from runtime.language import load_text
from runtime.model import Site
from runtime.program_tests_stand import stand
from runtime.quality import BAD_NO_COMMUNICATION, GOOD
from runtime.simulate_record import Record
from runtime.simulate_run import simulate
from runtime.simulate_scenario import SECOND, SimulationScenario, Start
from runtime.simulate_watch import Watch
from runtime.simulate_world import UnknownDeviceError, World
from runtime.simulation.panel import press, release
from runtime.simulation.settings import BusSettings, CanSettings, ClimateSettings, PlantSettings
from tests.aids.places import ROOT

SITE = """site: small
constants: {CONSTANTS}
tasks: {main: {interval: 10 ms, programs: [p]}}
io: [IO]
channels: {can0: {interface: slcan, channel: can0}, can1: {interface: slcan, channel: can1}}
tags: {site.asleep: {type: BOOL, default: false, text: The racks sleep}}
"""
PANEL = {"gpio_chip": "lab"}
RACKS = {
    "racks": 3,
    "racks_per_channel": 2,
    "dbc": "dbc/rack_shared.dbc",
    "modules": 16,
    "cells_per_module": 16,
    "cell_stale": "3 s",
    "pcs_poll": "50 ms",
    "pcs_step": "0.1",
    "p_rack": "100 kW",
    "f0": "50 Hz",
}
FLEET = PlantSettings(
    tick_s=0.05,
    racks=3,
    climate=ClimateSettings(liquid_w_per_k=4.0),
    buses=BusSettings(can=CanSettings(dbc="dbc/rack_shared.dbc", racks_per_channel=2, cell_period_s=1.0)),
)


def site_of(folder: Path, io_maps: list[str], constants: Mapping[str, object], program: str) -> Site:
    """A site with io_maps that ship and one program."""
    written = ", ".join(f"{name}: {value}" for name, value in constants.items())
    files = {
        "config/site.yaml": SITE.replace("CONSTANTS", written).replace("IO", ", ".join(io_maps)),
        "programs/p.yaml": f"program: p\noutputs:\n{program}",
        **{f"io_maps/{name}.yaml": (ROOT / f"io_maps/{name}.yaml").read_text() for name in io_maps},
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    (folder / "dbc").symlink_to(ROOT / "dbc")
    return load_text(files, drivers(), root=folder)[0]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Site:
    program = "  panel.lamp_run: panel.start\n  panel.feeder_2: panel.tamper_ok\n"
    return site_of(tmp_path_factory.mktemp("home"), ["operator_panel_gpio"], PANEL, program)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Site:
    program = "".join(f"  rack[{at}].precharge: {'true' if at == 2 else 'false'}\n  pcs[{at}].p_cmd: {at} kW\n" for at in (1, 2, 3))
    return site_of(tmp_path_factory.mktemp("fleet"), ["racks", "converters", "climate"], RACKS, program)


def run_for(world: World, seconds: float, ticks: int = 1) -> None:
    for _ in range(round(seconds * 100) // ticks):
        world.turn(ticks)


def qualities(world: World, device: str) -> set[int]:
    slots = [point.slot for one in world.site.devices if one.name == device for point in one.inputs]
    return {int(quality) for quality in world.stand.plan.inbox_quality[slots]}


def test_a_panel_on_gpio_lines_is_read_and_driven(home: Site) -> None:
    with stand(home) as made:
        world = World(home, PlantSettings(), made, 0)
        run_for(world, 0.2)
        assert qualities(world, "panel_gpio") == {GOOD}
        assert world.stand.plc.value("panel.estop_ok") is True
        press(world.plant.panel, "start")
        run_for(world, 0.05)
        assert world.plant.panel.outputs["lamp_run"], "an edge is seen at once, and not at the next poll of 100 ms"
        release(world.plant.panel, "start")
        run_for(world, 0.05)
        assert not world.plant.panel.outputs["lamp_run"]
        world.plant.panel.tampered = True
        run_for(world, 0.05)
        assert world.stand.plc.value("panel.tamper_ok") is False


def test_a_relay_board_that_is_unplugged_is_bad_and_comes_back(home: Site) -> None:
    with stand(home) as made:
        world = World(home, PlantSettings(), made, 0)
        run_for(world, 0.2)
        world.field.devices["panel"].is_plugged = False
        run_for(world, 0.1)
        assert qualities(world, "panel_gpio") == {BAD_NO_COMMUNICATION}
        assert world.stand.plc.value("panel.stop") is True, "its `bad:` policy: a panel that is gone asks to stop"
        world.field.devices["panel"].is_plugged = True
        run_for(world, 0.1)
        assert qualities(world, "panel_gpio") == {GOOD}


def test_a_line_with_nothing_behind_it_is_refused(tmp_path: Path) -> None:
    site = site_of(tmp_path, ["operator_panel_gpio"], PANEL, "  panel.horn: false\n")
    moved: Any = site.devices[0].inputs[0].address
    object.__setattr__(moved, "line", 30)
    with stand(site) as made, pytest.raises(UnknownDeviceError, match="nothing of the plant's panel is on line 30"):
        World(site, PlantSettings(), made, 0)


def test_racks_on_one_channel_say_and_hear_their_own(fleet: Site) -> None:
    with stand(fleet) as made:
        world = World(fleet, FLEET, made, 0)
        assert list(world.field.wires) == ["can0", "can1"]
        run_for(world, 3.0, ticks=5)
        assert {q for rack in (1, 2, 3) for q in qualities(world, f"rack{rack}")} == {GOOD}
        for at, rack in enumerate(world.plant.racks.racks, start=1):
            assert world.stand.plc.value(f"rack[{at}].v_pack") == pytest.approx(rack.bms.measured.v_pack, abs=0.3)
            assert world.stand.plc.value(f"rack[{at}].cell_v") == pytest.approx(rack.bms.measured.cell_v.tolist(), abs=0.003)
        assert [rack.circuit.precharge.closed for rack in world.plant.racks.racks] == [False, True, False]
        assert [pcs.p_cmd_kw for pcs in world.plant.converters] == [1.0, 2.0, 3.0]
        assert [bus.unknown + bus.malformed for bus in world.field.talk.buses] == [0, 0, 0]


def test_a_cut_channel_takes_every_rack_on_it(fleet: Site) -> None:
    with stand(fleet) as made:
        world = World(fleet, FLEET, made, 0)
        run_for(world, 1.5, ticks=5)
        for bus in world.field.talk.buses[:2]:
            bus.cut = True
        run_for(world, 1.0, ticks=5)
        good = fleet.schedule.region.good
        seen = [world.stand.plan.memory[good + fleet.schedule.tag(f"rack[{at}].soc").index] for at in (1, 2, 3)]
        assert seen == [0, 0, 1]


def test_long_turns_leave_out_no_cell(fleet: Site) -> None:
    """What is said once for several ticks must still be all of it: every cell of every rack in a second, whatever the turn."""
    for ticks in (5, 10, 35):
        with stand(fleet) as made:
            world = World(fleet, FLEET, made, 0)
            run_for(world, 2.8, ticks)
            assert {q for rack in (1, 2, 3) for q in qualities(world, f"rack{rack}")} == {GOOD}, ticks


def test_a_racks_picture_is_compared_with_that_rack(fleet: Site) -> None:
    """No two racks' cells are equally warm (0.8 K): noise and resolution are far below what another rack's would be off by."""
    tags = tuple((f"rack[{at}].cell_t", "cell_t") for at in (1, 2, 3))
    found = simulate(fleet, FLEET, SimulationScenario("picture", "", 1, 6 * SECOND, Start(), (), picture=tags))
    assert [one.tag for one in found.agreements] == [tag for tag, _ in tags]
    assert all(one.count > 2 and one.rms < 0.1 for one in found.agreements)


def test_each_converter_is_held_to_the_limit_of_its_own_racks(fleet: Site) -> None:
    """One rack takes nothing, the two others could take all of it: in the sum of the site nobody would see it."""
    scenario = SimulationScenario("one", "", 1, SECOND, Start(), ())
    with stand(fleet) as made:
        world = World(fleet, FLEET, made, 0)
        found = Record("fleet", "one", "one.yaml", "", 1, 1.0)
        watch = Watch(world, scenario, found, 1.0)
        for rack in world.plant.racks.racks:
            rack.bms.charge_max_kw = rack.bms.discharge_max_kw = 100.0
        world.plant.racks.racks[1].bms.charge_max_kw = 0.0
        world.plant.converters[0].p_dc_kw = 100.0
        watch.look(1.0, 2.0)
        assert found.energy.over_limit_s == 0.0
        world.plant.converters[1].p_dc_kw = -50.0
        watch.look(3.0, 2.0)
        assert (found.energy.over_limit_s, found.energy.over_limit_kw) == (2.0, 50.0)
