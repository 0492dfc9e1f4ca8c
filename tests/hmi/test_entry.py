"""What somebody types: which numbers are taken, what is said of the others, and how values read."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest

from blocks.grid.schedule import SCHEDULE
from blocks.plain import Instance
from hmi.parts.entry import Number, number_of, shown
from hmi.screens.control_entry import Draft, date_of, draft_of
from hmi.screens.control_plan import DAY, Entry, day_plan, days_in_words, holding, times_in_words
from hmi.screens.control_test import smallest_step
from hmi.texts import control as said
from runtime.model import Tag

MONDAY = 1_704_672_000  # 2024-01-08 00:00
POWER = Number("Power", "kW", -80.0, 80.0)


@pytest.mark.parametrize(
    ("text", "number"), [("0", 0.0), ("-80", -80.0), ("80.0", 80.0), (".5", 0.5), ("5.", 5.0), (" 12.25 ", 12.25)]
)
def test_a_number_within_its_range_is_taken(text: str, number: float) -> None:
    assert POWER.read(text) == (number, "")


SAID = (
    "",
    " ",
    "-",
    ".",
    "80.0001",
    "-80.5",
    "1e1",
    "nan",
    "inf",
    "-inf",
    "1,5",
    "0x10",
    "1_0",
    "٣",
    "1 2",
    "--1",
    "5\n6",
    "<b>5</b>",
)


@pytest.mark.parametrize("text", [*SAID, "9" * 400, "1" * 21, None, 5, True, ["5"], {"value": "5"}])
def test_what_is_no_such_number_is_refused_in_words(text: object) -> None:
    number, why = POWER.read(text)
    assert number is None and why


def test_what_is_wrong_names_the_limit_and_its_unit() -> None:
    assert "80\u202fkW" in POWER.read("81")[1] and "\u221280\u202fkW" in POWER.read("-81")[1]


@pytest.mark.parametrize("text", ["1.5", "2147483648", "-2147483649"])
def test_a_whole_number_is_whole_and_within_its_range(text: str) -> None:
    assert Number("n", "", -(2.0**31), 2.0**31 - 1, True).read(text)[0] is None


def test_a_large_whole_number_keeps_its_last_digit() -> None:
    assert Number("n", is_whole=True).read("9007199254740993") == (9007199254740993, "")


def test_without_a_range_every_finite_number_is_taken() -> None:
    assert Number("x").read("-123456789.5")[0] == -123456789.5


def test_a_time_is_entered_in_seconds() -> None:
    wanted = number_of(Tag("set.delay", "TIME", 0, 0, 0, minimum=0, maximum=60_000_000_000), "set.delay")
    assert (wanted.unit, wanted.low, wanted.high, wanted.is_whole) == ("s", 0, 60, False)


def test_values_read_with_unit_names_and_sign() -> None:
    power = Tag("site.p", "LREAL", 0, 0, 0, unit="kW")
    mode = Tag("site.mode", "DINT", 0, 0, 0, names=((0, "PASSIVE"), (1, "SELF_CONSUMPTION")))
    assert shown(power, -12.345) == "\u221212.35\u202fkW" or shown(power, -12.345) == "\u221212.34\u202fkW"
    assert shown(mode, 1) == "SELF CONSUMPTION" and shown(mode, 7) == "7"
    assert shown(power, None) == shown(power, float("nan")) == shown(power, float("inf"))
    assert shown(Tag("x", "BOOL", 0, 0, 0), True) == "on" and shown(Tag("t", "TIME", 0, 0, 0), 1_500_000_000) == "1.5\u202fs"


def test_the_schedule_that_is_drawn_is_the_one_that_the_block_follows() -> None:
    dice = Random(8)
    for _ in range(40):
        entries = [random_entry(dice, number) for number in range(1, 7)]
        block = Instance(SCHEDULE, length=len(entries))
        block.START, block.LENGTH = [one.start for one in entries], [one.length for one in entries]
        block.DAYS, block.P_ENTRY = [one.days for one in entries], [one.p for one in entries]
        block.Q_ENTRY = [one.q for one in entries]
        for _ in range(12):
            now = MONDAY + dice.randrange(8 * DAY)
            block.NOW = now
            block.scan(50_000_000)
            holds = holding(entries, now)
            assert (holds.number if holds else 0) == block.ENTRY, (now, entries)


def random_entry(dice: Random, number: int) -> Entry:
    if dice.random() < 0.25:
        start = MONDAY + dice.randrange(-DAY, 8 * DAY)
        return Entry(number, 0, start, dice.randrange(0, 3 * DAY), 5.0, 0.0)
    days = dice.choice([127, 31, 96, 1, 64, dice.randrange(128), -1])
    return Entry(
        number, days, dice.choice([-5, 0, 3600, 86_399, 90_000, dice.randrange(DAY)]), dice.randrange(-10, 2 * DAY), 1.0, 0.0
    )


def test_a_day_is_covered_without_gap_by_what_holds() -> None:
    dice = Random(9)
    for _ in range(60):
        entries = [random_entry(dice, number) for number in range(1, 8)]
        slices = day_plan(entries, MONDAY)
        assert slices[0].begin == 0 and slices[-1].end == DAY
        assert all(one.end == other.begin and one.entry != other.entry for one, other in pairwise(slices))
        for one in slices:
            for second in (one.begin, (one.begin + one.end) // 2, one.end - 1):
                assert holding(entries, MONDAY + second) == one.entry


@pytest.mark.parametrize(
    "entry",
    [Entry(1, 0, 2**62, 2**62, 1.0, 0.0), Entry(1, 500, -(2**62), 5, float("nan"), 0.0), Entry(1, -3, 5, 10, 1e300, 0.0)],
)
def test_an_entry_that_somebody_has_spoilt_is_shown_all_the_same(entry: Entry) -> None:
    assert day_plan([entry], MONDAY) and days_in_words(entry) and times_in_words(entry)
    assert draft_of(entry, MONDAY).number == 1


def test_an_entry_over_midnight_says_so_and_comes_back_as_it_was() -> None:
    night = Entry(3, 31, 22 * 3600, 8 * 3600, -20.0, 0.0)
    assert days_in_words(night) == said.WEEKDAYS and times_in_words(night) == f"22:00 – 06:00 ({said.NEXT_DAY})"
    for entry in (night, Entry(4, 1, 0, DAY, 5.0, 1.0), Entry(5, 0, MONDAY + 3600, 7200, 5.0, 1.0)):
        assert draft_of(entry, MONDAY).entry() == (entry, "")


def test_a_draft_without_a_day_or_with_a_wrong_date_is_refused() -> None:
    assert Draft(1, False, 0, MONDAY, 0, 3600, 1.0, 0.0).entry() == (None, said.NO_DAY)
    assert Draft(1, True, 0, -1, 0, 3600, 1.0, 0.0).entry() == (None, said.BAD_DATE)
    assert [date_of(text) for text in ("2024-01-08", "1969-12-31", "", None, "2024-02-30", "9999-12-31", "x" * 99)] == [
        MONDAY,
        *[None] * 4,
        None,
        None,
    ]


@pytest.mark.parametrize(("most", "step"), [(80.0, 1.0), (5.0, 0.05), (8000.0, 100.0), (1000.0, 10.0)])
def test_the_smallest_step_of_a_test_suits_the_plant(most: float, step: float) -> None:
    assert smallest_step(Tag("set.p_test", "LREAL", 0, 0, 0, minimum=-most, maximum=most)) == pytest.approx(step)
