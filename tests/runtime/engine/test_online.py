"""Online change in the scan process: values go over by name and type, no scan is missed, and what cannot go over is said."""

from __future__ import annotations

import functools
import gc
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.engine.carry import Program, carry_list, do_copies
from runtime.engine.image import Shared, address_of
from runtime.engine.online import Online
from runtime.engine.plan import S_MISSED, S_SCAN, S_START, S_TICK
from runtime.engine.plc import Plc
from runtime.engine.south import OUTBOX_FILE, Outbox
from runtime.model import Schedule
from tests.aids.engine import Bench, wait_for
from tests.aids.online import IO, Running, running
from tests.aids.site_text import load_all

pytestmark = pytest.mark.timeout(300)  # the loop may have to be compiled on a busy machine
SITE = """
tasks:
  fast: {interval: 10 ms, programs: [p]}
  slow: {interval: 30 ms, programs: [q]}
io: [pcs]
tags:
  hmi.p: {type: LREAL, default: 3, write: operator}
  hmi.go: {type: BOOL, pulse: true, write: operator}
  plant.sum: {type: LREAL, default: 0}
  plant.count: {type: DINT, default: 0}
"""
DEVICE = "device: pcs\ndriver: fake\ntimeout: 500 ms\noutputs:\n  pcs.p: {at: a, type: LREAL, safe: -7}\n"
BLOCKS = """
  sum: {type: INTEGRAL, XIN: 1.0, RUN: true}
  count: {type: CTU, CU: tick.OUT, PV: 1000000, R: hmi.go}
  tick: {type: NOT, IN: last tick.OUT}
  ton: {type: TON, IN: true, PT: 1 h}
"""
OUTPUTS = "outputs: {plant.count: count.CV, pcs.p: hmi.p}\n"
SLOW = "program: q\nblocks: {sums: {type: ADD, A: last sums.OUT, B: 1.0}}\noutputs: {plant.sum: sums.OUT}\n"


