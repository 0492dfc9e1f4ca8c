"""Reads what the operator of a scenario does: tags written, buttons pressed, quantities of the plant fixed by hand.

It must not know when or how it is done.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from blocks.declare import LREAL
from runtime.language.scenario import Write
from runtime.language.scenario_steps import Steps
from runtime.language.units import unit
from runtime.language.words import as_section, check_words, duration_of, texts_of, value_of
from runtime.simulate_scenario import Command
from runtime.simulation.panel import BUTTONS
from runtime.source import Listing, Report, Section, Text, did_you_mean, place_of

WRITES = ("write", "as", "from")
WORDS = ("at", "every", *WRITES, "press", "set")
SETS: Mapping[str, tuple[str, float, float]] = {  # what of the plant can be fixed by hand: unit and range
    "load": ("kW", 0.0, 100_000.0),
    "pv": ("kW", 0.0, 100_000.0),
    "frequency": ("Hz", 30.0, 80.0),
    "frequency_step": ("Hz", -5.0, 5.0),
}
FREE = "free"


class Commands:
    """Reads the commands of one scenario; mistakes are reported."""

    def __init__(self, steps: Steps, report: Report):
        self._steps, self._report = steps, report

    def read(self, listing: Any, at: Text | Section) -> tuple[Command, ...]:
        """All commands of a list, each `{at: 1 min, write: {hmi.p_set: 50 kW}}`."""
        if not isinstance(listing, Listing):
            self._report.error(place_of(listing, at.at), "E005", "commands are a list", "each starts with `- `")
            return ()
        found = []
        for item in listing:
            body = as_section(item, place_of(item, at.at), "a command", self._report)
            if body is not None:
                found.append(self._command(body))
        return tuple(one for one in found if one is not None)

    def _command(self, body: Section) -> Command | None:
        before, report = len(self._report.errors), self._report
        check_words(body, WORDS, "a command", report)
        time, every = duration_of(body, "at", report), duration_of(body, "every", report, 0)
        if "at" not in body:
            report.error(body.at, "E007", "this command has no time", "`at: 10 min`")
        if not any(word in body for word in ("write", "press", "set")):
            report.error(body.at, "E965", "this command does nothing", "", "the words for that are write, press, set")
        if "every" in body and every == 0:
            report.error(place_of(body["every"]), "E010", "`every` is longer than no time")
        writes = self._writes(body)
        presses = tuple(str(name) for name in texts_of(body, "press", report) if self._is_button(name))
        sets = self._sets(body)
        if len(report.errors) > before or time is None or every is None:
            return None
        return Command(time, writes, presses, sets, every, body.at)

    def _writes(self, body: Section) -> tuple[Write, ...]:
        """As the tests of programs write: the same words, the same checks."""
        part = Section([(key, value) for key, value in body.items() if key in WRITES], body.at)
        if "write" not in part:
            for key in part:
                self._report.error(key.at, "E965", f"`{key}` belongs to `write`, and nothing is written", "")
            return ()
        steps = self._steps.read(Listing([part], body.at), Text("commands", body.at))
        return tuple(write for step in steps for write in step.writes)

    def _is_button(self, name: Text) -> bool:
        if name in BUTTONS:
            return True
        hint = did_you_mean(name, BUTTONS)
        self._report.error(name.at, "E969", f"the panel has no button `{name}`", hint, f"there are: {', '.join(BUTTONS)}")
        return False

    def _sets(self, body: Section) -> tuple[tuple[str, float | None], ...]:
        if "set" not in body:
            return ()
        found: list[tuple[str, float | None]] = []
        for name, value in (as_section(body["set"], body.key_at("set"), "`set`", self._report) or Section()).items():
            if name not in SETS:
                hint, known = did_you_mean(name, SETS), f"there are: {', '.join(SETS)}"
                self._report.error(name.at, "E969", f"nothing called `{name}` can be set at the plant", hint, known)
            elif isinstance(value, Text) and value == FREE:
                found.append((str(name), None))
            else:
                found += self._set(name, value)
        return tuple(found)

    def _set(self, name: Text, value: Any) -> list[tuple[str, float | None]]:
        measured, low, high = SETS[name]
        number = value_of(value, LREAL, unit(measured), str(name), self._report)
        if number is None:
            return []
        if not low <= number <= high:
            self._report.error(place_of(value), "E010", f"`{name}` is {low:g} to {high:g} {measured}, not {number:g}")
            return []
        return [(str(name), float(number))]
