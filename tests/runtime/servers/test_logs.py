"""What a server says of strangers, on a terminal and in a file."""

from __future__ import annotations

import structlog

from runtime.servers.logs import printable


def test_a_login_name_cannot_clear_the_terminal_of_whoever_looks_on() -> None:
    line = {"event": "login", "level": "warning", "user": "\x1b[2Jeva", "peer": "a\u202eb", "name": "J\u00f6rg", "count": 3}
    said = structlog.dev.ConsoleRenderer(colors=False)(None, "warning", printable(None, "warning", line))
    assert "\x1b" not in said and "\u202e" not in said
    assert r"\x1b[2Jeva" in said and "J\u00f6rg" in said and "count=3" in said
