"""The verb `certificate`: the site's own, and whose are trusted. It must not know a server."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from runtime.options import EXIT_MISTAKES, SITE, JsonOption, SiteOption, fail, read

app = typer.Typer(
    help="The site's certificates: its own, and the clients that it trusts. Servers that run notice whom you trust at once.",
    epilog=(
        "Examples:  bessplc certificate list      bessplc certificate trust 4F:0C:21:D7      bessplc certificate show --json"
        "      Exit codes: 0 done, 1 it cannot be done, 2 the command is not understood or the site is not there."
    ),
    no_args_is_help=True,
    rich_markup_mode=None,
)
WhichArgument = Annotated[
    str, typer.Argument(metavar="FILE|FINGERPRINT", help="A file, or the start of a fingerprint.", show_default=False)
]


def _folder(site: Path) -> Any:
    from runtime.rundir import state_folder_of
    from runtime.servers.certificates import Certificates

    if not site.exists():
        fail(f"{site} does not exist; `--site` names the site file", 2)
    return Certificates(state_folder_of(site) / "pki")


def _try(what: Callable[[], Any]) -> Any:
    """Do it, or say which file was in the way."""
    try:
        return what()
    except OSError as error:
        hint = "; run this as the user that runs the site" if isinstance(error, PermissionError) else ""
        return fail(f"{error.filename}: {error.strerror}{hint}", EXIT_MISTAKES)


def _print(found: dict[str, Any]) -> None:
    width = max(map(len, found))
    for word, value in found.items():
        shown = ", ".join(value) if isinstance(value, list) else value
        typer.echo(f"{word.replace('_', ' '):{width}}  {shown}")


@app.command(epilog="Examples:  bessplc certificate show      bessplc certificate show --json | jq -r .fingerprint")
def show(site: SiteOption = SITE, as_json: JsonOption = False) -> None:
    """Show the site's own, which clients must trust."""
    from runtime.servers.certificates_read import CertificateError, facts

    folder = _folder(site)
    try:
        own = folder.read_own()
    except CertificateError as error:
        fail(f"{error}\nthe first start makes it, or `bessplc certificate new`", EXIT_MISTAKES)
    found = {**facts(own.der), "file": str(own.certificate)}
    if as_json:
        typer.echo(json.dumps({**found, "warning": folder.worry(own)}, indent=2))
        return
    _print(found)
    if folder.worry(own):
        typer.echo(f"warning: {folder.worry(own)}", err=True)


@app.command("list", epilog="Examples:  bessplc certificate list      bessplc certificate list --json | jq '.rejected'")
def list_certificates(site: SiteOption = SITE, as_json: JsonOption = False) -> None:
    """Show the trusted and the last turned away."""
    from runtime.columns import Cell, plain
    from runtime.servers.certificates_read import facts

    folder = _folder(site)
    rooms = {room: [facts(der) for _, der in _try(partial(folder.listed, room))] for room in ("trusted", "issuers", "rejected")}
    if as_json:
        typer.echo(json.dumps(rooms, indent=2))
        return
    rows = [
        [Cell(text) for text in (room, found["name"], found["not_after"][:10], found["key"], found["fingerprint"][:23])]
        for room, many in rooms.items()
        for found in many
    ]
    empty = f"{folder.folder}: no client is trusted, none was turned away"
    typer.echo(plain(("folder", "name", "until", "key", "fingerprint starts"), rows) if rows else empty)


@app.command(epilog="Examples:  bessplc certificate trust scada.der      bessplc certificate trust 4F:0C:21:D7")
def trust(which: WhichArgument, site: SiteOption = SITE) -> None:
    """Trust a client, or an authority with all its clients."""
    folder = _folder(site)
    der = _which(folder, which)
    typer.echo(f"trusted: {_said(der)}\n{_try(lambda: folder.trust(der))}")


@app.command(epilog="Examples:  bessplc certificate reject 4F:0C:21:D7      bessplc certificate reject scada.der")
def reject(which: WhichArgument, site: SiteOption = SITE) -> None:
    """Trust a certificate no more; an OPC UA channel ends when it is renewed."""
    folder = _folder(site)
    der = _which(folder, which)
    typer.echo(f"not trusted any more: {_said(der)}\n{_try(lambda: folder.reject(der))}")


@app.command(epilog="Examples:  bessplc certificate new      bessplc certificate new --force --host 10.1.0.5 --days 730")
def new(
    site: SiteOption = SITE,
    hosts: Annotated[list[str] | None, typer.Option("--host", help="A name or address under which clients reach it.")] = None,
    days: Annotated[int, typer.Option("--days", min=1, max=7300, help="How long it is good for.")] = 3650,
    force: Annotated[bool, typer.Option("--force", help="Replace the one that is there.")] = False,
) -> None:
    """Make the site's own certificate and key.

    Every client must trust the new one. Servers that run go on with the old one until they are started again.
    """
    from runtime.servers.certificates_make import hosts_of, uri_of
    from runtime.servers.certificates_read import facts

    folder = _folder(site)
    found = read(site, warn=False)
    if (folder.folder / "own" / "certificate.der").exists() and not force:
        fail("there is one already, and clients trust it: `--force` replaces it", EXIT_MISTAKES)
    named = [str((section or {}).get("host", "")) for section in found.servers.values()]
    known = [host for name in (named or [""]) for host in hosts_of(name)]
    own = _try(lambda: folder.renew(uri_of(found.name), list(dict.fromkeys([*(hosts or []), *known])), days))
    _print({**facts(own.der), "file": str(own.certificate)})


def _which(folder: Any, which: str) -> bytes:
    """The certificate in this file, or the only one whose fingerprint starts so."""
    from runtime.servers.certificates_read import CertificateError, read_certificate

    if Path(which).is_file():
        try:
            return read_certificate(Path(which))
        except CertificateError as error:
            fail(str(error), EXIT_MISTAKES)
    found: list[bytes] = _try(lambda: folder.find(which))
    if len(found) != 1:
        many = "".join(f"\n  {_said(der)}" for der in found)
        said = "several fingerprints start so" if found else "no certificate's fingerprint starts so (8 digits or more)"
        fail(f"`{which}` is no file, and {said}{many}", EXIT_MISTAKES)
    return found[0]


def _said(der: bytes) -> str:
    from runtime.servers.certificates_read import facts

    found = facts(der)
    return f"{found['name']}, {found['key']}, until {found['not_after'][:10]}, {found['fingerprint']}"
