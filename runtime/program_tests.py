"""Runs the tests of a site's programs in simulated time, in this process, and says what became of each.

All tasks of the site run at its base tick, the devices and services are the test's. It must not know how results are shown.
"""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from runtime.language.scenario import SIZES, Cell, Check, Scenario, Setting, Step, Write
from runtime.program_tests_loop import ALWAYS_BROKEN, CHECK_BROKEN, HISTORY, N_BROKEN, REACHED
from runtime.program_tests_stand import Stand, TooMuchError, shown_value
from runtime.source import Position

LINES_SHOWN = 8  # scans around a failure
ANSWERED_AFTER = 8  # scans: a full ring takes four of them
NO_NUMBER = "is not a number"


@dataclass(frozen=True, slots=True)
class Failure:
    """What was expected and what was seen, when, where it is written, and the named cells around the moment."""

    at: Position
    expected: str
    seen: str
    time: int  # ns since the start of the test, of the scan that showed it
    scan: int
    cells: tuple[Cell, ...] = ()
    rows: tuple[tuple[int, tuple[str, ...]], ...] = ()  # time in ns, and each cell's value as text


@dataclass(frozen=True, slots=True)
class Outcome:
    """One test: whether it passed, how many scans it took, and how long that took here."""

    scenario: Scenario
    failure: Failure | None
    scans: int
    seconds: float
    tick: int  # ns between two scans

    @property
    def passed(self) -> bool:
        return self.failure is None


class _FailedError(Exception):
    """The test ends here."""

    def __init__(self, at: Position, expected: str, seen: str):
        super().__init__(expected)
        self.at, self.expected, self.seen = at, expected, seen


def run_tests(stand: Stand, scenarios: Iterable[Scenario], tell: Callable[[Outcome], None] = lambda _: None) -> list[Outcome]:
    """Every test, each from a cold start; `tell` hears of each as it ends."""
    found = []
    for scenario in scenarios:
        found.append(_Test(stand, scenario).run())
        tell(found[-1])
    return found


