"""Monitors of IEC 61131-3, 2nd edition, annex F: limits of a measurement, and commands that must be confirmed."""

from __future__ import annotations

from blocks.arithmetic import is_nan, max, min
from blocks.declare import BOOL, LREAL, TIME, Example, Input, Output, Var, block

ANNEX = "IEC 61131-3:2003 (2nd edition), annex F, "


@block(source=ANNEX + "LIMITS_ALARM")
class LIMITS_ALARM:
    """A high and a low alarm on one value, each with a gap of EPS until it goes off again; ALARM_LIMIT has four and a delay.

    QH is on above H and off at H - EPS and below, QL on below L and off at L + EPS and above. A NaN on X or on a limit is an alarm
    as long as it lasts; an infinite limit is off.
    """

    H = Input(LREAL, "high limit", unit="{X}")
    X = Input(LREAL, "value that is watched", unit="{X}")
    L = Input(LREAL, "low limit", unit="{X}")
    EPS = Input(LREAL, "how far the value must come back", unit="{X}", default=0.0, min=0, difference=True)
    QH = Output(BOOL, "X is too high, or unknown")
    Q = Output(BOOL, "QH or QL")
    QL = Output(BOOL, "X is too low, or unknown")
    high = Var(BOOL, "X was above H and is not back by EPS")
    low = Var(BOOL, "X was below L and is not back by EPS")

    def step(fb, dt):
        gap = max(fb.EPS, 0.0)
        over = not fb.X <= fb.H - (gap if fb.high else 0.0)
        under = not fb.X >= fb.L + (gap if fb.low else 0.0)
        fb.QH = over
        fb.QL = under
        fb.Q = over or under
        # a NaN does not move the gaps: it is gone with its scan
        fb.high = fb.high if is_nan(fb.X + fb.H) else over
        fb.low = fb.low if is_nan(fb.X + fb.L) else under

    example = Example(
        H=80.0,
        L=20.0,
        EPS=5.0,
        table="""
        X   | QH Q QL
        50  | 0  0 0
        80  | 0  0 0
        81  | 1  1 0
        76  | 1  1 0       # not back by EPS
        75  | 0  0 0
        nan | 1  1 1
        76  | 0  0 0
        19  | 0  1 1
        24  | 0  1 1
        25  | 0  0 0
    """,
    )


@block(source=ANNEX + "ANALOG_MONITOR and ANALOG_LIMITS")
class ANALOG_MONITOR:
    """Four pairs of limits around one measurement: beyond the signal, beyond the measuring range, alarm, warning.

    ME is hidden by SE and WARN by ALRM, so that they name the worst. ALRM is hidden by nothing: a trip wired to it must not fall
    when the value goes even further. A NaN is a signal error and an alarm, and a limit that is NaN is passed; both are gone with
    their scan. ALRM and WARN go off EPS inside their limits.
    """

    X = Input(LREAL, "measurement", unit="{X}")
    HS = Input(LREAL, "highest possible signal", unit="{X}")
    HM = Input(LREAL, "high end of the measuring range", unit="{X}")
    HA = Input(LREAL, "high alarm", unit="{X}")
    HW = Input(LREAL, "high warning", unit="{X}")
    LW = Input(LREAL, "low warning", unit="{X}")
    LA = Input(LREAL, "low alarm", unit="{X}")
    LM = Input(LREAL, "low end of the measuring range", unit="{X}")
    LS = Input(LREAL, "lowest possible signal", unit="{X}")
    EPS = Input(LREAL, "how far the value must come back from alarm and warning", unit="{X}", default=0.0, min=0, difference=True)
    SE = Output(BOOL, "signal error: no transmitter sends this")
    ME = Output(BOOL, "measurement error: outside the measuring range, and no SE")
    ALRM = Output(BOOL, "beyond an alarm limit, also while SE or ME")
    WARN = Output(BOOL, "beyond a warning limit, and no ALRM")
    QH = Output(BOOL, "it is a high limit that is passed")
    high_alarm = Var(BOOL, "X was above HA and is not back by EPS")
    low_alarm = Var(BOOL, "X was below LA and is not back by EPS")
    high_warning = Var(BOOL, "X was above HW and is not back by EPS")
    low_warning = Var(BOOL, "X was below LW and is not back by EPS")

    def step(fb, dt):
        gap = max(fb.EPS, 0.0)
        over_signal = not fb.X <= fb.HS
        over_range = not fb.X <= fb.HM
        over_alarm = not fb.X <= fb.HA - (gap if fb.high_alarm else 0.0)
        over_warning = not fb.X <= fb.HW - (gap if fb.high_warning else 0.0)
        under_alarm = not fb.X >= fb.LA + (gap if fb.low_alarm else 0.0)
        under_warning = not fb.X >= fb.LW + (gap if fb.low_warning else 0.0)
        fb.SE = over_signal or not fb.X >= fb.LS
        fb.ME = (over_range or not fb.X >= fb.LM) and not fb.SE
        fb.ALRM = over_alarm or under_alarm or fb.SE
        fb.WARN = (over_warning or under_warning) and not fb.ALRM
        fb.QH = over_signal or over_range or over_alarm or over_warning
        fb.high_alarm = fb.high_alarm if is_nan(fb.X + fb.HA) else over_alarm
        fb.low_alarm = fb.low_alarm if is_nan(fb.X + fb.LA) else under_alarm
        fb.high_warning = fb.high_warning if is_nan(fb.X + fb.HW) else over_warning
        fb.low_warning = fb.low_warning if is_nan(fb.X + fb.LW) else under_warning

    example = Example(
        HS=110.0,
        HM=100.0,
        HA=90.0,
        HW=80.0,
        LW=20.0,
        LA=10.0,
        LM=0.0,
        LS=-10.0,
        EPS=2.0,
        table="""
        X   | SE ME ALRM WARN QH
        50  | 0  0  0    0    0
        85  | 0  0  0    1    1
        95  | 0  0  1    0    1
        105 | 0  1  1    0    1
        115 | 1  0  1    0    1
        89  | 0  0  1    0    1       # not back by EPS
        79  | 0  0  0    1    1
        50  | 0  0  0    0    0
        15  | 0  0  0    1    0
        nan | 1  0  1    0    1
        50  | 0  0  0    0    0
    """,
    )


