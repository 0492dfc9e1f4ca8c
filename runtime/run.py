"""The verb `run`: brings a site up, shows its condition, and stops it on Ctrl-C or SIGTERM."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from runtime.app import App, RunOptions, generation_of
from runtime.control import Control
from runtime.force_watch import ForceWatch
from runtime.log_events import ScanEvents
from runtime.log_site import SiteLog
from runtime.options import wants_colour
from runtime.pulse import Pulses
from runtime.restart import Asked, go_on, listen
from runtime.rundir import SiteHeldError, state_folder_of
from runtime.running_program import leave_program
from runtime.site_files import root_of
from runtime.source import SiteError, render

LINE_EVERY_S = 10.0
VIEW_EVERY_S = 0.25
KEEP_EVERY_S = 1.0
SILENT_LOOKS = 120  # a server that shows no sign of life in so many looks, 30 s, is killed and restarted
HUNG_S, HUNG_LOOKS = 2.0, 6  # a scan that lives and does not publish, seen so often in a row, is killed and restarted


def run_site(site: Path, *, sim: bool, cold: bool, inhibit: bool, watch: bool = False, reboot: tuple[str, ...] = ()) -> int:
    """Run until asked to stop. Returns the exit code: 0, 1 for mistakes in the site, 75 where another run holds it.

    SIGHUP loads the files anew, as of any daemon; on a terminal it means that the terminal is gone, and stops. `watch` loads them
    whenever one was saved. `reboot` are the words of the command by which the site may reboot the machine.
    """
    root = root_of(site)
    stop: list[int] = []
    reload: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT):
        signal.signal(number, lambda n, _: stop.append(n))
    on_terminal = sys.stdout.isatty()  # asked now: a terminal that is gone is none any more
    signal.signal(signal.SIGHUP, lambda n, _: (stop if on_terminal else reload).append(n))
    listen()
    kept = SiteLog(state_folder_of(site), on_terminal=on_terminal)
    log = kept.logger
    progress = Progress()
    try:
        app = App(RunOptions(site, sim, cold, inhibit, kept.strays, reboot), _teller(log, progress))
    except SiteHeldError as error:
        print(f"error: {error}", file=sys.stderr)
        return os.EX_TEMPFAIL
    asked = ""
    try:
        begun = time.monotonic()
        with progress.shown():
            is_up = app.start(lambda: bool(stop))
        _show_warnings(app, root)
        if is_up:
            log.info("running", seconds=round(time.monotonic() - begun, 2), run_dir=str(app.folder))
            control = Control(app, watch_files=watch)
            try:
                asked = _watch(app, stop, log, control, reload)
            finally:
                control.close()
    except SiteError as error:
        print(render(error.problems, root, colour=wants_colour(sys.stderr)), file=sys.stderr)
        print("\nnothing was started", file=sys.stderr)
        return 1
    finally:
        if app.site is not None:
            log.info("stopping", why="asked to" if stop else f"the site asks for a {asked}" if asked else "failed")
        stopped = app.stop()
    outputs = "inhibited" if inhibit else stopped.outputs
    (log.error if stopped.missed else log.info)("stopped", outputs=outputs, missed=list(stopped.missed))
    if sys.stdout.isatty():
        print(f"stopped, outputs {outputs}; `bessplc log` shows the log, which is in {kept.folder}")
    return go_on(asked, reboot, stop, log, kept.close) if asked else 0


class Progress:
    """What is going on while the site comes up, on a terminal only."""

    def __init__(self) -> None:
        self._status: Any = None

    def shown(self) -> AbstractContextManager[Any]:
        if not sys.stdout.isatty():
            return nullcontext()
        from rich.console import Console

        self._status = Console().status("starting")
        return self._status  # type: ignore[no-any-return]

    def say(self, text: str) -> None:
        if self._status is not None:
            self._status.update(text)


def _teller(log: Any, progress: Progress) -> Callable[[str, str, dict[str, Any]], None]:
    """What the processes say, as log lines and as progress."""

    def tell(process: str, event: str, facts: dict[str, Any]) -> None:
        if event == "compiled":
            progress.say(f"compiling kernels {facts['done']}/{facts['of']}: {facts['name']}")
            log.info("compiling kernels", done=facts["done"], of=facts["of"], kernel=facts["name"])
            return
        progress.say(f"{process}: {event}")
        (log.error if event in ("died", "killed", "internal error") else log.info)(event, process=process, **facts)

    return tell


def _show_warnings(app: App, root: Path) -> None:
    if app.warnings:
        print(render(app.warnings, root, colour=wants_colour(sys.stderr)), file=sys.stderr)


def _watch(app: App, stop: list[int], log: Any, control: Control, reload: list[int]) -> str:
    """Keep the site up and show it until asked to stop, and follow a program that was loaded. Returns what the site asked for."""
    from runtime.engine.retain import Keeper
    from runtime.servers.describe import SERVERS
    from runtime.status import Status

    assert app.site is not None
    leave_program(app.folder, app.site.schedule)
    status = Status(app.site, app.folder, generation_of(app.site.schedule))
    state = state_folder_of(app.options.site)
    keeper = Keeper(state, app.site.schedule)
    events = ScanEvents(app.site.schedule, app.folder, generation_of(app.site.schedule), log)
    forces = ForceWatch(app.site.schedule, app.folder, generation_of(app.site.schedule), app.tell, app.audit.keep)
    requests = Asked(app.site, app.options, app.tell, app.audit.keep)
    asked = ""
    show = _view(app, status) if sys.stdout.isatty() else _lines(status, log)
    keep_due = time.monotonic() + KEEP_EVERY_S
    pulses = Pulses(app.folder, SERVERS, SILENT_LOOKS)
    silent = 0
    with show as refresh:
        while not stop and not asked:
            app.attend(VIEW_EVERY_S)
            control.attend()
            if reload and control.loader.is_ready:  # one that came while a load is under way is loaded after it
                reload.clear()
                control.load_files("SIGHUP")
            if status.site is not app.site:
                if status.snapshot.scan:
                    _keep(keeper, status, log, at_last=True)  # an undo, or a restart with the program before, begins from here
                leave_program(app.folder, app.site.schedule)
                generation = generation_of(app.site.schedule)
                status.follow(app.site, generation)
                keeper = Keeper(state, app.site.schedule)
                events = ScanEvents(app.site.schedule, app.folder, generation, log, before=events)
                forces = ForceWatch(app.site.schedule, app.folder, generation, app.tell, app.audit.keep, before=forces)
                requests = Asked(app.site, app.options, app.tell, app.audit.keep, before=requests)
                silent = 0
            for name in pulses.silent(app.processes()):
                app.supervisor.kill(name, f"no sign of life for {SILENT_LOOKS * VIEW_EVERY_S:g} s")
            status.refresh()
            events.look(status.snapshot)
            forces.look()
            if status.snapshot.scan:
                refresh()
                asked = requests.look(status.snapshot)
            status.refresh()  # what was done since the look above may have taken longer than a scan is waited for
            silent = silent + 1 if app.scanning and status.age > HUNG_S else 0  # one that starts may take its time
            if silent > (HUNG_LOOKS if status.snapshot.scan else 2 * HUNG_LOOKS):  # it may never publish: a program just loaded
                app.supervisor.kill("scan", f"no snapshot for {status.age:.1f} s" if status.snapshot.scan else "no snapshot at all")
                silent = 0
            if status.snapshot.scan and time.monotonic() >= keep_due:
                keep_due = time.monotonic() + KEEP_EVERY_S
                _keep(keeper, status, log)
    if status.snapshot.scan:
        _keep(keeper, status, log, at_last=True)
    return asked


def _keep(keeper: Any, status: Any, log: Any, *, at_last: bool = False) -> None:
    """Save what is retained; a full disk is said, and the site runs on."""
    try:
        keeper.keep(status.snapshot, at_last=at_last)
    except OSError as error:
        log.error("retained values not saved", error=str(error))


class _view:
    """The live view on a terminal."""

    def __init__(self, app: App, status: Any):
        from rich.live import Live

        self._app, self._status = app, status
        self._live = Live(refresh_per_second=4)

    def __enter__(self) -> Callable[[], None]:
        self._live.__enter__()
        return self.refresh

    def refresh(self) -> None:
        from runtime.status import render as render_status

        self._live.update(render_status(self._status, dict(self._app.processes())))

    def __exit__(self, *problem: Any) -> None:
        self._live.__exit__(*problem)


class _lines:
    """A line when the state, the alarms or the servers change, and one every ten seconds."""

    def __init__(self, status: Any, log: Any):
        self._status, self._log = status, log
        self._shown: Any = None
        self._due = 0.0

    def __enter__(self) -> Callable[[], None]:
        return self.refresh

    def refresh(self) -> None:
        status = self._status
        news = (status.state, status.active_alarms(), status.listening())
        if news != self._shown or time.monotonic() >= self._due:
            tell = self._log.info if news != self._shown else self._log.debug
            tell("status", **status.line(), servers=news[2])
            self._shown, self._due = news, time.monotonic() + LINE_EVERY_S

    def __exit__(self, *problem: Any) -> None:
        self._shown = None
