"""What becomes of remote setpoints when SCADA falls silent: each goes back to its fallback. It knows no socket.

A tag with a `fallback` that a Modbus client has written must be written again within its `timeout`, by any Modbus client; else
the server writes the fallback itself, as a command like any other, with the user "timeout". Where the map has an `expect` register
and SCADA has missed it, every fallback is written at once, and until SCADA is back no remote write stands longer than `within`.

Where the scan does not take the fallback (silent, stopped, in local control), it is asked again each second, so that the fallback
is there the moment the site is back in remote control; that is said once, not each time. Who wrote a value before this server was
started, and when, the audit log knows: its time goes on, so that no server that starts again and again lets it stand. Where nobody
knows, as after a restart of the scan, the time starts anew for every tag that is not at its fallback. Where somebody else than a
Modbus client (an HMI, OPC UA) has written the tag since, it is theirs, and the watch ends. A write whose answer never came may
still be carried out: it is watched as one of which nobody knows who wrote it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from runtime.model import Tag
from runtime.servers.audit import Deed, Who
from runtime.servers.door import NO_ANSWER, Door, Outcome
from runtime.servers.modbus.image import RegisterImage
from runtime.servers.modbus.map import EXPECT, Entry

EVERY = 0.05  # s between two looks
AGAIN = 1.0  # s until the scan is asked again
AT_ONCE = 64  # fallbacks that are written together: as many as a scan takes, so that clients still find room in the ring
HERE = "modbus"  # the address of what this server does by itself
SERVICE = "modbus"  # the name of the Modbus server in the audit log

log = structlog.get_logger()
Key = tuple[str, int]


@dataclass
class Watch:
    """One element of a tag that goes back to its fallback, and when. `theirs` is what the client wrote, None for unknown."""

    entry: Entry
    element: int
    due: float
    theirs: Any
    reason: str
    told: str = ""


class Guard:
    """The watches of all tags with a fallback, and SCADA's heartbeat. `written`: the newest write of each tag before the start."""

    def __init__(self, door: Door, written: Mapping[str, Deed] | None = None):
        self._door = door
        self._written = {name.lower(): deed for name, deed in (written or {}).items()}
        self._guarded: dict[Key, Entry] = {}
        self._watches: dict[Key, Watch] = {}
        self._expect: Entry | None = None
        self._image: RegisterImage | None = None
        self._scan = -1
        self._is_missed = False
        self._told_tag: tuple[float, str] = (0.0, "")
        self._task: asyncio.Task[None] | None = None
        self.fallbacks = 0
        door.keep.append(self._hear)

    def follow(self, image: RegisterImage) -> None:
        """Guard this map from now on; what runs already for a tag goes on running."""
        before, self._image = self._image, image
        self._guarded = {(e.tag.name.lower(), n): e for e in image.entries if e.fallback is not None for n in _elements(e)}
        self._expect = next((entry for entry in image.entries if entry.part == EXPECT), None)
        if before is not None and before.beat is not None and image.beat is not None:
            image.beat.go_on_from(before.beat)
        kept = {key: watch for key, watch in self._watches.items() if key in self._guarded}
        for key, watch in kept.items():
            watch.entry = self._guarded[key]
        self._watches, self._scan = kept, -1

    def start(self) -> None:
        """Begin to look, until `stop`."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._live())

    def tick(self) -> None:
        """Raises what ended the looking: a server whose fallbacks nobody writes any more must not go on."""
        if self._task is not None and self._task.done():
            self._task.result()

    async def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    async def _live(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(EVERY)

    async def look(self) -> None:
        """Do what is due now."""
        if not self._guarded and self._expect is None:
            return
        self._door.refresh()
        if not self._door.is_stale():
            if self._door.snapshot.scan < self._scan or self._scan < 0:
                self._watch_what_stands(self._door.snapshot.scan < self._scan)
            self._scan = self._door.snapshot.scan
        await self._judge_heartbeat()
        now = time.monotonic()
        due = [item for item in self._watches.items() if item[1].due <= now]
        for first in range(0, len(due), AT_ONCE):  # one after the other would take a scan each
            await asyncio.gather(*(self._fall_back(key, watch) for key, watch in due[first : first + AT_ONCE]))

    def _hear(self, deed: Deed) -> None:
        """A write was taken, or may be yet: if a client of ours wrote it, its time starts."""
        key = (deed.subject.lower(), max(deed.element - 1, 0))
        is_perhaps = deed.answer == Outcome(NO_ANSWER).text
        if deed.action != "write" or not (deed.taken or is_perhaps) or deed.who.peer == HERE or key not in self._guarded:
            return
        entry = self._guarded[key]
        # where something else stands there already, nobody can say which of two writes came last
        is_theirs = deed.taken and self._value(entry.tag, key[1]) == deed.new
        self._watches[key] = self._watch(key, entry, deed.new if is_theirs else None)

    def _watch(self, key: Key, entry: Entry, theirs: Any) -> Watch:
        allowed, reason = entry.seconds, f"no further write came within {entry.seconds:g} s"
        if self._is_missed and self._expect is not None and self._expect.seconds < allowed:
            allowed, reason = self._expect.seconds, _missed(self._expect)
        return Watch(entry, key[1], time.monotonic() + allowed, theirs, reason)

    def _watch_what_stands(self, is_new_scan: bool) -> None:
        for key, entry in self._guarded.items():
            value = self._value(entry.tag, key[1])
            if (is_new_scan or key not in self._watches) and value != entry.fallback:
                self._watch_from_before(key, entry, None if is_new_scan else self._written.get(key[0]), value)
        self._written = {}

    def _watch_from_before(self, key: Key, entry: Entry, deed: Deed | None, value: Any) -> None:
        watch = self._watch(key, entry, None)
        if deed is not None and max(deed.element - 1, 0) == key[1] and deed.new == value:
            if deed.service != SERVICE:
                return
            ago = (time.time_ns() - deed.time) / 1e9
            watch.due -= min(max(ago, 0.0), entry.seconds)  # a clock that was set back shortens nothing
        self._watches[key] = watch

    async def _judge_heartbeat(self) -> None:
        beat = self._image.beat if self._image is not None else None
        if beat is None or self._expect is None:
            return
        if beat.is_overdue():
            beat.is_alive = False
        if beat.is_overdue() and not self._is_missed:
            self._is_missed = True
            self._note_heartbeat(False)
            for key, entry in self._guarded.items():
                self._watches[key] = Watch(entry, key[1], 0.0, None, _missed(self._expect))
        elif beat.is_alive and self._is_missed:
            self._is_missed = False
            self._note_heartbeat(True)
            for key, watch in list(self._watches.items()):
                if watch.theirs is not None:  # written while it was missed, perhaps just before the first beat
                    self._watches[key] = self._watch(key, watch.entry, watch.theirs)
        if self._expect.tell is not None:
            await self._tell(self._expect.tell, beat.is_alive)

    def _note_heartbeat(self, is_back: bool) -> None:
        assert self._expect is not None
        said = "SCADA is alive again" if is_back else f"{_missed(self._expect)}: every fallback is written"
        self._door.note(Who("heartbeat", "", HERE), "heartbeat", HERE, said, True, old=not is_back, new=is_back)

    async def _tell(self, tag: Tag, is_alive: bool) -> None:
        """The program's own BOOL says the same; it is written again where somebody else has written it."""
        due, told = self._told_tag
        if time.monotonic() < due or self._door.is_stale() or bool(self._value(tag, 0)) == is_alive:
            return
        outcome = await self._write(tag, 0, is_alive)
        if outcome.text != told or outcome.is_taken:
            self._note(tag, 0, not is_alive, is_alive, outcome, "heartbeat")
        self._told_tag = (0.0, "") if outcome.is_taken else (time.monotonic() + AGAIN, outcome.text)

    async def _fall_back(self, key: Key, watch: Watch) -> None:
        if self._watches.get(key) is not watch:  # another program has come since, or another write
            return
        tag, fallback = watch.entry.tag, watch.entry.fallback
        assert fallback is not None
        watch.due = time.monotonic() + AGAIN
        if self._door.is_stale():
            self._say_once(watch, "no scan is running")
            return
        old = self._value(tag, watch.element)
        if old == fallback:
            del self._watches[key]
            return
        if watch.theirs is not None and old != watch.theirs:
            log.info("another has written the tag since: it keeps its value", tag=tag.name, value=old)
            del self._watches[key]
            return
        outcome = await self._write(tag, watch.element, fallback)
        is_newest = self._watches.get(key) is watch  # a client may have written while the scan was asked
        if outcome.is_taken:
            self.fallbacks += 1
            log.warning("fallback written", tag=tag.name, reason=watch.reason)
            self._note(tag, watch.element, old, fallback, outcome, "timeout")
            if is_newest:
                del self._watches[key]
        elif outcome.text != watch.told:
            self._note(tag, watch.element, old, fallback, outcome, "timeout")
            watch.told = outcome.text

    def _say_once(self, watch: Watch, why: str) -> None:
        if why != watch.told:
            watch.told = why
            log.warning("fallback waits", tag=watch.entry.tag.name, reason=watch.reason, because=why)

    async def _write(self, tag: Tag, element: int, value: Any) -> Outcome:
        # not Door.write: what is asked again each second would fill the audit log; `_note` says what is new
        return await self._door.command(tag, value, tag.write, element)

    def _note(self, tag: Tag, element: int, old: Any, new: Any, outcome: Outcome, user: str) -> None:
        words = {"element": element + 1 if tag.length else 0, "old": old, "new": new, "scan": outcome.scan}
        self._door.note(Who(user, tag.write, HERE), "write", tag.name, outcome.text, outcome.is_taken, **words)

    def _value(self, tag: Tag, element: int) -> Any:
        return self._door.snapshot.column(tag)[element].item()


def _elements(entry: Entry) -> range:
    return range(entry.element, entry.element + entry.count)


def _missed(expect: Entry) -> str:
    return f"{expect.table} {expect.address} has not changed for {expect.seconds:g} s"