@block(source=ANNEX + "CMD_MONITOR")
class CMD_MONITOR:
    """A command that a device must confirm: ALRM if FDBK is missing T_CMD_MAX after CMD, or goes missing later.

    In automatic CMD is AUTO_CMD, else MAN_CMD with MAN_CMD_CHK as its second, opposite contact: only both together command. ALRM
    stays until a rising edge of ACK, and ACK does nothing while the fault lasts. Short commands hide nothing: where they have
    lasted for three times T_CMD_MAX in all and FDBK was never seen, that alarms, too; a pause takes away an eighth of its length. A
    feedback without a command is not watched.
    """

    AUTO_CMD = Input(BOOL, "command in automatic")
    AUTO_MODE = Input(BOOL, "automatic")
    MAN_CMD = Input(BOOL, "command by hand", default=False)
    MAN_CMD_CHK = Input(BOOL, "opposite contact of MAN_CMD", default=False)
    T_CMD_MAX = Input(TIME, "longest time from CMD to FDBK", min=0)
    FDBK = Input(BOOL, "the device confirms that it has done it")
    ACK = Input(BOOL, "acknowledges ALRM", default=False)
    CMD = Output(BOOL, "command to the device")
    ALRM = Output(BOOL, "the command was not confirmed")
    waited = Var(TIME, "time since CMD rose, held at T_CMD_MAX", volatile=True)
    unmet = Var(TIME, "time with CMD since FDBK was last seen, over all commands", volatile=True)
    was = Var(BOOL, "CMD one scan ago", volatile=True)
    was_ack = Var(BOOL, "ACK one scan ago; true at the start, so that a stuck signal is no edge", default=True, volatile=True)

    def step(fb, dt):
        fb.CMD = fb.AUTO_CMD if fb.AUTO_MODE else fb.MAN_CMD and not fb.MAN_CMD_CHK
        fb.waited = min(fb.waited + dt, fb.T_CMD_MAX) if fb.CMD and fb.was else 0
        fb.unmet = 0 if fb.FDBK else (fb.unmet + dt if fb.was else max(fb.unmet - (dt >> 3), 0))
        late = fb.waited >= fb.T_CMD_MAX or fb.unmet >= 3 * fb.T_CMD_MAX
        fb.ALRM = (fb.CMD and late and not fb.FDBK) or (fb.ALRM and not (fb.ACK and not fb.was_ack))
        fb.was = fb.CMD
        fb.was_ack = fb.ACK

    example = Example(
        AUTO_MODE=True,
        T_CMD_MAX="20ms",
        table="""
        AUTO_CMD FDBK ACK | CMD ALRM
        0        0    0   | 0   0
        1        0    0   | 1   0
        1        0    0   | 1   0
        1        1    0   | 1   0       # confirmed in time
        1        0    0   | 1   1       # confirmation lost
        1        0    1   | 1   1       # no ACK while it lasts
        0        0    0   | 0   1
        0        0    1   | 0   0
    """,
    )


