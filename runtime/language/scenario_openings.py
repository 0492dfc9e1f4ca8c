"""The openings of a file of tests: lists of steps, each with a name, that a test begins with. It must not know what a step does.

A test, or another opening, names one in its first step: `- {begin: closed}`. The steps of the opening stand in its place, so
`at` counts from the beginning of the opening, as it does where the steps are written out.
"""

from __future__ import annotations

from typing import Any

from runtime.language.words import section_of
from runtime.source import Listing, Report, Section, Text, did_you_mean, place_of

WORD = "openings"
BEGIN = "begin"


class Openings:
    """The openings of one file, each with the steps of the one that it begins with itself in front."""

    def __init__(self, body: Section, report: Report):
        self._report = report
        self._written: dict[str, Listing] = {}
        self._whole: dict[str, list[Any]] = {}
        for name, steps in section_of(body, WORD, f"`{WORD}`", report).items():
            if isinstance(steps, Listing) and steps:
                self._written[name] = steps
            else:
                report.error(place_of(steps, name.at), "E005", f"the opening `{name}` is a list of steps", "each starts with `- `")
                self._whole[name] = []
        for opening in self._written:
            self._resolve(opening, ())

    @property
    def all(self) -> dict[str, Listing]:
        """Every opening with all its steps, to be read once for its own mistakes."""
        return {name: Listing(self._whole[name], steps.at) for name, steps in self._written.items()}

    def in_full(self, listing: Listing) -> Listing:
        """These steps, with those of the opening that the first one names before them."""
        begun = self._begun(listing)
        return Listing((*(self._whole[begun] if begun else ()), *_own(listing)), listing.at)

    def _resolve(self, name: str, above: tuple[str, ...]) -> None:
        """All steps of this opening; `above` are those that begin with it."""
        if name in self._whole:
            return
        begun, before = self._begun(self._written[name]), list[Any]()
        if begun in (*above, name):
            words = [*above[above.index(begun) :], name] if begun in above else [name]
            drawn = " begins with ".join(f"`{word}`" for word in (*words, begun))
            at = place_of(self._written[name][0][BEGIN])
            self._report.error(
                at, "E971", f"an opening cannot begin with itself: {drawn}", "", "let one of them write its steps out"
            )
        elif begun:
            self._resolve(begun, (*above, name))
            before = self._whole.get(begun, [])
        self._whole[name] = [item for item in (*before, *_own(self._written[name])) if isinstance(item, Section)]

    def _begun(self, listing: Listing) -> str:
        """The opening that the first step names, or nothing."""
        for place, item in enumerate(listing):
            if isinstance(item, Section) and BEGIN in item:
                at = item.key_at(BEGIN)
                if place:
                    self._report.error(at, "E965", f"`{BEGIN}` is the first step, or none", "", "its steps come before all others")
                elif len(item) > 1:
                    self._report.error(at, "E965", f"`{BEGIN}` stands alone in its step", "", "write the rest as the next step")
        first = listing[0] if listing else None
        if not isinstance(first, Section) or BEGIN not in first:
            return ""
        name = first[BEGIN]
        if isinstance(name, Text) and (name in self._written or name in self._whole):
            return str(name)
        known = [*self._written, *self._whole]
        help = f"there are: {', '.join(known)}" if known else f"`{WORD}:` of this file gives a list of steps its name"
        self._report.error(place_of(name, first.at), "E969", f"no opening is named `{name}`", did_you_mean(str(name), known), help)
        return ""


def _own(listing: Listing) -> list[Any]:
    """The steps but the one that names an opening; a mistake beside `begin` has been told."""
    return [item for item in listing if not (isinstance(item, Section) and BEGIN in item)]
