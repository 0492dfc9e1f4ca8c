"""What an alarm can be and how it becomes so: ISA-18.2's states as OPC UA part 9 names them. It knows no file and no clock."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from runtime.model import Alarm
from runtime.quality import GOOD

ACTIVE, CLEARED, ACKNOWLEDGED, CONFIRMED, COMMENT, QUALITY, REMOVED, SHELVED, UNSHELVED, SUPPRESSED, UNSUPPRESSED = (
    "active",
    "cleared",
    "acknowledged",
    "confirmed",
    "comment",
    "quality",
    "removed",
    "shelved",
    "unshelved",
    "suppressed",
    "unsuppressed",
)
FOUND_AT_START, CHATTERED, TIME_IS_OVER, IT_CLEARED = "found at start", "chattered until then", "time is over", "it cleared"
FIRST_OUT = "first out"
TIMED, ONE_SHOT = "timed", "one shot"
# Why something is refused: how the sentence begins, for whoever has a code for it (opcua/condition_methods.py)
NEVER_ACTIVE = "it has never been active"
ACKED_ALREADY, ACKED_AND_GONE = "acknowledged already", "not active and acknowledged already"
NOT_ACKED, CONFIRMED_ALREADY = "not acknowledged yet", "confirmed already"
SHELVED_ALREADY, NOT_SHELVED, NOT_TO_SHELVE = "shelved already", "not shelved", "the site does not let it be shelved"
SHELVED_TOO_SHORT, SHELVED_TOO_LONG = "it is shelved for more than", "it may be shelved for"


@dataclass(frozen=True, slots=True)
class AlarmState:
    """One alarm as it stands. Times are ns since 1970 UTC, 0 for never.

    `name` is that of its BOOL tag without `alarm.`: `cell_hot_hh`, one for each limit. `acked_by` and `comment` belong to the
    newest occurrence. `value` is what `of` was when it became active. `event` is the number of its newest event, `occurrence` of
    the one that it became active with. `quality` is that of its tag: while it is bad, `active` is the last that was known.

    A shelved alarm is out of the operator's sight until `shelved_until`, a one shot also ends when it clears. One that the program
    suppresses is inactive, whatever it watches.
    """

    name: str
    severity: str = "warning"
    text: str = ""
    of: str = ""
    limit: str = ""
    active: bool = False
    acked: bool = True
    confirmed: bool = True
    active_at: int = 0
    cleared_at: int = 0
    acked_at: int = 0
    acked_by: str = ""
    comment: str = ""
    count: int = 0
    event: int = 0
    value: float | None = None
    occurrence: int = 0
    quality: int = GOOD
    id: str = ""
    source: str = ""
    shelve_most: int = 0  # ns, 0: it may not be shelved
    suppressed: bool = False
    shelved: str = ""  # "timed", "one shot", or empty
    shelved_until: int = 0
    shelved_by: str = ""

    @property
    def retained(self) -> bool:
        """Whether somebody must still look at it (OPC UA part 9, Retain)."""
        return self.active or not self.acked or not self.confirmed


@dataclass(frozen=True, slots=True)
class AlarmEvent:
    """What happened to an alarm, and its state after it. `number` rises by one an event, also over restarts and clock changes.

    `kind` is "active", "cleared", "acknowledged", "confirmed", "comment", "quality" (its tag's quality became or ceased to be bad),
    "shelved", "unshelved", "suppressed", "unsuppressed", or "removed" (the program has it no more).

    `note` is "found at start" where nobody watched when it happened, and "chattered until then" where an alarm went on and off so
    often that it was taken to be active in between; "first out" began a series of grave ones (`plc.first_out`); of a shelving it
    says for how long, and "time is over" or "it cleared" where nobody ended it.
    """

    number: int
    time: int
    alarm: str
    kind: str
    state: AlarmState
    who: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """What the watch saw of an alarm: its tag's value; None where its quality is bad, and the last state stays.

    `suppressed` is None where nothing is said of it.
    """

    name: str
    time: int
    active: bool | None
    quality: int = GOOD
    value: float | None = None
    note: str = ""
    was_bad: bool = False  # its quality, when it was last told
    suppressed: bool | None = None
    only_suppression: bool = False  # that is all that changed


@dataclass(frozen=True, slots=True)
class Sample:
    """One recorded value: source time (ns since 1970 UTC), value, and quality as an OPC UA status code."""

    time: int
    value: Any
    quality: int


def name_of(alarm: Alarm) -> str:
    """The name under which an alarm's states and events are kept."""
    return alarm.active.removeprefix("alarm.")


def declared(alarm: Alarm) -> AlarmState:
    """The alarm as a program declares it: it has never been active."""
    return AlarmState(
        name_of(alarm),
        alarm.severity,
        alarm.text,
        alarm.of,
        alarm.limit,
        id=alarm.id,
        source=alarm.source,
        shelve_most=alarm.shelve,
    )


def changed(state: AlarmState, change: Change) -> list[tuple[str, AlarmState]]:
    """The events that the change makes, each with the state after it. An unacknowledged occurrence stays so until it is seen."""
    found = []
    if change.quality != state.quality:
        state = replace(state, quality=change.quality)
        found.append((QUALITY, state))
    if change.suppressed is not None and change.suppressed != state.suppressed:
        state = replace(state, suppressed=change.suppressed)
        found.append((SUPPRESSED if change.suppressed else UNSUPPRESSED, state))
    if change.active and not state.active:
        state = replace(
            state,
            active=True,
            acked=False,
            confirmed=True,
            active_at=change.time,
            acked_at=0,
            acked_by="",
            comment="",
            count=state.count + 1,
            value=change.value,
        )
        found.append((ACTIVE, state))
    elif state.active and change.active is False:
        state = replace(state, active=False, cleared_at=change.time)
        found.append((CLEARED, state))
    return found


def removed(state: AlarmState) -> AlarmState:
    """The state of an alarm that the program has no more: should it come back, it begins afresh."""
    return replace(_without_shelf(state), active=False, acked=True, confirmed=True, quality=GOOD, suppressed=False)


def unshelved(state: AlarmState) -> AlarmState:
    """The state of an alarm that is shelved no more: where it stands, nobody has seen it in the list yet."""
    state = _without_shelf(state)
    return replace(state, acked=False, confirmed=True, acked_at=0, acked_by="") if state.active else state


def _without_shelf(state: AlarmState) -> AlarmState:
    return replace(state, shelved="", shelved_until=0, shelved_by="")


def why_no_event(state: AlarmState, event: int, *, is_known: bool) -> str:
    """Why something cannot be said of this event of the alarm; empty where it can. Event 0 means: whatever is newest."""
    if event and event < state.occurrence:
        return "a newer event"
    return "" if not event or is_known else "no such event"


def why_not_acknowledged(state: AlarmState) -> str:
    """Why the alarm cannot be acknowledged now; empty where it can."""
    if not state.count:
        return NEVER_ACTIVE
    if state.acked:
        return ACKED_ALREADY if state.active else ACKED_AND_GONE
    return ""


def why_not_confirmed(state: AlarmState) -> str:
    """Why the alarm cannot be confirmed now; empty where it can."""
    if not state.acked:
        return NOT_ACKED
    return CONFIRMED_ALREADY if state.confirmed else ""


def why_not_shelved(state: AlarmState, length: float | None) -> str:
    """Why the alarm cannot be shelved for so many seconds (None: until it clears); empty where it can."""
    if not state.shelve_most:
        return NOT_TO_SHELVE
    if state.shelved:
        return f"{SHELVED_ALREADY}, by {state.shelved_by}"
    if length is None:
        return ""
    if not length > 0:
        return f"{SHELVED_TOO_SHORT} 0 s, or not at all"
    return "" if length <= state.shelve_most / 1e9 else f"{SHELVED_TOO_LONG} {time_text(state.shelve_most / 1e9)} at most"


def why_not_unshelved(state: AlarmState) -> str:
    """Why the alarm cannot be taken off the shelf; empty where it can."""
    return "" if state.shelved else NOT_SHELVED


def time_text(seconds: float) -> str:
    """A time as a person says it: `8 h`, `1.5 h`, `90 s`."""
    for unit, size, parts in (("d", 86_400, 10), ("h", 3600, 10), ("min", 60, 1)):
        if seconds >= size and seconds / size * parts % 1 == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"
