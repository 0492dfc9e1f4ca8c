"""LIMITS_ALARM, ANALOG_MONITOR, CMD_MONITOR, FWD_REV_MON."""

from __future__ import annotations

from blocks.standard.annex_f_monitors import ANALOG_MONITOR, CMD_MONITOR, FWD_REV_MON, LIMITS_ALARM
from tests.aids.scan_table import scan

PAIRS = {"HS": 110.0, "HM": 100.0, "HA": 90.0, "HW": 80.0, "LW": 20.0, "LA": 10.0, "LM": 0.0, "LS": -10.0}


def test_both_limits_have_their_gap_on_the_inside():
    scan(
        LIMITS_ALARM,
        H=10.0,
        L=-10.0,
        EPS=2.0,
        table="""
        X     | QH Q QL
        10    | 0  0 0
        10.01 | 1  1 0
        8.01  | 1  1 0
        8     | 0  0 0
        10    | 0  0 0
        -10   | 0  0 0
        -10.1 | 0  1 1
        -8.01 | 0  1 1
        -8    | 0  0 0
    """,
    )


def test_a_value_or_a_limit_that_nobody_knows_is_an_alarm_for_as_long_as_it_lasts():
    scan(
        LIMITS_ALARM,
        EPS=2.0,
        table="""
        X    H   L   | QH Q QL
        9    10  -10 | 0  0 0
        nan  10  -10 | 1  1 1
        9    10  -10 | 0  0 0       # in the gap, and not on
        11   10  -10 | 1  1 0
        nan  10  -10 | 1  1 1
        9    10  -10 | 1  1 0       # in the gap, and still on
        5    nan -10 | 1  1 0
        5    10  -10 | 0  0 0
        5    10  nan | 0  1 1
        inf  10  -10 | 1  1 0
        -inf 10  -10 | 0  1 1
        5    inf -inf | 0 0 0       # off
        1e9  inf -inf | 0 0 0
    """,
    )


def test_each_level_of_a_measurement_names_the_worst():
    scan(
        ANALOG_MONITOR,
        **PAIRS,
        table="""
        X    | SE ME ALRM WARN QH
        80   | 0  0  0    0    0
        81   | 0  0  0    1    1
        91   | 0  0  1    0    1
        101  | 0  1  1    0    1
        111  | 1  0  1    0    1
        inf  | 1  0  1    0    1
        50   | 0  0  0    0    0
        19   | 0  0  0    1    0
        9    | 0  0  1    0    0
        -1   | 0  1  1    0    0
        -11  | 1  0  1    0    0
        -inf | 1  0  1    0    0
        nan  | 1  0  1    0    1
    """,
    )


def test_an_alarm_does_not_fall_when_the_value_goes_from_bad_to_worse():
    """Hidden behind ME, as WARN is behind ALRM, a trip wired to it would fall at 101."""
    scan(ANALOG_MONITOR, **PAIRS, table="X | ALRM\n 95 | 1\n 99 | 1\n 101 | 1\n 109 | 1\n 120 | 1\n nan | 1")


def test_alarm_and_warning_come_back_by_eps_and_a_nan_does_not_move_them():
    scan(
        ANALOG_MONITOR,
        **PAIRS,
        EPS=3.0,
        table="""
        X    | ALRM WARN
        89   | 0    1
        nan  | 1    0
        89   | 0    1       # in the alarm's gap, and not on
        91   | 1    0
        87.5 | 1    0
        87   | 0    1
        77.5 | 0    1
        77   | 0    0
        9    | 1    0
        12.9 | 1    0
        13   | 0    1
        23   | 0    0
    """,
    )


def test_a_command_by_hand_needs_both_contacts_and_not_automatic():
    scan(
        CMD_MONITOR,
        T_CMD_MAX="1s",
        FDBK=True,
        table="""
        AUTO_MODE AUTO_CMD MAN_CMD MAN_CMD_CHK | CMD
        0         0        1       0           | 1
        0         0        1       1           | 0       # a contact sticks
        0         1        0       1           | 0       # not in automatic
        1         1        0       1           | 1
        1         0        1       0           | 0
    """,
    )


def test_a_missing_confirmation_alarms_at_the_exact_scan():
    scan(
        CMD_MONITOR,
        AUTO_MODE=True,
        T_CMD_MAX="30ms",
        table="""
        AUTO_CMD FDBK ACK | CMD ALRM
        1        0    0   | 1   0
        1        0    0   | 1   0
        1        0    0   | 1   0
        1        0    0   | 1   1       # 30 ms after the command
        1        0    1   | 1   1       # acknowledged while it lasts: nothing
        1        1    0   | 1   1       # a late confirmation does not take it back
        1        1    1   | 1   0
        0        0    0   | 0   0
        1        0    0   | 1   0       # the time starts anew
    """,
    )


def test_a_confirmation_in_the_last_scan_is_in_time():
    scan(CMD_MONITOR, AUTO_MODE=True, T_CMD_MAX="20ms", table="AUTO_CMD FDBK | ALRM\n 1 0 | 0\n 1 0 | 0\n 1 1 | 0\n 1 1 | 0")


