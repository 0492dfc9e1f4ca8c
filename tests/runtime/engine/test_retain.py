"""Retained values: restored by name, whole or not at all, and the text wins over a value whose default was edited."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from blocks import catalogue
from runtime.engine import retain
from runtime.language import load_text
from runtime.model import Schedule

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


def test_nothing_was_kept_yet(tmp_path: Path) -> None:
    warm = retain.restore(schedule(), tmp_path / "none")
    assert warm.restored == ()
    assert (warm.schedule.initial == schedule().initial).all()