@functools.cache
def schedule_of(blocks: str = BLOCKS, site: str = SITE, slow: str = SLOW, outputs: str = OUTPUTS) -> Schedule:
    texts = {"config/site.yaml": site, "programs/p.yaml": f"program: p\nblocks:{blocks}{outputs}", "programs/q.yaml": slow}
    return load_all({**texts, "io_maps/pcs.yaml": DEVICE}).schedule


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One loop for all tests that follow: each loads what it needs."""
    with running(tmp_path_factory.mktemp("online"), schedule_of()) as one:
        one.after(3)
        yield one


@pytest.fixture(autouse=True)
def _plain(site: Running) -> None:
    if site.plc.schedule.digest != schedule_of().digest:
        assert site.load(schedule_of()).is_swapped


def test_counters_timers_and_integrals_go_on_by_name(site: Running) -> None:
    """The timer that ran 30 scans more has 300 ms more, whatever stands beside it now."""
    site.after(10)
    site.load(schedule_of())
    site.after(4)
    ran, counted, scan, tick = elapsed(site)
    change = site.load(schedule_of("\n  other: {type: SUB, A: hmi.p, B: 1.0}" + BLOCKS + "  more: {type: ADD, A: hmi.p, B: 1.0}\n"))
    assert change.is_swapped and change.dropped == () and change.jumps == ()
    site.after(10)
    ran_on, counted_on, scan_on, tick_on = elapsed(site)
    assert ran_on - ran == (tick_on - tick) * 10_000_000, "a timer that restarts is short of this"
    assert abs((counted_on - counted) - (scan_on - scan) / 2) <= 1, "every other scan is a rising edge"
    assert site.pin("p.more.OUT") == 4.0


def elapsed(site: Running) -> tuple[int, int, int, int]:
    """The timer, the counter, the scan and its tick, all of one scan."""
    while True:
        found = [site.pin("p.ton.ET"), site.pin("p.count.CV"), site.state(S_SCAN), site.state(S_TICK)]
        time.sleep(0.003)
        if found == [site.pin("p.ton.ET"), site.pin("p.count.CV"), site.state(S_SCAN), site.state(S_TICK)]:
            return found[0], found[1], found[2], found[3]


def test_the_scan_counter_the_clock_and_the_registers_go_on(site: Running) -> None:
    """Twenty programs one after another: every scan has its number and its tick, none is skipped or done twice."""
    start = site.state(S_START)
    programs = [schedule_of(BLOCKS + f"  more{n}: {{type: ADD, A: hmi.p, B: 1.0}}\n") for n in range(2)]
    for n in range(20):
        assert site.load(programs[n % 2]).is_swapped
    site.after(2)
    assert site.state(S_START) == start
    box = Outbox(site.plc.folder, 1, IO)
    box.attach()
    assert box.take()
    stopped = Stop(site)
    assert stopped.scan + stopped.missed == stopped.tick + 1, "the first scan is at tick 0; one more or less than ticks"


class Stop:
    """The registers of one and the same scan."""

    def __init__(self, site: Running):
        while True:
            scan = site.state(S_SCAN)
            time.sleep(0.003)
            self.scan, self.tick, self.missed = scan, site.state(S_TICK), site.state(S_MISSED)
            if scan == site.state(S_SCAN):
                return


def test_a_slow_task_keeps_its_rhythm(site: Running) -> None:
    """It runs every third tick, and no sooner or later for a swap between."""
    before = [site.pin("q.sums.OUT"), site.state(S_TICK)]
    for n in range(5):
        site.load(schedule_of(BLOCKS + f"  more{n}: {{type: ADD, A: hmi.p, B: 1.0}}\n"))
    runs, ticks = site.pin("q.sums.OUT") - before[0], site.state(S_TICK) - before[1]
    assert abs(runs - ticks / 3) <= 2


def test_the_outbox_stays_and_the_fieldbus_has_nothing_to_notice(site: Running) -> None:
    box = Outbox(site.plc.folder, 1, IO)
    box.attach()
    site.load(schedule_of(BLOCKS + "  more: {type: ADD, A: hmi.p, B: 1.0}\n"))
    assert box.is_current()
    wait_for(box.take, 5, "an outbox of the new program in the same file")
    Shared.attach(site.plc.folder / OUTBOX_FILE, IO)


def test_a_block_that_was_removed_starts_afresh_when_it_comes_back(site: Running) -> None:
    site.after(5)
    without = BLOCKS.replace("  ton: {type: TON, IN: true, PT: 1 h}\n", "")
    assert site.load(schedule_of(without)).is_swapped
    with pytest.raises(KeyError):
        site.pin("p.ton.ET")
    ticks = site.state(S_TICK)
    site.load(schedule_of())
    assert site.pin("p.ton.ET") <= (site.state(S_TICK) - ticks) * 10_000_000


def test_what_has_another_type_or_unit_is_listed_and_starts_afresh(site: Running) -> None:
    changed = schedule_of(
        BLOCKS.replace("type: TON", "type: TOF"),
        SITE.replace("plant.count: {type: DINT, default: 0}", "plant.count: {type: LINT, default: 5}").replace(
            "plant.sum: {type: LREAL", "plant.sum: {type: LREAL, unit: kW"
        ),
        SLOW.replace("sums.OUT}\n", "sums.OUT * 1 kW}\n"),
        OUTPUTS.replace("plant.count: count.CV, ", ""),
    )
    change = site.load(changed)
    assert change.is_swapped
    assert set(change.dropped) == {
        "p.ton: TON becomes TOF",
        "plant.count: DINT becomes LINT",
        "plant.sum: its unit none becomes kW",
    }
    assert site.plc.value("plant.count") == 5


def test_a_parameter_that_was_edited_is_the_texts_and_an_operators_tag_is_the_operators(site: Running) -> None:
    site.plc.set("hmi.p", 42.0)
    site.load(schedule_of(BLOCKS.replace("PT: 1 h", "PT: 2 h"), SITE.replace("default: 3,", "default: 4,")))
    assert site.pin("p.ton.PT") == 7200 * 10**9
    assert site.plc.value("hmi.p") == 42.0
    site.plc.set("hmi.p", 3.0)


def test_a_trial_says_how_far_an_output_would_jump_and_changes_nothing(site: Running) -> None:
    further = schedule_of(outputs=OUTPUTS.replace("pcs.p: hmi.p", "pcs.p: hmi.p + 7.0"))
    digest = site.plc.schedule.digest
    change = site.load(further, is_trial=True)
    assert [(j.point, j.after - j.before) for j in change.jumps] == [(0, 7.0)] and not change.is_swapped
    assert site.plc.schedule.digest == digest
    refused = site.load(further, limits=(5.0,))
    assert "jump" in refused.refused and site.plc.schedule.digest == digest
    assert site.load(further, limits=(7.5,)).is_swapped


def permit(site: Running) -> tuple[int, ...]:
    """The place of the tag that permits changes: one that is false in these programs."""
    return (site.plc.schedule.tag("hmi.go").offset,)


def test_under_load_only_what_is_bumpless_is_loaded(site: Running) -> None:
    """Neither an output may jump nor a value be lost nor a force end; what does none of it is loaded all the same."""
    place, off = permit(site), OUTPUTS.replace("pcs.p: hmi.p", "pcs.p: hmi.p + 7.0")
    lost = SITE.replace("plant.count: {type: DINT", "plant.count: {type: LINT")
    for further in (schedule_of(outputs=off), schedule_of(site=lost, outputs=OUTPUTS.replace("count.CV", "to_lint(count.CV)"))):
        for is_trial in (True, False):
            change = site.load(further, permit=place, is_trial=is_trial)
            assert change.is_forbidden and not change.is_swapped and (change.jumps or change.dropped), change
    more = schedule_of(BLOCKS + "  more: {type: ADD, A: hmi.p, B: 1.0}\n")
    assert site.load(more, permit=place, is_grave=True).is_forbidden, "the change of the permit itself"
    assert site.load(more, permit=place).is_swapped


def test_a_plant_at_rest_is_changed_as_the_engineer_wants(site: Running) -> None:
    always = (site.plc.schedule.region.good + site.plc.schedule.tag("hmi.p").index,)
    assert site.load(schedule_of(outputs=OUTPUTS.replace("pcs.p: hmi.p", "pcs.p: hmi.p + 7.0")), permit=always).is_swapped


def test_a_force_is_not_lifted_under_load(site: Running) -> None:
    assert site.force("plant.sum", 5.0).is_taken
    without = schedule_of(site=SITE.replace("  plant.sum: {type: LREAL, default: 0}\n", ""), slow=SLOW.split("outputs")[0])
    change = site.load(without, permit=permit(site))
    assert change.is_forbidden and change.lifted
    assert site.unforce().is_taken


def test_a_plant_that_comes_under_load_while_the_program_is_got_ready_is_not_changed(
    site: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The permit is asked again when the new program waits beside the old one, at the last moment before the swap."""
    schedule = site.plc.schedule
    place = schedule.region.good + schedule.tag("hmi.p").index
    park = Online._park

    def close_contactors(self: Online, new: Plc) -> Any:
        thread = park(self, new)
        self.plc.plan.memory[place] = 0
        return thread

    monkeypatch.setattr(Online, "_park", close_contactors)
    try:
        change = site.load(schedule_of(outputs=OUTPUTS.replace("pcs.p: hmi.p", "pcs.p: hmi.p + 7.0")), permit=(place,))
    finally:
        site.plc.plan.memory[place] = 1
    assert change.is_forbidden and not change.is_swapped and len(scans()) == 1
    site.after(2)


