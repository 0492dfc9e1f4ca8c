"""Function blocks written in YAML: what a definition declares, and what an instance feeds its inputs.

It must not know types on wires.
"""

from __future__ import annotations

from blocks.declare import BOOL, LREAL, TIME, TYPES, Type
from runtime.language.network import ALL, BROKEN, Cell, Draft, Feed, Listed, Literal, Port, Wire
from runtime.language.quantities import QuantityError, quantity
from runtime.language.scope import Scope
from runtime.language.units import NUMBER, Unit
from runtime.language.words import PLAIN_NAME, as_section, check_words, section_of, truth, type_of, unit_of, value_of
from runtime.source import Section, Text, place_of

WORDS = ("function_block", "description", "inputs", "outputs", "blocks")
INPUT_WORDS = ("type", "unit", "default", "text")


class Definition:
    """What `function_block: NAME` declares; its mistakes are reported when it is read."""

    def __init__(self, section: Section, file: str, draft: Draft):
        self.file = file
        self.draft = draft
        self.blocks = section_of(section, "blocks", "`blocks`", draft.report)
        self.outputs = {
            str(k): v for k, v in section_of(section, "outputs", "`outputs`", draft.report).items() if _is_value(k, v, draft)
        }
        self.inputs = [self._input(name, words) for name, words in section_of(section, "inputs", "`inputs`", draft.report).items()]

    def _input(self, name: Text, words: object) -> tuple[str, Type, int, Unit | None, Feed]:
        report = self.draft.report
        section = as_section(words, name.at, f"the input `{name}`", report)
        if section is None or not PLAIN_NAME.match(name):
            return str(name), LREAL, 0, None, BROKEN
        check_words(section, INPUT_WORDS, "an input of a function block", report)
        kind = section.get("type")
        if not isinstance(kind, Text):
            report.error(name.at, "E007", f"the input `{name}` has no `type`", f"one of {', '.join(TYPES)}")
            return str(name), LREAL, 0, None, BROKEN
        type, length = type_of(kind, report) or (LREAL, 0)
        measured = None if type in (BOOL, TIME) else unit_of(section, report) or NUMBER
        return str(name), type, length, measured, self._default(section, type, measured)

    def _default(self, section: Section, type: Type, measured: Unit | None) -> Feed:
        text = section.get("default")
        if text is None or value_of(text, type, measured, "default", self.draft.report) is None:
            return BROKEN
        said = truth(text)
        try:
            found = quantity(text) if said is None else said
        except QuantityError:
            return BROKEN
        return BROKEN if found is None else Literal(found, text, 0, len(text))

    def ports(self) -> dict[str, Port]:
        """A fresh set of inputs for one instance, each at its default."""
        return {name.lower(): Port(feed, type, length, measured, name) for name, type, length, measured, feed in self.inputs}


def _is_value(name: Text, value: object, draft: Draft) -> bool:
    if isinstance(value, Text):
        return True
    draft.report.error(place_of(value, name.at), "E005", f"the output `{name}` is an expression over the blocks", "`OUT: lag.OUT`")
    return False


def check_definition(section: Section, draft: Draft) -> None:
    """The words of a definition's file."""
    check_words(section, WORDS, "a function block", draft.report)


def expand_ports(scope: Scope, given: dict[str, Feed]) -> None:
    """Feed the inputs of one instance; those that are not given keep their default."""
    for name, feed in given.items():
        scope.ports[name].feed = feed


def part_of(feed: Feed, index: int, count: int) -> Feed:
    """What one of `count` instances takes of a feed: its own element where the feed has as many, else all of it."""
    if not count:
        return feed
    if isinstance(feed, Listed) and len(feed.feeds) == count:
        return feed.feeds[index]
    if isinstance(feed, Wire) and feed.row == ALL and feed.node.count == count and not feed.pin.length:
        return Wire(feed.node, feed.pin, index, ALL, feed.last, feed.text, feed.start, feed.width)
    if isinstance(feed, Cell) and feed.element == ALL and feed.tag.length == count:
        return Cell(feed.tag, index, feed.good, feed.last, feed.text, feed.start, feed.width)
    return feed
