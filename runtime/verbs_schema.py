"""The verb `schema`: JSON Schemas for the editor, made from the declarations that the checker reads. It starts nothing."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any

import typer

from runtime.options import EXIT_MISTAKES, EXIT_UNREADABLE, SITE, FolderOption, fail
from runtime.site_files import root_of

EPILOG = (
    "Examples:  bessplc schema --vscode      bessplc schema program > program.json      bessplc schema --dir /etc/bessplc/schema"
)
FOLDER = ".bessplc/schema"
FOLDERS = {"site": "config", "program": "programs", "test": "programs", "io_map": "io_maps", "scada": "io_maps", "plant": "config"}


def schema(
    kind: Annotated[str, typer.Argument(help="site, program, io_map, scada, test or plant: print this one.")] = "",
    site: FolderOption = SITE,
    folder: Annotated[
        Path | None, typer.Option("--dir", help=f"Write the schemas into this folder (default: the site's {FOLDER}).")
    ] = None,
    vscode: Annotated[bool, typer.Option("--vscode", help="Map them in the site's .vscode/settings.json too.")] = False,
) -> None:
    """Write JSON Schemas for the editor: completion of block types and pins, hover texts, range errors."""
    from runtime.engine.cache import write_aside
    from runtime.schema import KINDS, as_text, known_of
    from runtime.schema import schema as make
    from runtime.source import did_you_mean

    root = root_of(site)
    if kind and kind not in KINDS:
        fail(f"no schema named {kind}: {did_you_mean(kind, KINDS) or 'known: ' + ', '.join(KINDS)}", 2)
    if kind and (folder or vscode):
        fail("a single schema is printed: leave its name out to write all of them", 2)
    if kind:
        typer.echo(as_text(make(kind, known_of(root))), nl=False)
        return
    settings = _read_settings(root / ".vscode/settings.json") if vscode else None
    known, target = known_of(root), folder if folder is not None else root / FOLDER
    try:
        target.mkdir(parents=True, exist_ok=True)
        for one in KINDS:
            text = as_text(make(one, known))
            write_aside(target / f"{one}.json", text)
            typer.echo(f"{target / one}.json  {len(text.encode()) // 1024} KiB")
        if settings is not None:
            _map_in_vscode(root, target, known, settings)
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}", EXIT_UNREADABLE)
    _hint(root, target)


def _read_settings(path: Path) -> dict[str, Any]:
    """The editor's settings; exit 1 where they cannot be read, so that nothing of them is lost."""
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:  # comments, which VS Code takes
        before = str(error)
    if not isinstance(before, dict):
        typer.echo(f"error: {path} is left as it is: it is not plain JSON ({before})", err=True)
        raise typer.Exit(EXIT_MISTAKES)
    return before


def _map_in_vscode(root: Path, target: Path, known: Any, before: dict[str, Any]) -> None:
    """Enter the schemas into the editor's settings."""
    from runtime.engine.cache import write_aside
    from runtime.schema import editor_settings

    path = root / ".vscode/settings.json"
    path.parent.mkdir(exist_ok=True)
    place = os.path.relpath(target, root) if target.is_relative_to(root) else str(target)
    write_aside(path, json.dumps(editor_settings(place, known, before), ensure_ascii=False, indent=2) + "\n")
    typer.echo(f"{path}  maps them (Red Hat's YAML extension reads it)")


def _hint(root: Path, target: Path) -> None:
    typer.echo("")
    typer.echo("other editors with yaml-language-server: the first line of a file says which schema it has")
    for kind, folder in FOLDERS.items():
        place = os.path.relpath(target / f"{kind}.json", root / folder) if target.is_absolute() else str(target / f"{kind}.json")
        typer.echo(f"  {f'{folder}/':10} # yaml-language-server: $schema={place}")
