"""State, modes and power, each on the bench: what the rest of the site would write is set by the tests in tests/site/bench."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from runtime.engine import retain
from runtime.model import Site
from tests.aids.bench_site import bench, failures

BENCH = Path(__file__).parent / "bench"


SOON = {"sleep_after": "1 min", "sleep_longest": "3 min"}


@pytest.mark.parametrize(("program", "beside"), [("state", ()), ("modes", ("power",)), ("power", ())])
def test_a_program_does_what_its_bench_asks_for(program: str, beside: tuple[str, ...], tmp_path: Path) -> None:
    site = bench(tmp_path, (program, *beside), constants=SOON)
    assert failures(site, program, (BENCH / f"{program}.test.yaml").read_text()) == []


def restarted(site: Site, kept: dict[str, int], folder: Path) -> Site:
    """The site as it starts with these values of the run before."""
    retain.save(folder, [tag for tag in retain.retained(site.schedule) if tag.name in kept], kept)
    warm = retain.restore(site.schedule, folder)
    assert set(warm.restored) == {name.removesuffix(".Q1") for name in kept}  # of a block its name is told
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
