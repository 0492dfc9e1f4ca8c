"""Checks what the site says about its servers, before anything starts. It opens no port.

A server is a folder here, the web page is `hmi/`. Its name is the key in the site's `servers:`; its `check.py` reads that section.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from runtime.model import Tag
from runtime.servers.users_file import check_users, users_of
from runtime.source import Report, did_you_mean, place_of

NO_CONSTANTS: Mapping[str, str] = {}
PAGE = "hmi"  # of the top level: it stands on these rooms, and none of them knows it
SERVERS = tuple(sorted((PAGE, *(path.parent.name for path in Path(__file__).parent.glob("*/check.py")))))


def module_of(server: str) -> str:
    """What `python -m` runs for a server."""
    return server if server == PAGE else f"runtime.servers.{server}"


def describe_servers(
    servers: Mapping[Any, Any], tags: Sequence[Tag], root: Path, report: Report, constants: Mapping[str, str] = NO_CONSTANTS
) -> None:
    """Check the site's `servers:` section with all that it names; all mistakes go to the report."""
    if place_of(servers).file:
        check_users(users_of(root / place_of(servers).file), root, report)
    for name, section in servers.items():
        if name in SERVERS:
            importlib.import_module(f"{module_of(name)}.check").check(section or {}, tags, root, report, constants)
        else:
            hint = did_you_mean(name, SERVERS)
            report.error(place_of(name), "E901", f"no server named `{name}`", hint, f"known: {', '.join(SERVERS)}")
