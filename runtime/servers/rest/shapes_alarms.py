"""The shapes of what is said and asked of alarms, as the API's description shows them. Data only."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StrictBool, StrictFloat, StrictInt, model_validator

from runtime.servers.rest.shapes import Asked, Name, Stamp, Time


class EventQuery(Asked):
    """Which events."""

    after: int = Field(0, ge=0, lt=2**63, description="only events with a higher number")
    limit: int = Field(100, ge=1, le=1000, description="most events in one answer")


class Comment(Asked):
    """Why; `event` is the event that was seen, so that a newer one is not acknowledged unseen."""

    comment: str = Field("", max_length=500, examples=["seen; sending somebody"])
    event: Annotated[int, Field(strict=True, ge=0, lt=2**63)] = 0


class Shelve(Asked):
    """For how long: some seconds, or once (until it clears), and why. The process goes on as if it were not shelved."""

    seconds: StrictFloat | StrictInt | None = Field(None, gt=0, le=366 * 86400, allow_inf_nan=False, examples=[7200])
    once: StrictBool = False
    comment: str = Field("", max_length=500, examples=["painters in the room"])

    @model_validator(mode="after")
    def _one_of_both(self) -> Shelve:
        if (self.seconds is None) != self.once:
            raise ValueError("say either `seconds` or `once: true`")
        return self


class Reason(Asked):
    """Why."""

    comment: str = Field("", max_length=500, examples=["the painters are gone"])


class SpanQuery(Asked):
    """Which time."""

    start: Time | None = Field(None, description="from then on; a week before `end` where it is left out")
    end: Time | None = Field(None, description="until then; now where it is left out")


class AlarmView(BaseModel):
    """One alarm. `active` and `suppressed` are its tags' values now; where `quality` is not good, the last that was known. What
    only records know is null on a site that keeps none, and while they cannot be read.
    """

    name: Name
    severity: str
    text: str
    of: str
    limit: str
    id: Annotated[str, Field(examples=["OVR_TMP_ALARM"])]
    source: str
    active: bool
    suppressed: bool
    quality: Annotated[str, Field(examples=["Good"])]
    acknowledged: bool | None
    confirmed: bool | None
    active_at: Time | None
    cleared_at: Time | None
    acknowledged_at: Time | None
    acknowledged_by: str | None
    comment: str | None
    count: int | None
    event: int | None
    value: float | None
    shelved: Literal["timed", "one shot"] | None
    shelved_until: Time | None
    shelved_by: str | None
    shelve_most: Annotated[float, Field(description="seconds for which it may be shelved, 0 where it may not")]


class Alarms(Stamp):
    """All alarms, the active ones first. `active` counts those that an operator should see: neither shelved nor suppressed."""

    active: int
    shelved: int
    suppressed: int
    items: list[AlarmView]


class EventView(BaseModel):
    """One event, and the alarm after it."""

    number: int
    time: Time
    alarm: str
    kind: str
    who: str
    note: str
    state: AlarmView


class Events(BaseModel):
    """Events in the order of their numbers; `last` is what to ask `after` next."""

    items: list[EventView]
    last: int


class Peak(BaseModel):
    """The ten minutes with the most alarms."""

    alarms: int
    time: Time | None


class WorstFlood(BaseModel):
    """One flood."""

    began: Time
    lasted_s: float
    alarms: int


class Floods(BaseModel):
    """Times with more than ten alarms in ten minutes, until fewer than five; `share` is in percent of the time."""

    share: float
    count: int
    alarms: int
    is_now: bool
    worst: list[WorstFlood]


class Share(BaseModel):
    """So many alarms, and in percent of all."""

    alarms: int
    share: float


class Frequent(Share):
    """One of the ten alarms that came most often."""

    alarm: Name


class Nuisance(BaseModel):
    """An alarm that came and went too fast, and how often."""

    alarm: Name
    times: int


class Stale(BaseModel):
    """An alarm that has been active for more than a day."""

    alarm: Name
    since: Time


class WasStale(BaseModel):
    """An alarm that was active for more than a day before it cleared."""

    alarm: Name
    stood_s: float


class TargetView(BaseModel):
    """A figure beside what ISA-18.2 recommends: up to `good` is very likely acceptable, up to `most` can be managed."""

    name: str
    value: float
    good: float
    most: float
    unit: str
    verdict: Literal["good", "manageable", "too many"]


class Performance(BaseModel):
    """How the alarms performed by ISA-18.2 and IEC 62682: shelved and suppressed ones do not count; shares are in percent."""

    since: Time
    until: Time
    alarms: int
    per_day: float
    per_hour: float
    per_10_min: float
    peak_10_min: Peak
    busy_hours: float
    busy_10_min: float
    flood: Floods
    top: list[Frequent]
    top_share: float
    chattering: list[Nuisance]
    fleeting: list[Nuisance]
    stale: list[Stale]
    was_stale: list[WasStale]
    severities: dict[str, Share]
    shelved: int
    targets: list[TargetView]
