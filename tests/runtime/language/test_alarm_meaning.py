"""What alarms mean, scan by scan in plain Python: limits, deviation, rate, off-delay, latch, suppression, and what is told."""

from __future__ import annotations

import pytest

from runtime.model import Alarm
from tests.aids.site_text import PlainScan, load

TAGS = """
x.p: {type: BOOL, write: operator}
x.q: {type: BOOL, write: operator}
x.reset: {type: BOOL, write: operator}
t.c: {type: LREAL, unit: °C, write: operator}
p.kw: {type: LREAL, unit: kW, write: operator}
p.set: {type: LREAL, unit: W, write: operator}
y.n: {type: DINT}
"""
HOUR = 3_600_000_000_000


def site_of(alarm: str) -> PlainScan:
    return PlainScan(load(f"alarms:\n  a: {alarm}\noutputs: {{y.n: plc.alarms_critical}}\n", TAGS).schedule)


def alarms_of(alarm: str) -> tuple[Alarm, ...]:
    return site_of(alarm).schedule.alarms


def seen(run: PlainScan, scans: int, name: str = "alarm.a", **tags: object) -> str:
    """A digit a scan, with these inputs."""
    for tag, value in tags.items():
        run[tag.replace("_", ".", 1)] = value
    found = ""
    for _ in range(scans):
        run.scan()
        found += str(int(run[name]))
    return found


def test_a_deviation_is_a_difference_and_has_two_limits() -> None:
    run = site_of("{of: p.kw, setpoint: p.set, deviation: 2000 W, deadband: 0.5 kW, severity: error}")
    assert [(a.limit, a.active, a.kind, a.of, a.setpoint) for a in run.schedule.alarms] == [
        ("HIGH", "alarm.a_high", "deviation", "p.kw", "p.set"),
        ("LOW", "alarm.a_low", "deviation", "p.kw", "p.set"),
    ]
    assert seen(run, 1, "alarm.a_high", p_set=10_000, p_kw=11.9) == "0"
    assert seen(run, 1, "alarm.a_high", p_kw=12.0) == "1"
    assert seen(run, 1, "alarm.a_high", p_kw=11.6) == "1", "not back by the deadband"
    assert seen(run, 1, "alarm.a_low", p_kw=7.9) == "1"


def test_a_step_of_the_setpoint_settles_first() -> None:
    run = site_of("{of: p.kw, setpoint: p.set, deviation: 2 kW, settle: 30 ms}")
    assert seen(run, 5, "alarm.a_low", p_set=10_000) == "00011"


def test_a_rate_of_degrees_is_kelvins_a_second_and_only_the_limits_given_are_alarms() -> None:
    run = site_of("{of: t.c, rise: 36 K/min, filter: 0 s, deadband: 0.1 °C/s}")
    assert [(a.limit, a.active, a.kind) for a in run.schedule.alarms] == [("RISING", "alarm.a_rising", "rate")]
    assert seen(run, 1, "alarm.a_rising", t_c=20.0) == "0"
    assert seen(run, 1, "alarm.a_rising", t_c=20.0065) == "1", "0.65 K/s"
    assert seen(run, 1, "alarm.a_rising", t_c=20.012) == "1", "0.55 K/s"
    assert seen(run, 1, "alarm.a_rising", t_c=20.0165) == "0", "0.45 K/s"


def test_the_value_that_comes_back_after_a_suppression_has_no_rate() -> None:
    run = site_of("{of: t.c, rise: 1 K/s, filter: 30 s, suppress: x.p}")
    assert seen(run, 2, "alarm.a_rising", t_c=20.0, x_p=1) == "00"
    assert seen(run, 3, "alarm.a_rising", t_c=60.0, x_p=0) == "000"
    assert seen(run, 1, "alarm.a_rising", t_c=100.0) == "1"


def test_both_directions_of_a_rate_are_positive_numbers() -> None:
    run = site_of("{of: p.kw, rise: 5 kW/s, fall: 2 kW/s, filter: 0 s}")
    assert seen(run, 1, "alarm.a_falling", p_kw=1.0) == "0"
    assert seen(run, 1, "alarm.a_falling", p_kw=0.975) == "1"
    assert seen(run, 1, "alarm.a_rising", p_kw=1.0) == "0"


