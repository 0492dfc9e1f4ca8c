"""One input line's bookkeeping: bounces, counts, lost edges, readings that race with edges.

Expected values are worked out by hand, or read off the whole wave form.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runtime.fieldbus.gpio_input import InputState
from runtime.fieldbus.gpio_lines import Edge
from runtime.fieldbus.gpio_words import InputLine

MS = 1_000_000


def begun(reports_edges: bool = True, debounces: bool = False, **words) -> InputState:
    state = InputState(InputLine(0, **words))
    state.begin(reports_edges, debounces)
    return state


def test_an_edge_is_the_level_and_its_time():
    state = begun()
    state.take_reading(False, 1 * MS)
    state.take_edges([Edge(5 * MS, True, 1)])
    assert (state.value, state.time) == (1, 5 * MS)


def test_a_reading_that_was_asked_for_before_an_edge_does_not_undo_it():
    state = begun()
    state.take_reading(False, 1 * MS)
    state.take_edges([Edge(5 * MS, True, 1)])
    state.take_reading(False, 4 * MS)
    assert state.value == 1
    state.take_reading(False, 6 * MS)
    assert (state.value, state.time) == (0, 6 * MS), "a later reading finds an edge that never came"


def test_time_never_runs_backwards():
    state = begun()
    state.take_reading(True, 9 * MS)
    state.take_edges([Edge(5 * MS, False, 1), Edge(6 * MS, True, 2)])
    assert (state.value, state.time) == (1, 9 * MS)


def test_a_gap_in_the_numbers_is_edges_that_were_lost_and_counted():
    state = begun(count=True, edges="rising", debounces=True, debounce=MS)
    state.take_reading(False, 0)
    state.take_edges([Edge(1, True, 1), Edge(2, True, 2), Edge(3, True, 7)])
    assert (state.value, state.lost) == (7, 4)


def test_a_count_goes_on_when_the_line_is_taken_again():
    state = begun(count=True, edges="both")
    state.take_reading(False, 0)
    state.take_edges([Edge(1, True, 1), Edge(2, False, 2)])
    state.begin(True, False)
    state.take_reading(True, 3)
    assert (state.value, state.lost) == (2, 0), "nobody saw how it became true: it is no edge"
    state.take_edges([Edge(4, False, 1)])
    assert state.value == 3


def test_a_polled_line_counts_what_its_readings_show():
    state = begun(reports_edges=False, count=True, edges="falling")
    for at, level in enumerate((True, True, False, False, True, False)):
        state.take_reading(level, at)
    assert state.value == 2


def test_a_polled_level_must_last_between_two_readings():
    state = begun(reports_edges=False, debounce=10 * MS)
    state.take_reading(False, 0)
    state.take_reading(True, 5 * MS)
    assert (state.value, state.due()) == (0, 15 * MS)
    state.take_reading(True, 14 * MS)
    assert state.value == 0
    state.take_reading(True, 15 * MS)
    assert (state.value, state.due()) == (1, None)


def test_a_reading_that_finds_the_old_level_ends_the_wait():
    state = begun(reports_edges=False, debounce=10 * MS)
    state.take_reading(False, 0)
    state.take_reading(True, 5 * MS)
    state.take_reading(False, 8 * MS)
    state.take_reading(True, 16 * MS)
    assert (state.value, state.due()) == (0, 26 * MS)


def test_a_line_is_fresh_while_a_bounce_is_looked_at():
    state = begun(debounce=10 * MS)
    state.take_reading(False, 0)
    state.take_edges([Edge(5 * MS, True, 1)])
    assert (state.value, state.time) == (0, 5 * MS), "still false, and known to be at 5 ms"


def settled(wave: list[tuple[int, bool]], wait: int) -> list[tuple[int, bool]]:
    """The levels that lasted, with the time at which they had: read off the whole wave form, as nobody can while it goes on."""
    found: list[tuple[int, bool]] = []
    level = False
    for i, (at, now) in enumerate(wave):
        until = wave[i + 1][0] if i + 1 < len(wave) else at + 10 * wait
        if until - at >= wait and now is not level:
            level = now
            found.append((at + wait, level))
    return found


@given(st.lists(st.integers(1, 25), min_size=1, max_size=60))
def test_debouncing_keeps_exactly_the_levels_that_last(gaps: list[int]):
    wait = 10
    times = [sum(gaps[: i + 1]) for i in range(len(gaps))]
    wave = [(at, i % 2 == 0) for i, at in enumerate(times)]
    state = begun(debounce=wait, count=True, edges="both")
    state.take_reading(False, 0)
    found, level = [], False
    for number, (at, now) in enumerate([*wave, (times[-1] + 10 * wait, wave[-1][1])], 1):
        due = state.due()
        if due is not None and due <= at:
            state.settle(due)
            if state.level is not level:
                level = bool(state.level)
                found.append((due, level))
        if number <= len(wave):
            state.take_edges([Edge(at, now, number)])
    assert found == settled(wave, wait)
    assert state.value == len(found)
    assert state.lost == 0


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), max_size=60), st.sampled_from(["rising", "falling", "both"]))
def test_a_count_is_exact_whatever_the_kernel_had_to_drop(edges: list[tuple[bool, int]], counted: str):
    """The kernel reports only edges of the kind that is counted and numbers all of them, also those that it drops."""
    state = begun(count=True, edges=counted)
    state.take_reading(False, 0)
    number, dropped = 0, 0
    for at, (rising, lost) in enumerate(edges, 1):
        number += lost + 1
        dropped += lost
        kind = {"rising": True, "falling": False}.get(counted, rising)
        state.take_edges([Edge(at, kind, number)])
    assert (state.value, state.lost) == (number, dropped)


def test_an_edge_that_comes_after_a_lost_one_starts_the_wait_anew():
    state = begun(debounce=10 * MS)
    state.take_reading(False, 0)
    state.take_edges([Edge(5 * MS, True, 1), Edge(9 * MS, True, 3)])
    assert (state.due(), state.lost) == (19 * MS, 1)
    state.settle(15 * MS)
    assert state.value == 0
    state.settle(19 * MS)
    assert (state.value, state.time) == (1, 19 * MS)
