"""Reads the steps of one test: when, what is done, and what is expected then. It must not know how a test is run."""

from __future__ import annotations

import re
from typing import Any

from blocks.declare import TYPES
from runtime.language.numbered import cut_index
from runtime.language.scenario import Check, Link, Ramp, Setting, Step, Write
from runtime.language.scenario_conditions import Conditions
from runtime.language.scenario_expected import Expected, first_is, truth_of
from runtime.language.scenario_inputs import Inputs
from runtime.language.scenario_names import Names
from runtime.language.scenario_openings import BEGIN, Openings
from runtime.language.units import unit
from runtime.language.words import as_section, check_words, duration_of, texts_of, value_of
from runtime.language.words import truth_of as truth_word
from runtime.model import ROLES
from runtime.source import Listing, Position, Section, Text, did_you_mean, place_of

TIMES = ("at", "after")
ACTS = ("set", "ramp", "play", "write", "lose", "silence", "restore")
HOPES = ("expect", "raised", "quiet", "tripped")
STEP_WORDS = (BEGIN, *TIMES, *ACTS, "as", "from", "refused", *HOPES, "within", "during")
SERVICES = ("hmi", "opcua", "modbus", "rest", "cli")
_CONTACT = re.compile(r"[^\W\d][\w.\[\]]*")
LINKS = {"lose": "lost", "silence": "silent", "restore": "back"}


