"""The records' file: killed writers, broken and full disks, read-only ones, many processes, and what it takes of the disk."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from runtime.servers.records.states import AlarmState
from runtime.servers.records.store import Records
from tests.aids.servers_process import eventually
from tests.aids.servers_records import EVA, raise_alarm, state_of, with_alarms, wrote

ROOT = Path(__file__).parents[4]


def test_what_was_dropped_is_given_back_to_the_disk_and_to_look_for_it_costs_little(tmp_path: Path) -> None:
    records = Records(tmp_path)
    for n in range(20):
        records._write_deeds([wrote("t" * 100, n, k) for k in range(1000)])
    began = time.perf_counter()
    for _ in range(20):
        assert not records.trim()
    assert time.perf_counter() - began < 20 * 2e-3 * 5, "a look a second must not read the whole table"
    with records.file.reading() as connection:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        while records.trim(most=1000):
            pass
        (left,) = connection.execute("PRAGMA page_count").fetchone()
    assert left < pages / 5
    records.close()


@pytest.mark.parametrize("is_running", [True, False])
def test_what_is_on_a_disk_that_became_read_only_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_running: bool
) -> None:
    before = with_alarms(tmp_path, "hot")
    raise_alarm(before, "hot")
    if not is_running:
        before.close()
    real = os.access
    # access(2): EROFS where writing is asked for on a read-only file system, also of root
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK and real(path, mode))
    records = Records(tmp_path, is_strict=True)
    assert [state.active for state in records.alarms()] == [True]
    assert "readonly" in records.acknowledge("hot", EVA)
    monkeypatch.undo()
    assert records.acknowledge("hot", EVA) == "", "written as soon as that is possible again"
    records.close()
    before.close()


WRITER = """
import sys, time
from runtime.servers.audit import Deed, Who
from runtime.servers.records.store import Change, Records
records = Records(sys.argv[1])
n = int(sys.argv[2])
while True:
    n += 1
    records.keep(Deed("cli", Who("eva", "admin", "x"), "write", f"t{n % 50}", "taken", True, 0, n - 1, n, n))
    records.change([Change(f"a{n % 5}", n, bool(n // 5 % 2))])
    records.past.trim(3600, 1000)
    print(n, flush=True)
"""


@pytest.mark.slow
def test_a_writer_killed_at_any_moment_leaves_a_good_file(tmp_path: Path) -> None:
    records = with_alarms(tmp_path, *(f"a{n}" for n in range(5)))
    reached = 0
    for turn in range(5):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(reached)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None
            reached = int(writer.stdout.readline())
            time.sleep(0.03 * (turn + 1))
            writer.kill()
            reached = max([reached, *(int(line) for line in writer.stdout.read().splitlines() if line.isdigit())])
        assert sqlite3.connect(tmp_path / "records.sqlite").execute("PRAGMA integrity_check").fetchone() == ("ok",)
        numbers = [event.number for event in records.events_after(0, 1_000_000)]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        raise_alarm(records, "a0", not state_of(records, "a0").active)
    assert len(records.events_after(0, 1_000_000)) > 20 and len(records.deeds(limit=10**6)) > 20
    assert not list(tmp_path.glob("*broken*"))


@pytest.mark.parametrize("damage", ["header", "pages", "no database at all"])
def test_a_broken_file_is_set_aside_and_another_begun(tmp_path: Path, damage: str, capfd: pytest.CaptureFixture[str]) -> None:
    records = with_alarms(tmp_path, *(f"alarm_{n}" for n in range(300)))
    raise_alarm(records, "alarm_7")
    newest = records.newest_event()
    records.close()
    path = tmp_path / "records.sqlite"
    text = bytearray(path.read_bytes())
    if damage == "pages":
        text[4096:] = b"\x55" * (len(text) - 4096)
    else:
        text[:100] = b"no SQLite at all" * 6 + b"    "
    damaged = bytes(text) if damage != "no database at all" else b"rubbish" * 1000
    path.write_bytes(damaged)
    records, other = Records(tmp_path), Records(tmp_path)
    for _ in range(2):
        assert records.alarms() == other.alarms() == []
    records.declare([AlarmState("alarm_7")], confirm=False)
    raise_alarm(records, "alarm_7")
    assert [event.alarm for event in other.events_after(newest)] == ["alarm_7"], "numbers go on above the lost ones"
    (aside,) = tmp_path.glob("records.broken-2*.sqlite")
    assert aside.read_bytes() == damaged, "whoever wants to rescue something finds it as it was"
    assert "a new file is begun" in capfd.readouterr().out


def test_another_process_notices_that_the_file_was_set_aside(tmp_path: Path) -> None:
    mine, other = with_alarms(tmp_path, "hot"), Records(tmp_path)
    assert other.alarms() and mine.alarms()
    mine.file._set_aside("test", mine.file.identity())
    mine.declare([AlarmState("cold")], confirm=False)
    assert [state.name for state in other.alarms()] == ["cold"]
    other.keep(wrote("t", 1))
    assert other.flush() and mine.deeds()
    assert sqlite3.connect(tmp_path / "records.sqlite").execute("PRAGMA integrity_check").fetchone() == ("ok",)


FULL = """
import json, resource, signal, sys, time
from runtime.servers.audit import Deed, Who
from runtime.servers.records import file, store, writer
from runtime.servers.records.store import Change, Records
writer.RETRY_S = 0.05
store.ROOM = 500
records = Records(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
longest = 0
for n in range(4000):
    began = time.perf_counter()
    records.keep(Deed("cli", Who("eva", "admin", "x" * 500), "write", "t", "taken", True, 0, n - 1, n, n))
    longest = max(longest, time.perf_counter() - began)
    if n % 20 == 0: time.sleep(0.001)
records.flush(1)
full = records.dropped
refusal = records.acknowledge("hot", Who("eva", "admin", "x"), "c" * 900)
for n in range(400):
    if refusal: break
    refusal = records.comment("hot", Who("eva", "admin", "x"), "c" * 900)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
recovered = records.flush(10)
print("RESULT" + json.dumps([longest, full, refusal, recovered, records.acknowledge("hot", Who("eva", "admin", "x"))]))
"""


@pytest.mark.slow
def test_a_full_disk_drops_and_counts_and_costs_nobody_anything(tmp_path: Path) -> None:
    records = with_alarms(tmp_path, "hot")
    raise_alarm(records, "hot")
    run = subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    (line,) = [line for line in run.stdout.splitlines() if line.startswith("RESULT")]
    longest, dropped, refusal, recovered, _ = json.loads(line.removeprefix("RESULT"))
    assert dropped > 0 and longest < 0.5
    assert refusal.startswith("the records cannot be used: ")
    assert recovered, "with room again, what waited is written"
    said = [one for one in run.stdout.splitlines() if "records" in one and not one.startswith("RESULT")]
    assert 1 <= len(said) <= 8, "sparingly"
    assert sqlite3.connect(tmp_path / "records.sqlite").execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_folder_that_cannot_be_written_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("not a folder")
    records = Records(tmp_path / "file" / "state")
    records.keep(wrote("t", 1))
    assert records.alarms() == [] and records.deeds() == [] and records.recorded() == frozenset()
    assert records.acknowledge("hot", EVA).startswith("the records cannot be used")
    monkeypatch.setattr("runtime.servers.records.writer.LAST_PATIENCE_S", 0.1)
    records.close()


def test_readers_see_one_picture_while_it_is_trimmed(tmp_path: Path) -> None:
    records = Records(tmp_path)
    for n in range(9000):
        records.keep(wrote("t", n, n))
    assert records.flush(20)
    done = threading.Event()
    pictures = []

    def read() -> None:
        while not done.is_set():
            pictures.append([deed.scan for deed in records.deeds(limit=10_000)])

    thread = threading.Thread(target=read)
    thread.start()
    eventually(lambda: pictures)
    while records.trim(most=100):
        pass
    done.set()
    thread.join()
    for scans in pictures:
        assert scans == list(range(8999, 8999 - len(scans), -1)) and len(scans) >= 100


def test_a_visitor_who_leaves_does_not_take_the_log_from_whoever_has_two_connections_open(tmp_path: Path) -> None:
    """SQLite, "How to corrupt a database", 2.2: to close any descriptor of a file drops the locks that the process has on it."""
    mine = with_alarms(tmp_path, "hot")
    with mine.file.reading(), mine.file.reading():
        pass
    visit = "from runtime.servers.records.store import Records; r = Records(FOLDER); print(r.alarms()[0].count); r.close()"
    visitor = [sys.executable, "-c", visit.replace("FOLDER", repr(str(tmp_path)))]
    seen = []
    for _ in range(2):
        seen.append(subprocess.run(visitor, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
        raise_alarm(mine, "hot")
    assert seen == ["0\n", "1\n"]
    mine.close()
