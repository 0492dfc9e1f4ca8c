"""The verb `drivers`: the words that an io_map may use, straight from the drivers' declarations. It opens no device."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from runtime.options import JsonOption

EPILOG = "Examples:  bessplc drivers      bessplc drivers modbus      bessplc drivers can --json"
LISTS = {
    "device": ("DEVICE_WORDS", "words of the device, beside `device driver stale timeout text`"),
    "input": ("INPUT_WORDS", "words of an input, beside `initial bad stale type unit names text`"),
    "output": ("OUTPUT_WORDS", "words of an output, beside `safe min max type unit names text`"),
    "errors": ("ERRORS", "kinds of error, counted in the tags `device.NAME.errors_KIND`"),
    "conditions": ("CONDITIONS", "conditions, each a tag `device.NAME.CONDITION` and an alarm"),
}


def drivers(name: Annotated[str, typer.Argument(help="One driver to describe in full.")] = "", as_json: JsonOption = False) -> None:
    """List the drivers, or describe one: the words of its io_map, and the errors that it tells apart."""
    from runtime import fieldbus
    from runtime.source import did_you_mean

    known = fieldbus.drivers()
    if name and name not in known:
        hint = did_you_mean(name, known) or "`bessplc drivers` lists them all"
        typer.echo(f"error: no driver named {name}: {hint}", err=True)
        raise typer.Exit(2)
    chosen = {n: d for n, d in known.items() if name in ("", n)}
    if as_json:
        typer.echo(json.dumps([as_dict(n, d) for n, d in chosen.items()], indent=2))
    elif name:
        typer.echo("\n".join(_describe(name, known[name])))
    else:
        width = max(map(len, known))
        typer.echo("\n".join(f"{n:{width}}  {_about(d)}" for n, d in known.items()))


def as_dict(name: str, driver: Any) -> dict[str, Any]:
    """A driver's declaration as plain data, for JSON."""
    return {"name": name, "doc": _about(driver), **{key: dict(getattr(driver, attribute)) for key, (attribute, _) in LISTS.items()}}


def _about(driver: Any) -> str:
    return str(driver.__doc__).split("\n", 1)[0]


def _describe(name: str, driver: Any) -> Iterator[str]:
    yield f"{name}: {_about(driver)}"
    for attribute, title in LISTS.values():
        words: Mapping[str, str] = getattr(driver, attribute)
        width = max(map(len, words), default=0)
        yield f"\n{title}:"
        yield from (f"  {word:{width}}  {meaning}" for word, meaning in words.items())
