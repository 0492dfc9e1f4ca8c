"""Reads one program file into instances and tag writes: first every name that it defines, then every line.

It must not know layout.
"""

from __future__ import annotations

from runtime.language.alarms import alarm_sections, declare_alarm_tags, read_alarm
from runtime.language.instances import read_instances
from runtime.language.modes import declare_mode_tag, declare_modes, read_modes
from runtime.language.network import Draft, Program
from runtime.language.outputs import read_outputs
from runtime.language.scope import Scope
from runtime.language.sequences import declare_sequence, declare_sequence_tag, read_sequence
from runtime.language.words import as_section, check_words, section_of
from runtime.source import Section, Text, place_of

PROGRAM_WORDS = ("program", "description", "blocks", "modes", "sequences", "outputs", "alarms", "tests")


def declare_program(name: str, file: str, section: Section, draft: Draft) -> Program:
    """The program's own words, and the tags that it brings along for others to read."""
    check_words(section, PROGRAM_WORDS, "a program", draft.report)
    program = Program(name, file, section)
    program.scope = Scope(draft, program, f"{name}.")
    written = section.get("program")
    if not isinstance(written, Text):
        draft.report.error(section.at, "E007", "the program does not say its name", f"`program: {name}`")
    elif written != name:
        draft.report.error(written.at, "E010", f"the program in {file} is named `{name}`", "the file's name is the program's")
    modes = section_of(section, "modes", "`modes`", draft.report)
    if modes:
        declare_mode_tag(modes, _key(section, "modes"), program, draft)
    for sequence, steps in _sequences(section, draft):
        declare_sequence_tag(sequence, steps, program, draft)
    for alarm, words in alarm_sections(section_of(section, "alarms", "`alarms`", draft.report), draft):
        declare_alarm_tags(alarm, words, program, draft)
    draft.programs[name.lower()] = program
    return program


def read_program(program: Program, draft: Draft) -> None:
    """All lines of the program. The names of modes and sequences are known before the first block reads one."""
    section, report = program.section, draft.report
    modes = section_of(section, "modes", "`modes`", draft.report)
    sequences = _sequences(section, draft)
    if modes:
        declare_modes(modes, _key(section, "modes"), program, draft)
    for name, steps in sequences:
        declare_sequence(name, steps, program, draft)
    read_instances(section_of(section, "blocks", "`blocks`", report), program.scope)
    if modes:
        read_modes(modes, _key(section, "modes"), program, draft)
    for name, steps in sequences:
        read_sequence(name, steps, program, draft)
    read_outputs(section_of(section, "outputs", "`outputs`", report), program, draft)
    for name, words in alarm_sections(section_of(section, "alarms", "`alarms`", report), draft):
        read_alarm(name, words, program, draft)


def _key(section: Section, word: str) -> Text:
    return next(key for key in section if key == word)


def _sequences(section: Section, draft: Draft) -> list[tuple[Text, Section]]:
    found = []
    for name, steps in section_of(section, "sequences", "`sequences`", draft.report).items():
        body = as_section(steps, place_of(name), f"the sequence `{name}`", draft.report)
        if body:
            found.append((name, body))
        elif body is not None:
            draft.report.error(name.at, "E007", f"the sequence `{name}` has no steps", "")
    return found
