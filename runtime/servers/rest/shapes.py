"""The shapes of requests and answers, as the API's description shows them. Data only."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt

Value = bool | int | float | list[bool] | list[int] | list[float | None] | None
State = Literal["starting", "running", "safe", "inhibited", "no scan"]
Time = Annotated[str, Field(json_schema_extra={"format": "date-time"}, examples=["2026-03-01T12:00:00.123456Z"])]
Name = Annotated[str, Field(examples=["bms.soc"])]


class Problem(BaseModel):
    """Why a request was refused (RFC 9457). `reason` is for programs, `detail` for people."""

    type: str
    title: str
    status: int
    detail: str
    reason: str
    errors: list[dict[str, str]] = []


class Stamp(BaseModel):
    """All values of one answer are of this scan; `state` is what the scan does now."""

    scan: int
    time: Time
    state: State


class Range(BaseModel):
    """The least and the greatest value; null where there is no such end."""

    minimum: float | None
    maximum: float | None


class TagView(BaseModel):
    """One tag. `good` is false where the quality is uncertain or bad; then `quality` says why. `write` is the least role that may
    write it, empty where nobody may. Numbers that are not finite are null.
    """

    name: Name
    value: Value
    quality: Annotated[str, Field(examples=["Good", "Bad_NoCommunication"])]
    good: bool
    time: Time
    unit: str
    text: str
    range: Range
    type: Literal["BOOL", "DINT", "LINT", "TIME", "LREAL"]
    length: int
    kind: Literal["input", "output", "memory", "system"]
    write: Literal["", "viewer", "operator", "engineer", "admin"]
    names: dict[str, str]


class Tags(Stamp):
    """A page of tags; `next` is the offset of the page after it, null after the last."""

    total: int
    offset: int
    limit: int
    next: int | None
    items: list[TagView]


class OneTag(Stamp):
    """One tag, and the scan that it is of."""

    tag: TagView


class Values(Stamp):
    """The values of one scan by tag; `quality` names those that are bad, uncertain or forced."""

    values: dict[str, Value]
    quality: dict[str, str]


class Asked(BaseModel):
    """The base of queries and bodies: a word that is not known is a mistake, not a silence."""

    model_config = ConfigDict(extra="forbid")


class TagQuery(Asked):
    """Which tags."""

    match: str = Field("", max_length=200, description="pattern of names: `*` is any text, `?` any character", examples=["bms.*"])
    kind: Literal["", "input", "output", "memory", "system"] = Field("", description="only tags of this kind")
    limit: int = Field(100, ge=1, le=1000, description="most tags in one answer")
    offset: int = Field(0, ge=0, le=1_000_000, description="tags to leave out first")


class ValueQuery(Asked):
    """Which values."""

    tags: str = Field("", description="names, with commas between them", examples=["bms.soc,bms.current"])
    match: str = Field("", max_length=200, description="or a pattern of names", examples=["bms.*"])


class StreamQuery(ValueQuery):
    """Which values, how often."""

    every: float = Field(0.1, ge=0.05, le=60, description="seconds between two looks")


class HistoryQuery(Asked):
    """Which time."""

    start: Time | None = Field(None, description="from then on; an hour before `end` where it is left out")
    end: Time | None = Field(None, description="until then; now where it is left out")
    limit: int = Field(1000, ge=1, le=10_000, description="most samples in one answer")


class AuditQuery(Asked):
    """Which lines of the audit log."""

    start: Time | None = Field(None, description="from then on")
    end: Time | None = Field(None, description="until then")
    subject: str = Field("", max_length=200, description="only this tag, alarm or user")
    user: str = Field("", max_length=200, description="only what this user did")
    limit: int = Field(100, ge=1, le=1000, description="most lines in one answer")


class Write(Asked):
    """A value for a tag; an array is written one `element` (from 1) at a time. A number is no truth value, and a text no number."""

    value: StrictBool | StrictInt | StrictFloat = Field(examples=[42.5])
    element: Annotated[int, Field(strict=True, ge=1)] | None = None


class Written(BaseModel):
    """What the scan took, and in which scan."""

    tag: Name
    element: int | None
    value: bool | int | float
    scan: int
    answer: str


class DeviceView(BaseModel):
    """One device. `status` is what its driver says for people."""

    name: str
    state: str
    lost: bool | None
    round_trip_ms: float | None
    exchanges: int | None
    errors: int | None
    last_good: Time | None
    status: dict[str, Any]


class Devices(Stamp):
    """All devices, and what the fieldbus does with the outputs."""

    outputs: str
    items: list[DeviceView]


class TimingView(BaseModel):
    """How often, and how long it took in microseconds."""

    count: int
    last: float
    least: float
    mean: float
    greatest: float
    p50: float
    p99: float
    p999: float


class Statistics(Stamp):
    """The scan's timing since the last reset; `steps` holds how late it started and each of its steps."""

    tick_ms: float
    overruns: int | None
    missed: int | None
    steps: dict[str, TimingView]
    tasks: dict[str, TimingView]


class SampleView(BaseModel):
    """One recorded value."""

    time: Time
    value: float | int | bool | None
    quality: str


class History(BaseModel):
    """The recorded values of a tag, oldest first; `more` where the limit cut them."""

    tag: str
    unit: str
    items: list[SampleView]
    more: bool


class DeedView(BaseModel):
    """One line of the audit log."""

    time: Time
    service: str
    user: str
    role: str
    peer: str
    action: str
    subject: str
    element: int
    old: Any
    new: Any
    answer: str
    taken: bool
    scan: int


class Audit(BaseModel):
    """Lines of the audit log, newest first."""

    items: list[DeedView]


class Health(BaseModel):
    """Whether the plant is being controlled."""

    live: bool
    ready: bool
    state: State
