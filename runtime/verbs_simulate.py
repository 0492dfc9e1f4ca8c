"""The verb `simulate`: runs a scenario on the site's programs and its simulated plant, faster than time. It touches no device."""

from __future__ import annotations

import json
import math
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from runtime.options import (
    EXIT_MISTAKES,
    EXIT_UNREADABLE,
    SITE,
    JsonOption,
    SiteArgument,
    count_of,
    fail,
    print_problems,
    read,
    wants_colour,
)

EPILOG = (
    "Examples:  bessplc simulate commercial --scenario config/scenarios/workshop_day.yaml --out build/day"
    "      bessplc simulate commercial --scenario config/scenarios/random_faults.yaml --seed 7 --json | jq .trips"
)
DAY_NS = 86_400_000_000_000
FORMS = ("png", "svg")
BAR = 30
EVERY_S = 0.2  # between two pictures of the bar


def simulate(
    site: SiteArgument = SITE,
    scenario: Annotated[Path | None, typer.Option("--scenario", help="What happens, and what must hold (YAML).")] = None,
    plant: Annotated[
        Path | None, typer.Option("--plant", help="The plant's settings; by default plant.yaml beside the site.")
    ] = None,
    days: Annotated[
        float | None, typer.Option("--days", help="How long, instead of the scenario's duration.", min=1e-5, max=36500)
    ] = None,
    speed: Annotated[str, typer.Option("--speed", help="`max`, or how many times faster than time at most.")] = "max",
    seed: Annotated[int | None, typer.Option("--seed", help="Other cells, other noise, other chances.", min=0)] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write report.md, report.json and the plots here.")] = None,
    form: Annotated[str, typer.Option("--form", help="Form of the plots: png or svg.")] = "png",
    as_json: JsonOption = False,
) -> None:
    """Simulate a scenario: programs, field and plant in one process; exit 1 where something that must hold did not."""
    if form not in FORMS:
        fail(f"--form is {' or '.join(FORMS)}, not {form}", 2)
    if scenario is None:
        fail("--scenario FILE says what happens; an example is config/scenarios/workshop_day.yaml", 2)
    fastest = _speed(speed)
    found = read(site, warn=False)
    settings = _plant(found, site, plant)
    chosen = _scenario(found, settings, scenario)
    if days is not None:
        chosen = replace(chosen, duration=round(days * DAY_NS))
    if seed is not None:
        chosen = replace(chosen, seed=seed)
    record = _run(found, settings, chosen, fastest)
    _report(record, out, form, as_json=as_json)
    raise typer.Exit(0 if record.is_well else EXIT_MISTAKES)


def _speed(text: str) -> float:
    """Times faster than time; 0 for as fast as it goes."""
    if text == "max":
        return 0.0
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 < number < 1e9:
        fail(f"--speed is `max` or a number above 0, not {text}", 2)
    return number


def _plant(site: Any, path: Path, given: Path | None) -> Any:
    """The plant's settings, or what is wrong with them and exit 1."""
    from runtime.simulation.settings import SettingsError, read_settings
    from runtime.site_files import plant_of

    try:
        return read_settings(given if given is not None else plant_of(path))
    except SettingsError as error:
        fail(str(error), EXIT_MISTAKES)


def _scenario(site: Any, settings: Any, path: Path) -> Any:
    """The scenario; or all its mistakes, and exit 1."""
    from runtime.simulate_field import parts_of
    from runtime.simulate_reading import read_scenario
    from runtime.source import Report

    report = Report()
    found = read_scenario(path, site, parts_of(settings), report)
    problems = tuple(sorted(dict.fromkeys(report.problems)))
    if problems:
        print_problems(problems, Path(site.root))
    if found is None:
        typer.echo(f"\n{count_of(problems)}; nothing was simulated", err=True)
        raise typer.Exit(EXIT_MISTAKES)
    return found


def _run(site: Any, settings: Any, scenario: Any, fastest: float) -> Any:
    from cantools.database.errors import Error as DatabaseError

    from runtime.simulate_run import simulate as run
    from runtime.simulate_world import UnknownDeviceError
    from runtime.simulation.frames import LayoutError

    progress = _Progress(fastest)
    try:
        return run(site, settings, scenario, progress.tell)
    except (UnknownDeviceError, LayoutError, DatabaseError) as error:
        fail(str(error), EXIT_MISTAKES)
    except OSError as error:
        fail(str(error), EXIT_UNREADABLE)
    finally:
        progress.end()


class _Progress:
    """A bar on a terminal; and where a speed is asked for, the wait for it."""

    def __init__(self, fastest: float):
        self._shows, self._fastest = sys.stderr.isatty(), fastest
        self._begun = self._shown = -math.inf

    def tell(self, simulated: float, duration: float) -> None:
        """How far it is, in simulated seconds; called about once a simulated second."""
        if self._begun < 0:
            self._begun = time.perf_counter()
        passed = time.perf_counter() - self._begun
        if self._fastest and simulated / self._fastest > passed:
            time.sleep(simulated / self._fastest - passed)
        if self._shows and passed - self._shown > EVERY_S:
            self._shown = passed
            done = min(simulated / duration, 1.0) if duration else 1.0
            bar, factor = "#" * round(done * BAR), simulated / max(passed, 1e-3)
            typer.echo(f"\r[{bar:<{BAR}}] {done:4.0%}  {simulated / 3600:.2f} h simulated, {factor:,.0f} x ", err=True, nl=False)

    def end(self) -> None:
        if self._shows:
            typer.echo("\r" + " " * 79 + "\r", err=True, nl=False)


def _report(record: Any, out: Path | None, form: str, *, as_json: bool) -> None:
    from runtime.simulate_plots import NoPlotsError, draw_all
    from runtime.simulate_report import as_json as to_json
    from runtime.simulate_report import as_markdown

    pictures: tuple[str, ...] = ()
    if out is not None:
        try:
            out.mkdir(parents=True, exist_ok=True)
            try:
                pictures = draw_all(record, out, form)
            except NoPlotsError as missing:
                typer.echo(f"note: {missing}", err=True)
            (out / "report.md").write_text(as_markdown(record, pictures), encoding="utf-8")
            (out / "report.json").write_text(json.dumps(to_json(record), indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            fail(f"{out} cannot be written: {error.strerror}", EXIT_UNREADABLE)
    if as_json:
        typer.echo(json.dumps(to_json(record), indent=2))
        return
    typer.echo(as_markdown(record))
    speed = record.simulated_s / max(record.wall_s, 1e-9)
    line = f"{record.simulated_s / 3600:.2f} h in {record.wall_s:.1f} s: {speed:,.0f} times faster than time"
    typer.echo(f"\x1b[2m{line}\x1b[0m" if wants_colour(sys.stderr) else line, err=True)
    if out is not None:
        typer.echo(f"report and {len(pictures)} plots in {out}", err=True)
