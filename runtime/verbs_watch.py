"""The verb `watch`: tags and pins of a running site, live. It reads, and writes nothing: the scan does not notice."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from runtime.options import SITE, JsonOption, SiteOption, fail, wants_colour

EPILOG = (
    "Examples:  bessplc watch 'bms.*' dispatch.clamp.OUT      bessplc watch 'cells.soc[3]' --every 100ms --csv > soc.csv"
    "      bessplc watch dispatch.mode --json | jq .name"
)
SHORTEST_S, LONGEST_S = 0.01, 3600.0
LOOK_S = 0.1  # how often a table that is drawn seldom looks, so that its min and max miss little


def watch(
    names: Annotated[
        list[str],
        typer.Argument(metavar="NAME...", help="Tags, elements `cells.soc[3]`, pins `dispatch.clamp.OUT`; `*` is any letters."),
    ],
    every: Annotated[str, typer.Option("--every", help="How often: 100 ms, 2 s, 1 min.")] = "500 ms",
    once: Annotated[bool, typer.Option("--once", help="Show them once.")] = False,
    count: Annotated[int | None, typer.Option("--count", min=1, help="End after so many looks.")] = None,
    steady: Annotated[bool, typer.Option("--steady", help="Lines and JSON also for what did not change.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a line of CSV a look, a column a name.")] = False,
    site: SiteOption = SITE,
    as_json: JsonOption = False,
) -> None:
    """Watch tags and pins of a running site: value, unit, quality, age, least and greatest, course."""
    from blocks import catalogue
    from runtime import watch_view
    from runtime.verbs_live import _attach

    if as_csv and as_json:
        fail("one of --csv and --json", 2)
    period = seconds(every)
    looks = 1 if once else count
    seen = _attach(site)
    try:
        watched = watch_view.Watch(seen, catalogue(), names, lambda: _reread(site))
    except watch_view.UnknownNameError as error:
        fail(str(error), 2)
    try:
        if as_json or as_csv or not sys.stdout.isatty():
            _stream(watched, period, looks, _writer(watched, as_json, as_csv, once, steady))
        else:
            _draw(watched, period, looks)
    except KeyboardInterrupt:
        return  # the way to end it


def seconds(text: str) -> float:
    """A period in words; exit 2 where it is none."""
    from runtime.places_of_tags import WrongWordsError, duration_of

    try:
        period = duration_of(text, "--every") / 1e9
    except WrongWordsError as error:
        fail(str(error), 2)
    if not SHORTEST_S <= period <= LONGEST_S:
        fail(f"--every {text.strip()} is outside 10 ms to 60 min", 2)
    return period


def _reread(file: Path) -> Any:
    """The site's files as they are now; None where they have mistakes, which `bessplc check` shows."""
    from runtime.app import read_site
    from runtime.source import SiteError

    try:
        return read_site(file)[0]
    except SiteError:
        return None


def _writer(watched: Any, as_json: bool, as_csv: bool, once: bool, steady: bool) -> Callable[[Any], None]:
    """What to print of each look."""
    from runtime import watch_show

    if as_csv:
        return _csv_writer(watched)
    if once and not as_json:
        return lambda samples: typer.echo(watch_show.as_text(watched, samples))
    before: dict[str, tuple[Any, int]] = {}
    show = watch_show.as_json if as_json else watch_show.as_line

    def write(samples: Any) -> None:
        for sample in samples if steady else watch_show.changed(samples, before):
            typer.echo(show(watched, sample))

    return write


def _csv_writer(watched: Any) -> Callable[[Any], None]:
    """A head, and a line a look; another head where an online change left other columns."""
    from runtime import watch_show

    head = ""

    def write(samples: Any) -> None:
        nonlocal head
        now = watch_show.csv_head(watched.items)
        if now != head:
            head = now
            typer.echo(head)
        typer.echo(watch_show.as_csv(watched, samples))

    return write


def _stream(watched: Any, period: float, looks: int | None, write: Callable[[Any], None]) -> None:
    due = time.monotonic()
    done = 0
    while True:
        write(watched.look())
        sys.stdout.flush()
        done += 1
        if done == looks:
            return
        due = max(due + period, time.monotonic())
        time.sleep(max(0.0, due - time.monotonic()))


def _draw(watched: Any, period: float, looks: int | None) -> None:
    """Draw again and again on the terminal, or once."""
    from rich.console import Console
    from rich.live import Live

    from runtime import watch_show

    console = Console(no_color=not wants_colour(sys.stdout))
    if looks == 1:
        samples = watched.look()
        console.print(watch_show.table(watched, samples, len(samples) + watch_show.FRAME))
        return
    with Live(console=console, auto_refresh=False, vertical_overflow="ellipsis") as live:
        done, due = 0, 0.0
        while looks is None or done < looks:
            samples = watched.look()
            if time.monotonic() >= due:
                live.update(watch_show.table(watched, samples, console.height), refresh=True)
                done, due = done + 1, time.monotonic() + period
            time.sleep(min(period, LOOK_S))