class _Test:
    """One test on its way. `here` is the time that its steps count from, in ns since its start."""

    def __init__(self, stand: Stand, scenario: Scenario):
        self.stand, self.scenario = stand, scenario
        self.tick = stand.schedule.tick
        self.here = 0
        self.given = 0
        self.acted = -1  # how many scans there had been when the test gave or commanded something last
        self.waiting: list[tuple[int, int, tuple[Setting, ...]]] = []  # what time series give, by scan

    def run(self) -> Outcome:
        begun = time.perf_counter()
        self.stand.start_cold(self.scenario.always, self.scenario.cells, self.scenario.clock)
        failure = None
        try:
            for step in self.scenario.steps:
                self._step(step)
            self._scan_up_to(self.here)
            self._show_what_was_given()
            self._await_answers()
        except _FailedError as error:
            failure = self._failure(error)
        return Outcome(self.scenario, failure, self.stand.scans, time.perf_counter() - begun, self.tick)

    def _step(self, step: Step) -> None:
        self.here = max(self.here, step.until) if step.until >= 0 else self.here + step.wait
        self._scan_up_to(self.here - self.tick)
        try:
            self._do(step)
        except TooMuchError as error:
            raise _FailedError(step.at, "a step that can be done", str(error)) from error
        if step.checks:
            self._expect(step)

    def _do(self, step: Step) -> None:
        """What the step gives and commands, for the next scan."""
        if step.settings or step.links or step.ramps or step.writes or step.series:
            self.acted = self.stand.scans
        for setting in step.settings:
            self.stand.give(setting)
        for link in step.links:
            self.stand.link(link)
        for ramp in step.ramps:
            self.stand.ramp(ramp)
        for write in step.writes:
            self.stand.write(write)
        for later in step.series:
            self.given += 1
            heapq.heappush(self.waiting, (self._scan_of(self.here + later.time), self.given, later.settings))

    def _scan_of(self, time: int) -> int:
        """How many scans come before the first at or after this time."""
        return -(-time // self.tick)

    def _scan_up_to(self, time: int) -> None:
        """All scans up to and with that at this time."""
        self._scan(self._scan_of(time) + 1 - self.stand.scans, 0)

    def _scan(self, scans: int, until: int) -> int:
        """So many scans, with what the time series give in between; returns how `play` stopped."""
        last = self.stand.scans + scans
        while self.stand.scans < last:
            while self.waiting and self.waiting[0][0] <= self.stand.scans:
                for setting in heapq.heappop(self.waiting)[2]:
                    self.stand.give(setting)
            stop = min(last, self.waiting[0][0]) if self.waiting else last
            result = self.stand.play(stop - self.stand.scans, until)
            self._hear_answers()
            if result == ALWAYS_BROKEN:
                check = self.scenario.always[int(self.stand.stage.words[N_BROKEN])]
                word = "always" if check.wanted else "never"
                raise _FailedError(check.at, f"{word} {check.text}", self._seen(check))
            if result in (REACHED, CHECK_BROKEN):
                return result
        return 0

    def _expect(self, step: Step) -> None:
        self.stand.expect(step.checks)
        if step.during >= 0:
            scans = self._scan_of(self.here + step.during) + 1 - self.stand.scans
            result = self._scan(max(scans, 1), 2)  # one at least: a time shorter than a scan is looked at too
            if result == CHECK_BROKEN:
                check = step.checks[int(self.stand.stage.words[N_BROKEN]) - len(self.scenario.always)]
                raise _FailedError(check.at, f"{check.text} during {_shown(step.during)}", self._seen(check))
            self.here += step.during
            return
        last = self._scan_of(self.here + step.within) + 1
        self._scan_up_to(self.here)
        self._show_what_was_given()
        broken = self.stand.broken()
        if broken >= 0 and step.within >= 0:
            if self._scan(last - self.stand.scans, 1) == REACHED:
                self.here = self._now()
                return
            broken = self.stand.broken()
        if broken >= 0:
            check = step.checks[broken]
            within = f" within {_shown(step.within)}" if step.within >= 0 else ""
            raise _FailedError(check.at, f"{check.text}{within}", self._seen(check))

    def _show_what_was_given(self) -> None:
        """One scan more where none has seen yet what the test gave: otherwise what was before would be judged."""
        if self.acted == self.stand.scans:
            self._scan(1, 0)
            self.here = max(self.here, self._now())

    def _await_answers(self) -> None:
        """A command that no scan answered was neither taken nor refused."""
        for _ in range(ANSWERED_AFTER):
            if not self.stand.unanswered():
                return
            self._scan(1, 0)
        for write in self.stand.unanswered():
            raise _FailedError(write.at, _asked(write), "no scan answered it")

    def _now(self) -> int:
        """The time of the last scan."""
        return (self.stand.scans - 1) * self.tick

    def _hear_answers(self) -> None:
        for write, reply in self.stand.answers():
            if reply.is_taken == write.is_refused:
                raise _FailedError(write.at, _asked(write), reply.text)

    # What a failure shows -------------------------------------------------------------------------------------------------------

    def _seen(self, check: Check) -> str:
        """The cells of the check as they are."""
        seen = [f"{cell.name} {self._value(cell)}" for cell in check.cells]
        if self.stand.is_undecided(check) and not any(one.endswith(NO_NUMBER) for one in seen):
            seen.append(f"what is compared {NO_NUMBER}")  # such as a quotient by zero
        return ", ".join(seen)

    def _value(self, cell: Cell) -> str:
        """A value, or the least and the greatest of an array's elements."""
        size = SIZES[cell.type]
        bits = [self.stand.whole(cell.offset + size * i, cell.type) for i in range(max(cell.elements, 1))]
        if any(math.isnan(shown_value(cell, one)) for one in bits):
            return NO_NUMBER
        bits.sort(key=lambda one: shown_value(cell, one))
        low, high = value_text(cell, bits[0]), value_text(cell, bits[-1])
        return low if low == high else f"{low} .. {high}"

    def _failure(self, error: _FailedError) -> Failure:
        chosen = self.scenario.cells
        history = self.stand.remembered(HISTORY)
        changed = [row for row, before in zip(history[1:], history, strict=False) if row[1] != before[1]]
        rows = [*history[:1], *changed][-LINES_SHOWN:]
        if history and rows[-1] is not history[-1]:
            rows = [*rows[-LINES_SHOWN + 1 :], history[-1]]
        varying = [i for i, cell in enumerate(chosen) if len({row[1][i] for row in rows}) > 1 or cell.name in error.seen]
        shown = tuple(
            ((number - 1) * self.tick, tuple(value_text(chosen[i], bits[i], is_short=True) for i in varying))
            for number, bits in rows
        )
        cells = tuple(chosen[i] for i in varying)
        shown = shown if cells else ()
        return Failure(error.at, error.expected, error.seen, max(self._now(), 0), self.stand.scans, cells, shown)


def _asked(write: Write) -> str:
    asked = f"{write.tag} written by {write.service} as {write.role}"
    return f"{asked} refused" if write.is_refused else f"{asked} taken"


def _shown(ns: int) -> str:
    return f"{ns / 1e6:g} ms" if ns < 1_000_000_000 else f"{ns / 1e9:g} s"


def value_text(cell: Cell, bits: int, is_short: bool = False) -> str:
    """A value as people read it: with its unit, or its name."""
    value = shown_value(cell, bits)
    names = dict(cell.names)
    if value in names and cell.type != "BOOL":
        return names[value]
    if isinstance(value, bool):
        return "true" if value else "false"
    if cell.type == "TIME":
        return _shown(value)
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return f"{text} {cell.unit}" if cell.unit and not is_short else text
