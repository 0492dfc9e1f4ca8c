"""Reads the YAML of a scenario; every mistake is reported with its file, line and column. It must not know how a scenario runs."""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from typing import Any

from blocks import catalogue
from blocks.declare import LREAL
from runtime.language.entries import read_text
from runtime.language.quantities import QuantityError, in_unit, quantity
from runtime.language.scenario import Check
from runtime.language.scenario_inputs import Inputs
from runtime.language.scenario_names import Names
from runtime.language.scenario_steps import Steps
from runtime.language.scenarios import FIRST_CLOCK
from runtime.language.units import unit
from runtime.language.words import as_section, check_words, duration_of, section_of, text_of, texts_of, value_of
from runtime.model import Site
from runtime.simulate_commands import Commands
from runtime.simulate_demands import ends_of, read_demands, read_limits
from runtime.simulate_faults import Breakable, read_fault, read_random
from runtime.simulate_scenario import SECOND, Bound, Command, FaultOrder, RandomFaults, Recovery, SimulationScenario, Start
from runtime.simulate_truth import TRUTHS
from runtime.source import Listing, Position, Report, Section, Text, did_you_mean, place_of

WORDS = (
    "scenario",
    "description",
    "seed",
    "duration",
    "start",
    "commands",
    "faults",
    "recover",
    "always",
    "never",
    "safe",
    "beyond",
    "demands",
    "picture",
    "general",
)
START_WORDS = ("soc", "hour", "ambient", "clock")
RECOVER_WORDS = ("when", "after", "commands")
SAFE = {
    "cell_v": (2.0, 3.75),
    "cell_t": (-20.0, 60.0),
}  # an LFP cell's own safe area (lithium plating below 0 °C is a charge limit)
PICTURE = {  # of a site that is named as those of `config/sites/` or the demo
    "bms.soc": "soc",
    "bms.v_pack": "v",
    "bms.current": "current",
    "bms.cell_v": "cell_v",
    "bms.cell_t": "cell_t",
    "cells.soc": "cell_soc",
    "rack[1].v_pack": "v",
    "rack[1].current": "current",
    "rack[1].cell_v": "cell_v",
    "rack[1].cell_t": "cell_t",
    "pcs.p": "p",
    "grid.frequency": "frequency",
}
AFTER = 20 * SECOND
_BOUND = re.compile(r"\s*(\w+)\s*(<=|>=|<|>)\s*(\S.*?)\s*\Z")


def read_scenario(path: Path, site: Site, parts: Breakable, report: Report) -> SimulationScenario | None:
    """The scenario of this file for this site; None where it has mistakes: all of them are in the report."""
    whole, root = path.resolve(), Path(site.root).resolve()
    file = str(whole.relative_to(root)) if whole.is_relative_to(root) else str(whole)
    try:
        text = path.read_bytes().decode("utf-8").removeprefix("\ufeff")
    except (OSError, UnicodeDecodeError) as error:
        report.error(Position(file, 0, 0), "E004", f"the scenario cannot be read: {error}")
        return None
    section = read_text(file, text, site.constants, report)
    return None if section is None else _Reader(site, parts, report).read(section, file)


