"""What makes an incident: also an interlock that falls without any alarm, once for each fall, and also over an online change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.engine.north import Commands
from runtime.servers.recorder.settings import RecorderSettings
from runtime.servers.recorder.trips import TripWatch
from tests.aids.engine import wait_for
from tests.aids.recorded import DemoBench, demo
from tests.runtime.servers.recorder.test_recorder import order_of


@pytest.fixture
def watch() -> Iterator[TripWatch]:
    made = TripWatch()
    yield made
    made.close()


def reset(bench: DemoBench, ring: Commands) -> None:
    """Bring the demo's interlock up."""
    bench.values |= {"panel.remote": 1, "panel.estop_ok": 1, "bms.v_cell_min": 3.3, "bms.v_cell_max": 3.3, "bms.t_cell_min": 25.0}
    bench._slots = {name: bench.slot(name) for name in bench.values}
    bench.pass_time(60)
    ring.write(bench.schedule.tag("hmi.reset"), True, "operator")
    bench.pass_time(80)
    assert bench.value("site.ready")


def test_an_interlock_that_falls_is_a_trip(tmp_path: Path, watch: TripWatch) -> None:
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    bench = DemoBench(run_dir, demo(tmp_path / "site"))
    ring = bench.commands("hmi")
    order = order_of(bench, tmp_path)
    watch.turn_to(order, RecorderSettings())
    for _ in range(2):
        reset(bench, ring)
        wait_for(lambda: watch._holding == {"protection.ready"}, 20, "the interlock is seen to hold")
        assert watch.rises.empty(), "an interlock that is armed is no trip"
        watch.turn_to(order, RecorderSettings())
        bench.values["panel.estop_ok"] = 0
        bench.pass_time(3)
        rise = watch.rises.get(timeout=20)
        assert (rise.why, bench.value("site.ready")) == ("protection.ready", False)
        assert rise.scan <= bench.value("plc.scan")
    assert watch.rises.empty()
