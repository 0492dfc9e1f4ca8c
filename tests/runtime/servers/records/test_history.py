"""The history of tags: what is worth a sample, how it is kept and found, and that it stays inside its bounds."""

from __future__ import annotations

import math
import struct
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.engine.north import Snapshot
from runtime.model import Tag
from runtime.quality import BAD_NO_COMMUNICATION, GOOD, UNCERTAIN_LAST_USABLE
from runtime.servers.records import history
from runtime.servers.records.blocks import SAMPLE, pack, unpack, value_of
from runtime.servers.records.history import History, number_of
from runtime.servers.records.settings import Choice, describe_records
from runtime.servers.records.watch import Sampler
from runtime.source import Report
from tests.aids.servers_scan import TAGS, lay_out_region

SOC, RUNS, COUNT = Tag("bms.soc", "LREAL", 0, 0, 0, unit="%"), Tag("pcs.runs", "BOOL", 0, 0, 0), Tag("grid.energy", "LINT", 0, 0, 0)
S = 1_000_000_000
INTS = st.integers(-(2**63), 2**63 - 1)


def samples_of(tag: Tag, rows: list[tuple[int, float | int, int]]) -> np.ndarray:
    made = np.empty(len(rows), SAMPLE)
    for n, (at, value, quality) in enumerate(rows):
        bits = struct.unpack("<q", struct.pack("<d", value))[0] if tag.type == "LREAL" else int(value)
        made[n] = (number_of(tag), at, bits, quality)
    return made


@given(st.lists(st.tuples(INTS, INTS, INTS, INTS), min_size=1, max_size=50))
@settings(max_examples=50, deadline=None)
def test_samples_come_out_of_their_bytes_as_they_went_in(rows: list[tuple[int, int, int, int]]) -> None:
    samples = np.array(rows, SAMPLE)
    assert unpack(pack(samples)).tolist() == rows


def test_values_are_exact() -> None:
    assert value_of(2**53 + 1, "LINT") == 2**53 + 1 and value_of(1, "BOOL") is True and value_of(-5, "DINT") == -5
    assert math.isnan(value_of(struct.unpack("<q", struct.pack("<d", math.nan))[0], "LREAL"))


@given(
    rows=st.lists(st.integers(0, 100), min_size=1, max_size=60),
    batches=st.integers(1, 5),
    start=st.integers(0, 100),
    span=st.integers(0, 100),
    limit=st.integers(1, 70),
    newest_first=st.booleans(),
    is_sorted=st.booleans(),
)
@settings(max_examples=30, deadline=None)
def test_a_read_finds_what_sorting_a_list_would(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[int],
    batches: int,
    start: int,
    span: int,
    limit: int,
    newest_first: bool,
    is_sorted: bool,
) -> None:
    """The clock of the source may jump about: times are in any order here."""
    past = History(tmp_path_factory.mktemp("history"))
    past.declare([SOC, RUNS])
    all_rows = [(at, float(n), GOOD) for n, at in enumerate(rows)]
    for n in range(batches):
        past.write(np.concatenate([samples_of(SOC, all_rows[n::batches]), samples_of(RUNS, [(at, 1, 0) for at in rows[:2]])]))
        if is_sorted and n == batches // 2:
            assert past.sort(now=True)
    found = past.read("BMS.soc", start, start + span, limit, newest_first)
    expected = sorted((at for at in rows if start <= at <= start + span), reverse=newest_first)[:limit]
    assert [sample.time for sample in found] == expected
    assert all(rows[int(sample.value)] == sample.time for sample in found)
    past.file.close()


def test_a_tag_that_changed_its_type_keeps_both_pasts(tmp_path: Path) -> None:
    past = History(tmp_path)
    past.declare([SOC])
    past.write(samples_of(SOC, [(1, 0.5, GOOD)]))
    now = Tag("bms.soc", "DINT", 0, 0, 0)
    past.declare([now])
    past.write(samples_of(now, [(2, 7, GOOD)]))
    assert [(s.time, s.value) for s in past.read("bms.soc", 0, 9, 9)] == [(1, 0.5), (2, 7)]
    assert {(tag.type, tag.is_recorded) for tag in past.recorded()} == {("LREAL", False), ("DINT", True)}


def test_the_history_stays_inside_its_size_and_age(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "SORT_AFTER", 20)
    past = History(tmp_path)
    past.declare([SOC])
    now, noise = time.time_ns(), np.random.default_rng(1)
    largest = 0
    for n in range(150):
        at = now - (150 - n) * 60 * S
        past.write(samples_of(SOC, [(at + k, float(noise.normal()), GOOD) for k in range(1000)]))
        past.sort()
        while past.trim(30 * 86400, 1_000_000):
            pass
        largest = max(largest, past.size())
    assert largest < 1_400_000
    kept = past.read("bms.soc", 0, now, 10**6)
    assert kept[-1].time == now - 60 * S + 999 and len(kept) < 150_000, "the oldest went"
    while past.trim(3600, 10**9):
        pass
    assert past.read("bms.soc", 0, now - 90 * 60 * S, 10) == [] and past.read("bms.soc", 0, now, 10)