def test_another_base_tick_is_refused_and_the_old_program_runs_on(site: Running) -> None:
    change = site.load(schedule_of(site=SITE.replace("10 ms", "5 ms")))
    assert "base tick" in change.refused
    site.after(2)


def test_a_program_that_cannot_be_laid_out_costs_the_load_only(site: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake of ours in the middle of it: nothing of the attempt is left, and the old program runs on."""
    monkeypatch.setattr("runtime.engine.online.find_jumps", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        site.load(schedule_of(BLOCKS + "  more: {type: ADD, A: hmi.p, B: 1.0}\n"))
    site.after(2)
    assert not [p.name for p in site.plc.folder.iterdir() if p.name.startswith(".")]


def test_an_output_whose_writer_was_removed_jumps_and_does_not_stay_where_it_was(site: Running) -> None:
    without = schedule_of(outputs=OUTPUTS.replace(", pcs.p: hmi.p", ""))
    change = site.load(without, is_trial=True)
    assert [(j.point, j.before, j.after) for j in change.jumps] == [(0, 3.0, -7.0)]
    assert change.dropped == ("pcs.p: nothing writes it any more, it starts at -7",)
    assert site.load(without).is_swapped and site.plc.value("pcs.p") == -7.0


def test_a_value_outside_its_new_range_refuses_the_load(site: Running) -> None:
    narrow = schedule_of(site=SITE.replace("default: 3,", "default: 1, range: 0..2,"))
    assert site.load(narrow).refused == "hmi.p stands at 3, outside its new range 0..2: set it first"


def test_nothing_is_left_of_a_program_whose_layout_fails(site: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.engine.plc.lay_out", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        site.load(schedule_of(BLOCKS + "  more: {type: ADD, A: hmi.p, B: 1.0}\n"))
    assert not [p.name for p in site.plc.folder.iterdir() if p.name.startswith(".")]


def test_a_thread_that_waits_for_its_turn_ends_before_its_program_is_retired(
    site: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    alive: list[bool] = []
    monkeypatch.setattr("runtime.engine.online._within", lambda *_: False)
    monkeypatch.setattr(Plc, "retire", lambda _: alive.append(len(scans()) > 1))
    more = schedule_of(BLOCKS + "  more: {type: ADD, A: hmi.p, B: 1.0}\n")
    assert "did not start in time" in site.load(more).refused and alive == [False]


def scans() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.daemon and thread.name == "a scan"]


def test_programs_one_after_another_leave_no_file_open_and_no_memory_mapped(site: Running) -> None:
    """Each program has mappings and a bell of its own: after many swaps there are as many as after a few."""
    programs = [schedule_of(BLOCKS + f"  more{n}: {{type: ADD, A: hmi.p, B: 1.0}}\n") for n in range(2)]
    files, mappings = [], []
    for n in range(24):
        assert site.load(programs[n % 2]).is_swapped
        site.plc.attach()
        gc.collect()
        files.append(len(os.listdir("/proc/self/fd")))
        mappings.append(shared_mappings())
    assert files[-1] <= files[3], files
    assert mappings[-1] <= mappings[3], mappings


def shared_mappings() -> int:
    """How many of the scan's files this process has mapped."""
    return sum("scan." in line for line in Path("/proc/self/maps").read_text().splitlines())


def test_a_pulse_that_a_task_has_not_seen_goes_over(tmp_path: Path) -> None:
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    old, new = (
        Bench(tmp_path / "old", site_of()),
        Bench(tmp_path / "new", site_of(BLOCKS + "  more: {type: ADD, A: hmi.p, B: 1.0}\n")),
    )
    old.scan()
    cell = old.plc.plan.pulse_cells[0] - old.plc.plan.memory.ctypes.data
    old.plc.plan.memory[cell] = 1
    carry = carry_list(Program(old.schedule, old.plc.plan), Program(new.schedule, new.plc.plan))
    do_copies(address_of(carry.copies), len(carry.copies))
    assert new.plc.plan.memory[new.plc.plan.pulse_cells[0] - new.plc.plan.memory.ctypes.data] == 1


def site_of(blocks: str = BLOCKS) -> Any:
    texts = {"config/site.yaml": SITE, "programs/p.yaml": f"program: p\nblocks:{blocks}{OUTPUTS}", "programs/q.yaml": SLOW}
    return load_all({**texts, "io_maps/pcs.yaml": DEVICE})
