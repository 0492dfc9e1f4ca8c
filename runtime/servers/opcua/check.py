"""What the checker does with the site's `servers: opcua:`. It opens no port."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runtime.model import Tag
from runtime.servers.opcua.settings import describe_opcua
from runtime.source import Report


def check(section: Any, tags: Sequence[Tag], root: Path, report: Report) -> None:
    """Report every mistake of the section."""
    describe_opcua(section, report)
