"""Replays tapes from files: the program that they carry or an edited one, chunk by chunk, verified against recorded pictures.

It must not know how a person asks or is answered.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from blocks.declare import TYPES
from runtime.engine.carry import Program, carry_list, do_copies, find_turns
from runtime.engine.image import address_of
from runtime.engine.plan import A_INBOX_SIZE, I_RECEIVED
from runtime.engine.replay import Picture, Player, picture_of
from runtime.engine.replay_cells import Cell, all_cells
from runtime.engine.tape_check import first_wrong
from runtime.engine.tape_file import DATA, HEAD, NOTE, PROGRAM, Block, TapeFile
from runtime.engine.tape_program import ProgramError, blocks_of, from_text
from runtime.engine.tape_words import A_PICTURE, R_KIND, R_LENGTH, R_SCAN
from runtime.model import Schedule

FORMAT = 1
Choose = Callable[[Schedule], Sequence[Cell]]


class ReplayError(Exception):
    """The tape cannot be replayed; the text says why."""


@dataclass(frozen=True)
class Rows:
    """Scans that were run again: number, wall clock, whether the outputs were those recorded, and the bits of each cell."""

    scans: np.ndarray
    walls: np.ndarray
    equal: np.ndarray
    bits: np.ndarray
    cells: Sequence[Cell]
    schedule: Schedule


@dataclass
class Facts:
    """What was found on the way."""

    scans: int = 0
    took: float = 0.0  # seconds, of unpacking and running
    first: int = 0
    last: int = 0
    since: int = 0
    until: int = 0
    pictures: int = 0
    wrong_pictures: list[tuple[int, str]] = field(default_factory=list)  # scan, name of what differed first
    wrong_outputs: int = 0  # the first scan whose outputs were others than recorded, 0 for none
    gaps: list[tuple[int, int]] = field(default_factory=list)
    cuts: list[str] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    site: str = ""
    digests: list[str] = field(default_factory=list)
    edited_blocks: tuple[str, ...] = ()
    not_carried: tuple[str, ...] = ()

    @property
    def is_equal(self) -> bool:
        """Whether all that could be compared with the recording was the same, bit for bit."""
        return not self.wrong_pictures and not self.wrong_outputs


class TapeRun:
    """One replay of the tape in these files, oldest first. `edited` replaces the program that was recorded."""

    def __init__(self, paths: Sequence[Path], edited: Schedule | None = None, until: int = 0, chunk: int = 1000):
        self.facts = Facts()
        self._paths, self._edited, self._until, self._chunk = paths, edited, until, chunk
        self._programs: dict[str, Schedule] = {}
        self._recorded: Player | None = None
        self._player: Player | None = None
        self._cells: Sequence[Cell] = ()
        self._is_running = False
        self._met = 0  # the last scan of this scan process, played or shown by a picture
        self._head: dict[str, Any] = {}

    def rows(self, choose: Choose = lambda _: ()) -> Iterator[Rows]:
        """Run it all, watching the cells that are chosen of the program. Raises ReplayError and OSError."""
        for path in self._paths:
            file = TapeFile(path)
            for block in file.blocks():
                try:
                    yield from self._take(block, path, choose)
                except (ValueError, zlib.error) as error:
                    raise ReplayError(f"{path.name} is no tape that can be played: {error}") from error
            if file.cut:
                self.facts.cuts.append(file.cut)

    def _take(self, block: Block, path: Path, choose: Choose) -> Iterator[Rows]:
        if block.kind == NOTE:
            self.facts.notes.append(block.facts)
        elif block.kind == PROGRAM:
            self._learn(block.text)
        elif block.kind == HEAD:
            self._turn_to(_known_head(block.facts), path, choose)
        elif block.kind == DATA and not (self._until and block.span.since > self._until):
            begun = time.perf_counter()
            words = block.words
            self.facts.took += time.perf_counter() - begun
            yield from self._play(words)

    def _learn(self, text: str) -> None:
        try:
            schedule = from_text(text)
        except ProgramError as error:
            raise ReplayError(str(error)) from error
        self._programs[schedule.digest] = schedule

    def _turn_to(self, head: dict[str, Any], path: Path, choose: Choose) -> None:
        """A segment begins. One of the same scan process goes on where the one before ended."""
        before, self._head = self._head, head
        if before.get("session") != head["session"]:
            self._is_running, self._met = False, 0
        if self._recorded is not None and before.get("digest") == head["digest"]:
            return
        schedule = self._program_of(head["digest"], path)
        self._is_running = False
        self.facts.site = head["site"]
        self.facts.digests.append(head["digest"])
        now = blocks_of(schedule)
        self.facts.edited_blocks = tuple(name for name, was in head.get("blocks", {}).items() if now.get(name) != was)
        self._recorded = self._player = Player(schedule, chunk=self._chunk)
        if self._edited is not None:
            self._player = edited_player(schedule, self._edited, self._chunk)
        self._cells = list(choose(self._player.schedule))
        self._player.watch([cell.place for cell in self._cells])

    def _program_of(self, digest: str, path: Path) -> Schedule:
        for folder in (path.parent, path.parent.parent):
            beside = folder / "programs" / f"{digest}.program"
            if digest not in self._programs and beside.exists():
                for block in TapeFile(beside).blocks():
                    self._learn(block.text)
        if digest not in self._programs:
            raise ReplayError(f"{path.name}: its program {digest[:12]} is neither in it nor in `programs` beside it")
        return self._programs[digest]

    def _play(self, words: np.ndarray) -> Iterator[Rows]:
        if self._player is None or self._recorded is None:
            raise ReplayError("the tape has scans before it says of which program they are")
        at, facts, plan = 0, self.facts, self._recorded.plan
        wrong = int(first_wrong(words, plan.inbox_value.size, int(plan.places[A_INBOX_SIZE])))
        if wrong >= 0:
            raise ReplayError(f"the tape has no record of a scan or a picture where one should begin (word {wrong} of a block)")
        while at < len(words):
            scan = int(words[at + R_SCAN])
            if words[at + R_KIND] == A_PICTURE:
                self._meet(picture_of(words, at))
                at += int(words[at + R_LENGTH])
                continue
            if scan != facts.last + 1:
                self._is_running = False
            if not self._is_running:
                self._miss(scan)
                at += int(words[at + R_LENGTH])
                continue
            begun = time.perf_counter()
            at, rows = self._player.play(words, at)
            facts.took += time.perf_counter() - begun
            whole = _without_gap(rows[:, 0])
            if whole < len(rows):  # what came after the gap ran on a memory that was not its own: the next picture repairs it
                self._is_running = False
            yield self._told(rows[:whole])
            if whole < len(rows):
                self._miss(int(rows[-1, 0]))

    def _miss(self, scan: int) -> None:
        """The scans up to this one are not replayed: they are a gap, or more of it."""
        if not self._met or scan <= self._met:
            return
        if self.facts.gaps and self.facts.gaps[-1][0] == self._met:
            self.facts.gaps.pop()
        self.facts.gaps.append((self._met, scan + 1))

    def _told(self, rows: np.ndarray) -> Rows:
        facts = self.facts
        facts.first, facts.since = facts.first or int(rows[0, 0]), facts.since or int(rows[0, 1])
        self._met = facts.last = int(rows[-1, 0])
        facts.until = int(rows[-1, 1])
        facts.scans += len(rows)
        if self._edited is None and not facts.wrong_outputs and not rows[:, 2].all():
            facts.wrong_outputs = int(rows[int(np.argmin(rows[:, 2])), 0])
        assert self._player is not None
        return Rows(rows[:, 0].copy(), rows[:, 1].copy(), rows[:, 2].copy(), rows[:, 3:].copy(), self._cells, self._player.schedule)

    def _meet(self, picture: Picture) -> None:
        """A picture: to begin with, or to compare with."""
        assert self._player is not None and self._recorded is not None
        if self._is_running and picture.scan == self.facts.last:
            self.facts.pictures += 1
            if self._edited is None and not np.array_equal(picture.memory, self._player.plan.memory):
                self.facts.wrong_pictures.append((picture.scan, self._first_wrong(picture.memory)))
                self._player.restore(picture)
            return
        self._miss(picture.scan)
        self._recorded.restore(picture)
        if self._player is not self._recorded:
            self.facts.not_carried = take_over(self._recorded, self._player)
        self.facts.last = self._met = picture.scan
        self._is_running = True

    def _first_wrong(self, memory: np.ndarray) -> str:
        assert self._player is not None
        places = np.flatnonzero(memory != self._player.plan.memory)
        cells = sorted(all_cells(self._player.schedule), key=lambda cell: cell.offset)
        name = next((cell.name for cell in reversed(cells) if cell.offset <= places[0]), "memory")
        return f"{name} ({len(places)} bytes differ)"


def _known_head(head: Any) -> dict[str, Any]:
    """What a segment says of itself. Raises ValueError where this version does not know it."""
    if not isinstance(head, dict) or head.get("format", FORMAT) != FORMAT:
        raise ValueError("another version of bessplc wrote it")
    if not all(isinstance(head.get(name), str) for name in ("site", "digest")) or "session" not in head:
        raise ValueError("it does not say of which program it is")
    return head


def _without_gap(scans: np.ndarray) -> int:
    """How many rows follow each other without a scan missing between."""
    jumps = np.flatnonzero(np.diff(scans) != 1)
    return int(jumps[0]) + 1 if len(jumps) else len(scans)


def edited_player(recorded: Schedule, edited: Schedule, chunk: int) -> Player:
    """A player of another program, to which the tape's inputs and commands are given by name."""
    if len(recorded.inputs.tag) != len(edited.inputs.tag) or recorded.tick != edited.tick:
        raise ReplayError("the edited program has other inputs of devices, or another base tick: its state cannot be taken over")
    names = {tag.name.lower(): tag.index for tag in edited.tags}
    tags = np.array([names.get(tag.name.lower(), -1) for tag in recorded.tags], np.int64)
    places = {place: slot for slot, place in enumerate(_input_names(edited))}
    slots = np.array([places.get(place, -1) for place in _input_names(recorded)] + [-1], np.int64)
    return Player(edited, slots, tags, chunk)