def test_two_directions_at_once_take_both_commands_back_until_acknowledged():
    scan(
        FWD_REV_MON,
        T_FWD_MAX="1s",
        T_REV_MAX="1s",
        table="""
        AUTO AUTO_FWD AUTO_REV MAN_REV MAN_REV_CHK ACK | FWD_CMD REV_CMD FWD_REV_ALRM KLAXON
        1    1        0        0       1           0   | 1       0       0            0
        1    1        1        0       1           0   | 0       0       1            1
        1    1        1        0       1           1   | 0       0       1            1
        1    0        1        0       1           0   | 0       0       1            1
        1    0        1        0       1           1   | 0       1       0            0
        0    1        1        0       1           0   | 0       0       0            0
        0    0        0        1       0           0   | 0       1       0            0
    """,
    )


def test_each_direction_has_its_own_time():
    scan(
        FWD_REV_MON,
        AUTO=True,
        T_FWD_MAX="10ms",
        T_REV_MAX="30ms",
        table="""
        AUTO_FWD AUTO_REV FWD_FDBK REV_FDBK ACK | FWD_ALRM REV_ALRM KLAXON
        1        0        0        0        0   | 0        0        0
        1        0        0        0        0   | 1        0        1
        0        0        0        0        1   | 0        0        0
        0        1        0        0        0   | 0        0        0
        0        1        0        0        0   | 0        0        0
        0        1        0        0        0   | 0        0        0
        0        1        0        0        0   | 0        1        1
        0        1        0        1        1   | 0        0        0
    """,
    )


def test_a_limit_that_was_unknown_for_a_scan_holds_no_alarm():
    scan(
        ANALOG_MONITOR,
        **{k: v for k, v in PAIRS.items() if k not in ("HA", "LA")},
        EPS=2.0,
        table="X HA LA | ALRM\n 89 90 10 | 0\n 89 nan 10 | 1\n 89 90 10 | 0\n 11 90 10 | 0\n 11 90 nan | 1\n 11 90 10 | 0",
    )


def test_an_acknowledgement_that_is_stuck_acknowledges_nothing():
    scan(
        CMD_MONITOR,
        AUTO_MODE=True,
        T_CMD_MAX="10ms",
        table="x AUTO_CMD ACK | ALRM\n 1 1 1 | 0\n 1 1 1 | 1\n 5 0 1 | 1\n 1 0 0 | 1\n 1 0 1 | 0",
    )


def test_commands_shorter_than_the_time_do_not_hide_a_dead_device():
    """20 ms of 40 ms with 30 ms allowed: 90 ms in all, less an eighth of the pauses, is over in the sixth command."""
    pulse = " 2 1 0 | 0\n 2 0 0 | 0\n"
    scan(CMD_MONITOR, AUTO_MODE=True, T_CMD_MAX="30ms", table="x AUTO_CMD FDBK | ALRM\n" + pulse * 5 + " 4 0 0 | 0\n 2 1 0 | 1")
    fed = " 2 1 0 | 0\n 1 0 1 | 0\n 1 0 0 | 0\n"
    scan(CMD_MONITOR, AUTO_MODE=True, T_CMD_MAX="30ms", table="x AUTO_CMD FDBK | ALRM\n" + fed * 30)


def test_a_direction_that_was_taken_back_is_not_missed():
    scan(
        FWD_REV_MON,
        AUTO=True,
        AUTO_FWD=True,
        T_FWD_MAX="20ms",
        T_REV_MAX="20ms",
        table="""
            x AUTO_REV ACK | FWD_CMD FWD_ALRM FWD_REV_ALRM
            1 1 1 | 0 0 1
            9 0 1 | 0 0 1
            1 0 0 | 0 0 1
            1 0 1 | 1 0 0
            1 0 0 | 1 0 0
            1 0 0 | 1 1 0
        """,
    )


def test_a_direction_waits_until_the_other_one_has_ended_and_a_welded_one_alarms():
    scan(
        FWD_REV_MON,
        AUTO=True,
        T_FWD_MAX="20ms",
        T_REV_MAX="30ms",
        table="""
        AUTO_FWD AUTO_REV FWD_FDBK REV_FDBK | FWD_CMD REV_CMD REV_ALRM
        1        0        1        0        | 1       0       0
        0        1        1        0        | 0       0       0       # still going forward
        0        1        1        0        | 0       0       0
        0        1        0        0        | 0       1       0       # its own time begins here
        0        1        0        0        | 0       1       0
        0        1        0        0        | 0       1       0
        0        1        0        1        | 0       1       0
        1        0        0        1        | 0       0       0
        0        0        0        0        | 0       0       0
        0        1        1        0        | 0       0       0       # welded
        0        1        1        0        | 0       0       0
        0        1        1        0        | 0       0       0
        0        1        1        0        | 0       0       1
    """,
    )
