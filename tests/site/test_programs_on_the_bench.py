"""State, modes and power, each on the bench: what the rest of the site would write is set by the tests in tests/site/bench."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from runtime.engine import retain
from runtime.model import Site
from tests.aids.bench_site import bench, failures

BENCH = Path(__file__).parent / "bench"


GRID = ("grid", "grid_protection", "frequency_support", "reactive_power")
SOON = {"sleep_after": "1 min", "sleep_longest": "3 min"}


@pytest.mark.parametrize(("program", "beside"), [("state", ()), ("modes", ("power",)), ("power", ())])
def test_a_program_does_what_its_bench_asks_for(program: str, beside: tuple[str, ...], tmp_path: Path) -> None:
    site = bench(tmp_path, (program, *beside), constants=SOON)
    assert failures(site, program, (BENCH / f"{program}.test.yaml").read_text()) == []


def restarted(site: Site, kept: dict[str, int] | dict[str, list[float]], folder: Path) -> Site:
    """The site as it starts with these values of the run before."""
    retain.save(folder, [tag for tag in retain.retained(site.schedule) if tag.name in kept], kept)
    warm = retain.restore(site.schedule, folder)
    assert set(warm.restored) == {name.removesuffix(".Q1").removesuffix(".OUT") for name in kept}  # of a block its name is told
    return replace(site, schedule=warm.schedule)


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The state machine alone on its bench."""
    return bench(tmp_path_factory.mktemp("state"), ("state",))


GIVEN = "given: {panel.remote: true}\n"


@pytest.mark.parametrize(
    ("kept", "steps"),
    [
        (
            {"state.wanted.Q1": 1, "set.commissioned": 1},  # it ran
            """
    - {within: 700 ms, expect: {site.rearm: true, state.machine: Init}}
    - {write: {site.ready: true}}
    - {within: 1 s, expect: {state.machine: Connecting}}""",
        ),
        (
            {"state.wanted.Q1": 0, "set.commissioned": 1},  # somebody had stopped it
            """
    - {at: 1 s, write: {site.ready: true}}
    - {within: 1 s, expect: {state.machine: Idle}}
    - {during: 5 s, expect: {state.machine: Idle}}""",
        ),
        (
            {"state.wanted.Q1": 1, "set.commissioned": 1, "state.error.Q1": 1},  # it had tripped
            """
    - {write: {site.ready: true}}
    - {within: 1100 ms, expect: {state.machine: Error, site.rearm: false}}
    - {during: 5 s, expect: {state.machine: Error}}
    - {write: {cmd.reset: true}}
    - {within: 100 ms, expect: {state.machine: Idle}}
    - {during: 5 s, expect: {state.machine: Idle}}""",
        ),
        (
            {"state.maintenance.Q1": 1, "set.commissioned": 1},  # somebody works on it, with open doors
            """
    - {at: 0 s, expect: {site.maintenance: true}}
    - {at: 1 s, write: {site.ready: true, cmd.GoToState_Running: true}}
    - {within: 200 ms, expect: {state.machine: Maintenance, site.maintenance: true}}""",
        ),
    ],
)
def test_a_restart_finds_the_site_as_it_was(kept: dict[str, int], steps: str, state: Site, tmp_path: Path) -> None:
    site = restarted(state, kept, tmp_path)
    assert failures(site, "state", f"{GIVEN}tests:\n  after a restart:{steps}\n") == []


def test_a_restart_keeps_the_mode_and_takes_no_old_setting_for_a_command(tmp_path: Path) -> None:
    kept = {"site.mode": 1, "set.mode": 3, "set.commissioned": 1, "site.mode_changed": 1_767_225_600_000_000_000}
    site = restarted(bench(tmp_path, ("modes", "power")), kept, tmp_path)
    steps = "    - {during: 5 s, expect: {site.mode: SELF_CONSUMPTION, site.mode_changed: 1767225600000000000}}\n"
    steps += "    - {write: {set.mode: 2}}\n    - {within: 100 ms, expect: {site.mode: PEAK_SHAVING}}\n"
    assert failures(site, "modes", f"{GIVEN}tests:\n  after a restart:\n{steps}") == []


