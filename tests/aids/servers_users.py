"""A users file for tests, with passwords that hash fast: a thirtieth of what a site's take."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from runtime.child import ServiceOrder
from runtime.servers.passwords import hash_password


def write_users(folder: Path, **users: tuple[str, str]) -> Path:
    """`users.yaml` in this folder: each user with role and password."""
    path = folder / "users.yaml"
    lines = [
        f"{name}: {{role: {role}, password: {hash_password(word, cost=10, lanes=1)}}}\n" for name, (role, word) in users.items()
    ]
    aside = folder / ".users.yaml"
    aside.write_text("".join(lines))
    aside.chmod(0o600)
    os.replace(aside, path)
    return path


def with_users(order: ServiceOrder, folder: Path, **users: tuple[str, str]) -> ServiceOrder:
    """The order of a site with these users, and a state folder beside them."""
    return replace(order, users=str(write_users(folder, **users)))
