"""What the checker does with the site's `servers: hmi:`. It opens no port."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hmi.settings import describe_hmi
from runtime.model import Tag
from runtime.source import Report


def check(section: Any, tags: Sequence[Tag], root: Path, report: Report, constants: Mapping[str, str]) -> None:
    """Report every mistake of the section."""
    describe_hmi(section, report)
