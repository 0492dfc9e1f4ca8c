"""A new site from a template: its files, what is filled into them, and writing them. It must not know the command line.

The templates are text under `templates/`: `common/` for every site, one folder for each kind. `@NAME@` and the like are filled in.
"""

from __future__ import annotations

import re
import shutil
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TEMPLATES = Path(__file__).with_name("templates")
COMMON = "common"
KINDS = {
    "minimal": "one grid meter on Modbus, one program, three alarms",
    "panel": "buttons, lamps and an E-stop: a sequence, an interlock, safe outputs",
    "rack": "a battery rack on CAN and its converter on Modbus: contactors in order, power inside every limit",
}
PROGRAMS = {"minimal": "peak", "panel": "machine", "rack": "dispatch"}
HIDDEN = {"gitignore": ".gitignore"}  # a file of that name would be obeyed where the templates stand
PORTS = ("PORT_PCS", "PORT_METER", "PORT_PANEL", "PORT_OPCUA", "PORT_MODBUS")
FIRST_PORT = 15030
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*\Z")
_MARK = re.compile(r"@([A-Z_]+)@")


class ScaffoldError(Exception):
    """The site cannot be made there; the message says why and what to do."""


@dataclass(frozen=True)
class Scaffold:
    """What was written: the folder, the files by their names from it, the ports of the plant and the servers."""

    root: Path
    files: tuple[str, ...]
    ports: Mapping[str, int]


def scaffold(root: Path, kind: str, *, force: bool = False) -> Scaffold:
    """Write a new site of this kind into the folder, which is made where it is missing.

    `force` writes into a folder that is not empty, over files of the same names.
    Raises ScaffoldError, and OSError where the disk says no.
    """
    root = root.resolve()
    if kind not in KINDS:
        raise ScaffoldError(f"no template named {kind}: the templates are {', '.join(KINDS)}")
    if not _NAME.match(root.name):
        raise ScaffoldError(f"`{root.name}` is no name for a site: letters, digits, - and _")
    if root.exists() and not root.is_dir():
        raise ScaffoldError(f"{root} is a file, not a folder")
    if root.exists() and any(root.iterdir()) and not force:
        raise ScaffoldError(f"{root} is not empty: choose another folder, or say --force to write over files of the same names")
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    words = {
        "NAME": root.name,
        "ROOT": str(root),
        "WHAT": KINDS[kind] + ".",
        "PROGRAM": PROGRAMS[kind],
        "BESSPLC": _command(),
        **{name: str(port) for name, port in ports.items()},
    }
    made = {name: fill(path, words) for name, path in template_files(kind).items()}
    for name, text in made.items():
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return Scaffold(root, tuple(made), ports)


def template_files(kind: str) -> dict[str, Path]:
    """The files of a site of this kind, by the names that they get."""
    found = {}
    for folder in (TEMPLATES / COMMON, TEMPLATES / kind):
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            name = path.relative_to(folder)
            found[(name.parent / HIDDEN.get(name.name, name.name)).as_posix()] = path
    return dict(sorted(found.items()))


def fill(path: Path, words: Mapping[str, str]) -> str:
    """The template's text with its marks filled in. Raises ScaffoldError for a mark that means nothing: a fault of the template."""

    def word(found: re.Match[str]) -> str:
        if found[1] not in words:
            raise ScaffoldError(f"the template {path} has the mark {found[0]}, which means nothing")
        return words[found[1]]

    return _MARK.sub(word, path.read_text(encoding="utf-8"))


def free_ports(count: int) -> list[int]:
    """So many ports on this machine that nobody listens on now, the lowest from FIRST_PORT on."""
    found: list[int] = []
    for port in range(FIRST_PORT, 65_536):
        if len(found) == count:
            break
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue  # taken: the next one
        found.append(port)
    return found


def _command() -> str:
    """The command that this very program is, for the service."""
    beside = Path(sys.executable).with_name("bessplc")
    return str(beside) if beside.exists() else shutil.which("bessplc") or "/usr/local/bin/bessplc"