def _input_names(schedule: Schedule) -> list[tuple[str, int]]:
    """Each input point as tag and element."""
    by_index = {tag.index: tag for tag in schedule.tags}
    found = []
    for index, target, kind in zip(*(getattr(schedule.inputs, n).tolist() for n in ("tag", "target", "type")), strict=True):
        tag = by_index[index]
        found.append((tag.name.lower(), (target - tag.offset) // (kind % 16)))
    return found


def take_over(recorded: Player, edited: Player) -> tuple[str, ...]:
    """Give the edited program what the recorded one has in memory, by name and type; a default that was edited wins."""
    edited.end_forces()
    edited.plan.memory[:] = edited.schedule.initial
    carry = carry_list(Program(recorded.schedule, recorded.plan), Program(edited.schedule, edited.plan))
    do_copies(address_of(carry.copies), len(carry.copies))
    find_turns(edited.plan.tasks)
    _take_pins(recorded, edited)
    moved = edited.slots[:-1]
    known = moved >= 0
    for column, source in (
        (edited.plan.inbox_value, recorded.plan.inbox_value),
        (edited.plan.inbox_time, recorded.plan.inbox_time),
        (edited.plan.inbox_quality, recorded.plan.inbox_quality),
    ):
        column[moved[known]] = source[known]
    edited.plan.inputs[moved[known], I_RECEIVED] = recorded.plan.inputs[known, I_RECEIVED]
    before = {tag.name.lower(): tag.default for tag in recorded.schedule.tags}
    for tag in edited.schedule.tags:
        if tag.kind == "memory" and repr(before.get(tag.name.lower(), tag.default)) != repr(tag.default):
            size = max(tag.length, 1) * TYPES[tag.type].size
            edited.plan.memory[tag.offset : tag.offset + size] = edited.schedule.initial[tag.offset : tag.offset + size]
    return carry.dropped


def _take_pins(recorded: Player, edited: Player) -> None:
    """Inputs of blocks, too: a task that runs later still holds what it was fed last. What the texts set otherwise is left."""
    before, now = recorded.schedule, edited.schedule
    for name, (kind, offset, length) in now.pins.items():
        if before.pins.get(name, ("", 0, 0))[::2] != (kind, length):
            continue
        size = max(length, 1) * TYPES[kind].size
        here, there = slice(offset, offset + size), slice(before.pins[name][1], before.pins[name][1] + size)
        if np.array_equal(now.initial[here], before.initial[there]):
            edited.plan.memory[here] = recorded.plan.memory[there]
