"""Tests of programs: time, inputs, commands, checks and what a failure tells; each starts cold, in simulated time."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from runtime.program_tests import _Test, run_tests
from runtime.program_tests_stand import Stand, stand
from tests.aids.program_tests import one, outcomes, read, steps

CLOSED = "at: 100 ms, write: {hmi.close: true}"


def test_a_scan_takes_what_the_step_gives_at_its_time_and_the_expectation_sees_that_scan(tmp_path: Path) -> None:
    found = one(
        tmp_path, "at: 1 s, expect: {mode: GO}", "set: {bms.ok: false}, expect: {mode: STOP}", "after: 10 ms, expect: {mode: STOP}"
    )
    assert found.passed, found.failure
    assert found.scans == 103  # at 0 s, 10 ms, ... 1.02 s


@pytest.mark.parametrize("given", ["set: {bms.ok: false}", "lose: rack"])
def test_nothing_is_expected_of_a_scan_that_was_before_what_is_given(tmp_path: Path, given: str) -> None:
    for last in (f"{given}, expect: {{mode: GO}}", f"{given}, during: 1 ms, expect: {{mode: GO}}"):
        found = one(tmp_path, "at: 1 s, expect: {mode: GO}", last)
        assert found.failure is not None and found.failure.seen == "p.mode STOP"


def test_what_the_last_step_gives_is_seen_by_the_guards(tmp_path: Path) -> None:
    text = "never: [mode = STOP]\n" + steps("at: 1 s, expect: {mode: GO}", "set: {bms.ok: false}")
    (found,) = outcomes(tmp_path, text)
    assert found.failure is not None and found.failure.expected == "never mode = STOP"


def test_within_ends_at_the_first_scan_that_fits_and_the_next_step_counts_from_there(tmp_path: Path) -> None:
    # IEC 61131-3: after 2 s in `shut` the door is jammed; the scan that enters `shut` counts 0
    found = one(
        tmp_path,
        CLOSED,
        "within: 1 s, expect: {door: shut, bms.main: true}",
        "after: 1.9 s, expect: {door: shut}",
        "within: 200 ms, expect: {door: jammed, bms.main: false}, raised: jam",
    )
    assert found.passed, found.failure
    assert 2.0 <= (found.scans - 1) * 0.01 - 0.1 <= 2.2


def test_within_is_too_late_by_one_scan(tmp_path: Path) -> None:
    ramp = "at: 0 s, write: {hmi.p: 10 kW}"  # 100 kW/s: there after 100 ms
    assert one(tmp_path, ramp, "within: 110 ms, expect: {pcs.p: 10 kW}").passed
    late = one(tmp_path, ramp, "within: 80 ms, expect: {pcs.p: 10 kW}")
    assert late.failure is not None and late.failure.expected == "pcs.p: 10 kW within 80 ms"


def test_during_must_hold_in_every_scan_and_names_the_first_that_breaks_it(tmp_path: Path) -> None:
    broken = one(tmp_path, CLOSED, "within: 1 s, expect: {door: shut}", "during: 3 s, expect: {door: shut}")
    assert broken.failure is not None
    assert (broken.failure.expected, broken.failure.seen) == ("door: shut during 3 s", "p.door jammed")
    assert broken.failure.time == pytest.approx(2.1e9, abs=5e7)


@pytest.mark.parametrize(
    ("word", "condition", "holds"),
    [
        ("always", "pcs.p <= 20 kW", False),
        ("always", "pcs.p <= 50 kW and door <> jammed", True),
        ("never", "pcs.p > 49 kW", False),
        ("never", "pcs.p > 51000 W", True),
    ],
)
def test_always_and_never_are_judged_in_every_scan(tmp_path: Path, word: str, condition: str, holds: bool) -> None:
    text = f"tests:\n  t:\n    {word}: ['{condition}']\n    steps:\n      - {{write: {{hmi.p: 50 kW}}}}\n      - {{at: 1 s}}\n"
    (found,) = outcomes(tmp_path, text)
    assert found.passed == holds
    if found.failure is not None:
        assert found.failure.expected == f"{word} {condition}"
        assert found.failure.at.line == 3


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        ("50 kW", True),
        ("50000 W", True),
        ("50.1 kW", False),
        ("51 kW ± 1 kW", True),
        ("51 kW ± 900 W", False),
        ("51 +- 1 kW", True),
        ("49..51 kW", True),
        ("50.5..51 kW", False),
        ("below 50.5 kW", True),
        ("above 50 kW", False),
        ("at least 50 kW", True),
        ("at most 49 kW", False),
        ("not 50 kW", False),
    ],
)
def test_expected_values_have_units_tolerances_ranges_and_comparisons(tmp_path: Path, value: str, holds: bool) -> None:
    assert one(tmp_path, "write: {hmi.p: 50 kW}", f"at: 1 s, expect: {{pcs.p: {value}}}").passed == holds


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("bms.soc * 2 - 10 % > 80 %", 50 * 2 - 10 > 80),
        ("bms.soc / 4 >= 12.5 %", 50 / 4 >= 12.5),
        ("min(bms.soc, 20 %, 30 %) = 20 %", min(50, 20, 30) == 20),
        ("max(bms.soc, 20 %) < 50 %", max(50, 20) < 50),
        ("abs(20 % - bms.soc) = 30 %", abs(20 - 50) == 30),
        ("-bms.soc < 0 %", -50 < 0),
        ("bms.t > 292 K", 20 + 273.15 > 292),
        ("bms.t - 15 °C < 6 K", 20 - 15 < 6),
        ("not (bms.ok xor bms.ok.good)", True),
        ("bms.ok and bms.soc > 60 % or bms.state = OFF", True),
        ("bms.state <> READY", True),
        ("bms.cell_v[2] = 3300 mV", math.isclose(3.3, 3300e-3)),
        ("ready.OK or slow.OUT > 1", False),
        ("plc.scan = 1", True),
    ],
)
def test_conditions_mean_what_arithmetic_says(tmp_path: Path, condition: str, expected: bool) -> None:
    assert one(tmp_path, f"at: 0 s, expect: ['{condition}']").passed == expected


def test_an_array_is_expected_as_a_whole_or_by_its_element_and_given_so(tmp_path: Path) -> None:
    assert one(
        tmp_path, 'set: {bms.cell_v: [3.1 V, 3.2 V, 3 V, 3.3 V], "bms.cell_v[3]": 2.9 V}', "after: 20 ms, expect: {site.v: 2.9 V}"
    ).passed
    assert one(tmp_path, "set: {bms.cell_v: 3 V}", "after: 20 ms, expect: {site.v: 3 V}").passed


def test_a_ramp_is_a_straight_line_and_ends_where_it_is_said(tmp_path: Path) -> None:
    found = one(
        tmp_path,
        "at: 1 s, ramp: {bms.soc: from 20 % to 40 % in 1 s}, expect: [bms.soc = 20 %]",
        "at: 1.25 s, expect: [abs(bms.soc - 25 %) < 0.001 %]",
        "at: 2 s, expect: [bms.soc = 40 %]",
        "ramp: {bms.soc: to 0 % in 100 ms}",
        "at: 2.06 s, expect: [abs(bms.soc - 20 %) < 0.001 %]",
        "at: 2.1 s, set: {bms.soc: 7 %}",
        "at: 3 s, expect: [bms.soc = 7 %]",
    )
    assert found.passed, found.failure


def test_a_time_series_is_played_row_by_row(tmp_path: Path) -> None:
    csv = "time [ms],bms.soc [%],bms.state,bms.ok\n0,10,OFF,true\n500,20,READY,\n1000,30,,false\n"
    text = steps(
        "at: 1 s, play: t.csv",
        "at: 1.49 s, expect: [bms.soc = 10 %]",
        "at: 1.5 s, expect: [bms.soc = 20 % and bms.state = READY and bms.ok]",
        "at: 2 s, expect: [bms.soc = 30 % and not bms.ok]",
    )
    (found,) = outcomes(tmp_path, text, more={"t.csv": csv})
    assert found.passed, found.failure


def test_qualities_are_those_of_the_scan(tmp_path: Path) -> None:
    found = one(
        tmp_path,
        "expect: [bms.t.good and bms.t = 20 °C]",
        "set: {bms.t: bad}",
        "after: 20 ms, expect: [not bms.t.good and bms.t = 99 °C and bms.soc.good]",
        "set: {bms.t: good}",
        "after: 20 ms, expect: [bms.t.good and bms.t = 20 °C]",
        "set: {bms.t: stale}",
        "during: 100 ms, expect: [bms.t.good]",
        "within: 30 ms, expect: [not bms.t.good and bms.t = 99 °C]",
        "set: {bms.t: 30 °C}",
        "within: 20 ms, expect: [bms.t.good and bms.t = 30 °C]",
    )
    assert found.passed, found.failure


def test_a_device_is_lost_goes_silent_and_comes_back(tmp_path: Path) -> None:
    found = one(
        tmp_path,
        "at: 1 s, lose: rack",
        "after: 10 ms, expect: [not bms.soc.good and device.rack.lost and device.rack.state = lost]",
        "restore: rack",
        "after: 10 ms, expect: [bms.soc.good and not device.rack.lost]",
        "silence: rack",
        "during: 90 ms, expect: [bms.soc.good]",
        "within: 30 ms, expect: [not bms.soc.good]",
    )
    assert found.passed, found.failure


def test_commands_pass_the_scans_own_checks(tmp_path: Path) -> None:
    found = one(
        tmp_path,
        "at: 100 ms, write: {hmi.p: 501 kW}, refused: true",
        "write: {hmi.local: true}, refused: true",  # the engineer's
        "write: {hmi.local: true}, as: engineer",
        "write: {pcs.p: 1 kW}, refused: true",
        "after: 100 ms, expect: {hmi.local: true, hmi.p: 0 kW}",
        "write: {site.remote: false}",
        "after: 100 ms, write: {hmi.p: 5 kW}, from: modbus, refused: true",
        "write: {hmi.p: 5 kW}, from: hmi",
        "after: 100 ms, expect: {hmi.p: 5 kW}",
    )
    assert found.passed, found.failure


def test_a_command_that_is_refused_and_should_not_be_fails_with_the_reason(tmp_path: Path) -> None:
    found = one(tmp_path, "at: 100 ms, write: {hmi.p: 501 kW}", "at: 1 s, expect: {door: open}")
    assert found.failure is not None
    assert found.failure.seen == "refused: outside the tag's range"
    assert found.failure.expected == "hmi.p written by hmi as operator taken"
    other = one(tmp_path, "at: 100 ms, write: {hmi.p: 1 kW}, refused: true", "at: 1 s")
    assert other.failure is not None and other.failure.seen == "taken"


def test_a_command_of_the_last_step_is_answered_before_the_test_ends(tmp_path: Path) -> None:
    found = one(tmp_path, "at: 1 s, expect: {door: open}", "write: {hmi.p: 501 kW}")
    assert found.failure is not None and found.failure.seen == "refused: outside the tag's range"
    many = one(tmp_path, "at: 1 s, expect: {door: open}", *["write: {hmi.p: 1 kW}"] * 199, "write: {hmi.p: 501 kW}")
    assert many.failure is not None and many.failure.seen == "refused: outside the tag's range"


def test_a_command_that_no_scan_answers_was_not_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stand, "answers", lambda _: [])
    found = one(tmp_path, "at: 1 s, write: {hmi.p: 501 kW}, refused: true")
    assert found.failure is not None and found.failure.seen == "no scan answered it"
    assert found.failure.at.line == 3


def test_a_pulse_is_seen_once_and_the_interlock_names_the_permit_that_tripped_it(tmp_path: Path) -> None:
    found = one(
        tmp_path,
        CLOSED,
        "within: 100 ms, expect: {ready.OK: true, site.first: 0}, tripped: {ready: nothing}",
        "after: 10 ms, expect: [not hmi.close]",
        "after: 50 ms, set: {bms.t: 61 °C}",
        "within: 20 ms, expect: {ready.OK: false, site.first: 3}, tripped: {ready: bms.t < 60 °C}",
        "tripped: {ready: 3}",
        "tripped: {ready: bms.t}, raised: hot.H, quiet: hot.HH",
    )
    assert found.passed, found.failure


def test_every_test_starts_cold_whatever_the_one_before_left(tmp_path: Path) -> None:
    messy = """  a:
    - {write: {hmi.p: 50 kW, hmi.close: true}, set: {bms.soc: bad, bms.t: 80 °C}, ramp: {"bms.cell_v[1]": to 1 V in 9 s}}
    - {at: 1 s, lose: rack}
    - {after: 10 ms, write: {hmi.p: 70 kW}, expect: {hmi.p: 70 kW}}
