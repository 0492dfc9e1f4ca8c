"""One entry for many: `for: rack in 1..$racks` inside one alarm, sequence, tag or channel, whose name has `{rack}`.

It must not know what an alarm or a tag is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from runtime.language.constants import Constants
from runtime.language.loader import read_yaml
from runtime.language.places import like
from runtime.language.repeat import repeat_of
from runtime.source import Position, Problem, Report, Section, Text, place_of

WORDS = ("alarms", "sequences", "tags", "channels")


def read_text(name: str, text: str, constants: Mapping[str, str], report: Report) -> Section | None:
    """A file as the engineer means it, for everybody who looks into one after the site was read."""
    section = read_yaml(name, text, report)
    return None if section is None else Entries().each(Constants(constants).fill(section, report), report)


class Entries:
    """Makes the entries, and remembers where they stand: what is wrong with one is mostly wrong with all, and said once."""

    def __init__(self) -> None:
        self._made: list[tuple[Position, Position, str]] = []

    def each(self, section: Section, report: Report) -> Section:
        """The file with each entry that has a `for` made for every value; itself where none has."""
        parts = {word: self._entries(section[word], word, report) for word in WORDS if isinstance(section.get(word), Section)}
        if all(made is section[word] for word, made in parts.items()):
            return section
        made: Section = like(section, [(key, parts.get(key, part)) for key, part in section.items()])
        return made

    def _entries(self, section: Section, word: str, report: Report) -> Section:
        if not any(_is_repeated(entry) for entry in section.values()):
            return section
        found: dict[Text, Any] = {}
        for name, entry in section.items():
            for one, words in self._of(name, entry, report) if _is_repeated(entry) else [(name, entry)]:
                before = next((key for key in found if key == one), None) if one in found else None
                if before is not None:
                    _say_twice(one, before, name, entry, word, report)
                else:
                    found[one] = words
        made: Section = like(section, list(found.items()))
        return made

    def _of(self, name: Text, entry: Section, report: Report) -> Iterator[tuple[Text, Any]]:
        counted = entry["for"]
        body = like(entry, [(key, part) for key, part in entry.items() if key != "for"])
        repeat = repeat_of(Section([(Text("for", counted.at), counted), (name, body)], entry.at), report)
        assert repeat is not None
        self._made.append((name.at, _end_of(entry), str(counted)))
        for one in repeat.each():
            yield from one.items()
        repeat.tell()

    def tell_once(self, report: Report) -> None:
        """What was found wrong later in several entries of one `for` becomes one problem, at the place of the first."""
        if not self._made:
            return
        groups: dict[Any, list[Problem]] = {}
        for problem in report.problems:
            counted = next((c for first, last, c in self._made if _is_between(first, problem.at, last)), None)
            key = problem if counted is None else (problem.at, problem.code, counted)
            same = groups.setdefault(key, [])
            if problem not in same:
                same.append(problem)
        report.problems = [
            same[0] if len(same) == 1 else replace(same[0], help=(*same[0].help, f"and {len(same) - 1} more for {key[2]}"))
            for key, same in groups.items()
        ]


def _is_repeated(entry: Any) -> bool:
    return isinstance(entry, Section) and isinstance(entry.get("for"), Text)


def _say_twice(one: Text, before: Text, name: Text, entry: Any, word: str, report: Report) -> None:
    if _is_repeated(entry) and one == name and one.at == before.at:
        variable = entry["for"].split()[0]
        hint = f"`{name}_{{{variable}}}`" if word != "tags" else f"`{name.partition('.')[0]}[{{{variable}}}]...`"
        help = f"a `for` makes one of {word} for each value, each with a name of its own"
        if not any(problem.at == name.at and problem.code == "E105" for problem in report.problems):
            report.error(name.at, "E105", f"the name `{name}` is the same for every value of `for`", hint, help)
        return
    at = before.at
    report.error(one.at, "E002", f"`{one}` stands twice in `{word}`", "", f"the first is at {at.file}:{at.line}")


def _end_of(part: Any) -> Position:
    """The place of the last text in a part."""
    inner = [*part, *part.values()] if isinstance(part, Section) else part if isinstance(part, list) else ()
    return max((place_of(part), *(_end_of(one) for one in inner)), key=lambda at: (at.line, at.column))


def _is_between(first: Position, at: Position, last: Position) -> bool:
    end = (last.line, last.column + last.width)
    return at.file == first.file and (first.line, first.column) <= (at.line, at.column) <= end
