"""The journal: log lines arrive in order; a broken or blocked end costs lines, never time and never an exception."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runtime.journal import FOLDER, MOST_LINES, Journal, LogFile


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


def lines_of(folder: Path) -> list[list[str]]:
    """The lines of each file, the newest file first."""
    files = sorted(folder.glob("a.log*"), key=lambda path: int(path.suffix[1:]) if path.suffix != ".log" else 0)
    return [path.read_text().splitlines() for path in files]


def test_a_kept_log_is_bounded_and_its_lines_are_whole(tmp_path: Path) -> None:
    kept = LogFile(tmp_path / "a.log", largest=100, older=2)
    for number in range(50):
        kept.write(b"line %02d of ten\n" % number)  # 15 bytes: six fill a file
    assert lines_of(tmp_path) == [
        [f"line {n:02} of ten" for n in range(48, 50)],
        [f"line {n:02} of ten" for n in range(42, 48)],
        [f"line {n:02} of ten" for n in range(36, 42)],
    ]


def test_a_line_in_two_pieces_is_written_once_it_is_whole(tmp_path: Path) -> None:
    kept = LogFile(tmp_path / "a.log")
    kept.write(b"first ")
    assert not (tmp_path / "a.log").exists()
    kept.write(b"half\nsecond\n")
    assert lines_of(tmp_path) == [["first half", "second"]]


def test_a_log_goes_on_where_the_power_was_cut_and_after_its_folder_was_cleared(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"whole\nha")
    kept = LogFile(tmp_path / "a.log")
    kept.write(b"next\n")
    assert lines_of(tmp_path) == [["whole", "ha", "next"]]
    (tmp_path / "a.log").unlink()
    kept.write(b"new\n")
    assert lines_of(tmp_path) == [["new"]]


FULL = """
import resource, signal, sys
from pathlib import Path
from runtime.journal import LogFile
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (25, resource.RLIM_INFINITY))  # a disk with 25 bytes left
kept, lost = LogFile(Path(sys.argv[1])), 0
for _ in range(4):
    try:
        kept.write(b"ten bytes\\n")
    except OSError:
        lost += 1
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
kept.write(b"room again\\n")
print(lost)
"""


def test_a_full_disk_costs_whole_lines_and_none_is_cut(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FULL, str(tmp_path / "a.log")], capture_output=True, text=True, check=True)
    assert done.stdout == "2\n"
    assert lines_of(tmp_path) == [["ten bytes", "ten bytes", "room again"]]


def test_what_a_held_terminal_does_not_take_is_kept_all_the_same(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    room = fcntl.fcntl(writer, fcntl.F_GETPIPE_SZ)
    os.write(writer, b"x" * room)
    journal = Journal(writer, LogFile(tmp_path / "a.log"))
    journal.write("kept\n")
    until = time.monotonic() + 5
    while not (tmp_path / "a.log").exists() or not lines_of(tmp_path)[0]:
        assert time.monotonic() < until
        time.sleep(0.005)
    assert lines_of(tmp_path) == [["kept"]]
    os.read(reader, room)
    journal.close()


@pytest.mark.parametrize("is_named", [True, False], ids=["of a site", "by hand"])
def test_a_process_of_a_site_keeps_its_log_under_the_name_of_its_package(tmp_path: Path, is_named: bool) -> None:
    folder = tmp_path / "plant" / "fieldbus"
    folder.mkdir(parents=True)
    (folder / "process.py").write_text("from runtime.journal import kept_log\nprint(getattr(kept_log(), 'path', None))\n")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{Path(__file__).parents[2]}"}
    environment.pop(FOLDER, None)
    if is_named:
        environment[FOLDER] = "/var/log/site"
    command = [sys.executable, "-m", "plant.fieldbus.process"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ("/var/log/site/fieldbus.log" if is_named else "None")
