"""A file's text as the values that YAML 1.2's core schema makes of it, as an editor checks it (YAML 1.2.2, section 10.3.2)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from runtime.language.loader import read_yaml
from runtime.source import Listing, Report, Section

CORE: tuple[tuple[str, Callable[[str], Any]], ...] = (
    (r"null|Null|NULL|~|", lambda text: None),
    (r"true|True|TRUE", lambda text: True),
    (r"false|False|FALSE", lambda text: False),
    (r"[-+]?[0-9]+", int),
    (r"0o[0-7]+", lambda text: int(text[2:], 8)),
    (r"0x[0-9a-fA-F]+", lambda text: int(text, 16)),
    (r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", float),
)


def values(text: str, name: str = "a.yaml") -> Any:
    """The whole file; a text that is no YAML is a mistake of the test."""
    report = Report()
    section = read_yaml(name, text, report)
    assert not report.problems, report.problems
    return value(section)


def value(part: Any) -> Any:
    """One part of a file: text that is not quoted is a number, a truth or nothing where it looks so."""
    if isinstance(part, Section):
        return {str(key): value(one) for key, one in part.items()}
    if isinstance(part, Listing):
        return [value(one) for one in part]
    if not part.quoted:
        for pattern, read in CORE:
            if re.fullmatch(pattern, part):
                return read(part)
    return str(part)