class Steps:
    """Reads the steps of one program's tests."""

    def __init__(self, names: Names, inputs: Inputs, openings: Openings | None = None):
        self.names, self.inputs, self.report = names, inputs, names.report
        self.conditions = Conditions(names)
        self.expected = Expected(self.conditions)
        self.openings = openings or Openings(Section(), self.report)
        self._shared: dict[int, Step] = {}  # steps of openings by their section: their mistakes are told once
        for steps in self.openings.all.values():
            latest = 0
            for body in steps:
                shared = self._shared.get(id(body))
                step = self._shared[id(body)] = shared or self._step(body)
                latest = self._advance(step, body, latest, is_told=shared is not None)

    def is_shared(self, step: Step) -> bool:
        """Whether it stands in an opening, and not in the test itself."""
        return any(step is one for one in self._shared.values())

    def read(self, listing: Any, at: Text) -> tuple[Step, ...]:
        """All steps in their order, those of the opening first; the clock may not go backwards."""
        if not isinstance(listing, Listing):
            self.report.error(place_of(listing, at.at), "E005", "`steps` is a list", "each step starts with `- `")
            return ()
        found: list[Step] = []
        latest = 0
        if not listing:
            self.report.error(listing.at, "E965", f"the test `{at}` has no step", "")
        soonest = 0
        played: list[tuple[Position, int]] = []  # where each time series is, and when its last row is due at the soonest
        for item in self.openings.in_full(listing):
            body = as_section(item, place_of(item, at.at), "a step", self.report)
            if body is None:
                continue
            shared = self._shared.get(id(body))
            step = shared or self._step(body)
            latest = self._advance(step, body, latest, is_told=shared is not None)
            soonest = max(soonest + step.wait, step.until)
            if step.series:
                played.append((body.key_at("play"), soonest + step.series[-1].time))
            soonest += max(step.during, 0)
            found.append(step)
        for place, due in played:
            if due > latest:
                self.report.warn(place, "E968", *_too_short(due, latest))
        return tuple(found)

    def _advance(self, step: Step, body: Section, latest: int, *, is_told: bool = False) -> int:
        """The latest time at which this step may end."""
        if step.until >= 0 and step.until < latest and not is_told:
            self.report.error(
                place_of(body["at"]),
                "E962",
                f"time goes backwards: the step before may last until {shown_time(latest)}",
                "",
                "`at` counts from the start of the test, `after` from the end of the step before",
            )
        begun = step.until if step.until >= 0 else latest + step.wait
        return max(begun, latest) + max(step.within, step.during, 0)

    def _step(self, body: Section) -> Step:
        check_words(body, STEP_WORDS, "a step", self.report)
        if all(word in body for word in TIMES):
            self.report.error(body.key_at("after"), "E965", "a step has `at` or `after`, not both", "")
        if "within" in body and "during" in body:
            self.report.error(body.key_at("during"), "E965", "a step has `within` or `during`, not both", "")
        checks = self.checks(body)
        for word in ("within", "during"):
            if word in body and not any(hope in body for hope in HOPES):
                self.report.error(
                    body.key_at(word),
                    "E965",
                    f"`{word}` says when something is expected, and nothing is",
                    "",
                    f"the words for that are {', '.join(HOPES)}",
                )
        for word in ("as", "from", "refused"):
            if word in body and "write" not in body:
                self.report.error(body.key_at(word), "E965", f"`{word}` belongs to `write`, and nothing is written", "")
        if not any(word in body for word in (*ACTS, *HOPES, *TIMES)):
            self.report.error(body.at, "E965", "this step does nothing", "")
        until = duration_of(body, "at", self.report)
        play = next((key for key in body if key == "play"), None)
        return Step(
            body.at,
            -1 if until is None else until,
            duration_of(body, "after", self.report) or 0,
            self.settings(body, "set"),
            self._ramps(body),
            self._writes(body),
            self._links(body),
            self.inputs.series(body["play"], play) if play is not None else (),
            checks,
            _time(duration_of(body, "within", self.report)),
            _time(duration_of(body, "during", self.report)),
        )

    def settings(self, body: Section, word: str) -> tuple[Setting, ...]:
        """The inputs under `set` or `given`."""
        found = [self.inputs.setting(name, value) for name, value in self._section(body, word).items()]
        return tuple(one for one in found if one is not None)

    def _section(self, body: Section, word: str) -> Section:
        if word not in body:
            return Section()
        return as_section(body[word], body.key_at(word), f"`{word}`", self.report) or Section()

    def _ramps(self, body: Section) -> tuple[Ramp, ...]:
        found = [self.inputs.ramp(name, value) for name, value in self._section(body, "ramp").items()]
        return tuple(one for one in found if one is not None)

    def _writes(self, body: Section) -> tuple[Write, ...]:
        role, service = self._word(body, "as", "operator", ROLES), self._word(body, "from", "hmi", SERVICES)
        refused = truth_word(body, "refused", self.report)
        found = [self._write(name, value, role, service, refused) for name, value in self._section(body, "write").items()]
        return tuple(one for one in found if one is not None)

    def _word(self, body: Section, word: str, otherwise: str, known: tuple[str, ...]) -> str:
        value = body.get(word, otherwise)
        if value not in known:
            self.report.error(place_of(value), "E010", f"`{word}` is one of {', '.join(known)}", did_you_mean(str(value), known))
        return str(value)

    def _write(self, name: Text, value: Any, role: str, service: str, refused: bool) -> Write | None:
        plain, index = cut_index(name)
        tag = self.names.tag(plain)
        if tag is None:
            self.names.found(name)
            return None
        if not tag.write and not refused:
            hint = "a device gives it: `set:`" if tag.kind == "input" else "a program writes it"
            self.names.error(
                name, "E964", f"nobody may write `{tag.name}`", hint, "where that is what the test shows, say `refused: true`"
            )
            return None
        if tag.length and not index:
            self.names.error(name, "E205", f"`{tag.name}` has {tag.length} elements", f"write one: `{tag.name}[1]`")
            return None
        number = value_of(value, TYPES[tag.type], unit(tag.unit) if tag.unit else None, str(name), self.report)
        return None if number is None else Write(tag.name, int(index or 1) - 1, number, role, service, refused, name.at)

    def _links(self, body: Section) -> tuple[Link, ...]:
        found = []
        for word, state in LINKS.items():
            for name in texts_of(body, word, self.report):
                device = self.names.devices.get(name.lower())
                if device is None:
                    known = [one.name for one in self.names.devices.values()]
                    self.names.error(
                        name, "E969", f"no device named `{name}`", did_you_mean(name, known), f"there are: {', '.join(known)}"
                    )
                else:
                    found.append(Link(device.name, state))
        return tuple(found)

    # What is expected ---------------------------------------------------------------------------------------------------------

    def checks(self, body: Section) -> tuple[Check, ...]:
        """Values and conditions under `expect`, alarms under `raised` and `quiet`, permits under `tripped`."""
        found: list[Check | None] = []
        self._none_empty(body, HOPES)
        hoped = body.get("expect")
        if isinstance(hoped, Section):
            found += [self.expected.check(name, value) for name, value in hoped.items()]
        else:
            found += [self.conditions.check(text) for text in texts_of(body, "expect", self.report)]
        for word in ("raised", "quiet"):
            for name in texts_of(body, word, self.report):
                cells = self.names.alarm(name)
                if cells:
                    found.append(truth_of(cells, f"alarm {name} {word}", name, word == "raised"))
        found += [self._tripped(name, value) for name, value in self._section(body, "tripped").items()]
        return tuple(one for one in found if one is not None)

    def _tripped(self, name: Text, value: Any) -> Check | None:
        """`ready: panel.estop_ok`: which permit tripped the interlock, as its program writes it, or its number; or `nothing` did.

        A contact that stands in one permit only names it too.
        """
        interlock = self.names.tripped(name)
        if interlock is None:
            return None
        cell, permits = interlock
        if not isinstance(value, Text):
            self.report.error(place_of(value, name.at), "E005", "one permit, as its program writes it, or its number", "")
            return None
        plain = {_plain(text): number for number, text in enumerate(permits, 1) if text is not None}
        number = plain.get(_plain(value), 0)
        holding = [n for n, text in enumerate(permits, 1) if text is not None and value.lower() in _CONTACT.findall(text.lower())]
        if not number and len(holding) == 1:
            number = holding[0]
        if value.isdigit() and 1 <= int(value) <= len(permits):
            number = int(value)
        if not number and value != "nothing":
            known = [str(text) for text in permits if text is not None]
            self.names.error(
                value,
                "E969",
                f"`{name}` has no permit `{value}`",
                did_you_mean(value, known),
                f"it has 1 to {len(permits)}: {', '.join(known)}",
            )
            return None
        return first_is(cell, number, f"{name} tripped by {value}", value)

    def conditions_of(self, body: Section, word: str, wanted: bool) -> tuple[Check, ...]:
        """The conditions under `always` or `never`."""
        self._none_empty(body, (word,))
        found = [self.conditions.check(text, wanted) for text in texts_of(body, word, self.report)]
        return tuple(one for one in found if one is not None)

    def _none_empty(self, body: Section, words: tuple[str, ...]) -> None:
        """A word that asks for something and says nothing would hold whatever happens."""
        for word in words:
            if word in body and not body[word]:
                self.report.error(body.key_at(word), "E965", f"`{word}` expects nothing", "")


def _plain(text: str) -> str:
    return "".join(text.split()).lower()


def _time(ns: int | None) -> int:
    return -1 if ns is None else ns


def _too_short(due: int, latest: int) -> tuple[str, str]:
    """That rows of a time series are never given, and what to do about it."""
    message = f"the test ends at {shown_time(latest)}, before the last row is given at {shown_time(due)}"
    return message, f"a last step `at: {shown_time(due)}` gives it"


def shown_time(ns: int) -> str:
    """A time of a test as people read it: `2.34 s`."""
    return f"{ns / 1e9:.6f}".rstrip("0").rstrip(".") + " s"
