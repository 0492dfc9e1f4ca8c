"""The verb `run`: brings a site up, shows its condition, and stops it on Ctrl-C or SIGTERM."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog

from runtime.app import App, RunOptions, generation_of
from runtime.rundir import SiteHeldError
from runtime.source import SiteError, render

LINE_EVERY_S = 10.0
VIEW_EVERY_S = 0.25



def run_site(site: Path, *, sim: bool, cold: bool, inhibit: bool) -> int:
    """Run until asked to stop. Returns the exit code: 0, 1 for mistakes in the site, 75 where another run holds it."""
    root = site.resolve().parent.parent
    log = _logger()
    stop: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda n, _: stop.append(n))
    try:
        app = App(RunOptions(site, sim, cold, inhibit), _teller(log))
    except SiteHeldError as error:
        print(f"error: {error}", file=sys.stderr)
        return os.EX_TEMPFAIL
    try:
        begun = time.monotonic()
        app.start()
        _show_warnings(app, root)
        log.info("running", seconds=round(time.monotonic() - begun, 2), run_dir=str(app.folder))
        _watch(app, stop, log)
    except SiteError as error:
        print(render(error.problems, root, colour=_wants_colour()), file=sys.stderr)
        print(f"\n{len(error.problems)} mistakes; nothing was started", file=sys.stderr)
        return 1
    finally:
        if app.site is not None:
            log.info("stopping", why="asked to" if stop else "failed", outputs="safe")
        app.stop()
    log.info("stopped")
    return 0


def _wants_colour() -> bool:
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR")


def _logger() -> Any:
    renderer: Any = structlog.dev.ConsoleRenderer(colors=_wants_colour()) if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso"), renderer],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    return structlog.get_logger()


def _teller(log: Any) -> Callable[[str, str, dict[str, Any]], None]:
    """What the processes say, as log lines; compiling is progress, not news."""

    def tell(process: str, event: str, facts: dict[str, Any]) -> None:
        if event == "compiled":
            log.info("compiling kernels", done=facts["done"], of=facts["of"], kernel=facts["name"])
        elif event in ("died", "killed"):
            log.error(event, process=process, **facts)
        else:
            log.info(event, process=process, **facts)

    return tell


def _show_warnings(app: App, root: Path) -> None:
    if app.warnings:
        print(render(app.warnings, root, colour=_wants_colour()), file=sys.stderr)


def _watch(app: App, stop: list[int], log: Any) -> None:
    from runtime.status import Status
    from runtime.status import render as render_status

    assert app.site is not None
    status = Status(app.site, app.folder, generation_of(app.site.schedule))
    if not sys.stdout.isatty():
        _log_lines(app, status, stop, log)
        return
    from rich.live import Live

    with Live(refresh_per_second=4, transient=False) as live:
        while not stop:
            app.attend(VIEW_EVERY_S)
            status.refresh()
            if status.snapshot.scan:
                live.update(render_status(status, dict(app.processes())))


def _log_lines(app: App, status: Any, stop: list[int], log: Any) -> None:
    """A line when the state or the alarms change, and one every ten seconds."""
    shown: Any = None
    due = 0.0
    while not stop:
        app.attend(VIEW_EVERY_S)
        status.refresh()
        if not status.snapshot.scan:
            continue
        news = (status.state, status.active_alarms(), status.listening())
        if news != shown or time.monotonic() >= due:
            log.info("status", **status.line(), servers=news[2])
            shown, due = news, time.monotonic() + LINE_EVERY_S
