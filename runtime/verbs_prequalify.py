"""The verb `prequalify`: drives an operator's test sequences through a site and says which requirements it meets.

Simulated, faster than time, or on the site that runs. What is driven and how it is judged is in runtime/prequalify/.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from runtime.options import EXIT_HELD, EXIT_MISTAKES, EXIT_UNREADABLE, SITE, JsonOption, SiteArgument, fail, read

EPILOG = (
    "Examples:  bessplc prequalify fcr-d-up industrial --capacity '900 kW' --out build/fcr-d-up"
    "      bessplc prequalify ffr industrial --option 2"
    "      bessplc prequalify fcr-n industrial --tests step,sines --json | jq .outcome"
    "      bessplc prequalify fcr-d-up industrial --product-terms"
    "      bessplc prequalify fcr-d-up industrial --running --tests ramp"
)
SHOWN_S = 0.2  # between two words about how far it is
BAR = 24


def prequalify(
    service: Annotated[str, typer.Argument(help="fcr-n, fcr-d-up, fcr-d-down, ffr or ieee1547.")],
    site: SiteArgument = SITE,
    plant: Annotated[Path | None, typer.Option("--plant", help="Another simulated plant than the site's own.")] = None,
    capacity: Annotated[str, typer.Option("--capacity", help="What is sold, as `1 MW`; else the most that may be.")] = "",
    option: Annotated[
        int, typer.Option("--option", help="FFR: 49.7 Hz in 1.3 s (0), 49.6 in 1.0 (1), 49.5 in 0.7 (2).", min=0, max=2)
    ] = 2,
    tests: Annotated[str, typer.Option("--tests", help="Only these, as `step,ramp`; --product-terms lists them.")] = "",
    product_terms: Annotated[bool, typer.Option("--product-terms", help="Say what is demanded, and test nothing.")] = False,
    out: Annotated[Path | None, typer.Option("--out", help="Write the operator's CSV files and report.html here.")] = None,
    name: Annotated[str, typer.Option("--resource", help="Name of the plant in files and report; the site's where left out.")] = "",
    area: Annotated[str, typer.Option("--area", help="Bidding area in the files' names.")] = "FI",
    running: Annotated[bool, typer.Option("--running", help="Drive the site that runs and its plant, in real time.")] = False,
    record_only: Annotated[
        bool, typer.Option("--record-only", help="With --running: a test set drives the frequency, we only record.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Drive an operator's tests through a site and judge them; exit 1 where a requirement is not met."""
    _check_words(service, running=running, record_only=record_only, plant=plant)
    found = read(site, warn=False)
    settings = _plant(site)
    terms = _terms(service, found, settings, capacity, option, tests)
    if product_terms:
        from runtime.prequalify.summary import terms_text

        typer.echo(terms_text(service, terms))
        return
    begun = time.perf_counter()
    progress = _Progress()
    if running:
        driven = _run_live(site, found, service, terms, progress, record_only=record_only)
    else:
        driven = _run_simulated(found, settings if plant is None else _plant(site, plant), service, terms, progress)
    took = time.perf_counter() - begun
    judged = _judge(service, terms, driven)
    fallen, files = _fallen_out(service, terms, driven), list[str]()
    if out is not None:
        facts = _facts(site, found, plant, driven, running=running) | ({"Not connected": fallen} if fallen else {})
        files = _write(out, terms, (name or found.name, area), facts, driven, judged)
    _show(terms, driven, judged, files, took, as_json=as_json)
    if out is not None:
        typer.echo(f"{files[0]} and {len(files) - 1} CSV files in {out}", err=True)
    raise typer.Exit(EXIT_MISTAKES if _has_failed(judged) else 0)


def _check_words(service: str, *, running: bool, record_only: bool, plant: Path | None) -> None:
    from runtime.prequalify.programme import SERVICES
    from runtime.source import did_you_mean

    if service not in SERVICES:
        hint = did_you_mean(service, SERVICES)
        fail(f"no service `{service}`: {hint or 'none is named so'}\nthere are {', '.join(SERVICES)}", 2)
    if record_only and not running:
        fail("--record-only records a site that runs: add --running", 2)
    if running and plant is not None:
        fail("--plant is for a simulation; a running site has its plant", 2)


def _plant(site: Path, given: Path | None = None) -> Any:
    """The plant's settings, or what is wrong with them and exit 1."""
    from runtime.simulation.settings import SettingsError, read_settings
    from runtime.site_files import plant_of

    try:
        return read_settings(given if given is not None else plant_of(site))
    except SettingsError as error:
        fail(str(error), EXIT_MISTAKES)


def _terms(service: str, site: Any, settings: Any, capacity: str, option: int, tests: str) -> Any:
    from runtime.prequalify.programme import groups_of
    from runtime.prequalify.rating import RatingError, power_in_kw, rating_of, terms_of

    wanted, known = tuple(word.strip() for word in tests.split(",") if word.strip()), groups_of(service)
    if unknown := [word for word in wanted if word not in known]:
        fail(f"{service} has no test `{'`, `'.join(unknown)}`; there are {', '.join(known)}", 2)
    try:
        sold = power_in_kw(capacity, "--capacity") if capacity else None
        return terms_of(service, rating_of(site.constants, settings), sold, option, wanted)
    except RatingError as error:
        fail(str(error), 2)


