"""The tags that every site has without being asked: those of the scan (`plc.scan`) and those of each device (`device.rack1.lost`).

Names, types, units and sentences only: it must not know who fills them.
"""

from __future__ import annotations

SYSTEM_TAGS: tuple[tuple[str, str, str, str], ...] = (
    ("plc.state", "DINT", "", "State of the scan: 0 starting, 1 running, 2 safe (stopped), 3 outputs inhibited"),
    ("plc.scan", "LINT", "", "Number of scans since start"),
    ("plc.first_scan", "BOOL", "", "True in the first scan only"),
    ("plc.time", "LINT", "ns", "Wall clock (UTC, since 1970) as latched by this scan"),
    ("plc.digest", "LINT", "", "First 63 bits of the running program's SHA-256"),
    ("plc.overruns", "LINT", "", "Scans that ended after the next was due, since the last reset"),
    ("plc.overruns_in_a_row", "LINT", "", "Late scans without one in time between"),
    ("plc.missed", "LINT", "", "Ticks skipped because a scan was late"),
    ("plc.late_us", "LREAL", "us", "How late this scan started"),
    ("plc.late_max_us", "LREAL", "us", "Latest start since the last reset"),
    ("plc.late_p99_us", "LREAL", "us", "99 % of the scans started no later than this"),
    ("plc.period_us", "LREAL", "us", "Time between the starts of this scan and the one before"),
    ("plc.scan_us", "LREAL", "us", "Duration of the last whole scan"),
    ("plc.scan_max_us", "LREAL", "us", "Longest scan since the last reset"),
    ("plc.latch_us", "LREAL", "us", "Duration of the step latch"),
    ("plc.command_us", "LREAL", "us", "Duration of the step command"),
    ("plc.run_us", "LREAL", "us", "Duration of the step run"),
    ("plc.publish_us", "LREAL", "us", "Duration of the step publish"),
    ("plc.not_finite", "LINT", "", "Outputs replaced by their safe value because the program gave no finite number"),
    ("plc.bad_inputs", "DINT", "", "Input tags that are not good"),
    ("plc.torn", "LINT", "", "Inboxes left for the next scan because they were being written"),
    ("plc.forced", "DINT", "", "Forces that hold now"),
    ("plc.alarms_warning", "DINT", "", "Alarms of severity warning that stood at the end of the last scan"),
    ("plc.alarms_error", "DINT", "", "Alarms of severity error that stood at the end of the last scan"),
    ("plc.alarms_critical", "DINT", "", "Alarms of severity critical that stood at the end of the last scan"),
    ("plc.first_out", "DINT", "", "The error or critical alarm that came first since none of the two stood, 0 before the first"),
)
# The tags `device.NAME.x` of every device, beside one LINT for each kind of error and one BOOL for each condition.
DEVICE_TAGS: tuple[tuple[str, str, str, str], ...] = (
    ("state", "DINT", "", "State of the device: 0 closed, 1 connecting, 2 online, 3 degraded, 4 lost"),
    ("lost", "BOOL", "", "The device does not answer"),
    ("round_trip", "LREAL", "ms", "Time between the last request and its answer, 0 where nothing is asked"),
    ("exchanges", "LINT", "", "Answers or frames taken since the start"),
    ("errors", "LINT", "", "Errors of all kinds since the start"),
    ("last_good", "LINT", "ns", "Wall clock (UTC, since 1970) of the last good answer or frame, 0 before the first"),
)
DEVICE_STATES = ("closed", "connecting", "online", "degraded", "lost")
STATES = ("starting", "running", "safe", "inhibited")