def test_an_off_delay_bridges_a_chatter() -> None:
    run = site_of("{when: x.p, off_delay: 30 ms}")
    assert seen(run, 1, x_p=1) + seen(run, 2, x_p=0) + seen(run, 1, x_p=1) + seen(run, 5, x_p=0) == "111111100"


def test_a_latched_alarm_stays_until_its_reset_rises() -> None:
    run = site_of("{of: t.c, H: 45 °C, latch: x.reset}")
    assert run.schedule.alarms[0].is_latched
    assert seen(run, 2, "alarm.a_h", t_c=50.0) == "11"
    assert seen(run, 2, "alarm.a_h", x_reset=1) == "11", "no reset while it stands"
    assert seen(run, 2, "alarm.a_h", t_c=20.0) == "11", "a reset that is held is no edge"
    assert seen(run, 1, "alarm.a_h", x_reset=0) + seen(run, 2, "alarm.a_h", x_reset=1) == "100"


def test_suppressed_by_design_all_its_limits_are_silent_and_that_is_a_tag() -> None:
    run = site_of("{of: t.c, H: 45 °C, HH: 55 °C, delay: 20 ms, suppress: x.p and not x.q}")
    assert {a.suppressed for a in run.schedule.alarms} == {"alarm.a_suppressed"}
    assert seen(run, 3, "alarm.a_hh", t_c=60.0) == "001"
    assert seen(run, 2, "alarm.a_hh", x_p=1) == "00"
    assert (run["alarm.a_h"], run["alarm.a_suppressed"]) == (False, True)
    assert seen(run, 4, "alarm.a_h", x_q=1) == "0011", "its delay counts anew"
    assert not run["alarm.a_suppressed"]


def test_suppression_that_comes_in_the_middle_of_a_delay_begins_it_anew() -> None:
    run = site_of("{when: x.p, delay: 30 ms, suppress: x.q}")
    assert seen(run, 2, x_p=1) + seen(run, 1, x_q=1) + seen(run, 5, x_q=0) == "00000011"


def test_an_alarm_without_these_words_costs_no_block_more() -> None:
    plain, standing = (site_of(f"{{of: t.c, H: 45 °C, HH: 50 °C{more}}}").schedule for more in ("", ", off_delay: 1 s"))
    counts = [sum(g.rows for g in s.groups if g.block == "ALARM_STAND") for s in (plain, standing)]
    assert counts == [0, 2]


@pytest.mark.parametrize(
    ("words", "severities"),
    [
        ("H: 45 °C, HH: 55 °C", ["warning", "warning"]),
        ("H: 45 °C, HH: 55 °C, severity: error", ["error", "error"]),
        ("H: 45 °C, HH: 55 °C, severity: {HH: critical, H: warning}", ["warning", "critical"]),
        ("rise: 1 K/s, fall: 1 K/s, severity: {RISING: error, FALLING: warning}", ["error", "warning"]),
        ("setpoint: 20 °C, deviation: 5 K, severity: {HIGH: error, LOW: warning}", ["error", "warning"]),
    ],
)
def test_each_limit_may_have_its_own_severity(words: str, severities: list[str]) -> None:
    assert [a.severity for a in alarms_of(f"{{of: t.c, {words}}}")] == severities


@pytest.mark.parametrize(
    ("words", "longest"),
    [
        ("", [8 * HOUR, 0]),  # a critical one: never
        (", shelve: 2 h", [2 * HOUR, 2 * HOUR]),  # unless its program names the time
        (", shelve: never", [0, 0]),
    ],
)
def test_how_long_it_may_be_shelved(words: str, longest: list[int]) -> None:
    found = alarms_of(f"{{of: t.c, H: 45 °C, HH: 55 °C, severity: {{H: error, HH: critical}}{words}}}")
    assert [a.shelve for a in found] == longest


def test_its_error_id_and_where_it_comes_from() -> None:
    (found,) = alarms_of("{when: x.p, id: ERR_COMM_LOST, source: CAN}")
    assert (found.id, found.source, found.kind, found.is_latched) == ("ERR_COMM_LOST", "can", "condition", False)


def test_first_out_has_the_names_of_the_grave_alarms() -> None:
    run = site_of("{of: t.c, H: 45 °C, HH: 55 °C, severity: {H: warning, HH: critical}}\n  b: {when: x.p, severity: error}")
    assert run.schedule.tag("plc.first_out").names == ((0, "none"), (1, "a.HH"), (2, "b"))
