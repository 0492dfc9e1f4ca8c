"""The journal: log lines arrive in order; a broken or blocked end costs lines, never time and never an exception."""

from __future__ import annotations

import fcntl
import os
import time

from runtime.journal import MOST_LINES, Journal


def test_lines_arrive_in_order() -> None:
    reader, writer = os.pipe()
    journal = Journal(writer)
    for number in range(100):
        print(number, file=journal, flush=True)
    journal.close()
    assert os.read(reader, 65536).split() == [str(n).encode() for n in range(100)]
    assert journal.dropped == 0


def test_a_reader_that_is_gone_costs_lines_only() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    journal = Journal(writer)
    print("safe values written", file=journal, flush=True)
    journal.close()
    assert journal.dropped > 0


def test_a_pipe_that_nobody_reads_does_not_hold_up_the_writer() -> None:
    _reader, writer = os.pipe()
    journal = Journal(writer)
    in_the_pipe = fcntl.fcntl(writer, fcntl.F_GETPIPE_SZ) // 101 + 1
    begun = time.monotonic()
    for _ in range(MOST_LINES + in_the_pipe + 100):
        journal.write("x" * 100 + "\n")
    assert journal.dropped > 0
    assert time.monotonic() - begun < 5


def test_a_full_disk_is_counted() -> None:
    journal = Journal(os.open("/dev/full", os.O_WRONLY))
    journal.write("line\n")
    journal.close()
    assert journal.dropped == 1
