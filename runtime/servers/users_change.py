"""Changes of the users file: each is made whole or not at all, one at a time. It must not know a server or a protocol."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from runtime.model import ROLES
from runtime.servers.certificates_read import CertificateError, fingerprint_of, read_certificate, sha256
from runtime.servers.passwords import check_password, hash_password
from runtime.servers.users_file import NAME, TAKEN_NAMES, Account, Token, read_users
from runtime.source import Report, did_you_mean

MOST_DAYS = 3650
HEAD = "# The users of this site; `bessplc user --help` changes them. Keep it private: mode 0600, not in version control.\n"


class UsersError(Exception):
    """A change of the users file that cannot be made, and why."""


@contextlib.contextmanager
def _changing(path: Path) -> Iterator[dict[str, Account]]:
    """The accounts, to be changed in place; written aside and renamed on the way out. One change at a time."""
    path = path.resolve()  # a link stays a link
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        report = Report()
        accounts = read_users(path, report)
        if report.errors:
            first = report.errors[0]
            raise UsersError(f"{first.at}: {first.message}; mend the file first")
        yield accounts
        _write(path, accounts)
    finally:
        os.close(folder)


def _write(path: Path, accounts: dict[str, Account]) -> None:
    lines = [f"{account.name}: {_entry(account)}\n" for account in accounts.values()]
    handle, aside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(HEAD + "".join(lines))
            file.flush()
            owner = (path if path.exists() else path.parent).stat()
            with contextlib.suppress(PermissionError):  # root edits the file of the user that runs the site
                os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
            os.fsync(file.fileno())
        os.replace(aside, path)
    except BaseException:
        os.unlink(aside)
        raise


def _entry(account: Account) -> str:
    words: dict[str, Any] = {"role": account.role}
    if account.password:
        words["password"] = account.password
    if account.tokens:
        words["tokens"] = [{"sha256": t.digest, "until": t.until.isoformat()} for t in account.tokens]
    if account.certificates:
        words["certificates"] = list(account.certificates)
    return yaml.safe_dump(words, default_flow_style=True, sort_keys=False, width=10_000, allow_unicode=True).strip()


def _known(accounts: dict[str, Account], name: str) -> Account:
    if name not in accounts:
        hint = did_you_mean(name, accounts)
        raise UsersError(f"there is no user `{name}`" + (f"; {hint}" if hint else f"; known: {', '.join(accounts) or 'none'}"))
    return accounts[name]


def add_user(path: Path | str, name: str, role: str, password: str | None = None) -> None:
    """Add a user; without a password it can come with a token or a certificate only. Raises UsersError, PasswordError."""
    if not NAME.match(name) or name in TAKEN_NAMES:
        raise UsersError(f"`{name}` is no name for a user: a name has letters, digits, and . _ @ -")
    _check_role(role)
    if password is not None:
        check_password(password, name)
    hashed = "" if password is None else hash_password(password)
    with _changing(Path(path)) as accounts:
        if name in accounts:
            raise UsersError(f"there is a user `{name}` already; `bessplc user password {name}` changes the password")
        alike = next((other for other in accounts if other.lower() == name.lower()), "")
        if alike:
            raise UsersError(f"there is a user `{alike}` already, and nobody tells it from `{name}` in the audit log")
        accounts[name] = Account(name, role, hashed)


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise UsersError(f"there is no role `{role}`: one of {', '.join(ROLES)}")


def set_role(path: Path | str, name: str, role: str) -> None:
    """Give a user another role. Raises UsersError."""
    _check_role(role)
    with _changing(Path(path)) as accounts:
        accounts[name] = replace(_known(accounts, name), role=role)


def remove_user(path: Path | str, name: str) -> None:
    """Remove a user; servers that run notice within a second. Raises UsersError."""
    with _changing(Path(path)) as accounts:
        del accounts[_known(accounts, name).name]


def set_password(path: Path | str, name: str, password: str) -> None:
    """Give a user another password. Raises UsersError, PasswordError."""
    check_password(password, name)
    hashed = hash_password(password)
    with _changing(Path(path)) as accounts:
        accounts[name] = replace(_known(accounts, name), password=hashed)


def add_token(path: Path | str, name: str, days: int) -> str:
    """Give a user an API token, good for so many days; only its SHA-256 is kept. Tokens that have ended are dropped."""
    if not 1 <= days <= MOST_DAYS:
        raise UsersError(f"a token is good for 1 to {MOST_DAYS} days, not {days}")
    token = f"bess_{secrets.token_urlsafe(32)}"
    today = datetime.now(UTC).date()
    with _changing(Path(path)) as accounts:
        account = _known(accounts, name)
        kept = tuple(t for t in account.tokens if t.is_good(today))
        made = Token(sha256(token.encode()), today + timedelta(days=days))
        accounts[name] = replace(account, tokens=(*kept, made))
    return token


def add_certificate(path: Path | str, name: str, file: Path | str) -> str:
    """Let a user in with this certificate (PEM or DER); returns its fingerprint. Raises UsersError."""
    try:
        der = read_certificate(Path(file))
    except CertificateError as error:
        raise UsersError(str(error)) from None
    fingerprint = fingerprint_of(der)
    with _changing(Path(path)) as accounts:
        account = _known(accounts, name)
        other = next((a.name for a in accounts.values() if fingerprint in a.certificates and a.name != name), "")
        if other:
            raise UsersError(f"this certificate belongs to user `{other}` already")
        if fingerprint not in account.certificates:
            accounts[name] = replace(account, certificates=(*account.certificates, fingerprint))
    return fingerprint


def remove_tokens(path: Path | str, name: str) -> int:
    """Make all tokens of a user worthless; returns how many there were. Raises UsersError."""
    with _changing(Path(path)) as accounts:
        account = _known(accounts, name)
        accounts[name] = replace(account, tokens=())
    return len(account.tokens)


def remove_certificate(path: Path | str, name: str, which: str) -> str:
    """Let a user in no more with the only certificate of theirs whose fingerprint starts so. Raises UsersError."""
    wanted = which.replace(":", "").lower()
    with _changing(Path(path)) as accounts:
        account = _known(accounts, name)
        found = [one for one in account.certificates if one.startswith(wanted)] if len(wanted) >= 8 else []
        if len(found) != 1:
            theirs = ", ".join(one[:16] for one in account.certificates) or "none"
            raise UsersError(f"`{which}` is not the start of one fingerprint (8 digits or more) of `{name}`; theirs: {theirs}")
        accounts[name] = replace(account, certificates=tuple(one for one in account.certificates if one != found[0]))
    return found[0]
