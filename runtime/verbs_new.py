"""The verb `new`: a folder with a site that passes check and runs against its simulated plant. It writes there and nowhere else."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

EPILOG = "Examples:  bessplc new myplant      bessplc new /etc/bessplc/north --template rack"


def new(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The new site's folder; its name is the site's.")],
    template: Annotated[str, typer.Option("--template", "-t", help="minimal, rack or panel.")] = "minimal",
    force: Annotated[
        bool, typer.Option("--force", help="Write into a folder that is not empty, over files of the same names.")
    ] = False,
) -> None:
    """Write a new site: config, io_maps, a program, a simulated plant, a systemd unit. It passes check and test, and runs."""
    from runtime.scaffold import KINDS, PORTS, ScaffoldError, scaffold

    try:
        made = scaffold(folder, template, force=force)
    except ScaffoldError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    except OSError as error:
        typer.echo(f"error: {error.filename or folder} cannot be written: {error.strerror}", err=True)
        raise typer.Exit(os.EX_IOERR) from None
    typer.echo(f"{made.root.name}: {KINDS[template]}\n")
    for name in made.files:
        typer.echo(f"  {folder / name}")
    site = folder / "config/site.yaml"
    ports = ", ".join(str(made.ports[name]) for name in PORTS[:3])
    typer.echo(f"\nThe simulated plant listens on the ports {ports} of this machine. Any free ones do:")
    typer.echo(f"{folder / 'config/plant.yaml'} says how to change them.\n\nNow:")
    typer.echo(f"  bessplc check --site {site}\n  bessplc test --site {site}\n  bessplc run --site {site} --sim")
