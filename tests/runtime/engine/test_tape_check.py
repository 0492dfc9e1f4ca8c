"""A tape that somebody made: no record of it may lead the replay out of its own memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from runtime.engine.force_list import Note, put_force
from runtime.engine.force_tables import E_NAME, FORCE_WORDS, number_of
from runtime.engine.replay import Player, picture_of
from runtime.engine.replay_run import ReplayError, TapeRun
from runtime.engine.tape_check import first_wrong
from runtime.engine.tape_file import _HEADER, DATA, HEAD, Block, Span, TapeFile, pack, pack_object
from runtime.engine.tape_read import records
from runtime.engine.tape_words import (
    A_PICTURE,
    A_SCAN,
    COMMAND_RECORD,
    HEAD_WORDS,
    PICTURE_WORDS,
    R_CHANGES,
    R_COMMANDS,
    R_INBOX,
    R_KIND,
    R_LENGTH,
    R_MEMORY,
    R_REGISTERS,
    REGISTERS,
)
from tests.aids.recorded import TapedBench
from tests.aids.site_text import load_all

POINTS, INBOX = 4, 100
SCAN = 0
PICTURE = HEAD_WORDS + COMMAND_RECORD + 3 * 2


def a_tape() -> np.ndarray:
    """A scan with a command and two changed inputs, then a picture."""
    scan = np.zeros(PICTURE, np.int64)
    scan[[R_LENGTH, R_KIND, R_COMMANDS, R_CHANGES]] = (len(scan), A_SCAN, 1, 2)
    scan[HEAD_WORDS + COMMAND_RECORD :][:2] = (0, 3 | (192 << 32))
    picture = np.zeros(PICTURE_WORDS + len(REGISTERS) + 13 + 3, np.int64)
    picture[[R_LENGTH, R_KIND, R_REGISTERS, R_INBOX, R_MEMORY]] = (len(picture), A_PICTURE, len(REGISTERS), INBOX, 20)
    return np.concatenate([scan, picture])


def test_records_as_they_are_written_are_good() -> None:
    assert first_wrong(a_tape(), POINTS, INBOX) == -1
    assert first_wrong(a_tape()[:0], POINTS, INBOX) == -1


@pytest.mark.parametrize(
    ("at", "value", "wrong"),
    [
        (R_LENGTH, 0, SCAN),
        (R_LENGTH, -5, SCAN),
        (R_LENGTH, 1 << 40, SCAN),
        (R_LENGTH, PICTURE - 1, SCAN),
        (R_KIND, 3, SCAN),
        (R_COMMANDS, -1, SCAN),
        (R_COMMANDS, 1 << 62, SCAN),
        (R_CHANGES, 3, SCAN),
        (HEAD_WORDS, 8, SCAN),
        (HEAD_WORDS, -1, SCAN),
        (HEAD_WORDS + COMMAND_RECORD, POINTS, SCAN),
        (HEAD_WORDS + COMMAND_RECORD, -1, SCAN),
        (PICTURE + R_REGISTERS, 12, PICTURE),
        (PICTURE + R_INBOX, INBOX + 1, PICTURE),
        (PICTURE + R_MEMORY, 1 << 62, PICTURE),
        (PICTURE + R_MEMORY, 25, PICTURE),
        (PICTURE + R_LENGTH, 4, PICTURE),
    ],
)
def test_a_record_that_is_none_is_found(at: int, value: int, wrong: int) -> None:
    words = a_tape()
    words[at] = value
    assert first_wrong(words, POINTS, INBOX) == wrong


def test_a_record_that_ends_in_its_head_is_found() -> None:
    assert first_wrong(a_tape()[:3], POINTS, INBOX) == 0


def test_a_block_unpacks_to_what_it_says_and_no_more(tmp_path: Path) -> None:
    path, block = tmp_path / "x.tape", pack(DATA, bytes(50_000_000))
    path.write_bytes(block)
    assert len(next(TapeFile(path).blocks()).words) == 50_000_000 // 8
    bomb = Block(DATA, Span(), block[_HEADER.size :], 800)
    assert len(bomb.packed) < 100_000
    tracemalloc.start()
    _ = bomb.words
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()
    with pytest.raises(ValueError, match="has 50000000"):
        _ = Block(DATA, Span(), bomb.packed, 50_000_001).words


@pytest.mark.parametrize(
    ("blocks", "said"),
    [
        (lambda: pack(DATA, bytes(8)), "before it says of which program"),
        (lambda: pack(DATA, bytes(9)), "no tape that can be played"),
        (lambda: pack_object(HEAD, {"format": 2, "site": "x", "digest": "d", "session": 1}), "another version"),
        (lambda: pack_object(HEAD, [1]), "another version"),
        (lambda: pack_object(HEAD, {"site": "x"}), "of which program"),
        (lambda: pack(HEAD, b"\xff"), "no tape that can be played"),
    ],
)
def test_a_made_up_file_is_refused_in_words(blocks: Callable[[], bytes], said: str, tmp_path: Path) -> None:
    path = tmp_path / "x.tape"
    path.write_bytes(blocks())
    with pytest.raises(ReplayError, match=said):
        list(TapeRun([path]).rows())


def test_a_force_of_a_picture_holds_its_tag_whatever_name_was_forged(tmp_path: Path) -> None:
    site = "tasks: {main: {interval: 10 ms, programs: [p]}}\ntags: {x.a: {type: LREAL}, x.b: {type: BOOL}}\n"
    bench = TapedBench(tmp_path, load_all({"config/site.yaml": site, "programs/p.yaml": "program: p\n"}))
    schedule, ring = bench.schedule, bench.commands("hmi")
    bench.scan(2)
    put_force(ring, tmp_path, schedule.tag("x.a"), 9.5, Note("eva", "hmi", "a test", 0), "engineer")
    bench.scan(2)
    bench.reader.ask()
    bench.scan(3)
    words = bench.words
    at = [at for at, kind in records(words) if kind == A_PICTURE][-1]
    picture_of(words, at).forces.reshape(-1, FORCE_WORDS)[1, E_NAME] = number_of(schedule.tag("x.b"))
    player = Player(schedule)
    player.restore(picture_of(words, at))
    player.play(words, at + int(words[at + R_LENGTH]))
    initial, memory = schedule.initial, player.plan.memory
    a, b = (schedule.tag(name).offset for name in ("x.a", "x.b"))
    assert memory[a : a + 8].view(np.float64)[0] == 9.5
    assert np.array_equal(memory[b : b + 8], initial[b : b + 8]), "a BOOL, into which 8 bytes do not go"
