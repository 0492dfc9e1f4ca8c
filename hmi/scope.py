"""The trace of a site for its pages: one at a time, started by an engineer, looked at by whoever wants to.

It samples tags and pins at every scan by the engine's reader, and waits for a trigger as `bessplc trace` does. It ends by itself
once nobody looks, the scan falls silent, or another program is loaded; what it caught last stays.
"""

from __future__ import annotations

import asyncio
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import structlog
from fastapi import APIRouter, Request, Response

from hmi.roles import why_not
from hmi.scope_asked import NotWantedError, Wanted, trigger_of, wanted
from hmi.texts import trends as words
from runtime.engine.trace import N_NOW, N_NUMBER, N_WALL
from runtime.engine.trace_view import Catcher, Channel, Trace, TracerBusyError, Window, channels_of
from runtime.servers.audit import Who
from runtime.servers.picture import Picture
from runtime.servers.rest.problems import ProblemError, answer

if TYPE_CHECKING:
    from hmi.hall import Hall, Visit

ROLE = "engineer"
MOST_SAMPLES = 6000  # of a window: where it would hold more, not every scan is sampled
UNSEEN, SILENT = 10.0, 5.0  # s: how long nobody need look, and how long no sample need come, until it ends
log = structlog.get_logger()


class Running:
    """One trace from its start to its end. `closed` says why it ended, empty while it runs."""

    def __init__(self, picture: Picture, who: Who, asked: Wanted):
        self.order, self.who, self.asked = picture.order, who, asked
        self.since, self.closed = time.time_ns(), ""
        channels = _channels(picture, asked)
        tick = self.order.tick / 1e9
        self.every = max(1, math.ceil(asked.seconds / tick / MOST_SAMPLES))
        self.length = max(2, round(asked.seconds / (tick * self.every)))
        self.trace = Trace(Path(self.order.run_dir), "hmi", self.order.generation, channels, self.every)
        trigger = trigger_of(channels, asked)
        self._catcher = Catcher(self.trace, self.length, int(asked.share * self.length), trigger) if trigger else None
        self.recent = np.zeros((0, N_WALL + 1 + len(channels)), np.int64)
        self.window: Window | None = None
        self.windows = self._zero = 0
        self.heard = self.looked = time.monotonic()

    @property
    def channels(self) -> tuple[Channel, ...]:
        return self.trace.channels

    def read(self) -> None:
        """Take what the scan has sampled since the last call, and end where there is reason to."""
        if self.closed:
            return
        samples, now = self.trace.read(), time.monotonic()
        if len(samples):
            self.heard = now
            self._take(samples)
        if now - self.heard > max(SILENT, 5 * self.every * self.order.tick / 1e9):
            self.close(words.SCAN_SILENT)
        elif now - self.looked > UNSEEN:
            self.close(words.NOBODY_LOOKS)

    def _take(self, samples: np.ndarray) -> None:
        if len(self.recent) and samples[0, N_NUMBER] <= self.recent[-1, N_NUMBER]:
            self.recent, self._zero = self.recent[:0], 0  # the scan was started anew, and counts from 1
        self._zero = self._zero or int(samples[0, N_NOW])
        self.recent = np.concatenate([self.recent, samples])[-self.length :]
        if self._catcher is None:
            if self.asked.is_single and len(self.recent) >= self.length:
                self.close(words.CAUGHT)
            return
        for window in self._catcher.feed(samples):
            self.window, self.windows = window, self.windows + 1
            if self.asked.is_single:
                self.close(words.CAUGHT)
                return

    def close(self, why: str) -> None:
        """End it: the scan stops sampling."""
        if not self.closed:
            self.closed = why
            self.trace.close()

    def progress(self) -> dict[str, Any]:
        """Whether the trigger has come, and how many samples of the window are there."""
        if self._catcher is None:
            return {"triggered": True, "have": len(self.recent), "of": self.length}
        have, of = self._catcher.progress
        return {"triggered": self._catcher.is_triggered, "have": have, "of": of}

    def told(self, seen: int, since: int) -> dict[str, Any]:
        """What a page has not seen: the window after number `seen`, or the samples after number `since`."""
        told: dict[str, Any] = {
            "begun": self.since,
            "who": self.who.user,
            "running": not self.closed,
            "why": self.closed,
            "every": self.every,
            "tick": self.order.tick,
            "lost": self.trace.lost,
            "windows": self.windows,
            "last": [_plain(channel, self.recent[-1:], place) for place, channel in enumerate(self.channels)],
            **self.progress(),
        }
        if self._catcher is None:
            told["samples"] = self._samples(self.recent[self.recent[:, N_NUMBER] > since], -1)
        elif self.window is not None and self.windows > seen:
            told["window"] = self._samples(self.window.samples, self.window.trigger) | {"missing": self.window.missing}
        return told

    def _samples(self, samples: np.ndarray, trigger: int) -> dict[str, Any]:
        """Rows as columns; seconds count from the trigger, or from the trace's first sample."""
        zero = int(samples[trigger, N_NOW]) if trigger >= 0 else self._zero
        return {
            "numbers": np.ascontiguousarray(samples[:, N_NUMBER]),
            "seconds": (samples[:, N_NOW] - zero) / 1e9,
            "walls": samples[:, N_WALL] / 1e6,
            "values": [_plain(channel, samples, place) for place, channel in enumerate(self.channels)],
            "trigger": trigger,
        }