class _Reader:
    """Reads one scenario."""

    def __init__(self, site: Site, parts: Breakable, report: Report):
        names = Names(site.schedule, site.devices, catalogue(), "", {}, report)
        self.names, self.parts, self.report = names, parts, report
        self.steps = Steps(names, Inputs(names, Path(site.root)))
        self.commands = Commands(self.steps, report)

    def read(self, section: Section, file: str) -> SimulationScenario | None:
        report = self.report
        check_words(section, WORDS, "a scenario", report)
        duration = duration_of(section, "duration", report, 0)
        if "duration" not in section:
            report.error(section.at, "E007", "the scenario does not say how long it is", "`duration: 24 h`")
        elif duration == 0:
            report.error(place_of(section["duration"]), "E010", "a scenario is longer than no time")
        seed = self._whole(section, "seed", 1)
        checks, bounds = self._musts(section)
        faults, random = self._faults(section)
        found = SimulationScenario(
            text_of(section, "scenario", report) or Path(file).stem,
            file,
            seed,
            duration or 0,
            self._start(section),
            self.commands.read(section["commands"], section) if "commands" in section else (),
            faults,
            random,
            checks,
            bounds,
            self._recovery(section),
            self._safe(section),
            self._picture(section),
            text_of(section, "description", report),
            self._general(section),
            read_demands(section, self.parts, report),
            read_limits(section, report),
        )
        self._look_late(found)
        return None if report.errors else found

    def _look_late(self, found: SimulationScenario) -> None:
        """What comes after the end is never seen: somebody wrote it by mistake."""
        planned: list[Command | FaultOrder] = [*found.commands, *found.faults]
        for one in planned:
            if found.duration and one.time >= found.duration:
                self.report.warn(one.at, "E962", "this comes after the end of the scenario", "")

    def _whole(self, section: Section, word: str, otherwise: int) -> int:
        value = section.get(word)
        if value is None:
            return otherwise
        if isinstance(value, Text) and value.isdigit() and len(value) < 18:
            return int(value)
        self.report.error(place_of(value), "E010", f"`{word}` is a whole number from 0", "")
        return otherwise

    def _start(self, section: Section) -> Start:
        body = section_of(section, "start", "`start`", self.report)
        check_words(body, START_WORDS, "`start`", self.report)
        soc = self._number(body, "soc", "%", 0.0, 100.0)
        hour, ambient = self._number(body, "hour", "", 0.0, 24.0), self._number(body, "ambient", "°C", -40.0, 60.0)
        return Start(soc, hour, ambient, self._clock(body))

    def _number(self, body: Section, word: str, measured: str, low: float, high: float) -> float | None:
        if word not in body:
            return None
        number = value_of(body[word], LREAL, unit(measured) if measured else None, word, self.report)
        if number is not None and not low <= number <= high:
            self.report.error(place_of(body[word]), "E010", f"`{word}` is {low:g} to {high:g} {measured}".rstrip())
            return None
        return number

    def _clock(self, body: Section) -> int:
        value = body.get("clock")
        if value is None:
            return FIRST_CLOCK
        try:
            found = datetime.datetime.fromisoformat(str(value).replace("Z", "+00:00"))
        except ValueError:
            self.report.error(place_of(value), "E010", f"`{value}` is no date and time", "`2026-06-01T12:00:00Z`")
            return FIRST_CLOCK
        return int((found if found.tzinfo else found.replace(tzinfo=datetime.UTC)).timestamp()) * SECOND

    # What must hold -----------------------------------------------------------------------------------------------------------

    def _musts(self, section: Section) -> tuple[tuple[Check, ...], tuple[Bound, ...]]:
        """`always` and `never`: conditions on tags, judged in every scan, and limits on the plant's truth."""
        checks: list[Check] = []
        bounds: list[Bound] = []
        for word, wanted in (("always", True), ("never", False)):
            if word in section and not section[word]:
                self.report.error(section.key_at(word), "E965", f"`{word}` says nothing", "")
            for text in texts_of(section, word, self.report):
                match = _BOUND.match(text)
                if match is not None and match[1] in TRUTHS:
                    bounds += self._bound(text, match, wanted)
                elif (check := self._condition(text, wanted)) is not None:
                    checks.append(check)
        return tuple(checks), tuple(bounds)

    def _condition(self, text: Text, wanted: bool = True) -> Check | None:
        """A condition on tags; where a name looks like a truth of the plant, that is said."""
        before = len(self.report.problems)
        check = self.steps.conditions.check(text, wanted)
        words = [word for word in re.findall(r"[a-z]\w*", text) if word in TRUTHS]
        if check is None and words and len(self.report.problems) > before:
            self.report.problems[before:] = []
            self.report.error(
                text.at,
                "E966",
                f"`{words[0]}` is the plant's truth, and stands alone: `{words[0]} > 3.75`",
                "two lines for two limits",
            )
        return check

    def _bound(self, text: Text, match: re.Match[str], wanted: bool) -> list[Bound]:
        name, operator, written = match[1], match[2], match[3]
        limit = self._limit(written, name, text, match.start(3))
        return [] if limit is None else [Bound(name, operator, limit, str(text), wanted, text.at)]

    def _limit(self, written: str, name: str, text: Text, start: int) -> float | None:
        at = text.at.part(start + (1 if text.quoted else 0), len(written))
        measured = unit(TRUTHS[name].unit)
        try:
            found = quantity(written)
        except QuantityError as error:
            self.report.error(at, error.code, str(error))
            return None
        number = in_unit(found, measured) if found is not None and measured is not None else None
        if number is None:
            self.report.error(at, "E201", f"`{written}` is no limit for `{name}`, which is in {TRUTHS[name].unit}")
            return None
        return float(number)

    def _safe(self, section: Section) -> tuple[tuple[str, float, float], ...]:
        """The ends that no cell may leave: `safe: {cell_v: 2.0..3.75 V, cell_t: -20..60 °C}`."""
        ends = dict(SAFE)
        for name, value in section_of(section, "safe", "`safe`", self.report).items():
            if name not in SAFE:
                self.report.error(name.at, "E006", f"`{name}` is no word of `safe`", did_you_mean(name, SAFE), f"{', '.join(SAFE)}")
                continue
            found = ends_of(value, name, name.at, self.report)
            if found is not None:
                ends[str(name)] = found
        return tuple((name, low, high) for name, (low, high) in ends.items())

    def _picture(self, section: Section) -> tuple[tuple[str, str], ...]:
        """Which tag shows which truth; without the word, the tags that are named as in the demo."""
        if "picture" not in section:
            return tuple((tag, truth) for tag, truth in PICTURE.items() if self._misfit(tag, truth) == "")
        found = []
        for name, value in section_of(section, "picture", "`picture`", self.report).items():
            cell = self.names.found(name)
            if str(value) not in TRUTHS:
                hint = did_you_mean(str(value), TRUTHS)
                self.report.error(
                    place_of(value, name.at), "E969", f"the plant has no truth `{value}`", hint, f"there are: {', '.join(TRUTHS)}"
                )
            elif cell is not None:
                misfit = self._misfit(name, str(value))
                if misfit:
                    self.report.error(place_of(value, name.at), "E205", misfit)
                found.append((cell.name, str(value)))
        return tuple(found)

    def _misfit(self, name: str, truth: str) -> str:
        """Why this tag cannot show this truth, or "" where it can."""
        tag, cells = self.names.tag(name), self.parts.cells if TRUTHS[truth].cells is not None else 0
        if tag is None:
            return f"no tag named `{name}`"
        if tag.length in (cells, cells * self.parts.racks):
            return ""
        return f"`{name}` has {tag.length} elements, `{truth}` {cells}" if cells else f"`{name}` is an array, `{truth}` one value"

    def _general(self, section: Section) -> tuple[str, ...]:
        """Alarms that explain no trip, such as `Interlock is open`."""
        return tuple(str(name) for name in texts_of(section, "general", self.report) if self.names.alarm(name))

    # What breaks, and what is done then -----------------------------------------------------------------------------------------

    def _faults(self, section: Section) -> tuple[tuple[FaultOrder, ...], tuple[RandomFaults, ...]]:
        orders: list[FaultOrder | None] = []
        random: list[RandomFaults | None] = []
        listing: Any = section.get("faults")
        if listing is None:
            return (), ()
        if not isinstance(listing, Listing):
            self.report.error(place_of(listing, section.at), "E005", "`faults` is a list", "each starts with `- `")
            return (), ()
        for item in listing:
            body = as_section(item, place_of(item, section.at), "a fault", self.report)
            if body is None:
                continue
            if "random" in body:
                check_words(body, ("random",), "faults by chance", self.report)
                random.append(read_random(body["random"], body.at, self.report))
            else:
                orders.append(read_fault(body, self.parts, self.report))
        return tuple(one for one in orders if one is not None), tuple(one for one in random if one is not None)

    def _recovery(self, section: Section) -> Recovery | None:
        if "recover" not in section:
            return None
        body = as_section(section["recover"], section.key_at("recover"), "`recover`", self.report)
        if body is None:
            return None
        check_words(body, RECOVER_WORDS, "`recover`", self.report)
        for word in ("when", "commands"):
            if word not in body:
                self.report.error(body.at, "E007", f"`recover` has no `{word}`", "")
        texts = texts_of(body, "when", self.report)
        when = self._condition(texts[0]) if texts else None
        after = duration_of(body, "after", self.report, AFTER)
        commands = self.commands.read(body["commands"], body) if "commands" in body else ()
        return None if when is None or after is None else Recovery(when, after, commands)