def test_a_slow_signal_costs_few_bytes_a_sample(tmp_path: Path) -> None:
    """A value and a time of 8 bytes each and a quality of 4 are 20: a noisy reading in steps of 0.1 % takes half of it at most."""
    past = History(tmp_path)
    past.declare([SOC])
    noise = np.random.default_rng(2)
    rows = [(n * S + int(noise.integers(0, 10**6)), round(50 + float(noise.normal()), 1), GOOD) for n in range(4000)]
    for at in range(0, 4000, 100):
        past.write(samples_of(SOC, rows[at : at + 100]))
    while past.sort(now=True):
        pass
    assert len(past.read("bms.soc", 0, 10**18, 10**6)) == 4000
    with past.file.reading() as connection:
        (size,) = connection.execute("SELECT sum(length(samples)) FROM block").fetchone()
    assert size / 4000 < 10, size / 4000


# ------------------------------------------------------------------------------------------------ what is worth a sample


class Picture(Snapshot):
    """A snapshot under the test's control."""

    def __init__(self, tmp_path: Path):
        self.tags, region = lay_out_region(TAGS)
        super().__init__(tmp_path, region, 0)
        self.by_name = {tag.name: tag for tag in self.tags}
        self.at(0)

    def at(self, seconds: float, **values: float) -> Picture:
        self._stamps[:] = 0
        stamp = int(seconds * S)
        self._monotonic, self._wall = 5 * S + stamp, 1000 * S + stamp
        for name, value in values.items():
            self.column(self.by_name[name.replace("__", ".")])[:] = value
        return self

    @property
    def monotonic(self) -> int:
        return self._monotonic

    @property
    def wall(self) -> int:
        return self._wall


@pytest.fixture
def picture(tmp_path: Path) -> Picture:
    return Picture(tmp_path)


def sampler(picture: Picture, name: str, every: float = 1.0, at_least: float = 60.0, deadband: float = 0.0) -> Sampler:
    return Sampler([Choice(picture.by_name[name], every, at_least, deadband)])


def seen(samples: np.ndarray) -> list[tuple[float, float, int]]:
    return [
        ((int(t) - 1000 * S) / S, value_of(int(b), "LREAL"), int(q)) for t, b, q in samples[["time", "bits", "quality"]].tolist()
    ]


def test_a_number_is_recorded_where_it_moved_and_at_most_so_often(picture: Picture) -> None:
    watch = sampler(picture, "bms.soc", every=1.0, deadband=0.5)
    assert seen(watch.look(picture.at(0, bms__soc=50.0))) == [(0, 50.0, GOOD)]
    assert seen(watch.look(picture.at(0.5, bms__soc=60.0))) == [], "too early"
    assert seen(watch.look(picture.at(1.1))) == [(1.1, 60.0, GOOD)]
    assert seen(watch.look(picture.at(5, bms__soc=60.5))) == [], "inside the deadband"
    assert seen(watch.look(picture.at(6, bms__soc=60.6))) == [(6, 60.6, GOOD)]
    assert seen(watch.look(picture.at(65))) == []
    assert seen(watch.look(picture.at(66))) == [(66, 60.6, GOOD)], "a sign of life"
    assert math.isnan(seen(watch.look(picture.at(70, bms__soc=math.nan)))[0][1])
    assert seen(watch.look(picture.at(75))) == [], "NaN has not moved"


def test_switches_and_qualities_are_recorded_at_once(picture: Picture) -> None:
    watch = Sampler([Choice(picture.by_name[name], 10, 60, 0) for name in ("bms.ok", "pcs.state", "bms.current")])
    assert len(watch.look(picture.at(0))) == 3
    assert watch.look(picture.at(0.02, bms__ok=1))["bits"].tolist() == [1]
    assert watch.look(picture.at(0.04, pcs__state=2))["bits"].tolist() == [2]
    picture.qualities[picture.by_name["bms.current"].index] = UNCERTAIN_LAST_USABLE
    assert seen(watch.look(picture.at(0.06))) == [(0.06, 0.0, UNCERTAIN_LAST_USABLE)]


def test_a_sample_bears_the_time_at_which_the_device_was_read(picture: Picture) -> None:
    watch = sampler(picture, "bms.soc", every=0.1)
    row = picture.by_name["bms.soc"].index
    picture.times[row] = 5 * S + S // 2
    assert seen(watch.look(picture.at(1, bms__soc=3.0))) == [(0.5, 3.0, GOOD)]
    picture.qualities[row] = UNCERTAIN_LAST_USABLE
    assert seen(watch.look(picture.at(2))) == [(2, 3.0, UNCERTAIN_LAST_USABLE)], "when it was found stale"
    assert seen(watch.look(picture.at(100))) == [], "no sign of life from a device that gives none"


def test_a_silent_scan_is_one_sample_a_tag_and_its_return_another(picture: Picture) -> None:
    watch = Sampler([Choice(picture.by_name[name], 1, 60, 0) for name in ("bms.soc", "bms.current")])
    assert len(watch.silence(1001 * S)) == 0, "nothing was known yet"
    watch.look(picture.at(0, bms__soc=7.0, bms__current=8.0))
    assert seen(watch.silence(1003 * S)) == [(3, 7.0, BAD_NO_COMMUNICATION), (3, 8.0, BAD_NO_COMMUNICATION)]
    assert len(watch.silence(1004 * S)) == 0
    assert seen(watch.look(picture.at(5))) == [(5, 7.0, GOOD), (5, 8.0, GOOD)]


def test_settings_have_their_defaults() -> None:
    report = Report()
    found = describe_records({}, report)
    assert (found.history, found.size, found.keep, found.confirm) == ((), 2_000_000_000, 30 * 86400, False) and not report.problems