@pytest.mark.parametrize(
    ("parted", "steps"),
    [
        (1, "    - {during: 10 s, expect: {grid_side.breaker: false}}\n"),
        (0, "    - {during: 10 s, expect: {grid_side.breaker: true}}\n"),
        (
            1,  # the breaker says that it is closed: then somebody has closed it
            "    - {at: 1 s, expect: {grid_side.breaker: false}}\n"
            "    - {restore: breaker}\n"
            "    - {set: {grid_side.breaker_fb: true}}\n"
            "    - {within: 50 ms, expect: {grid.connection: connected, grid_side.breaker: true}}\n"
            "    - {during: 5 s, expect: {grid_side.breaker: true}}\n",
        ),
    ],
)
def test_a_restart_leaves_the_breaker_as_it_was_before_it_has_said_how_it_stands(parted: int, steps: str, tmp_path: Path) -> None:
    site = restarted(bench(tmp_path, GRID), {"grid.parted_before.Q1": parted}, tmp_path)
    tests = f"tests:\n  after a restart:\n    - {{at: 0 s, lose: breaker}}\n{steps}"
    assert failures(site, "grid", tests) == []


def test_an_open_breaker_is_remembered_until_it_is_closed(tmp_path: Path) -> None:
    site = bench(tmp_path, GRID)
    steps = """
    - {at: 1 s, expect: {grid.parted_before.Q1: false}}
    - {set: {grid_side.breaker_fb: false}}
    - {within: 100 ms, expect: {grid.connection: parted, grid.parted_before.Q1: true}}
    - {after: 1 s, set: {grid_side.breaker_fb: true}}
    - {within: 100 ms, expect: {grid.connection: connected, grid.parted_before.Q1: false}}
    - {after: 61 s, write: {site.backup: true}}
    - {after: 1 s, set: {"pcs[1].grid_alive": false}}
    - {after: 60 ms, set: {grid_side.breaker_fb: false}}                  # to feed an island, not parted by somebody
    - {within: 30 ms, expect: {grid.island: true, grid.parted_before.Q1: true}}
"""
    given = """given: {grid.frequency: 50 Hz, grid.voltage: 230.9 V, grid_side.breaker_fb: true, grid_side.f_grid: 50 Hz,
  grid_side.v_grid: 230.9 V, "pcs[1].grid_alive": true, "pcs[1].running": true}
"""
    assert failures(site, "grid", f"{given}tests:\n  what is kept:{steps}") == []


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The estimation of the cells alone on its bench."""
    return bench(tmp_path_factory.mktemp("cells"), ("cells", "cell_bank"))


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        (50, "47..49 %"),  # the rack says about what was known: each cell goes on from its own charge
        (70, "69..71 %"),  # it was charged meanwhile, or is another one
    ],
)
def test_after_a_restart_each_cell_goes_on_from_its_charge_unless_its_rack_knows_better(
    told: int, shown: str, cells: Site, tmp_path: Path
) -> None:
    kept = {"cells.bank[1].shown.OUT": [48 + 6 * k / 255 for k in range(256)]}  # 51 % in the mean; of the second nothing is known
    given = f'given: {{"rack[1].soc": {told} %, "rack[2].soc": 60 %, "rack[1].cell_v": 3.29 V, "rack[2].cell_v": 3.29 V}}\n'
    steps = f'    - {{at: 300 ms, expect: {{"cells.soc[1]": {shown}, "cells.soc[257]": 59..61 %}}}}\n'
    assert failures(restarted(cells, kept, tmp_path), "cells", f"{given}tests:\n  after a restart:\n{steps}") == []


def test_a_rack_of_51_volts_closes_only_where_the_rush_stays_below_its_rated_current(tmp_path: Path) -> None:
    """16 cells of 0.28 mOhm take 150 A from 0.67 V; half of it is let through at first. Behind closed contacts: 2 %."""
    site = bench(tmp_path, ("racks", "rack_protection", "rack_switch", "rack_power"), site="residential")
    given = """given: {"rack[1].ok": true, "rack[1].v_pack": 51.2 V, "rack[1].cell_v": 3.2 V, "rack[1].insulation": 2000 kOhm,
  "pcs[1].ok": true, "pcs[1].v_dc": 50.7 V}
"""
    steps = """
    - {at: 2 s, write: {site.ready: true, site.run: true}}
    - {within: 1 s, expect: {"rack[1].precharge": true}}
    - {during: 1 s, expect: {"rack[1].main": false}}
    - {set: {"pcs[1].v_dc": 50.9 V}}
    - {within: 50 ms, expect: {"rack[1].main": true}}
    - {set: {"rack[1].main_fb": true, "pcs[1].v_dc": 50.4 V}}
    - {during: 2 s, expect: {"rack[1].main": true}, quiet: voltage_mismatch_1}
    - {set: {"pcs[1].v_dc": 49.9 V}}
    - {within: 1 s, raised: voltage_mismatch_1, expect: {"racks.first_permit[1]": RESISTANCE}}
"""
    assert failures(site, "racks", f"{given}tests:\n  fifty volts:{steps}") == []
