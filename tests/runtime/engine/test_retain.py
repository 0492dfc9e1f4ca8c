"""Retained values: restored by name, whole or not at all, and the text wins over a value whose default was edited."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from blocks import catalogue
from runtime.engine import retain
from runtime.language import load_text
from runtime.model import Schedule, Tag
from tests.aids.site_text import PlainScan, load, said_about, texts

SITE = """
site: kept
tasks: {{fast: {{interval: 10 ms, programs: [main]}}}}
tags:
  hmi.p_set: {{type: LREAL, unit: kW, range: -500..500, default: {default}, retain: true, write: operator, text: Setpoint}}
  hmi.mode: {{type: DINT, default: 1, retain: true, write: operator, text: Mode}}
  hmi.gone: {{type: BOOL, default: false, write: operator, text: Not kept}}
  out.p: {{type: LREAL, unit: kW, default: 0, text: Result}}
"""
PROGRAM = "program: main\noutputs: {out.p: hmi.p_set}\n"


def schedule(default: str = "0") -> Schedule:
    site, _ = load_text({"config/site.yaml": SITE.format(default=default), "programs/main.yaml": PROGRAM}, {}, catalogue())
    return site.schedule


def start_value(s: Schedule, name: str) -> float:
    tag = s.tag(name)
    return s.initial[tag.offset : tag.offset + 8].view(np.float64)[0].item()


def keep(folder: Path, s: Schedule, p_set: float) -> None:
    retain.save(folder, retain.retained(s), {"hmi.p_set": p_set, "hmi.mode": 3})


def test_a_value_survives_a_restart(tmp_path: Path) -> None:
    keep(tmp_path, schedule(), 120.5)
    warm = retain.restore(schedule(), tmp_path)
    assert start_value(warm.schedule, "hmi.p_set") == 120.5
    assert set(warm.restored) == {"hmi.p_set", "hmi.mode"}
    assert warm.notes == ()


def test_an_edited_default_wins_and_is_listed(tmp_path: Path) -> None:
    keep(tmp_path, schedule(), 120.5)
    warm = retain.restore(schedule("40 kW"), tmp_path)
    assert start_value(warm.schedule, "hmi.p_set") == 40
    assert warm.notes == ("hmi.p_set starts at its default: its default was edited from 0.0 to 40.0",)


def in_watts(s: Schedule) -> Schedule:
    return replace(s, tags=tuple(replace(tag, unit="W") if tag.unit == "kW" else tag for tag in s.tags))


def test_a_value_in_another_unit_is_not_restored(tmp_path: Path) -> None:
    keep(tmp_path, schedule(), 120.5)
    warm = retain.restore(in_watts(schedule()), tmp_path)
    assert start_value(warm.schedule, "hmi.p_set") == 0
    assert warm.notes == ("hmi.p_set starts at its default: its unit changed from kW to W",)


def forget_units(folder: Path) -> None:
    """The file as versions before this one wrote it."""
    held = {name: {word: it for word, it in one.items() if word != "unit"} for name, one in retain._read(folder, []).items()}
    body = json.dumps(held)
    words = {"sha256": hashlib.sha256(body.encode()).hexdigest(), "values": body}
    (folder / retain.NEWEST).write_text(json.dumps(words))


def test_a_file_that_names_no_units_is_taken(tmp_path: Path) -> None:
    keep(tmp_path, schedule(), 120.5)
    forget_units(tmp_path)
    assert start_value(retain.restore(schedule(), tmp_path).schedule, "hmi.p_set") == 120.5


def test_a_load_starts_a_tag_whose_unit_it_changes_at_its_default(tmp_path: Path) -> None:
    """It leaves what the running program has to the running program, which gives a value in kW to no tag in W."""
    keep(tmp_path, schedule(), 120.5)
    forget_units(tmp_path)
    warm = retain.restore(in_watts(schedule()), tmp_path, is_start=False, leave=frozenset({"hmi.p_set"}))
    assert start_value(warm.schedule, "hmi.p_set") == 0
    assert (warm.restored, warm.notes) == (("hmi.mode",), ())


@pytest.mark.parametrize("damage", ["", "{", '{"sha256": "0", "values": "{}"}', "\0" * 40])
def test_a_damaged_newest_generation_falls_back_to_the_one_before(tmp_path: Path, damage: str) -> None:
    keep(tmp_path, schedule(), 10.0)
    keep(tmp_path, schedule(), 20.0)
    (tmp_path / retain.NEWEST).write_text(damage)
    warm = retain.restore(schedule(), tmp_path)
    assert start_value(warm.schedule, "hmi.p_set") == 10.0
    assert retain.NEWEST in warm.notes[0]


def test_a_value_outside_its_range_is_not_restored(tmp_path: Path) -> None:
    keep(tmp_path, schedule(), 9999.0)
    warm = retain.restore(schedule(), tmp_path)
    assert start_value(warm.schedule, "hmi.p_set") == 0
    assert "outside -500..500" in warm.notes[0]


def test_a_name_that_an_online_change_took_away_is_kept_until_a_start_says_that_it_is_dropped(tmp_path: Path) -> None:
    before = schedule()
    keep(tmp_path, before, 120.5)
    fewer = [tag for tag in retain.retained(before) if tag.name != "hmi.p_set"]
    for mode in range(3):  # an online change, then saved again and again
        retain.save(tmp_path, fewer, {"hmi.mode": mode})
    assert start_value(retain.restore(before, tmp_path).schedule, "hmi.p_set") == 120.5
    other = replace(before, tags=tuple(replace(tag, retain=tag.retain and tag.name != "hmi.p_set") for tag in before.tags))
    assert "hmi.p_set is dropped: no tag or block of this name is retained any more" in retain.restore(other, tmp_path).notes
    retain.save(tmp_path, fewer, {"hmi.mode": 3})
    assert retain.restore(before, tmp_path).restored == ("hmi.mode",)


def test_names_that_nothing_knows_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retain, "MOST_UNKNOWN", 1)
    keep(tmp_path, schedule(), 120.5)
    retain.save(tmp_path, [], {})
    assert list(retain._read(tmp_path, [])) == ["hmi.mode"]


def test_nothing_was_kept_yet(tmp_path: Path) -> None:
    warm = retain.restore(schedule(), tmp_path / "none")
    assert warm.restored == ()
    assert (warm.schedule.initial == schedule().initial).all()


KEPT = """\
blocks:
  starts: {type: CTU, retain: true, CU: hmi.run, PV: 1000}
  smooth: {type: LAG, retain: true, count: 2, IN: "hmi.both[*]", T: 10 s}
  slope: {type: PID, retain: true, SP: 10, PV: hmi.x, KP: 1, TI: 1 s, OUT_MIN: -100, OUT_MAX: 100}
  fresh: {type: CTU, CU: hmi.run, PV: 1000}
