"""The verb `user`: who may come in, by password, token or certificate. It must not know a server."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from runtime.model import ROLES
from runtime.options import EXIT_MISTAKES, SITE, JsonOption, SiteOption, fail
from runtime.site_files import root_of

app = typer.Typer(
    help="The users of a site: passwords, API tokens, certificates. Servers that run notice a change within a second.",
    epilog=(
        "Examples:  bessplc user add eva --role operator      bessplc user token historian --days 365      bessplc user list --json"
        "      Exit codes: 0 done, 1 it cannot be done, 2 the command is not understood or the site is not there."
    ),
    no_args_is_help=True,
    rich_markup_mode=None,
)
NameArgument = Annotated[str, typer.Argument(help="The user's name.", show_default=False)]
StdinOption = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input, one line.")]


def _file(site: Path) -> Path:
    from runtime.servers.users import users_of

    if not site.exists():
        fail(f"{site} does not exist; `--site` names the site file", 2)
    return users_of(site)


def _change(what: Callable[[], Any]) -> Any:
    """Make the change, or say why it cannot be made."""
    from runtime.servers.certificates_read import CertificateError
    from runtime.servers.passwords import PasswordError
    from runtime.servers.users import UsersError

    try:
        return what()
    except (UsersError, PasswordError, CertificateError) as error:
        return fail(str(error), EXIT_MISTAKES)
    except OSError as error:
        return fail(f"{error.filename}: {error.strerror}", EXIT_MISTAKES)


def _password(name: str, from_stdin: bool) -> str:
    from runtime.servers.passwords import PasswordError, check_password

    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        password = str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    else:
        fail("no terminal to ask for the password: use --password-stdin", 2)
    try:
        check_password(password, name)
    except PasswordError as error:
        fail(str(error), EXIT_MISTAKES)
    return password


ADD_EPILOG = (
    "Examples:  bessplc user add eva --role operator      bessplc user add historian --role viewer --no-password"
    "      pass show eva | bessplc user add eva --role operator --password-stdin"
)


@app.command(epilog=ADD_EPILOG)
def add(
    name: NameArgument,
    role: Annotated[str, typer.Option("--role", "-r", help=f"One of {', '.join(ROLES)}.", show_default=False)],
    site: SiteOption = SITE,
    from_stdin: StdinOption = False,
    without: Annotated[bool, typer.Option("--no-password", help="The user comes with a token or a certificate only.")] = False,
) -> None:
    """Add a user; asks for the password twice."""
    from runtime.servers.users import add_user

    path = _file(site)
    if role not in ROLES:
        fail(f"there is no role `{role}`: one of {', '.join(ROLES)}", 2)
    password = None if without else _password(name, from_stdin)
    _change(lambda: add_user(path, name, role, password))
    typer.echo(f"added {name}, {role}, to {path}")


@app.command(epilog='Examples:  bessplc user password eva      echo "$NEW" | bessplc user password eva --password-stdin')
def password(name: NameArgument, site: SiteOption = SITE, from_stdin: StdinOption = False) -> None:
    """Give a user another password."""
    from runtime.servers.users import set_password

    path = _file(site)
    found = _password(name, from_stdin)
    _change(lambda: set_password(path, name, found))
    typer.echo(f"{name} has another password")


@app.command(epilog="Examples:  bessplc user role eva engineer      bessplc user role eva viewer --site other/config/site.yaml")
def role(
    name: NameArgument,
    role: Annotated[str, typer.Argument(help=f"One of {', '.join(ROLES)}.", show_default=False)],
    site: SiteOption = SITE,
) -> None:
    """Give a user another role; OPC UA sessions end and must log in again."""
    from runtime.servers.users import set_role

    path = _file(site)
    _change(lambda: set_role(path, name, role))
    typer.echo(f"{name} is {role}")


@app.command(epilog="Examples:  bessplc user remove eva      bessplc user remove eva --site other/config/site.yaml")
def remove(name: NameArgument, site: SiteOption = SITE) -> None:
    """Remove a user; OPC UA sessions end within two seconds."""
    from runtime.servers.users import remove_user

    path = _file(site)
    _change(lambda: remove_user(path, name))
    typer.echo(f"removed {name}")


@app.command(
    epilog="Examples:  bessplc user token historian --days 365      TOKEN=$(bessplc user token ci --days 1)"
    "      bessplc user token historian --revoke"
)
def token(
    name: NameArgument,
    days: Annotated[int, typer.Option("--days", "-d", help="How long it is good for.")] = 90,
    revoke: Annotated[bool, typer.Option("--revoke", help="Make all tokens of this user worthless instead.")] = False,
    site: SiteOption = SITE,
) -> None:
    """Print a new API token; only its SHA-256 is kept."""
    from runtime.servers.users import add_token, remove_tokens

    path = _file(site)
    if revoke:
        typer.echo(f"tokens of {name} revoked: {_change(lambda: remove_tokens(path, name))}")
        return
    typer.echo(_change(lambda: add_token(path, name, days)))
    typer.echo(f"good for {days} days as {name}; it is not shown again", err=True)


@app.command(epilog="Examples:  bessplc user certificate eva eva.pem      bessplc user certificate eva 4F:0C:21:D7 --remove")
def certificate(
    name: NameArgument,
    which: Annotated[str, typer.Argument(metavar="FILE", help="The certificate, PEM or DER; never the key.", show_default=False)],
    gone: Annotated[
        bool, typer.Option("--remove", help="Let in with it no more: a file, or the start of its fingerprint.")
    ] = False,
    site: SiteOption = SITE,
) -> None:
    """Let a user in with this certificate, over OPC UA and Modbus/TLS."""
    from runtime.servers.certificates_read import fingerprint_of, pretty, read_certificate
    from runtime.servers.users import add_certificate, remove_certificate

    path = _file(site)
    if gone:
        start = fingerprint_of(_change(lambda: read_certificate(Path(which)))) if Path(which).is_file() else which
        typer.echo(f"{name} comes in no more with {pretty(_change(lambda: remove_certificate(path, name, start)))}")
        return
    fingerprint = _change(lambda: add_certificate(path, name, which))
    typer.echo(f"{name} comes in with {pretty(fingerprint)}")


@app.command("list", epilog="Examples:  bessplc user list      bessplc user list --json | jq -r '.users[].name'")
def list_users(site: SiteOption = SITE, as_json: JsonOption = False) -> None:
    """Show the users, their roles, and how they come in; no secrets."""
    from runtime.columns import Cell, plain
    from runtime.options import print_problems
    from runtime.servers.users import check_users
    from runtime.source import Report

    path, root, report = _file(site), root_of(site), Report()
    accounts = check_users(path, root, report)
    rows = [_row(account) for account in accounts.values()]
    if as_json:
        problems = [p.as_json() for p in report.problems]
        typer.echo(json.dumps({"file": str(path), "users": rows, "problems": problems}, indent=2))
    else:
        heads = ("name", "role", "password", "tokens until", "certificates")
        typer.echo(plain(heads, [[Cell(text) for text in _texts(row)] for row in rows]) if rows else f"{path}: no users")
        if report.problems:
            print_problems(report.problems, root)
    raise typer.Exit(EXIT_MISTAKES if report.errors else 0)


def _row(account: Any) -> dict[str, Any]:
    return {
        "name": account.name,
        "role": account.role,
        "password": bool(account.password),
        "tokens": [token.until.isoformat() for token in account.tokens],
        "certificates": list(account.certificates),
    }


def _texts(row: dict[str, Any]) -> list[str]:
    prints = ", ".join(found[:16] for found in row["certificates"])
    return [row["name"], row["role"], "yes" if row["password"] else "-", ", ".join(row["tokens"]) or "-", prints or "-"]
