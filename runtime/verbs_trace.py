"""The verb `trace`: an oscilloscope on the running scan, shown as a table, CSV, SVG or PNG. It writes nothing into the scan."""

from __future__ import annotations

import csv
import json
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from runtime.options import EXIT_HELD, EXIT_MISTAKES, EXIT_UNREADABLE, SITE, JsonOption, SiteOption, fail, read
from runtime.records_view import plain, printable, when

EPILOG = (
    "Examples:  bessplc trace bms.current dispatch.clamp.OUT --for 10s --svg step.svg"
    "      bessplc trace bms.current pcs.p --trigger 'bms.current > 100 A' --pre 30% --for 10s --csv step.csv"
    "      bessplc trace bms.ok --trigger 'fall(bms.ok)' --repeat 0 --csv trips.csv"
    "      Triggers: bms.current > 100, rise(bms.ok), fall(bms.soc < 20 %)"
)
EVERY_S = 0.05
SILENT_S = 5.0
LONGEST = 2_000_000  # samples in a window


def trace(
    names: Annotated[
        list[str],
        typer.Argument(metavar="TAG...", help="Tags, elements, `tag.good`, pins (`program.block.PIN`); `*` is any letters."),
    ],
    trigger: Annotated[str, typer.Option("--trigger", "-t", help="Wait for this; begin at once where it is left out.")] = "",
    hysteresis: Annotated[str, typer.Option("--hysteresis", help="How far back a comparison must fall to end.")] = "",
    pre: Annotated[str, typer.Option("--pre", help="The share of the time that lies before the trigger.")] = "20%",
    lasts: Annotated[str, typer.Option("--for", help="How long a window is.")] = "10 s",
    every: Annotated[int, typer.Option("--every", min=1, help="Every so many scans.")] = 1,
    repeat: Annotated[int, typer.Option("--repeat", min=0, help="So many windows; 0: until Ctrl-C.")] = 1,
    timeout: Annotated[str, typer.Option("--timeout", help="How long to wait for a trigger; for ever where left out.")] = "",
    as_csv: Annotated[Path | None, typer.Option("--csv", help="Write CSV here (RFC 4180).")] = None,
    as_svg: Annotated[Path | None, typer.Option("--svg", help="Draw here.")] = None,
    as_png: Annotated[Path | None, typer.Option("--png", help="Draw here; needs matplotlib.")] = None,
    site: SiteOption = SITE,
    as_json: JsonOption = False,
) -> None:
    """Record up to 32 tags or pins of a running site at every scan, around a trigger. Exit 1 where it never came."""
    from runtime.onlooker import NotRunningError, Onlooker
    from runtime.places_of_tags import WrongWordsError, duration_of
    from runtime.trace_words import channels_named, share_of, trigger_of

    if as_png is not None:
        _check_matplotlib()
    seen = Onlooker(read(site, warn=False), site)
    try:
        seen.attach()
    except NotRunningError as error:
        fail(str(error), EXIT_HELD)
    schedule = seen.site.schedule
    try:
        channels = channels_named(schedule, names)
        meant = trigger_of(schedule, trigger, channels, hysteresis) if trigger else None
        length = max(duration_of(lasts, "--for") // (schedule.tick * every), 1)
        patience = duration_of(timeout, "--timeout") / 1e9 if timeout else float("inf")
        before = int(share_of(pre) * length)
    except WrongWordsError as error:
        fail(str(error), 2)
    if length > LONGEST:
        fail(f"{length} samples are more than a window holds ({LONGEST}): trace less long, or --every so many scans", 2)
    files = {"csv": as_csv, "svg": as_svg, "png": as_png}
    count = _run(seen, channels, every, (length, before, meant), repeat, patience, lambda n, w: _give(n, w, seen, files, as_json))
    if count == 0:
        fail(f"the trigger `{trigger}` did not come" if trigger else "nothing was recorded", EXIT_MISTAKES)


def _check_matplotlib() -> None:
    from importlib.util import find_spec

    if find_spec("matplotlib") is None:
        fail("--png needs matplotlib, which is not installed here: use --svg, which needs nothing", 2)


def _run(seen: Any, channels: Any, every: int, shape: Any, repeat: int, patience: float, give: Any) -> int:
    """Trace until all windows are there; how many came. Ctrl-C ends it, and what is complete by then stays."""
    from runtime.app import generation_of
    from runtime.engine.trace_view import Catcher, Trace, TracerBusyError

    length, before, trigger = shape
    try:
        running = Trace(seen.folder, "cli", generation_of(seen.site.schedule), channels, every)
    except TracerBusyError as error:
        fail(str(error), EXIT_HELD)
    catcher = Catcher(running, length, before, trigger)
    count, begun = 0, time.monotonic()
    heard = begun
    try:
        while True:
            samples = running.read()
            now = time.monotonic()
            heard = now if len(samples) else heard
            for window in catcher.feed(samples):
                count += 1
                give(count if repeat != 1 else 0, window)
                begun = now
                if count == repeat:
                    return count
            if now - heard > max(SILENT_S, 5 * every * seen.site.schedule.tick / 1e9):
                fail("the scan gives no samples any more: it stopped, or runs another program; trace again", EXIT_HELD)
            if not catcher.is_triggered and now - begun > patience:
                return count
            time.sleep(EVERY_S)
    except KeyboardInterrupt:
        return count
    finally:
        running.close()


def _give(number: int, window: Any, seen: Any, files: dict[str, Path | None], as_json: bool) -> None:
    """Write the files of one window, and say what is in it."""
    from runtime.trace_chart import svg

    written = []
    try:
        for kind, path in files.items():
            if path is None:
                continue
            target = path.with_stem(f"{path.stem}-{number}") if number else path
            if kind == "csv":
                _write_csv(target, window)
            elif kind == "svg":
                target.write_text(svg(window, f"{seen.site.name}: {', '.join(c.name for c in window.channels[:4])}"), "utf-8")
            else:
                _write_png(target, window, seen.site.name)
            written.append(str(target))
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}", EXIT_UNREADABLE)
    facts = _facts(window)
    if as_json:
        typer.echo(json.dumps({**facts, "files": written}))
        return
    _show(facts, written)