def _run_simulated(site: Any, settings: Any, service: str, terms: Any, progress: _Progress) -> Any:
    from runtime.prequalify.bench import NotReadyError
    from runtime.prequalify.orders import NotOfferedError
    from runtime.prequalify.simulated import drive
    from runtime.simulate_world import UnknownDeviceError

    try:
        return drive(site, settings, service, terms, time.time_ns(), progress.tell)
    except (NotOfferedError, NotReadyError, UnknownDeviceError) as error:
        fail(str(error), EXIT_MISTAKES)
    except OSError as error:
        fail(str(error), EXIT_UNREADABLE)
    finally:
        progress.end()


def _run_live(site: Path, found: Any, service: str, terms: Any, progress: _Progress, *, record_only: bool) -> Any:
    from runtime.onlooker import NotRunningError
    from runtime.prequalify.bench import NotReadyError
    from runtime.prequalify.live import NoPlantError, drive, record
    from runtime.prequalify.orders import NotOfferedError

    try:
        return (record if record_only else drive)(found, site, service, terms, progress.tell)
    except (NotRunningError, NoPlantError) as error:
        fail(str(error), EXIT_HELD)
    except (NotOfferedError, NotReadyError) as error:
        fail(str(error), EXIT_MISTAKES)
    finally:
        progress.end()


def _facts(path: Path, site: Any, plant: Path | None, driven: Any, *, running: bool) -> dict[str, str]:
    """What heads the report, so that somebody else can do the same again."""
    from runtime import __version__

    how = "the running site, in real time" if running else "simulated, from meter to meter, in turns of at most 0.1 s"
    facts = {"Site": f"{path} ({site.name})", "Program": site.schedule.digest[:16]}
    if plant is not None:
        facts["Plant"] = str(plant)
    return (
        facts
        | {
            "Driven": how,
            "Time": f"{driven.seconds / 3600:.2f} h of tests",
            "Made": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC by bessplc {__version__}",
        }
        | driven.notes
    )


def _judge(service: str, terms: Any, driven: Any) -> Any:
    """All findings; exit 1 where a record is not what the operator prescribes."""
    from runtime.prequalify.programme import evaluate
    from runtime.prequalify.record import RecordRefused

    try:
        return evaluate(service, terms, driven.records)
    except RecordRefused as refused:
        fail("the record is not what the operator prescribes:\n  " + "\n  ".join(refused.faults), EXIT_MISTAKES)


def _fallen_out(service: str, terms: Any, driven: Any) -> str:
    """In which tests the site left the grid or its racks: what fails then is no matter of the service."""
    from runtime.prequalify.summary import fallen_out

    told = ", ".join(fallen_out(service, terms, driven.records))
    if told:
        typer.echo(f"warning: the site was not connected in the {told}; its alarms say why", err=True)
    return told


def _has_failed(judged: Any) -> bool:
    from runtime.prequalify.criterion import Outcome, overall

    return overall(judged.findings) is Outcome.FAIL


def _write(out: Path, terms: Any, names: tuple[str, str], facts: dict[str, str], driven: Any, judged: Any) -> list[str]:
    """The report and the operator's files; their names, the report first."""
    from runtime.prequalify import results
    from runtime.prequalify.plots import NoMatplotlib

    try:
        resource = results.resource_of(judged.service, terms, *names)
        return [file.name for file in results.write(out, terms, resource, facts, driven.records, judged)]
    except NoMatplotlib as missing:
        fail(str(missing), EXIT_MISTAKES)
    except OSError as error:
        fail(f"{out} cannot be written: {error.strerror}", EXIT_UNREADABLE)


def _show(terms: Any, driven: Any, judged: Any, files: list[str], took: float, *, as_json: bool) -> None:
    from runtime.prequalify import summary

    if as_json:
        beside = {"simulated_s": driven.seconds, "wall_s": round(took, 1), "files": files}
        typer.echo(json.dumps(summary.as_data(judged.findings, terms, judged.service) | beside, indent=2))
        return
    typer.echo(summary.table(judged.findings))
    typer.echo(f"\n{judged.service}, {terms.capacity:.4g} kW: {summary.verdict(judged.findings, terms, judged.service)}")
    typer.echo(f"{driven.seconds / 60:.0f} min of tests in {took:.1f} s", err=True)


class _Progress:
    """Which test, and how far it is: a line that is written over on a terminal, and nothing elsewhere."""

    def __init__(self) -> None:
        self._shows, self._shown = sys.stderr.isatty(), 0.0

    def tell(self, test: str, share: float) -> None:
        """`share` of the test is done; below 0 the site gets ready for it."""
        if not self._shows or time.perf_counter() - self._shown < SHOWN_S:
            return
        self._shown = time.perf_counter()
        bar = "getting ready" if share < 0 else f"[{'#' * round(share * BAR):<{BAR}}] {share:4.0%}"
        typer.echo(f"\r{test:<32} {bar:<40}", err=True, nl=False)

    def end(self) -> None:
        if self._shows:
            typer.echo("\r" + " " * 79 + "\r", err=True, nl=False)
