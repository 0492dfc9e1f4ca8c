"""What an alarm can be and how it becomes so: ISA-18.2's states as OPC UA part 9 names them. It knows no file and no clock."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from runtime.model import Alarm
from runtime.quality import GOOD

ACTIVE, CLEARED, ACKNOWLEDGED, CONFIRMED, COMMENT, QUALITY, REMOVED = (
    "active",
    "cleared",
    "acknowledged",
    "confirmed",
    "comment",
    "quality",
    "removed",
)
FOUND_AT_START, CHATTERED = "found at start", "chattered until then"


@dataclass(frozen=True, slots=True)
class AlarmState:
    """One alarm as it stands. Times are ns since 1970 UTC, 0 for never.

    `name` is that of its BOOL tag without `alarm.`: `cell_hot_hh`, one for each limit. `acked_by` and `comment` belong to the
    newest occurrence. `value` is what `of` was when it became active. `event` is the number of its newest event, `occurrence` of
    the one that it became active with. `quality` is that of its tag: while it is bad, `active` is the last that was known.
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

    @property
    def retained(self) -> bool:
        """Whether somebody must still look at it (OPC UA part 9, Retain)."""
        return self.active or not self.acked or not self.confirmed


@dataclass(frozen=True, slots=True)
class AlarmEvent:
    """What happened to an alarm, and its state after it. `number` rises by one an event, also over restarts and clock changes.

    `kind` is "active", "cleared", "acknowledged", "confirmed", "comment", "quality" (its tag's quality became or ceased to be bad),
    or "removed" (the program has it no more). `note` is "found at start" where nobody watched when it happened, and "chattered
    until then" where an alarm went on and off so often that it was taken to be active in between.
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
    """What the watch saw of an alarm: its tag's value; None where its quality is bad, and the last state stays."""

    name: str
    time: int
    active: bool | None
    quality: int = GOOD
    value: float | None = None
    note: str = ""
    was_bad: bool = False  # its quality, when it was last told


@dataclass(frozen=True, slots=True)
class Sample:
    """One recorded value: source time (ns since 1970 UTC), value, and quality as an OPC UA status code."""

    time: int
    value: Any
    quality: int


def name_of(alarm: Alarm) -> str:
    """The name under which an alarm's states and events are kept."""
    return alarm.active.removeprefix("alarm.")


def changed(state: AlarmState, change: Change) -> list[tuple[str, AlarmState]]:
    """The events that the change makes, each with the state after it. An unacknowledged occurrence stays so until it is seen."""
    found = []
    if change.quality != state.quality:
        state = replace(state, quality=change.quality)
        found.append((QUALITY, state))
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
    return replace(state, active=False, acked=True, confirmed=True, quality=GOOD)


def why_no_event(state: AlarmState, event: int, *, is_known: bool) -> str:
    """Why something cannot be said of this event of the alarm; empty where it can. Event 0 means: whatever is newest."""
    if event and event < state.occurrence:
        return "a newer event"
    return "" if not event or is_known else "no such event"


def why_not_acknowledged(state: AlarmState) -> str:
    """Why the alarm cannot be acknowledged now; empty where it can."""
    if not state.count:
        return "it has never been active"
    if state.acked:
        return "acknowledged already" if state.active else "not active and acknowledged already"
    return ""


def why_not_confirmed(state: AlarmState) -> str:
    """Why the alarm cannot be confirmed now; empty where it can."""
    if not state.acked:
        return "not acknowledged yet"
    return "confirmed already" if state.confirmed else ""
