"""Protection on the bench: what no input of the plant can bring about, and what must outlast a restart of the controller."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from runtime.engine import retain
from runtime.model import Site
from tests.aids.bench_site import bench, failures

RACKS = ("racks", "rack_protection", "rack_switch", "rack_power")
QUIET = """given: {panel.estop_ok: true, panel.tamper_ok: true, panel.smoke_ok: true, "pcs[1].ok": true, "pcs[2].ok": true}
tests:
"""
CONTROL = """
  a control program that counts no longer stops the site:
    - {at: 100 ms, write: {site.rearm: true}}
    - {within: 200 ms, expect: {site.ready: true}}
    - {during: 4.7 s, expect: {site.ready: true}}                         # it may start later than this one
    - {within: 300 ms, expect: {site.ready: false, site.first_permit: CONTROL_STANDS}, raised: control_stands}
"""
BLEEDING = """
  nothing may be changed while cells are bled:
    - {at: 0 s, write: {cells.bleeding: 1}}
    - {within: 100 ms, expect: {site.change_ok: false}}
    - {write: {set.online_change: true}, as: engineer}
    - {within: 100 ms, raised: change_refused}
    - {write: {cells.bleeding: 0}}
    - {within: 100 ms, expect: {site.change_ok: true}}
"""
WELL = """given:
  "rack[1].ok": true
  "rack[1].insulation": 2000 kOhm
  "pcs[1].ok": true
tests:
"""
AFRESH = """
  a rack that nothing has tripped arms itself:
    - {within: 3 s, expect: {"racks.tripped[1]": false}}
    - {write: {site.ready: true, site.run: true}}
    - {set: {"rack[1].v_pack": 840 V, "pcs[1].v_dc": 840 V}}
    - {within: 3 s, expect: {"rack[1].main": true}}
"""
TRIPPED = """
  a rack that was tripped waits for a reset:
    - {at: 0 s, set: {"rack[1].v_pack": 840 V, "pcs[1].v_dc": 840 V}, write: {site.ready: true, site.run: true}}
    - {during: 6 s, expect: {"racks.tripped[1]": true, "racks.first_permit[1]": CONTACTOR, "rack[1].precharge": false}}
    - {write: {site.reset: true}}
    - {within: 1 s, expect: {"rack[1].main": true, "racks.first_permit[1]": NONE}}
"""
REPLACED = """
  a deep cell stays locked over a restart until somebody says that it was replaced:
    given: {"rack[1].v_pack": 840 V, "pcs[1].v_dc": 840 V, "rack[1].v_cell_min": 3.2 V}
    steps:
      - {at: 0 s, write: {site.ready: true, site.run: true}}
      - {after: 3 s, write: {site.reset: true}}
      - {during: 2 s, expect: {"racks.tripped[1]": true, "rack[1].precharge": false}, raised: deep_1}
      - {write: {"set.cells_replaced[1]": true, site.reset: false}, as: engineer}
      - {within: 50 ms, quiet: deep_1}
      - {during: 10 s, expect: {"racks.tripped[1]": true}}
      - {write: {site.reset: true}}
      - {within: 1 s, expect: {"rack[1].main": true, "racks.first_permit[1]": NONE}}
"""
# the block as it stands 10 s after a cell has come below 2 V: one that is kept in part only starts afresh
DEEP = dict.fromkeys(("OPEN", "LOCKED", "was_low", "was_deep", "stopped"), 1)
DEEP |= dict.fromkeys(("SHARE", "DISCHARGE_OK", "CHARGE_OK", "allowed", "pressed", "reset_was"), 0)
DEEP |= {"STAGE": 4, "low": 10_000_000_000, "deep": 10_000_000_000}


@pytest.mark.parametrize("tests", [CONTROL, BLEEDING])
def test_what_stops_or_forbids_for_the_whole_site(tests: str, tmp_path: Path) -> None:
    assert failures(bench(tmp_path, ("safety",)), "safety", QUIET + tests) == []


def restarted(site: Site, kept: dict[str, int], folder: Path) -> Site:
    """The site as it starts with these values of the run before."""
    retain.save(folder, [tag for tag in retain.retained(site.schedule) if tag.name in kept], kept)
    return replace(site, schedule=retain.restore(site.schedule, folder).schedule)


@pytest.mark.parametrize(
    ("first", "kept", "tests"),
    [(0, {}, AFRESH), (14, {}, TRIPPED), (9, DEEP, REPLACED)],
    ids=["nothing", "contactor", "deep cell"],
)
def test_a_trip_outlasts_a_restart(first: int, kept: dict[str, int], tests: str, tmp_path: Path) -> None:
    empty = {f"racks.guard[1].empty.{name}": value for name, value in kept.items()}
    site = restarted(bench(tmp_path, RACKS), {"racks.guard[1].tripped.FIRST": first, **empty}, tmp_path)
    assert failures(site, "racks", WELL + tests) == []