outputs: {out.starts: starts.CV, out.fresh: fresh.CV, out.smooth: "smooth[*].OUT", out.p: slope.OUT}
"""
KEPT_TAGS = """
  hmi.run: {type: BOOL, default: false, write: operator}
  hmi.x: {type: LREAL, default: 0, write: operator}
  hmi.both: {type: "LREAL[2]", default: [1, 2], write: operator}
  out.starts: {type: DINT, default: 0}
  out.fresh: {type: DINT, default: 0}
  out.smooth: {type: "LREAL[2]", default: 0}
  out.p: {type: LREAL, default: 0}
"""


def running(program: str = KEPT) -> PlainScan:
    return PlainScan(load(program, KEPT_TAGS).schedule)


def let_run(plc: PlainScan, scans: int) -> None:
    for i in range(scans):
        plc["hmi.run"] = i % 2 == 0
        plc["hmi.x"] = 0.1 * i
        plc.scan()


def value_of(plc: PlainScan, tag: Tag) -> Any:
    code = np.dtype(retain.CODES[tag.type])
    cells = plc.memory[tag.offset : tag.offset + code.itemsize * max(tag.length, 1)].view(code).tolist()
    return cells if tag.length else cells[0]


def keep_all(folder: Path, plc: PlainScan, but: str = "") -> None:
    tags = [tag for tag in retain.retained(plc.schedule) if tag.name != but]
    retain.save(folder, tags, {tag.name: value_of(plc, tag) for tag in tags})


def test_a_blocks_state_survives_a_restart_and_goes_on_with_the_same_bits(tmp_path: Path) -> None:
    before = running()
    let_run(before, 7)
    keep_all(tmp_path, before)
    warm = retain.restore(before.schedule, tmp_path)
    assert set(warm.restored) == {"p.starts", "p.smooth", "p.slope"}
    after = PlainScan(warm.schedule)
    let_run(before, 5)
    let_run(after, 5)
    assert after["out.starts"] == before["out.starts"] == 6, "the last scan before and the first after have CU true: no edge"
    assert after["out.smooth"] == before["out.smooth"]
    assert after["out.p"] == before["out.p"]
    assert after["out.fresh"] == 3, "what is not retained starts anew"


def test_half_of_a_blocks_state_is_not_restored(tmp_path: Path) -> None:
    before = running()
    let_run(before, 5)
    keep_all(tmp_path, before, but="p.starts.was")
    warm = retain.restore(before.schedule, tmp_path)
    assert "p.starts" not in warm.restored and "p.slope" in warm.restored
    assert warm.notes == ("p.starts starts at its default: p.starts.was is new",)
    after = PlainScan(warm.schedule)
    let_run(after, 1)
    assert after["out.starts"] == 1


def test_an_array_of_instances_that_has_grown_starts_anew(tmp_path: Path) -> None:
    before = running()
    let_run(before, 5)
    keep_all(tmp_path, before)
    grown = running(KEPT.replace('count: 2, IN: "hmi.both[*]"', "count: 4, IN: hmi.x").replace('out.smooth: "smooth[*].OUT", ', ""))
    notes = retain.restore(grown.schedule, tmp_path).notes
    assert notes == ("p.smooth starts at its default: it has 4 elements now",)


def test_the_state_of_blocks_alone_is_written_once_a_minute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(retain.time, "monotonic", lambda: clock[0])
    plc = running(KEPT)
    keeper = retain.Keeper(tmp_path, plc.schedule)

    def keep_after(seconds: float, **how: bool) -> bool:
        clock[0] += seconds
        let_run(plc, 3)
        return keeper.keep(Seen(plc), **how)  # type: ignore[arg-type]

    assert keep_after(0)
    assert not keep_after(1)
    assert not keep_after(58)
    assert keep_after(2)
    assert not keep_after(1)
    assert keep_after(1, at_last=True)


class Seen:
    """A snapshot of a plain scan."""

    def __init__(self, plc: PlainScan):
        self.value = lambda tag: value_of(plc, tag)
        self.quality = lambda tag: 0  # nothing is forced


def test_a_volatile_pin_starts_anew(tmp_path: Path) -> None:
    """An interlock that was armed before a power cut must be reset again; what tripped it last is still known."""
    plc = PlainScan(
        load(
            "blocks:\n  ready: {type: INTERLOCK, retain: true, PERMIT: [hmi.a, hmi.b], RESET: hmi.run}\n"
            "outputs: {out.ok: ready.OK}\n",
            KEPT_TAGS
            + "  hmi.a: {type: BOOL, default: true, write: operator}\n  hmi.b: {type: BOOL, default: true, write: operator}\n"
            + "  out.ok: {type: BOOL, default: false}\n",
        ).schedule
    )
    for run, b in ((False, True), (True, True), (False, False), (False, True), (False, True), (True, False), (False, True)):
        plc["hmi.run"], plc["hmi.b"] = run, b
        plc.scan()
    assert plc["p.ready.FIRST"] == 2
    plc["hmi.run"] = True
    plc.scan()
    keep_all(tmp_path, plc)
    assert plc["out.ok"]
    after = PlainScan(retain.restore(plc.schedule, tmp_path).schedule)
    after.scan()
    assert not after["out.ok"]


def test_retain_is_true_or_false(tmp_path: Path) -> None:
    said = said_about(texts(KEPT.replace("CTU, retain: true", "CTU, retain: maybe"), KEPT_TAGS), tmp_path)
    assert "error[E010]: `retain` is `true` or `false`" in said
