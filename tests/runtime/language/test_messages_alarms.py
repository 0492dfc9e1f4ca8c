"""What the checker says about alarms, word for word."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.aids.site_text import said_about
from tests.aids.wrong_site import OUTPUTS, program, site

TASKS = "tasks: {a: {interval: 10 ms, programs: [p]}}\ntags: {x.a: {type: BOOL, write: operator}, y.b: {type: BOOL}}\n"
CRITICAL = "program: p\nalarms: {x: {when: x.a, severity: critical}}\noutputs: {y.b: true}\n"
CASES = {
    "an alarm of two kinds": (
        program("alarms: {x: {of: bms.t_cell_max, H: 45 °C, rise: 1 K/s}}\n" + OUTPUTS),
        """\
programs/p.yaml:2:44: error[E510]: `H` makes `x` an alarm with limits, and `rise` an alarm on a rate of change
 2 | alarms: {x: {of: bms.t_cell_max, H: 45 °C, rise: 1 K/s}}
   |                                            ^^^^ write two alarms
""",
    ),
    "a deviation from nothing": (
        program("alarms: {x: {of: bms.soc, deviation: 3 %}}\n" + OUTPUTS),
        """\
programs/p.yaml:2:10: error[E007]: the alarm `x` has no `setpoint`
 2 | alarms: {x: {of: bms.soc, deviation: 3 %}}
   |          ^ the value that it should have: `setpoint: pcs.p_cmd`
""",
    ),
    "an alarm on a rate without one": (
        program("alarms: {x: {of: bms.soc, filter: 3 s}}\n" + OUTPUTS),
        """\
programs/p.yaml:2:10: error[E007]: the alarm `x` has no limit
 2 | alarms: {x: {of: bms.soc, filter: 3 s}}
   |          ^ `rise`, `fall`, or both
""",
    ),
    "a severity of a limit that is not there": (
        program(
            "alarms:\n  x: {of: bms.soc, H: 90 %, HH: 95 %, severity: {H: warning, LL: error}}\n"
            "  y: {when: bms.ok, severity: {H: error}}\n" + OUTPUTS
        ),
        """\
programs/p.yaml:3:39: error[E007]: `severity` says nothing of `HH`
 3 |   x: {of: bms.soc, H: 90 %, HH: 95 %, severity: {H: warning, LL: error}}
   |                                       ^^^^^^^^ warning, error or critical

programs/p.yaml:3:62: error[E511]: the alarm has no limit `LL`
 3 |   x: {of: bms.soc, H: 90 %, HH: 95 %, severity: {H: warning, LL: error}}
   |                                                              ^^
 = help: its limits are H, HH

programs/p.yaml:4:32: error[E511]: the alarm has no limit `H`
 4 |   y: {when: bms.ok, severity: {H: error}}
   |                                ^
 = help: a condition has one severity
""",
    ),
    "an error id in small letters": (
        program("alarms: {x: {when: bms.ok, id: err comm-lost}}\n" + OUTPUTS),
        """\
programs/p.yaml:2:32: error[E513]: `err comm-lost` is not written as error ids are
 2 | alarms: {x: {when: bms.ok, id: err comm-lost}}
   |                                ^^^^^^^^^^^^^ `ERR_COMM_LOST`?
""",
    ),
    "shelving without a time": (
        program("alarms: {x: {when: not bms.ok, severity: critical, shelve: true}}\n" + OUTPUTS),
        """\
programs/p.yaml:2:60: error[E512]: `shelve` names no time
 2 | alarms: {x: {when: not bms.ok, severity: critical, shelve: true}}
   |                                                            ^^^^ its longest time: `4 h`, or `never`
 = help: a critical alarm is never shelved, unless its program names the time
""",
    ),
    "a latch that is no reset": (
        program("alarms: {x: {when: bms.ok, latch: true}}\n" + OUTPUTS),
        """\
programs/p.yaml:2:35: error[E010]: `latch` is what resets the alarm, not whether it is latched
 2 | alarms: {x: {when: bms.ok, latch: true}}
   |                                   ^^^^ `latch: hmi.reset`: it stays until that rises
""",
    ),
    "a rate in another unit": (
        program("alarms: {x: {of: bms.t_cell_max, rise: 1 K}}\n" + OUTPUTS),
        """\
programs/p.yaml:2:40: error[E201]: `1 K` does not fit `RISE` of RATE_ALARM, which takes K/s
 2 | alarms: {x: {of: bms.t_cell_max, rise: 1 K}}
   |                                        ^^^
""",
    ),
    "a word of another kind": (
        program("alarms: {x: {when: bms.ok, deadband: 3}}\n" + OUTPUTS),
        """\
programs/p.yaml:2:28: error[E006]: `deadband` is no word of an alarm with a condition
 2 | alarms: {x: {when: bms.ok, deadband: 3}}
   |                            ^^^^^^^^
 = help: the words are when, delay, off_delay, latch, suppress, severity, shelve, id, source, text
""",
    ),
    "a critical alarm that stops nothing": (
        site(TASKS, p=CRITICAL),
        """\
programs/p.yaml:2:10: warning[W805]: the critical alarm `x` stops nothing: no program reads `alarm.x`
 2 | alarms: {x: {when: x.a, severity: critical}}
   |          ^
 = help: `plc.alarms_critical = 0` as a permit of an INTERLOCK lets every critical alarm stop the plant
""",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_message_reads(name: str, tmp_path: Path) -> None:
    files, expected = CASES[name]
    assert said_about(files, tmp_path) + "\n" == expected


@pytest.mark.parametrize("read", ["alarm.x", "not alarm.x", "plc.alarms_critical = 0"])
def test_a_critical_alarm_that_somebody_reads_is_no_mistake(read: str, tmp_path: Path) -> None:
    assert said_about(site(TASKS, p=CRITICAL.replace("true", read)), tmp_path) == ""
