"""Commissioning of interlocks: which contact is open, and does each one that a technician opens reach its interlock?

It reads snapshots and writes nothing: opening a contact is a hand's work.
"""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blocks import catalogue
from runtime import quality
from runtime.fieldbus import driver
from runtime.language.entries import read_text
from runtime.model import Site
from runtime.onlooker import Onlooker
from runtime.permits import Contact, Interlock, Permit, Permits
from runtime.source import Listing, Report, Section, Text
from runtime.status import format_value

LOOK_S = 0.02
MUST_BE_SEEN_S = 2.0  # a contact that is open and a permit that is not, for longer than any task's interval
WORDS = {True: "closed", False: "OPEN", None: "not known"}

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Walked:
    """What came of asking for one contact: seen, not seen, or skipped."""

    interlock: str
    permit: int
    contact: str
    result: str


class Round:
    """The interlocks of a running site: `look` takes the newest picture."""

    def __init__(self, seen: Onlooker):
        self.seen = seen
        self._permits = Permits(seen.site.schedule, catalogue(), lambda: seen.snapshot.memory)
        self.texts = permit_texts(seen.site)
        self._points = {(p.tag.lower(), p.element): (d, p) for d in seen.site.devices for p in (*d.inputs, *d.outputs)}

    def look(self) -> tuple[Interlock, ...]:
        self.seen.refresh()
        return self._permits.interlocks()

    def text_of(self, interlock: Interlock, permit: Permit) -> str:
        """The permit as the program writes it, or its tags where it writes none of its own."""
        texts = self.texts.get(interlock.name.lower(), ())
        if len(texts) == len(interlock.permits):
            return str(texts[permit.number - 1])
        return ", ".join(contact.name for contact in permit.contacts) or "a constant"

    def place_of(self, contact: Contact) -> tuple[str, str]:
        """The device and the address of a tag that comes from the field; its writer and nothing for any other."""
        found = self._points.get((contact.tag.name.lower(), contact.element))
        if found is None:
            return contact.tag.owner, ""
        device, point = found
        return device.name, str(getattr(driver(device.driver), "describe_address", str)(point.address))

    def is_field_contact(self, permit: Permit) -> Contact | None:
        """The one BOOL input that a hand can open to open this permit, where there is one."""
        values = [contact for contact in permit.contacts if not contact.is_flag]
        is_one = len(values) == 1 and values[0].tag.type == "BOOL" and values[0].tag.kind == "input"
        return values[0] if is_one else None

    def value_of(self, contact: Contact) -> Any:
        """What the tag says now; for `.good`, whether its quality is."""
        if contact.is_flag:
            return quality.is_good(self.seen.quality(contact.tag))
        value = self.seen.snapshot.column(contact.tag)[contact.element].item()
        return bool(value) if contact.tag.type == "BOOL" else value


def permit_texts(site: Site) -> dict[str, tuple[Text, ...]]:
    """The texts of every interlock's list of permits, by its full name in small letters; those in function blocks too."""
    programs: dict[str, Section] = {}
    kinds: dict[str, Section] = {}
    for file in site.files:
        path = Path(site.root) / file
        if not file.startswith("programs/") or not path.exists():
            continue
        text = read_text(file, path.read_text(encoding="utf-8"), site.constants, Report())
        for word, found in (("program", programs), ("function_block", kinds)):
            name = text.get(word) if text is not None else None
            if text is not None and isinstance(name, Text):
                found[name.lower()] = text
    return {name: texts for program, text in programs.items() for name, texts in _permits_in(program, text, kinds)}


def _permits_in(owner: str, text: Section, kinds: Mapping[str, Section]) -> Iterator[tuple[str, tuple[Text, ...]]]:
    """The lists of permits in one program or function block, and in the function blocks that it uses."""
    blocks = text.get("blocks")
    for name, section in blocks.items() if isinstance(blocks, Section) else ():
        if not isinstance(section, Section):
            continue
        listing, kind, count = section.get("PERMIT"), str(section.get("type")).lower(), str(section.get("count", ""))
        if isinstance(listing, Listing) and all(isinstance(one, Text) for one in listing):
            yield f"{owner}.{name}".lower(), tuple(listing)
        if kind in kinds:
            rows = [f"[{row}]" for row in range(1, int(count) + 1)] if count.isdecimal() else [""]
            for row in rows:
                yield from _permits_in(f"{owner}.{name}{row}".lower(), kinds[kind], kinds)


# One look -----------------------------------------------------------------------------------------------------------------


def as_json(round: Round, interlocks: tuple[Interlock, ...]) -> dict[str, Any]:
    """Every permit with the tags that decide it, ready for JSON."""
    return {
        "site": round.seen.site.name,
        "state": round.seen.state,
        "scan": round.seen.snapshot.scan,
        "closed": all(interlock.is_closed for interlock in interlocks),
        "interlocks": [
            {
                "interlock": interlock.name,
                "armed": interlock.is_armed,
                "tripped_by": interlock.first,
                "permits": [_permit_json(round, interlock, permit) for permit in interlock.permits],
            }
            for interlock in interlocks
        ],
    }