@block(source=ANNEX + "FWD_REV_MON")
class FWD_REV_MON:
    """Two commands that exclude each other, each confirmed in time: open and close, charge and discharge, forward and reverse.

    Both at once are FWD_REV_ALRM, which takes both commands back and stays until ACK rises without both. A direction is not
    commanded while the feedback of the other one stands; if that stands for longer than the direction may take, it alarms as not
    confirmed. Each side else works as one command of CMD_MONITOR does. KLAXON is any of the three alarms.
    """

    AUTO = Input(BOOL, "automatic: AUTO_FWD and AUTO_REV command, else the two by hand")
    ACK = Input(BOOL, "acknowledges the alarms", default=False)
    AUTO_FWD = Input(BOOL, "forward in automatic")
    MAN_FWD = Input(BOOL, "forward by hand", default=False)
    MAN_FWD_CHK = Input(BOOL, "opposite contact of MAN_FWD", default=False)
    T_FWD_MAX = Input(TIME, "longest time from FWD_CMD to FWD_FDBK", min=0)
    FWD_FDBK = Input(BOOL, "forward is done")
    AUTO_REV = Input(BOOL, "reverse in automatic")
    MAN_REV = Input(BOOL, "reverse by hand", default=False)
    MAN_REV_CHK = Input(BOOL, "opposite contact of MAN_REV", default=False)
    T_REV_MAX = Input(TIME, "longest time from REV_CMD to REV_FDBK", min=0)
    REV_FDBK = Input(BOOL, "reverse is done")
    KLAXON = Output(BOOL, "any alarm")
    FWD_REV_ALRM = Output(BOOL, "both directions were commanded at once")
    FWD_CMD = Output(BOOL, "forward, to the device")
    FWD_ALRM = Output(BOOL, "forward was not confirmed")
    REV_CMD = Output(BOOL, "reverse, to the device")
    REV_ALRM = Output(BOOL, "reverse was not confirmed")
    fwd_waited = Var(TIME, "time since FWD_CMD rose, or since it waits for REV_FDBK, held at T_FWD_MAX", volatile=True)
    rev_waited = Var(TIME, "time since REV_CMD rose, or since it waits for FWD_FDBK, held at T_REV_MAX", volatile=True)
    fwd_was = Var(BOOL, "forward was wanted alone one scan ago", volatile=True)
    rev_was = Var(BOOL, "reverse was wanted alone one scan ago", volatile=True)
    was_ack = Var(BOOL, "ACK one scan ago; true at the start, so that a stuck signal is no edge", default=True, volatile=True)

    def step(fb, dt):
        fwd = fb.AUTO_FWD if fb.AUTO else fb.MAN_FWD and not fb.MAN_FWD_CHK
        rev = fb.AUTO_REV if fb.AUTO else fb.MAN_REV and not fb.MAN_REV_CHK
        kept = not (fb.ACK and not fb.was_ack)
        fb.FWD_REV_ALRM = (fwd and rev) or (fb.FWD_REV_ALRM and kept)
        fwd = fwd and not fb.FWD_REV_ALRM
        rev = rev and not fb.FWD_REV_ALRM
        fwd_cmd = fwd and not fb.REV_FDBK
        rev_cmd = rev and not fb.FWD_FDBK
        fwd_goes_on = fwd and fb.fwd_was and (fb.FWD_CMD or not fwd_cmd)
        rev_goes_on = rev and fb.rev_was and (fb.REV_CMD or not rev_cmd)
        fb.fwd_waited = min(fb.fwd_waited + dt, fb.T_FWD_MAX) if fwd_goes_on else 0
        fb.rev_waited = min(fb.rev_waited + dt, fb.T_REV_MAX) if rev_goes_on else 0
        fb.FWD_ALRM = (fwd and fb.fwd_waited >= fb.T_FWD_MAX and not fb.FWD_FDBK) or (fb.FWD_ALRM and kept)
        fb.REV_ALRM = (rev and fb.rev_waited >= fb.T_REV_MAX and not fb.REV_FDBK) or (fb.REV_ALRM and kept)
        fb.FWD_CMD = fwd_cmd
        fb.REV_CMD = rev_cmd
        fb.KLAXON = fb.FWD_ALRM or fb.REV_ALRM or fb.FWD_REV_ALRM
        fb.fwd_was = fwd
        fb.rev_was = rev
        fb.was_ack = fb.ACK

    example = Example(
        AUTO=True,
        T_FWD_MAX="20ms",
        T_REV_MAX="20ms",
        table="""
        AUTO_FWD AUTO_REV FWD_FDBK REV_FDBK ACK | FWD_CMD REV_CMD FWD_ALRM FWD_REV_ALRM KLAXON
        1        0        0        0        0   | 1       0       0        0            0
        1        0        1        0        0   | 1       0       0        0            0
        1        1        1        0        0   | 0       0       0        1            1
        1        0        1        0        0   | 0       0       0        1            1
        1        0        1        0        1   | 1       0       0        0            0
        1        0        1        0        0   | 1       0       0        0            0
        1        0        0        0        0   | 1       0       1        0            1
        0        0        0        0        1   | 0       0       0        0            0
    """,
    )
