"""Gives every pin its column: shared with what feeds it where a whole column is fed in order, its own with copies elsewhere.

It must not know units, names or files. Copies of `last` that would come too late at their reader, because the producer
runs before it, are made before the producer runs; the reader's own column keeps them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from blocks.declare import BOOL, INPUT, LREAL, Pin, Type
from runtime.language.memory import Copy, Memory, repeated, spread
from runtime.language.network import ALL, Cell, Constant, Feed, Listed, Node, TagDraft, TagWrite, Wire
from runtime.language.order import GroupDraft
from runtime.language.pin_units import pin_type
from runtime.model import TagRegion

Run = tuple[int, int, Any]  # offset or -1, cells, the values of a constant or what must not run before the copy (None: nothing)


class Layout:
    """Process memory of the whole site while groups are placed in it, in the order in which they run."""

    def __init__(self, region: TagRegion):
        self.region = region
        self.memory = Memory(region.size)
        self.pulse_cells: dict[tuple[str, str], tuple[int, int]] = {}  # (task, tag) -> pending, visible
        self.task = ""
        self.program: Any = None

    # --- groups ---------------------------------------------------------------------------------------------------

    def place_outputs(self, plan: Sequence[GroupDraft | TagWrite]) -> None:
        """Order the rows of each group and give its outputs and variables their columns."""
        for group in plan:
            if not isinstance(group, GroupDraft):
                continue
            self._order_rows(group)
            rows = 0
            for node in group.nodes:
                node.row = rows
                rows += node.count or 1
            group.rows = rows
            for pin in group.block.pins:
                if pin.kind != INPUT:
                    self._place_own(group, pin)

    def _place_own(self, group: GroupDraft, pin: Pin) -> None:
        type, cells = self._type(group, pin), self._cells(group, pin)
        offset = group.columns[pin.name] = self.memory.column(type, cells * group.rows)
        if pin.default is not None and not pin.required and pin.default != 0:
            self.memory.fill(offset, type, _defaults(pin, type, cells) * group.rows)

    def _type(self, group: GroupDraft, pin: Pin) -> Type:
        return pin_type(group.nodes[0], pin)

    def _cells(self, group: GroupDraft, pin: Pin) -> int:
        return 1 if not pin.length else group.length if pin.length == "N" else int(pin.length)

    def _order_rows(self, group: GroupDraft) -> None:
        """Let the rows follow those of what feeds them, where that makes more whole columns shareable than the file's order."""
        nodes = group.nodes
        if len(nodes) < 2:
            return
        ranks = [rank for pin in group.block.inputs if (rank := self._ranks(nodes, pin.name)) is not None]
        unsorted = [rank for rank in ranks if not _is_run(rank)]
        if not unsorted:
            return
        orders = [list(range(len(nodes)))] + [sorted(range(len(nodes)), key=rank.__getitem__) for rank in unsorted]
        best = max(orders, key=lambda order: sum(_is_run([rank[i] for i in order]) for rank in ranks))
        group.nodes = [nodes[i] for i in best]

    def _ranks(self, nodes: list[Node], name: str) -> list[int] | None:
        """Where each row's feed stands in one producer's column; None where they come from several."""
        ranks = []
        origin: Any = None
        for node in nodes:
            feed = node.feeds.get(name)
            if isinstance(feed, Wire) and not feed.last and not feed.node.count and not feed.pin.length and not node.count:
                came, rank = (feed.node.group, feed.pin.name), feed.node.row
            elif isinstance(feed, Cell) and not feed.last and not feed.tag.pulse and feed.tag.type is not None:
                came, rank = (feed.good, feed.tag.type), self._cell(feed) // (1 if feed.good else feed.tag.type.size)  # type: ignore[assignment]
            else:
                return None
            if origin is None:
                origin = came
            elif came != origin:
                return None
            ranks.append(rank)
        return ranks

    def place_inputs(self, group: GroupDraft) -> None:
        """Share or fill the columns of the inputs; what must be copied before the group runs goes into its list."""
        for pin in group.block.inputs:
            type = self._type(group, pin)
            offsets = self._simple(group, pin, type)
            if offsets is not None and offsets == list(range(offsets[0], offsets[0] + type.size * len(offsets), type.size)):
                group.columns[pin.name] = offsets[0]
            else:
                self._place_mixed(group, pin, type)

    def _simple(self, group: GroupDraft, pin: Pin, type: Type) -> list[int] | None:
        """One offset a row where every row is fed by one cell in this scan; None otherwise. The usual case, kept quick."""
        if pin.length:
            return None
        offsets = []
        name, size = pin.name, type.size
        for node in group.nodes:
            feed = node.feeds.get(name)
            if feed.__class__ is not Wire or feed.last or node.count:  # type: ignore[union-attr]
                return None
            source = feed.node  # type: ignore[union-attr]
            if source.count or feed.pin.length:  # type: ignore[union-attr]
                return None
            offsets.append(source.group.columns[feed.pin.name] + source.row * size)  # type: ignore[union-attr]
        return offsets

    def _place_mixed(self, group: GroupDraft, pin: Pin, type: Type) -> None:
        cells = self._cells(group, pin)
        runs: list[Run] = []
        for node in group.nodes:
            feed = node.feeds.get(pin.name)
            runs += (
                self._rows(feed, node.count or 1, cells, group)
                if feed is not None
                else [(-1, cells * (node.count or 1), _defaults(pin, type, cells) * (node.count or 1))]
            )
        shared = _one_run(runs, type.size)
        if shared is not None:
            group.columns[pin.name] = shared
            return
        offset = group.columns[pin.name] = self.memory.column(type, cells * group.rows)
        self._fill(offset, type, runs, group)

    def _fill(self, offset: int, type: Type, runs: list[Run], group: GroupDraft) -> None:
        if all(source == -1 for source, _, _ in runs):
            self.memory.fill(offset, type, [v for _, _, values in runs for v in values])
            return
        place = offset
        for source, count, extra in _repeats(runs):
            size = count * type.size
            if source == -1:
                self.memory.fill(place, type, extra)
            elif source == SPREAD:
                pattern, times = extra
                self._copy(pattern, place, type.size, times, group)
            else:
                self._due(extra, group).append((source, place, size))
            place += size

    def _copy(self, pattern: list[Run], place: int, size: int, times: int, group: GroupDraft) -> None:
        """The same cells `times` times: copied once, then by a copy that overlaps itself and so repeats them."""
        start = place
        for source, count, extra in pattern:
            self._due(extra, group).append((source, place, count * size))
            place += count * size
        self._due(pattern[0][2], group).extend(repeated(start, place - start, times))

    def _due(self, extra: GroupDraft | TagWrite | None, group: GroupDraft) -> list[Copy]:
        """The list that a copy belongs to: made when the group runs, or before something earlier overwrites the source."""
        return group.copies if extra is None else extra.early

    # --- feeds ----------------------------------------------------------------------------------------------------

    def _rows(self, feed: Feed, rows: int, cells: int, group: GroupDraft) -> list[Run]:
        """The cells of one instance's pin, or of all instances of an array: as fed, or repeated until they are enough."""
        runs = self._runs(feed, group)
        size = sum(count for _, count, _ in runs)
        if size == rows * cells:
            return runs
        times = rows * cells // size
        if all(source == -1 for source, _, _ in runs):
            return [(-1, rows * cells, [v for _, _, values in runs for v in values] * times)]
        if any(source == -1 for source, _, _ in runs) or len({id(extra) for _, _, extra in runs}) > 1:
            return runs * times
        return [(SPREAD, rows * cells, (runs, times))]

    def _runs(self, feed: Feed, group: GroupDraft | TagWrite) -> list[Run]:
        if isinstance(feed, Constant):
            return [(-1, len(feed.values), list(feed.values))]
        if isinstance(feed, Listed):
            return [run for part in feed.feeds for run in self._runs(part, group)]
        if isinstance(feed, Wire):
            producer = feed.node.group
            is_due = feed.last and producer.step <= group.step
            cells = self._cells(producer, feed.pin)
            first = feed.node.row + max(feed.row, 0)
            rows = 1 if feed.row != ALL else feed.node.count or 1
            offset = producer.columns[feed.pin.name]
            size = self._type(producer, feed.pin).size
            if feed.element != ALL:
                return [
                    (offset + ((first + row) * cells + feed.element) * size, 1, producer if is_due else None) for row in range(rows)
                ]
            return [(offset + first * cells * size, rows * cells, producer if is_due else None)]
        assert isinstance(feed, Cell)
        count = 1 if feed.good or feed.element != ALL else feed.tag.length or 1
        return [(self._cell(feed), count, self._write_before(feed, group))]

    def _write_before(self, feed: Cell, group: GroupDraft | TagWrite) -> TagWrite | None:
        """The program's own write of a tag, where it comes before the reader of its `last` value."""
        if not feed.last or feed.good:
            return None
        before = [w for w in feed.tag.writes if w.program is self.program and w.step < group.step]
        return min(before, key=lambda w: w.step) if before else None

    def _cell(self, feed: Cell) -> int:
        tag = feed.tag
        if feed.good:
            return self.region.good + tag.index
        if tag.pulse:
            return self.pulse(tag)[1]
        assert tag.type is not None
        return tag.offset + max(feed.element, 0) * tag.type.size

    def pulse(self, tag: TagDraft) -> tuple[int, int]:
        """The two cells of a pulse in the running task: pending, and visible to the program."""
        key = (self.task, tag.name)
        if key not in self.pulse_cells:
            self.pulse_cells[key] = (self.memory.column(BOOL, 1), self.memory.column(BOOL, 1))
        return self.pulse_cells[key]

    # --- tag writes -----------------------------------------------------------------------------------------------

    def place_write(self, write: TagWrite) -> None:
        """The copies that write a tag."""
        tag = write.tag
        assert tag.type is not None
        size = tag.type.size
        place = tag.offset + max(write.element, 0) * size
        cells = tag.length if tag.length and write.element == ALL else 1
        runs = self._runs(write.feed, write)
        if len(runs) == 1 and runs[0][1] == 1 and cells > 1:
            write.copies = self._spread(runs[0], tag.type, place, cells)
            return
        for run in runs:
            write.copies.append((self._held(run, tag.type), place, run[1] * size))
            place += run[1] * size

    def _spread(self, run: Run, type: Type, place: int, cells: int) -> list[Copy]:
        """One value into all elements of a tag, none of which is read for it: each may be forced, and the others not with it."""
        source = self._held(run, type)
        if cells <= _FEW:
            return [(source, place + n * type.size, type.size) for n in range(cells)]
        column = self.memory.column(type, cells)
        return [*spread(source, column, type.size, cells), (column, place, cells * type.size)]

    def _held(self, run: Run, type: Type) -> int:
        """Where the run stands; a constant, and a `last` value that would be gone by then, gets cells of its own."""
        source, count, extra = run
        if source != -1 and extra is None:
            return source
        offset = self.memory.column(type, count)
        if source == -1:
            self.memory.fill(offset, type, extra)
        else:
            extra.early.append((source, offset, count * type.size))
        return offset


SPREAD = -2
_FEW = 3  # elements that are copied one by one: more take three copies, however many there are


def _defaults(pin: Pin, type: Type, cells: int) -> list[Any]:
    default = 0 if pin.required else pin.default
    if isinstance(default, tuple):
        return list(default)
    return [float(default) if type is LREAL else int(default)] * cells


def _is_run(ranks: list[int]) -> bool:
    return ranks == list(range(ranks[0], ranks[0] + len(ranks)))


def _repeats(runs: list[Run]) -> list[Run]:
    """The runs, with neighbours that bring the same cells to many rows (a setpoint for a thousand instances) put together."""
    found: list[Run] = []
    place = 0
    while place < len(runs):
        run = runs[place]
        end = place + 1
        while run[0] >= 0 and end < len(runs) and runs[end] == run:
            end += 1
        found.append(run if end == place + 1 else (SPREAD, run[1] * (end - place), ([run], end - place)))
        place = end
    return found


def _one_run(runs: list[Run], size: int) -> int | None:
    """The offset of the whole column where the runs follow each other in memory and none is due early."""
    end = first = runs[0][0]
    for source, count, extra in runs:
        if source < 0 or source != end or extra is not None:
            return None
        end = source + count * size
    return first
