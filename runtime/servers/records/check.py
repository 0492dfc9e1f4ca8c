"""What the checker does with the site's `servers: records:`. It opens no file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from runtime.model import Tag
from runtime.servers.records.settings import check_history, describe_records
from runtime.source import Report


def check(section: Any, tags: Sequence[Tag], root: Path, report: Report, constants: Mapping[str, str]) -> None:
    """Report every mistake of the section, and the tags that it names in vain."""
    check_history(describe_records(section, report).history, tags, report)
