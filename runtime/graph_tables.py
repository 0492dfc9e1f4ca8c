"""The mode table, the sequences and the alarms of a program as tables: their words as written, and the instances behind them.

It must not know boxes, places or SVG.
"""

from __future__ import annotations

from typing import Any

from runtime.graph import MARK, TAG, Chart, Grid, Step, Word
from runtime.language.alarm_words import DEVIATION, KINDS
from runtime.language.network import Draft, Listed, Node, Program, TagWrite, Wire
from runtime.source import Listing, Section, Text

ALARM_HEADS = tuple(dict.fromkeys(word for kind in KINDS for word in kind.words))
# the words behind which a tag of the alarm stands, and what the program knows that by
TAG_OF = {word: limit for kind in KINDS if kind is not DEVIATION for limit, (word, _) in kind.limits.items() if limit}
TAG_OF["suppress"] = "suppressed"


class Tables:
    """What of a program is drawn as tables, and which instances and tag writes those stand for."""

    def __init__(self, program: Program, draft: Draft):
        self.program, self.draft = program, draft
        self.by_name = {node.name: node for node in program.nodes}
        section = program.section
        self.modes = _section(section, "modes")
        self.sequences = {str(k): v for k, v in _section(section, "sequences").items() if isinstance(v, Section)}
        self.alarms = {str(k): v for k, v in _section(section, "alarms").items() if isinstance(v, Section)}
        prefix = program.name
        self.roots = {f"{prefix}.{name}": ("sequence", name) for name in self.sequences}
        self.roots |= {f"{prefix}.alarm.{name}": ("alarm", name) for name in self.alarms}
        if self.modes:
            self.roots[f"{prefix}.modes"] = ("modes", "modes")
        self.does = {str(tag).lower() for steps in self.sequences.values() for tag in _does(steps)}
        self.owned: dict[str, str] = {}
        for node in program.nodes:
            root = self._root_of(node.name)
            if root:
                self.owned[node.name] = root
        for write in program.writes:
            if write.tag.name.lower() in self.does:
                self._own_or(write.feed)

    def _root_of(self, name: str) -> str:
        return next((r for r in self.roots if name == r or name.startswith((f"{r}.", f"{r}#"))), "")

    def _own_or(self, feed: Any) -> None:
        """The ORs between the steps that do the same: part of the sequence of the first."""
        while isinstance(feed, Wire) and feed.node.name not in self.owned:
            node = feed.node
            others = [f for f in node.feeds.values() if isinstance(f, Wire)]
            self.owned[node.name] = next((self.owned[f.node.name] for f in others if f.node.name in self.owned), "")
            feed = others[0] if others else None

    def owns_write(self, write: TagWrite) -> bool:
        """Whether a table shows the write, an implicit tag or what a step does; or it only keeps an instance's state."""
        if write.tag.state_of:
            return True
        implicit = any(write.tag is tag for tag in self.program.implicit.values())
        return implicit or write.tag.name.lower() in self.does

    def name_of(self, node: Node, pin: str) -> str:
        """How a program names a value of a table: `modes.P`, `contactors.closed.X`; empty for another instance."""
        root = self.owned.get(node.name)
        if not root:
            return ""
        plain = node.name.removeprefix(f"{self.program.name}.")
        if self.roots[root][0] == "modes":
            return "modes.MODE" if plain == "modes" else plain
        return f"{plain}.{pin}"

    def table_of(self, name: str) -> str:
        """The table that an instance belongs to, as its heading says; empty for a box."""
        root = self.owned.get(name)
        return "" if not root else "alarms" if self.roots[root][0] == "alarm" else self.roots[root][1]

    def _names(self, root: str) -> list[str]:
        return [name for name, owner in self.owned.items() if owner == root]

    # --- modes and alarms -----------------------------------------------------------------------------------------

    def grids(self) -> list[Grid]:
        """The mode table and the alarms, each where there is one."""
        found = []
        if self.modes:
            found.append(self._mode_grid())
        if self.alarms:
            found.append(self._alarm_grid())
        return found

    def _mode_grid(self) -> Grid:
        root = f"{self.program.name}.modes"
        columns = list(dict.fromkeys(str(w) for row in self.modes.values() if isinstance(row, Section) for w in row if w != "when"))
        whens = self._parts(root, "FIRST_TRUE")
        rows = []
        for number, (name, row) in enumerate(self.modes.items()):
            row = row if isinstance(row, Section) else Section()
            feed = whens[number] if number < len(whens) else None
            when = _condition(_said(row.get("when")) or "otherwise", feed)
            words = [Word(str(name), f"mode {number}", f"{root}.{self._output(root)}", MARK, number), when]
            rows.append(words + [Word(_said(row.get(column)), f"{column} in mode {name}") for column in columns])
        live = "".join(f"  {tag.name}" for key, tag in self.program.implicit.items() if key == "mode")
        return Grid(
            "modes", f"modes → {live.strip()}: the first row that holds", ["mode", "when", *columns], rows, self._names(root)
        )

    def _output(self, name: str) -> str:
        return self.by_name[name].block.outputs[0].name if name in self.by_name else ""

    def _parts(self, name: str, block: str, pin: int = 0) -> list[Any]:
        """What feeds the places of an array pin, in order."""
        node = self.by_name.get(name)
        if node is None or node.block.name != block:
            return []
        feed = node.feeds.get(node.block.inputs[pin].name)
        return list(feed.feeds) if isinstance(feed, Listed) else [feed]

    def _alarm_grid(self) -> Grid:
        used = [head for head in ALARM_HEADS if any(head in words for words in self.alarms.values())]
        rows, names = [], []
        for name, words in self.alarms.items():
            root = f"{self.program.name}.alarm.{name}"
            names += self._names(root)
            tags = {key.split(" ")[2]: tag.name for key, tag in self.program.implicit.items() if key.startswith(f"alarm {name} ")}
            first = Word(name, f"{root}\n" + "\n".join(tags.values()), tags.get("", ""), TAG if "" in tags else "")
            cells = [
                Word(_said(words.get(head)), tag := tags.get(TAG_OF.get(head, "-"), ""), tag, TAG if tag else "") for head in used
            ]
            rows.append([first, *cells])
        return Grid("alarms", "alarms", ["alarm", *used], rows, names)

    # --- sequences ------------------------------------------------------------------------------------------------

    def charts(self) -> list[Chart]:
        """The sequences, in the order of the file."""
        return [self._chart(name, steps) for name, steps in self.sequences.items()]

    def _chart(self, name: str, steps: Section) -> Chart:
        root = f"{self.program.name}.{name}"
        conditions = self._parts(root, "SEQUENCE")
        place, found = 0, []
        for step, words in steps.items():
            words = words if isinstance(words, Section) else Section()
            moves = []
            goto = words.get("goto")
            for target, condition in goto.items() if isinstance(goto, Section) else ():
                feed = conditions[place] if place < len(conditions) else None
                moves.append((str(target), _condition(_said(condition), feed)))
                place += 1
            does = [Word(str(tag), self._tag_title(str(tag)), str(tag), TAG) for tag in _listed(words.get("do"))]
            text = words.get("text")
            title = f"{root}.{step}" + (f"\n{text}" if isinstance(text, Text) else "")
            found.append(Step(Word(str(step), title, f"{root}.{step}.X", MARK), does, moves))
        tag = self.program.implicit.get(f"sequence {name}")
        return Chart(name, f"sequence {name}" + (f" → {tag.name}" if tag else ""), found, self._names(root))

    def _tag_title(self, name: str) -> str:
        tag = self.draft.tags.get(name.lower())
        return f"{tag.name}\n{tag.text}" if tag else name


def _condition(text: str, feed: Any) -> Word:
    """A condition as written, with the pin that tells whether it holds."""
    if not isinstance(feed, Wire):
        name = getattr(getattr(feed, "tag", None), "name", "")
        return Word(text, text, name if not getattr(feed, "good", False) else "", TAG if name else "")
    key = f"{feed.node.name}.{feed.pin.name}"
    return Word(text, f"{text}\n{key}", key, MARK)


def _section(section: Section, word: str) -> Section:
    found = section.get(word)
    return found if isinstance(found, Section) else Section()


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, Listing) else [value] if isinstance(value, Text) else []


def _does(steps: Section) -> list[Any]:
    return [tag for words in steps.values() if isinstance(words, Section) for tag in _listed(words.get("do"))]


def _said(value: Any) -> str:
    """A value as written, on one line."""
    if isinstance(value, Section):
        return ", ".join(f"{word} {_said(part)}" for word, part in value.items())
    if isinstance(value, Listing):
        return f"[{', '.join(map(_said, value))}]"
    return " ".join(str(value).split()) if isinstance(value, Text) else ""
