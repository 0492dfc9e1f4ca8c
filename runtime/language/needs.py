"""What tests need of a site: `needs: $racks >= 2` leaves them out where a site is smaller. It must not know what is tested."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable

from runtime.language.places import Filled
from runtime.language.words import texts_of
from runtime.source import Report, Section

_COMPARED = re.compile(r"\s*(-?\d{1,18})\s*(<=|>=|<>|<|>|=)\s*(-?\d{1,18})\s*\Z")
_COMPARES: dict[str, Callable[[int, int], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "<>": operator.ne,
}


def missing_of(section: Section, report: Report) -> str:
    """The first of its needs that this site does not meet, as it is written; empty where it meets all."""
    for text in texts_of(section, "needs", report):
        found = _COMPARED.match(text)
        if found is None:
            help = "a constant of the site and a whole number: `needs: $racks >= 2`, or a list of these"
            report.error(text.at, "E010", f"`{text}` compares no whole numbers", "", help)
        elif not _COMPARES[found[2]](int(found[1]), int(found[3])):
            return str(text.source if isinstance(text, Filled) else text)
    return ""