def _facts(window: Any) -> dict[str, Any]:
    import numpy as np

    channels = []
    for place, channel in enumerate(window.channels):
        values = np.asarray(window.values(place))
        finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
        least, greatest, mean = (finite.min(), finite.max(), finite.mean()) if len(finite) else (float("nan"),) * 3
        numbers = {"first": values[0], "last": values[-1], "min": least, "max": greatest, "mean": mean}
        shown = {name: plain(value.item() if hasattr(value, "item") else value) for name, value in numbers.items()}
        changes = int(np.count_nonzero(values[1:] != values[:-1]))
        channels.append({"name": channel.name, "unit": channel.unit, "type": channel.type, **shown, "changes": changes})
    scans = window.scans()
    return {
        "samples": len(window.samples),
        "missing": window.missing,
        "first_scan": int(scans[0]),
        "last_scan": int(scans[-1]),
        "seconds": float(window.seconds[-1] - window.seconds[0]),
        "trigger_scan": int(scans[window.trigger]) if window.trigger >= 0 else None,
        "at": when(window.wall),
        "channels": channels,
    }


def _show(facts: dict[str, Any], written: list[str]) -> None:
    """A table for a person, plain on a pipe."""
    from runtime import columns

    what = f"trigger in scan {facts['trigger_scan']}, {facts['at']}" if facts["trigger_scan"] is not None else f"from {facts['at']}"
    lost = f"{facts['missing']} MISSING" if facts["missing"] else "none missing"
    title = (
        f"{facts['samples']} samples of {facts['seconds']:.3f} s, scans {facts['first_scan']}..{facts['last_scan']}, {lost}; {what}"
    )
    heads = ("channel", "first", "last", "min", "max", "mean", "changes", "unit")
    rows = [
        [columns.Cell(printable(c["name"])), *(columns.Cell(_short(c[head])) for head in heads[1:7]), columns.Cell(c["unit"])]
        for c in facts["channels"]
    ]
    if sys.stdout.isatty():
        from rich.console import Console

        typer.echo(title)
        Console().print(columns.rich_table(heads, rows))
    else:
        typer.echo(f"{title}\n\n{columns.plain(heads, rows)}")
    for path in written:
        typer.echo(f"wrote {path}")


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _write_csv(path: Path, window: Any) -> None:
    """One line a sample: seconds from the trigger, scan, wall clock, then the channels with their units in the heads."""
    heads = [f"{c.name} [{c.unit}]" if c.unit else c.name for c in window.channels]
    values = [window.values(place).tolist() for place in range(len(window.channels))]
    walls = (when(int(wall)) for wall in window.samples[:, 3])
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\r\n")
        out.writerow(["seconds", "scan", "time", *heads])
        for second, scan, wall, *row in zip(window.seconds.tolist(), window.scans().tolist(), walls, *values, strict=True):
            out.writerow([f"{second:.6f}", scan, wall, *(repr(v) if isinstance(v, float) else v for v in row)])


def _write_png(path: Path, window: Any, name: str) -> None:
    """The same picture by matplotlib, where somebody wants pixels."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    units = list(dict.fromkeys(c.unit for c in window.channels))
    figure, axes = pyplot.subplots(len(units), 1, sharex=True, squeeze=False, figsize=(11, 2.6 * len(units) + 0.8))
    for axis, unit in zip(axes[:, 0], units, strict=True):
        for place, channel in enumerate(window.channels):
            if channel.unit == unit:
                axis.step(window.seconds, window.values(place), where="post", label=channel.name, linewidth=1.2)
        if window.trigger >= 0:
            axis.axvline(0.0, color="#C00", linestyle="--", linewidth=1)
        axis.set_ylabel(unit or "-")
        axis.grid(alpha=0.3)
        axis.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8)
    axes[-1, 0].set_xlabel("seconds")
    figure.suptitle(f"{name}: {'trigger at' if window.trigger >= 0 else 'from'} {when(window.wall)}", fontsize=10)
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
