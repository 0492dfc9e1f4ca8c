"""The words of a tape's records: what stands where.

A version reads the tapes of programs that have all of its system tags, and refuses any other (runtime/engine/program_check.py): a
system tag that is added ends the older tapes. Among those that are read nothing here may move.

Of a scan: HEAD_WORDS words, then ten a command (ring, answer, the ring's entry), then the inbox cells that changed, as three
columns: slot and quality, source time, value. Of a picture: PICTURE_WORDS words, then registers, the tasks' turns, which inputs
were ever good, forces (none where nothing is forced), inbox, memory.
"""

from __future__ import annotations

from runtime.engine.plan import (
    S_BAD_INPUTS,
    S_IN_A_ROW,
    S_INHIBIT,
    S_LAST_START,
    S_MISSED,
    S_NOT_FINITE,
    S_OVERRUNS,
    S_PERIOD,
    S_PROFILE,
    S_SCAN,
    S_STATE,
    S_TICK,
    S_TORN,
)

TAPE_FILE, REQUEST_FILE = "scan.tape", "recorder.request"
A_SCAN, A_PICTURE = 1, 2  # what a record is
# Words of every record, then those of a scan's, then those of a picture's.
R_LENGTH, R_KIND, R_SCAN, R_NOW, R_WALL = range(5)
(
    R_TICK,
    R_STATE,
    R_INHIBIT,
    R_OVERRUNS,
    R_IN_A_ROW,
    R_MISSED,
    R_TORN,
    R_LATE,
    R_LATE_MAX,
    R_PERIOD,
    R_SCAN_NS,
    R_SCAN_MAX,
    R_LATCH,
    R_COMMAND,
    R_RUN,
    R_PUBLISH,
    R_LATE_P99,
    R_CHECK,
    R_COMMANDS,
    R_CHANGES,
) = range(5, 25)
HEAD_WORDS = 25
COMMAND_RECORD, CHANGE_RECORD = 10, 3
R_MEMORY, R_INBOX, R_TASKS, R_POINTS, R_REGISTERS, R_FORCES = range(5, 11)
PICTURE_WORDS = 11
# The scan's registers in a picture. Where they stand in `Plan.state` may change; their order here may not: tapes have it.
REGISTERS = (
    S_SCAN,
    S_STATE,
    S_TICK,
    S_OVERRUNS,
    S_IN_A_ROW,
    S_MISSED,
    S_NOT_FINITE,
    S_BAD_INPUTS,
    S_TORN,
    S_PROFILE,
    S_INHIBIT,
    S_PERIOD,
    S_LAST_START,
)
# Words at the start of the ring: what is whole, and what is being written; the records begin a line later.
HEAD, BEGUN = 0, 1
LEAST_WORDS = 1 << 19
MOST_COMMANDS = 512
