"""The users file of a site: how it is read and checked. It must not know a server or a protocol, and changes nothing.

`config/users.yaml` holds one line a user: the role, the password's hash, the SHA-256 of tokens and of certificates. Nothing in it
opens a door by itself, but a stolen hash can be guessed at leisure: the file has mode 0600.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from runtime.model import ROLES
from runtime.servers.passwords import is_hash
from runtime.source import Position, Report, Section, did_you_mean, place_of

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}\Z")
TAKEN_NAMES = ("anonymous", "nobody")
FINGERPRINT = re.compile(r"[0-9a-f]{64}\Z")
WORDS = ("role", "password", "tokens", "certificates")


@dataclass(frozen=True, slots=True)
class Token:
    """An API token: the SHA-256 of it, and the last day it is good for (UTC)."""

    digest: str
    until: date

    def is_good(self, today: date) -> bool:
        return today <= self.until


@dataclass(frozen=True, slots=True)
class Account:
    """One user as the file has it."""

    name: str
    role: str
    password: str = ""
    tokens: tuple[Token, ...] = ()
    certificates: tuple[str, ...] = ()
    at: Position = field(default_factory=lambda: Position("", 0, 0), compare=False)

    def proofs(self) -> tuple[str, ...]:
        """Everything that lets this user in, as the file has it."""
        return (self.password, *(token.digest for token in self.tokens), *self.certificates)


def users_of(site: Path) -> Path:
    """The users of a site file `NAME.yaml`: `NAME_users.yaml` beside it, or `users.yaml` where there is none."""
    own = site.resolve().with_name(f"{site.stem}_users.yaml")
    return own if own.exists() else own.with_name("users.yaml")


def read_users(path: Path, report: Report, shown: str = "") -> dict[str, Account]:
    """The accounts of a file, none where there is no file; mistakes go to the report. `shown` is the file's name in messages."""
    from runtime.language.loader import read_yaml

    name = shown or str(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        report.error(Position(name, 0, 0), "E921", f"the users file cannot be read: {error}")
        return {}
    if not re.sub(r"(?m)^\s*#.*$", "", text).strip():
        return {}
    section = read_yaml(name, text, report)
    accounts = [_account(key, value, report) for key, value in (section or {}).items()]
    return {account.name: account for account in accounts if account is not None}


def _account(key: Any, value: Any, report: Report) -> Account | None:
    if not NAME.match(key) or key in TAKEN_NAMES:
        report.error(place_of(key), "E921", f"`{key}` is no name for a user", "", "a name has letters, digits, and . _ @ -")
        return None
    if not isinstance(value, Section) or value.get("role") not in ROLES:
        at = place_of(value.get("role"), value.at) if isinstance(value, Section) else place_of(key)
        report.error(
            at, "E921", f"user `{key}` needs a role", f"one of {', '.join(ROLES)}", "`bessplc user --help` writes this file"
        )
        return None
    before = len(report.errors)
    for word in value:
        if word not in WORDS:
            report.error(place_of(word), "E921", f"a user has no `{word}`", did_you_mean(word, WORDS), f"known: {', '.join(WORDS)}")
    hashed = value.get("password", "")
    if hashed and not (isinstance(hashed, str) and is_hash(hashed)):
        help = f"`bessplc user password {key}` makes the hash"
        report.error(place_of(hashed, key.at), "E921", f"the password of `{key}` is no scrypt hash", "", help)
    tokens = tuple(_tokens(value.get("tokens"), key, report))
    certificates = tuple(_certificates(value.get("certificates"), key, report))
    if len(report.errors) > before:
        return None
    return Account(str(key), str(value["role"]), str(hashed), tokens, certificates, key.at)


def _tokens(listing: Any, key: Any, report: Report) -> Iterator[Token]:
    for entry in _list_of(listing, "tokens", key, report):
        try:
            digest, until = str(entry["sha256"]), date.fromisoformat(str(entry["until"]))
            if not FINGERPRINT.match(digest):
                raise ValueError(digest)
            yield Token(digest, until)
        except (KeyError, TypeError, ValueError):
            help = f"`bessplc user token {key}` makes one"
            at = place_of(entry, key.at)
            report.error(at, "E921", "a token is written `{sha256: 64 digits, until: 2027-01-31}`", "", help)


def _certificates(listing: Any, key: Any, report: Report) -> Iterator[str]:
    for entry in _list_of(listing, "certificates", key, report):
        found = str(entry).replace(":", "").lower()
        if FINGERPRINT.match(found):
            yield found
        else:
            help = f"`bessplc user certificate {key} FILE` writes it"
            report.error(place_of(entry, key.at), "E921", "a certificate is written as its SHA-256, 64 digits", "", help)


def _list_of(listing: Any, word: str, key: Any, report: Report) -> list[Any]:
    if listing is None or isinstance(listing, list):
        return listing or []
    report.error(place_of(listing, key.at), "E921", f"the `{word}` of `{key}` are a list")
    return []


def is_open_to_others(path: Path) -> bool:
    """Whether others than the owner may read the file."""
    try:
        return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)
    except FileNotFoundError:
        return False


def check_users(path: Path, root: Path, report: Report) -> dict[str, Account]:
    """The users of a site as `bessplc check` looks at them: mistakes, and a warning where others may read the hashes."""
    try:
        shown = str(path.relative_to(root.resolve()))
    except ValueError:
        shown = str(path)
    if is_open_to_others(path):
        report.warn(Position(shown, 0, 0), "W921", "other users of this machine can read the users file", "", f"chmod 600 {shown}")
    return read_users(path, report, shown)