"""
    clean = """  b:
    - {at: 0 s, expect: [plc.scan = 1 and hmi.p = 0 kW and bms.soc.good and bms.soc = 50 %]}
    - {at: 1 s, expect: {pcs.p: 0 kW, site.v: 3.3 V, door: open}, quiet: [hot, jam]}
"""
    first, second, third = outcomes(tmp_path, "tests:\n" + clean.replace("b:", "c:", 1) + messy + clean)
    assert first.passed and second.passed, second.failure
    assert third.passed, third.failure


def test_a_failure_shows_the_named_tags_around_the_moment(tmp_path: Path) -> None:
    found = one(tmp_path, CLOSED, "at: 500 ms, set: {bms.t: 61 °C}", "at: 1 s, expect: {door: shut, mode: GO}")
    failure = found.failure
    assert failure is not None
    assert (failure.at.file, failure.at.line, failure.scan, failure.time) == ("programs/p.test.yaml", 5, 101, 1_000_000_000)
    names = [cell.name for cell in failure.cells]
    assert names == ["p.door", "bms.t"]
    assert [values for _, values in failure.rows] == [("open", "20"), ("shut", "20"), ("open", "61"), ("open", "61")]
    assert failure.rows[-1][0] == 1_000_000_000


def test_the_wall_clock_is_the_tests(tmp_path: Path) -> None:
    noon = 1_780_315_200_000_000_000  # date -ud 2026-06-01T12:00 +%s
    step = f"{{at: 1 s, expect: [plc.time > {noon + 999_000_000} and plc.time < {noon + 1_001_000_000}]}}"
    text = f"tests:\n  t:\n    clock: 2026-06-01T12:00:00Z\n    steps:\n      - {step}\n"
    (found,) = outcomes(tmp_path, text)
    assert found.passed, found.failure


def test_more_at_once_than_a_scan_takes_fails_the_test_and_not_the_runtime(tmp_path: Path) -> None:
    many = [f"write: {{hmi.p: {n / 10} kW}}" for n in range(5000)]
    after = "  u:\n    - {write: {hmi.p: 501 kW}, refused: true, expect: {hmi.p: 0 kW}}\n    - {at: 1 s, expect: {pcs.p: 0 kW}}\n"
    found, clean = outcomes(tmp_path, steps(*many, "at: 1 s, expect: {door: open}") + after)
    assert found.failure is not None and found.failure.seen == "more commands of hmi than a scan takes"
    assert clean.passed, clean.failure  # nothing of it is obeyed or in the way of the next


@pytest.mark.parametrize(
    "guard", ["always: ['not ({} < -9)']", "never: ['{} > 9']", "never: ['max({}, 0) > 9']", "never: ['plc.scan = 0 or {} > 9']"]
)
def test_a_guard_over_what_is_no_number_is_broken(tmp_path: Path, guard: str) -> None:
    text = guard.format("bms.soc / (bms.soc - 60 %)") + "\n" + steps("at: 1 s", "set: {bms.soc: 60 %}")
    (found,) = outcomes(tmp_path, text)
    assert found.failure is not None and found.failure.time == pytest.approx(1e9)
    assert found.failure.seen.endswith("bms.soc 60 %, what is compared is not a number")


def test_a_failure_names_the_tag_that_is_no_number(tmp_path: Path) -> None:
    site, scenarios, _ = read(tmp_path, steps("at: 1 s, expect: [site.v < 9 V]"))
    (test,) = scenarios.tests
    with stand(site) as made:
        run_tests(made, [test])
        made.plan.memory[test.cells[0].offset :][:8] = np.array([math.nan]).view(np.uint8)
        made.expect(test.steps[1].checks)
        assert made.broken() == 0 and _Test(made, test)._seen(test.steps[1].checks[0]) == "site.v is not a number"


def test_an_expectation_over_a_quotient_by_zero_says_so(tmp_path: Path) -> None:
    found = one(tmp_path, "at: 1 s, set: {bms.soc: 0 %}, expect: ['not (bms.t / bms.soc > 5 °C/%)']")
    assert found.failure is not None and found.failure.seen.endswith("what is compared is not a number")


@pytest.mark.parametrize("gone", ["lose", "silence"])
def test_a_device_that_is_away_is_not_brought_back_by_what_the_test_gives(tmp_path: Path, gone: str) -> None:
    csv = "time,bms.soc\n0,30\n"
    text = steps(
        f"at: 1 s, {gone}: rack",
        "after: 200 ms, expect: [not bms.soc.good and not bms.t.good]",
        "set: {bms.t: 30 °C}, play: t.csv, ramp: {'bms.cell_v[1]': to 3 V in 50 ms}",
        "during: 200 ms, expect: [not bms.soc.good and not bms.t.good and not bms.cell_v.good]",
        "restore: rack",
        "after: 10 ms, expect: ['bms.soc.good and bms.soc = 30 % and bms.t = 30 °C and bms.cell_v[1] = 3 V']",
    )
    (found,) = outcomes(tmp_path, text, more={"t.csv": csv})
    assert found.passed, found.failure
