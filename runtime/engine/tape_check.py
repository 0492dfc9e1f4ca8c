"""Whether the records of a tape may be played: a file may come from anywhere, and what plays it follows its words unasked."""

from __future__ import annotations

import numpy as np

from runtime.engine.atomics import scan_path
from runtime.engine.force_tables import E_ELEMENT, E_TAG, E_TYPE, E_USED, FORCE_WORDS, FORCES, H_HIGH
from runtime.engine.image import COMMAND_RINGS
from runtime.engine.plan import D_LENGTH, D_TYPE
from runtime.engine.tape_words import (
    A_PICTURE,
    A_SCAN,
    CHANGE_RECORD,
    COMMAND_RECORD,
    HEAD_WORDS,
    PICTURE_WORDS,
    R_CHANGES,
    R_COMMANDS,
    R_FORCES,
    R_INBOX,
    R_KIND,
    R_LENGTH,
    R_MEMORY,
    R_POINTS,
    R_REGISTERS,
    R_TASKS,
    R_WALL,
    REGISTERS,
)

_REGISTERS = len(REGISTERS)


@scan_path
def first_wrong(words: np.ndarray, points: int, inbox: int) -> int:
    """Where the first record stands that is none for a program of so many input points and bytes of inbox; -1: all are good."""
    at = 0
    while at < words.size:
        rest = words.size - at
        if rest <= R_WALL or not (R_WALL < words[at + R_LENGTH] <= rest):
            return at
        is_good = False
        if words[at + R_KIND] == A_SCAN:
            is_good = _is_scan(words, at, points)
        elif words[at + R_KIND] == A_PICTURE:
            is_good = _is_picture(words, at, inbox)
        if not is_good:
            return at
        at += words[at + R_LENGTH]
    return -1


@scan_path
def _is_scan(words: np.ndarray, at: int, points: int) -> bool:
    """The counts are those of the record, and what they count goes to rings and slots that there are."""
    length = words[at + R_LENGTH]
    if length < HEAD_WORDS:
        return False
    commands, changes = words[at + R_COMMANDS], words[at + R_CHANGES]
    if not (0 <= commands <= length and 0 <= changes <= length):
        return False
    if HEAD_WORDS + COMMAND_RECORD * commands + CHANGE_RECORD * changes != length:
        return False
    place = at + HEAD_WORDS
    for _ in range(commands):
        if not (0 <= words[place] < COMMAND_RINGS):
            return False
        place += COMMAND_RECORD
    is_good = True
    for i in range(changes):
        is_good = is_good and (words[place + i] & 0xFFFFFFFF) < points
    return is_good


@scan_path
def _is_picture(words: np.ndarray, at: int, inbox: int) -> bool:
    """The parts are as long as the record, and the inbox is the program's: it is copied as a whole."""
    length = words[at + R_LENGTH]
    if length < PICTURE_WORDS or words[at + R_REGISTERS] != _REGISTERS or words[at + R_INBOX] != inbox:
        return False
    for part in range(R_MEMORY, R_FORCES + 1):
        if not (0 <= words[at + part] <= 8 * length):
            return False
    tail = words[at + R_FORCES] // 8 + (inbox + 7) // 8 + (words[at + R_MEMORY] + 7) // 8
    return PICTURE_WORDS + _REGISTERS + 2 * words[at + R_TASKS] + words[at + R_POINTS] + tail == length


def checked_forces(words: np.ndarray, commands: np.ndarray) -> np.ndarray:
    """A picture's words as the table of forces, none where nothing was forced; `commands` are the plan's.

    Raises ValueError where a row is of no tag of the program, or of no element of it. What follows from these is found anew.
    """
    if not len(words):
        return words
    table = words.reshape(FORCES + 1, FORCE_WORDS)
    held = table[1:][table[1:, E_USED] != 0]
    tags, elements = held[:, E_TAG], held[:, E_ELEMENT]
    is_good = 0 <= table[0, H_HIGH] <= FORCES and bool(np.all((tags >= 0) & (tags < len(commands))))
    if is_good:
        lengths, kinds = commands[tags, D_LENGTH], commands[tags, D_TYPE]
        is_good = bool(np.all((elements >= 0) & (elements < np.maximum(lengths, 1)) & (held[:, E_TYPE] == kinds)))
    if not is_good:
        raise ValueError("a picture has forces on tags that its program has not")
    return table
