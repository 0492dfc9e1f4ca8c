"""The verb `diag`: what measurements of the plant say of it. `diag harmonics` judges waveforms that were sampled at a converter."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated, Any

import typer

from runtime.options import EXIT_MISTAKES, EXIT_UNREADABLE, JsonOption, fail

EPILOG = (
    "Examples:  bessplc diag harmonics pcs1.csv --rated '58 A'      bessplc diag harmonics pcs1.csv --signal i1 --standard ieee1547"
    " --svg spectrum.svg      bessplc diag harmonics dc.csv --rated '800 V' --json | jq '.[].holds'"
)
LEAST_SHOWN = 0.1  # %: smaller harmonics are not listed for a person
app = typer.Typer(
    help="Diagnosis from measurements: harmonics, direct part and ripple.",
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.callback()
def _group() -> None:
    """Keeps `harmonics` a word of its own, for those that will stand beside it."""


@app.command(epilog=EPILOG)
def harmonics(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="Columns t, u1, i1, v_dc ...: one sample a line.")],
    rated: Annotated[
        str, typer.Option("--rated", help="What percent refer to, as '58 A'; the fundamental where it is left out.")
    ] = "",
    standard: Annotated[str, typer.Option("--standard", help="ieee1547, iec61000-3-12 or en50160; by the unit if left out.")] = "",
    signal: Annotated[list[str] | None, typer.Option("--signal", help="Only this column.")] = None,
    rate: Annotated[float | None, typer.Option("--rate", min=100, help="Samples a second, where no column is of time.")] = None,
    f0: Annotated[float, typer.Option("--f0", help="Nominal frequency: 50 or 60 Hz.")] = 50.0,
    drawing: Annotated[Path | None, typer.Option("--svg", help="Draw the spectra into this file.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Judge the harmonics of sampled currents and voltages against a standard; exit 1 where one is beyond its limit."""
    from runtime.harmonics import STANDARDS, judge
    from runtime.source import did_you_mean
    from runtime.waveforms import WaveformError, read_waveforms

    if standard and standard not in STANDARDS:
        fail(f"--standard {standard}: {did_you_mean(standard, list(STANDARDS)) or 'one of ' + ', '.join(STANDARDS)}", 2)
    if f0 not in (50.0, 60.0):
        fail(f"--f0 {f0:g}: 50 or 60", 2)
    try:
        waveforms = read_waveforms(file, rate)
    except WaveformError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(EXIT_MISTAKES) from None
    except (OSError, UnicodeError) as error:
        fail(f"{file} cannot be read: {getattr(error, 'strerror', None) or error}", EXIT_UNREADABLE)
    chosen = _chosen(waveforms.signals, signal)
    base = _rated(rated, chosen)
    found = [judge(one, waveforms.rate, f0, base.get(one.unit), _for(one, standard)) for one in chosen]
    if drawing is not None:
        _draw(found, drawing)
    if as_json:
        typer.echo(json.dumps([_as_json(one) for one in found], indent=2))
    else:
        typer.echo("\n\n".join(_told(one, has_rated=bool(base.get(one.unit))) for one in found))
    raise typer.Exit(0 if all(one.holds for one in found) else EXIT_MISTAKES)


def _chosen(signals: Any, names: list[str] | None) -> list[Any]:
    from runtime.source import did_you_mean

    known = {one.name.lower(): one for one in signals}
    there = [one.name for one in signals]
    for name in names or ():
        if name.lower() not in known:
            fail(f"no column {name}: {did_you_mean(name, there) or 'there is ' + ', '.join(there)}", 2)
    return [known[name.lower()] for name in names] if names else list(signals)


def _rated(text: str, signals: list[Any]) -> dict[str, float]:
    """The rated value by its unit, V or A."""
    from runtime.language.quantities import QuantityError, in_unit, quantity
    from runtime.language.units import unit

    try:
        said = quantity(text) if text else None
    except QuantityError as error:
        fail(f"--rated {text}: {error}", 2)
    found: dict[str, float] = {}
    for name in {one.unit for one in signals}:
        target = unit(name)
        number = in_unit(said, target) if said is not None and said.unit is not None and target is not None else None
        if number is not None and number > 0:
            found[name] = float(number)
    if text and not found:
        fail(f"--rated {text}: a current or a voltage of the columns that are judged, as '58 A'", 2)
    return found


def _for(signal: Any, standard: str) -> str | None:
    """The standard that was asked for, where it is one for this unit; the usual one otherwise."""
    from runtime.harmonics import STANDARDS

    return standard if standard and STANDARDS[standard].unit == signal.unit else None


def _draw(found: list[Any], file: Path) -> None:
    from runtime.harmonics_svg import svg

    try:
        file.write_text(svg(found), encoding="utf-8")
    except OSError as error:
        fail(f"{file} cannot be written: {error.strerror}", EXIT_UNREADABLE)


def _told(judged: Any, *, has_rated: bool) -> str:
    if judged.failed:
        return f"{judged.name}: not judged: {judged.failed}"
    from runtime.columns import Cell, plain

    verdict = "within its limits" if judged.holds else "BEYOND ITS LIMITS"
    what = "rated" if has_rated else "of its own fundamental or mean; --rated gives the rated value"
    head = f"{judged.name}: {verdict} ({judged.standard}); percent of {judged.rated:.4g} {judged.unit}, {what}"
    if judged.frequency:
        head += f"; {judged.frequency:.3f} Hz, {judged.windows} windows"
    rows = [
        [
            Cell(line.what),
            Cell(f"{line.value:.4g} {judged.unit}"),
            Cell(f"{line.percent:.2f} %"),
            Cell(f"{line.limit:g} %" if math.isfinite(line.limit) else "-"),
            Cell("" if line.holds else "beyond"),
        ]
        for line in judged.lines
        if not line.what.isdecimal() or line.percent >= LEAST_SHOWN or not line.holds
    ]
    return f"{head}\n{plain(('order', 'rms', 'percent', 'limit', ''), rows)}"


def _as_json(judged: Any) -> dict[str, Any]:
    lines = [
        {
            "what": line.what,
            "value": float(line.value),
            "percent": float(line.percent),
            "limit": line.limit if math.isfinite(line.limit) else None,
            "holds": bool(line.holds),
        }
        for line in judged.lines
    ]
    words = ("name", "unit", "standard", "rated", "frequency", "windows", "failed")
    return {**{word: getattr(judged, word) for word in words}, "holds": bool(judged.holds), "lines": lines}
