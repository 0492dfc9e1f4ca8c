"""The shared image: rings are taken whole or not at all, foreign files are refused, commands are answered in order."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from runtime.engine.image import (
    HEADER,
    SLOTS,
    ImageError,
    Shared,
    address_of,
    ring_close,
    ring_open,
    ring_read,
    ring_size,
)
from runtime.engine.south import _publish

PAYLOAD = 4096


def fill(ring: int, value: int) -> None:
    """Publish a slot whose every word is `value`."""
    source = np.full(PAYLOAD // 8, value, np.int64)
    _publish(ring, PAYLOAD, address_of(source))


def ring_in(folder: Path) -> Shared:
    return Shared.create(folder / "ring", ring_size(PAYLOAD), generation=7)


def test_a_reader_sees_the_newest_slot_once(tmp_path: Path) -> None:
    shared = ring_in(tmp_path)
    ring, target = shared.address + HEADER, np.zeros(PAYLOAD // 8, np.int64)
    assert ring_read(ring, PAYLOAD, address_of(target), 0) == 0
    fill(ring, 11)
    fill(ring, 12)
    assert ring_read(ring, PAYLOAD, address_of(target), 0) == 2
    assert set(target) == {12}
    assert ring_read(ring, PAYLOAD, address_of(target), 2) == 2


def test_a_slot_that_is_being_written_is_never_taken(tmp_path: Path) -> None:
    shared = ring_in(tmp_path)
    ring, target = shared.address + HEADER, np.zeros(PAYLOAD // 8, np.int64)
    for value in range(SLOTS):
        fill(ring, value)
    ring_open(ring, PAYLOAD)
    assert ring_read(ring, PAYLOAD, address_of(target), 0) == SLOTS, "an open slot is not the newest one"
    newest = ring_read(ring, PAYLOAD, address_of(target), 0)
    stride = (ring_size(PAYLOAD) - 64) // SLOTS
    slot = (HEADER + 64 + newest % SLOTS * stride) // 8
    shared.memory.view(np.int64)[slot] = 0
    assert ring_read(ring, PAYLOAD, address_of(target), 0) == -1
    ring_close(ring, PAYLOAD)


WRITER = """
import sys, numpy as np
from pathlib import Path
from runtime.engine.image import *
from runtime.engine.south import _publish
shared = Shared.create(Path(sys.argv[1]), ring_size(4096), 7)
words = np.zeros(512, np.int64)
for value in range(1, 400_000):
    words[:] = value
    _publish(shared.address + HEADER, 4096, address_of(words))
"""


def test_no_reader_in_another_process_ever_sees_a_mixed_slot(tmp_path: Path) -> None:
    path = tmp_path / "ring"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], cwd=Path(__file__).parents[3])
    while not path.exists():
        assert writer.poll() is None
    shared = Shared.attach(path, 7)
    target, seen, taken = np.zeros(PAYLOAD // 8, np.int64), 0, 0
    while writer.poll() is None:
        number = ring_read(shared.address + HEADER, PAYLOAD, address_of(target), max(seen, 0))
        if number not in (-1, seen):
            assert number > seen
            assert target[0] == number
            assert (target == target[0]).all()
            seen, taken = number, taken + 1
    assert writer.returncode == 0
    assert taken > 100


@pytest.mark.parametrize(("content", "message"), [(b"", "0 bytes long"), (b"x" * 8192, "no shared image"), (None, "No such file")])
def test_a_file_that_is_no_image_is_refused(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "odd"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ImageError, match=message):
        Shared.attach(path, 7)


def test_an_image_of_another_program_is_refused(tmp_path: Path) -> None:
    ring_in(tmp_path)
    with pytest.raises(ImageError, match="another program"):
        Shared.attach(tmp_path / "ring", 8)


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    ring_in(tmp_path)
    shared = Shared.attach(tmp_path / "ring", 7)
    assert not shared.memory.flags.writeable


def test_a_restarted_writer_is_told_from_the_one_before(tmp_path: Path) -> None:
    first = ring_in(tmp_path)
    reader = Shared.attach(tmp_path / "ring", 7)
    second = ring_in(tmp_path)
    assert not reader.is_current()
    assert first.session != second.session
    first.remove()
    assert second.is_current(), "the older writer must not take the newer one's file away"
    assert (tmp_path / "ring").stat().st_mode & 0o777 == 0o600


def test_a_reader_that_exits_leaves_the_file_alone(tmp_path: Path) -> None:
    ring_in(tmp_path)
    code = f"from pathlib import Path; from runtime.engine.image import Shared; Shared.attach(Path({str(tmp_path / 'ring')!r}), 7)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[3])
    assert (tmp_path / "ring").exists()


def test_publishing_goes_on_while_another_thread_reads(tmp_path: Path) -> None:
    shared = ring_in(tmp_path)
    ring = shared.address + HEADER
    stop = threading.Event()
    wrong: list[int] = []

    def read() -> None:
        target, seen = np.zeros(PAYLOAD // 8, np.int64), 0
        while not stop.is_set():
            number = ring_read(ring, PAYLOAD, address_of(target), seen)
            if number > 0 and number != seen:
                seen = number
                if not (target == target[0]).all():
                    wrong.append(number)

    reader = threading.Thread(target=read)
    reader.start()
    for value in range(20_000):
        fill(ring, value)
    stop.set()
    reader.join()
    assert wrong == []
    assert os.path.getsize(tmp_path / "ring") == len(shared.memory)