def _permit_json(round: Round, interlock: Interlock, permit: Permit) -> dict[str, Any]:
    contacts = []
    for contact in permit.contacts:
        device, address = round.place_of(contact)
        facts = {"tag": contact.name, "value": round.value_of(contact), "quality": quality.name(round.seen.quality(contact.tag))}
        contacts.append({**facts, "device": device, "address": address})
    return {
        "permit": permit.number,
        "text": round.text_of(interlock, permit),
        "closed": permit.holds,
        "contacts": contacts,
    }


def lines(round: Round, interlocks: tuple[Interlock, ...]) -> Iterator[str]:
    """The same for a person: a head for each interlock, a line a permit, and under an open one its tags."""
    for interlock in interlocks:
        yield _head(interlock)
        texts = {permit.number: round.text_of(interlock, permit) for permit in interlock.permits}
        for permit in interlock.permits:
            yield f"  {permit.number:>3}  {WORDS[permit.holds]:<9}  {texts[permit.number]}"
            if not permit.holds:
                yield from (f"         {line}" for line in _contact_lines(round, permit))


def _head(interlock: Interlock) -> str:
    armed = {True: "armed", False: "not armed", None: "armed or not: no tag shows its OK"}[interlock.is_armed]
    tripped = f", tripped by permit {interlock.first}" if interlock.first else ""
    return f"{interlock.name}: {armed}{tripped}, {len(interlock.open)} of {len(interlock.permits)} permits open"


def _contact_lines(round: Round, permit: Permit) -> Iterator[str]:
    for contact in permit.contacts:
        device, address = round.place_of(contact)
        value = round.value_of(contact)
        shown = format_value(contact.tag, value) if not contact.is_flag else str(value).lower()
        said = quality.name(round.seen.quality(contact.tag))
        yield f"{contact.name} = {shown}  {said}  {' '.join(filter(None, (device, address)))}".rstrip()


# The walk -----------------------------------------------------------------------------------------------------------------


class Keys:
    """What the technician types: Enter skips, q ends. Without a terminal nothing is typed."""

    def __init__(self, source: Any = None):
        self._source = sys.stdin if source is None else source

    def pressed(self) -> str:
        """A line that was typed since the last look; empty where there is none."""
        if not self._source.isatty() or not select.select([self._source], [], [], 0)[0]:
            return ""
        line = os.read(self._source.fileno(), 1024).decode(errors="replace")
        return line.strip().lower()[:1] or "\n" if line else "q"


def walk(round: Round, keys: Keys, say: Say, patience_s: float) -> list[Walked]:
    """Ask for every contact in turn: open it, then close it again; say whether its interlock saw it."""
    asked = [
        (interlock.name, permit.number, contact)
        for interlock in round.look()
        for permit in interlock.permits
        if (contact := round.is_field_contact(permit)) is not None
    ]
    found: list[Walked] = []
    for number, (name, permit, contact) in enumerate(asked, 1):
        where = " ".join(filter(None, round.place_of(contact)))
        say(f"[{number}/{len(asked)}] open {contact.name} ({where}); Enter skips it, q ends")
        result = _one(round, keys, name, permit, contact, patience_s)
        if result == "ended":
            break
        found.append(Walked(name, permit, contact.name, result))
        say(f"        {name} permit {permit}: {result}")
        if result != "skipped" and not _closed_again(round, keys, name, permit, contact, patience_s, say):
            break
    return found


def _one(round: Round, keys: Keys, name: str, permit: int, contact: Contact, patience_s: float) -> str:
    """Wait for the contact to open, and then for its interlock to see it."""
    until, opened = time.monotonic() + patience_s, 0.0
    was_armed = any(interlock.name == name and interlock.is_armed for interlock in round.look())
    while time.monotonic() < until:
        key = keys.pressed()
        if key:
            return "ended" if key == "q" else "skipped"
        interlock = next(one for one in round.look() if one.name == name)
        if interlock.permits[permit - 1].holds is False:
            if not was_armed or interlock.is_armed is False:
                return "seen, and the interlock tripped" if was_armed else "seen"
        elif not round.value_of(contact):
            opened = opened or time.monotonic()
        if opened and time.monotonic() - opened > MUST_BE_SEEN_S:
            return "NOT SEEN: the contact is open and the permit is not"
        time.sleep(LOOK_S)
    return "not opened in time"


def _closed_again(round: Round, keys: Keys, name: str, permit: int, contact: Contact, patience_s: float, say: Say) -> bool:
    """Whether the contact was closed again, or the technician goes on without."""
    until = time.monotonic() + patience_s
    say(f"        close {contact.name} again")
    while time.monotonic() < until:
        if next(one for one in round.look() if one.name == name).permits[permit - 1].holds is not False:
            return True
        key = keys.pressed()
        if key:
            return key != "q"
        time.sleep(LOOK_S)
    return True
