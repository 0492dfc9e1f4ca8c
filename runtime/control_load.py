"""Loads an edited program into a running site: has it prepared in a child process, hands it to the scan, and tells what came of it.

One load at a time, and never a wait: it goes on whenever the supervisor hears of the child or of the scan.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from runtime import child
from runtime.app import App, generation_of
from runtime.child import SwapOrder
from runtime.control_prepare import Prepared, PrepareOrder
from runtime.control_words import LOSSES, forbidden_text, jump_text, lifted_text, limits_of, permit_of, refused, takes_permit_away
from runtime.engine.force_list import read_note
from runtime.engine.retain import restore
from runtime.force_watch import force_end
from runtime.io_generation import changed_devices, io_generation_of
from runtime.language.quantities import Quantity
from runtime.model import Site
from runtime.program_diff import differences
from runtime.rundir import state_folder_of
from runtime.servers.audit import Deed, Who
from runtime.site_files import root_of
from runtime.source import render

PREPARER = "runtime.control_prepare"
PATIENCE_S = 60.0  # kernels may have to be compiled
ENDING_S = 1.0  # for a preparer that has closed its output and does not end
MOST_NOTED = 60  # lines of each kind in the log
SCAN, SUPERVISOR_ROLE = "scan", "engineer"
_LISTS = ("differences", "dropped", "jumps", "lifted", "problems")  # of an answer

Answer = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Request:
    """What was asked: by whom, a trial only or not, back to the program before, and how far outputs of a unit may jump.

    Unattended: nobody sees what would jump or be lost, so nothing may. `expect` is the digest that was shown (empty: none was).
    Meant: a trial of somebody who then wants to load; where the plant forbids that, it is told as the refusal that it is.
    """

    who: str
    peer: str
    is_trial: bool = False
    is_undo: bool = False
    limits: tuple[Quantity, ...] = ()
    is_unattended: bool = False
    expect: str = ""
    is_meant: bool = False


@dataclass
class _Load:
    request: Request
    answer: Answer
    begun: float
    preparer: subprocess.Popen[bytes] | None = None
    said: bytearray = field(default_factory=bytearray)
    number: int = 0
    site: Site | None = None
    lifted: tuple[dict[str, Any], ...] = ()  # the forces that this program ends
    is_forbidden: bool = False  # the plant is under load, and it is not bumpless
    is_tried: bool = False  # unattended, and the trial said that nothing jumps and nothing is lost
    facts: dict[str, Any] = field(default_factory=dict)


class Loader:
    """The site's loads, one after another."""

    def __init__(self, app: App):
        self._app = app
        self._load: _Load | None = None
        self._number = 0
        self._before: Site | None = None  # the program that `undo` goes back to
        app.listeners.append(lambda *said: self._safely(lambda: self._hear(*said)))

    @property
    def is_ready(self) -> bool:
        """Whether a load may begin now."""
        return self._load is None and self._app.site is not None and self._app.scanning

    def _safely(self, step: Callable[[], None]) -> None:
        """A mistake of ours costs the load, never the plant."""
        try:
            step()
        except Exception as error:  # noqa: BLE001 - whatever it is: the site runs on
            self._tell_mistake(error)
            if self._load is not None:
                self._end(refused(f"internal error: {error!r}"))

    def _tell_mistake(self, error: Exception) -> None:
        self._app.tell("runtime", "internal error", {"error": repr(error), "where": traceback.format_exc()})

    def begin(self, request: Request, answer: Answer) -> None:
        """Begin a load; `answer` is called once with what came of it."""
        if self._load is not None:
            answer(refused("another load is under way"))
            return
        if self._app.site is None or not self._app.scanning:
            answer(refused("the site is still starting"))
            return
        self._load = _Load(request, answer, time.monotonic())
        self._safely(self._undo if request.is_undo else self._prepare)

    def _prepare(self) -> None:
        load, running = self._load, self._app.site
        assert load is not None and running is not None
        preparer = child.begin(PREPARER, stdout=subprocess.PIPE, stderr=self._app.options.log)
        load.preparer = preparer
        assert preparer.stdout is not None
        os.set_blocking(preparer.stdout.fileno(), False)
        self._app.supervisor.hear(preparer.stdout, lambda: self._safely(self._more))
        child.give(preparer, PrepareOrder(str(self._app.options.site), running))

    def attend(self) -> None:
        """Give up a load that has taken too long; not one that is with the scan, which may yet swap, and always answers or dies."""
        if self._load is not None and not self._load.number and time.monotonic() - self._load.begun > PATIENCE_S:
            self._end(refused(f"not done within {PATIENCE_S:g} s"))

    def close(self) -> None:
        if self._load is not None:
            self._end(refused("the site stops"))

    def _more(self) -> None:
        """The preparer said something, or has ended."""
        load = self._load
        if load is None or load.preparer is None or load.preparer.stdout is None:
            return  # it was given up for something else that came at the same moment
        data = os.read(load.preparer.stdout.fileno(), 1 << 20)
        if data:
            load.said += data
            return
        preparer, load.preparer = load.preparer, None
        self._app.supervisor.unhear(preparer.stdout)
        code = _ended(preparer)
        if code != 0:
            self._end(refused(f"the process that prepares the program ended with {code}; its message is in the log"))
            return
        prepared: Prepared = pickle.loads(bytes(load.said))
        load.said.clear()
        facts = load.facts
        facts["problems"] = [p.as_json() for p in prepared.problems]
        facts["rendered"] = render(prepared.problems, root_of(self._app.options.site)) if prepared.problems else ""
        facts["differences"] = [str(d) for d in prepared.differences]
        facts["compiled"] = list(prepared.compiled)
        if prepared.site is None:
            self._end(refused("the files have mistakes"))
        else:
            self._offer(prepared.site)

    def _undo(self) -> None:
        load = self._load
        assert load is not None and self._app.site is not None
        if self._before is None:
            self._end(refused("no program was loaded since the start: there is nothing to go back to"))
            return
        load.facts["differences"] = [str(d) for d in differences(self._app.site, self._before)]
        self._offer(self._before)

    def _offer(self, site: Site) -> None:
        """Give a checked program to the scan, where an online change to it is possible."""
        load, running = self._load, self._app.site
        assert load is not None and running is not None
        load.facts["digest"] = site.schedule.digest
        if load.request.expect not in ("", site.schedule.digest):
            self._end(refused("the files have changed since they were shown"))
            return
        if site.schedule.digest == running.schedule.digest:
            self._end({"ok": True, "swapped": False, "text": "nothing to load: this program runs already"})
            return
        if io_generation_of(site) != io_generation_of(running):
            what = ", ".join(changed_devices(running, site)) or "the watchdog's heartbeat"
            self._end(refused(f"devices changed ({what}): an online change cannot do that yet; restart the site"))
            return
        self._number += 1
        load.number, load.site = self._number, site
        limits = (0.0,) * len(site.schedule.outputs.source) if load.is_tried else limits_of(site, load.request.limits)
        is_trial = load.request.is_trial or (load.request.is_unattended and not load.is_tried)
        # what this program retains and the running one has not: it was there before a load that is undone, or before the last start
        known = frozenset(tag.name.lower() for tag in running.schedule.tags)
        warm = restore(site.schedule, state_folder_of(self._app.options.site), is_start=False, leave=known).schedule
        permit, is_grave = permit_of(running), takes_permit_away(running, site)
        order = SwapOrder(load.number, warm, generation_of(site.schedule), is_trial, limits, permit, is_grave)
        if not self._app.tell_scan(order):
            self._end(refused("no scan is running"))

    def _hear(self, process: str, kind: str, event: dict[str, Any]) -> None:
        """What a process said: the scan's answer, or its end."""
        load = self._load
        if process != SCAN or load is None or not load.number:
            return
        if kind == "died":
            self._end(refused("the scan ended meanwhile"))
        elif kind == "loaded" and event.get("number") == load.number:
            self._loaded(event)

    def _loaded(self, event: dict[str, Any]) -> None:
        load, running = self._load, self._app.site
        assert load is not None and load.site is not None and running is not None
        if event["is_swapped"]:  # before anything else: a mistake in what is told must not leave us with the old program
            self._before = running
            self._app.take_site(load.site)
        load.lifted = tuple(event["lifted"])
        load.facts["dropped"] = list(event["dropped"])
        load.facts["lifted"] = [lifted_text(running, one, read_note(self._app.folder, one["token"])) for one in load.lifted]
        load.facts["jumps"] = [jump_text(load.site, j) for j in event["jumps"]]
        if event["is_forbidden"]:
            self._forbid(load, running)
        elif event["refused"]:
            self._end(refused(event["refused"]))
        elif load.request.is_unattended and not load.is_tried:
            self._go_on_unattended(load)
        elif not event["is_swapped"]:
            self._end({"ok": True, "swapped": False, "text": "tried only: nothing was loaded"})
        else:
            took = event["took"] / 1e3
            text = f"loaded after scan {event['scan']:,}; the scan's gap was {took:.0f} us longer"
            self._end({"ok": True, "swapped": True, "scan": event["scan"], "took_us": took, "text": text}, running.schedule.digest)

    def _forbid(self, load: _Load, running: Site) -> None:
        """The plant is under load: say so to whoever asked, and to the programs, whose alarm it is."""
        load.is_forbidden = True
        if running.requests.refused and _counts(load):
            self._app.give(running.requests.refused)
        self._end({**refused(forbidden_text(running, load.facts)), "permit": running.requests.changes})

    def _go_on_unattended(self, load: _Load) -> None:
        """The trial of a load that nobody watches went well: load it where there is nothing that somebody would have to confirm."""
        lost = [what for what, key in LOSSES if load.facts[key]]
        if lost:
            self._end(refused(f"{' and '.join(lost)}, and nobody is there to confirm it: `bessplc load` shows it and loads"))
            return
        load.is_tried = True
        assert load.site is not None
        self._offer(load.site)

    def _end(self, outcome: dict[str, Any], old_digest: str = "") -> None:
        load = self._load
        assert load is not None
        self._load = None
        if load.preparer is not None:
            if load.preparer.stdout is not None:
                self._app.supervisor.unhear(load.preparer.stdout)
            load.preparer.kill()
            _ended(load.preparer)
        seconds = round(time.monotonic() - load.begun, 3)
        answer = {**outcome, "seconds": seconds, **{key: [] for key in _LISTS}, **load.facts}
        try:
            self._note(load, answer, old_digest)
        except Exception as error:  # noqa: BLE001 - a full disk: whoever asked is told what became of the load all the same
            self._tell_mistake(error)
        load.answer(answer)

    def _note(self, load: _Load, answer: dict[str, Any], old_digest: str) -> None:
        """A line in the log and in the audit log; a trial leaves none in the audit log."""
        request = load.request
        verb = "undo" if request.is_undo else "load"
        facts: dict[str, Any] = {key: answer[key] for key in ("ok", "swapped", "text", "seconds", "scan") if key in answer}
        facts |= {key: list(answer[key][:MOST_NOTED]) for key in _LISTS if key != "problems" and answer[key]}
        counts = _counts(load)
        self._app.tell("runtime", verb if counts else "tried", {"user": request.who, **facts})
        running = self._app.site
        if not counts or running is None:
            return
        old = old_digest or running.schedule.digest
        new = answer.get("digest", "")
        who = Who(request.who, SUPERVISOR_ROLE, request.peer)
        told, scan = str(answer["text"]), int(answer.get("scan", 0))
        self._app.audit.keep(
            Deed("supervisor", who, verb, "program", told, bool(answer["ok"]), 0, old[:16], new[:16] or None, scan)
        )
        for one in load.lifted if answer["swapped"] else ():
            why, note = f"lifted by a {verb}: {one['why']}", read_note(self._app.folder, one["token"])
            self._app.audit.keep(force_end(one["tag"], one["element"], one["value"], note, why, who))


def _counts(load: _Load) -> bool:
    """Whether it was more than a look at what would happen."""
    return not load.request.is_trial or (load.request.is_meant and load.is_forbidden)


def _ended(preparer: subprocess.Popen[bytes]) -> int:
    """Its exit code: the supervisor's loop waits no longer than this for anybody."""
    if preparer.stdout is not None:
        preparer.stdout.close()
    try:
        return preparer.wait(ENDING_S)
    except subprocess.TimeoutExpired:
        preparer.kill()
        return preparer.wait()