def _channels(picture: Picture, asked: Wanted) -> tuple[Channel, ...]:
    order, found = picture.order, dict[str, Channel]()
    for name in asked.names:
        try:
            channels = channels_of(name, order.tags, order.region, order.pins)
        except KeyError as error:
            raise NotWantedError(words.NO_SUCH_CHANNEL.format(name=error.args[0])) from error
        if len(channels) > 1:
            raise NotWantedError(words.NAME_AN_ELEMENT.format(name=name, example=channels[0].name))
        found.setdefault(channels[0].name, channels[0])
    return tuple(found.values())


def _plain(channel: Channel, samples: np.ndarray, place: int) -> np.ndarray:
    return np.ascontiguousarray(channel.values(samples, place))


class Scope:
    """The site's trace, if one runs, or the last that ran."""

    def __init__(self, picture: Picture):
        self._picture = picture
        self.running: Running | None = None
        self._watching: asyncio.Task[None] | None = None

    def begin(self, who: Who, said: Any) -> str:
        """Start a trace; why not, or nothing. Whoever runs one may start another in its place."""
        held = self.running
        if held is not None and not held.closed and held.who.user != who.user:
            return words.BUSY.format(who=held.who.user)
        try:
            asked = wanted(said)
            trigger_of(_channels(self._picture, asked), asked)  # a mistake must not cost the trace that runs
            self.end(words.REPLACED)
            self.running = Running(self._picture, who, asked)
        except NotWantedError as error:
            return str(error)
        except TracerBusyError:
            return words.BUSY_ELSEWHERE
        except OSError as error:
            return words.NO_SCAN_TO_TRACE.format(why=error)
        self._watching = asyncio.get_running_loop().create_task(self._watch(self.running))
        return ""

    def end(self, why: str) -> None:
        """End the trace that runs."""
        if self.running is not None:
            self.running.close(why)
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None

    def told(self, seen: int, since: int) -> dict[str, Any]:
        """What a page shows; asking keeps the trace alive."""
        running = self.running
        if running is None:
            return {"begun": 0, "running": False, "why": ""}
        running.looked = time.monotonic()
        self._read(running)
        return running.told(seen, since) | {"channels": self._described(running)}

    def _read(self, running: Running) -> None:
        if running.order is not self._picture.order:
            running.close(words.OTHER_PROGRAM)
        running.read()

    def _described(self, running: Running) -> list[dict[str, Any]]:
        found = []
        for channel in running.channels:
            tag = self._picture.tag(channel.name) or self._picture.tag(channel.name.rpartition("[")[0])
            names = {str(number): name for number, name in tag.names} if tag is not None else {}
            found.append({"name": channel.name, "type": channel.type, "unit": channel.unit, "names": names})
        return found

    async def _watch(self, running: Running) -> None:
        while not running.closed:
            await asyncio.sleep(1.0)
            try:
                self._read(running)
            except Exception as error:
                log.exception("the trace has failed")
                running.close(str(error))


def scope_routes(hall: Hall) -> APIRouter:
    """`GET /data/scope?seen=N&since=N`: how the trace stands, and what the page has not got of it yet."""
    router = APIRouter()

    @router.get("/scope")
    async def read_scope(request: Request) -> Response:
        asked = [request.query_params.get(word, "0") for word in ("seen", "since")]
        if not all(len(text) <= 15 and text.isascii() and text.isdigit() for text in asked):
            raise ProblemError(422, "invalid-request", words.SCOPE_NUMBERS)
        return answer(hall.scope.told(*map(int, asked)))

    return router


async def start(visit: Visit, said: Any) -> str:
    """Start a trace for whoever looks, and note it; why not, or nothing."""
    hall, who = visit.hall, visit.who
    why = why_not(who, ROLE) or hall.scope.begin(who, said)
    running = hall.scope.running
    subject = ", ".join(running.asked.names) if running is not None and not why else "trace"
    hall.door.note(who, "trace", subject, why or "taken", not why)
    return why


async def stop(visit: Visit) -> str:
    """End the trace that runs, and note it; why not, or nothing."""
    hall, who = visit.hall, visit.who
    running = hall.scope.running
    why = why_not(who, ROLE) or ("" if running is not None and not running.closed else words.NOTHING_RUNS)
    if not why:
        hall.scope.end(words.STOPPED_BY.format(who=who.user))
    hall.door.note(who, "end trace", "trace", why or "taken", not why)
    return why
