"""A device and its points between text and schedule. It must not know words or drivers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from runtime.contract import ReadDevice
from runtime.language.network import AlarmDraft, TagDraft
from runtime.source import Position


@dataclass(slots=True, eq=False)
class PointDraft:
    """All elements of one tag of a device."""

    tag: TagDraft
    addresses: tuple[Any, ...]
    at: Position
    stale: int = 0
    hold: bool = True
    bad: Any = 0
    safe: Any = 0
    safe_after: int = 0
    keeps: bool = False


@dataclass(slots=True, eq=False)
class DeviceDraft:
    """One device as read. `diagnostics` are the tags that say how it is: inputs that the fieldbus itself fills.

    `read` is what its driver made of it. `suppress` is when its `alarms` mean nothing, as written; None: never.
    """

    name: str
    driver: str
    settings: Any
    stale: int
    timeout: int
    at: Position
    inputs: list[PointDraft] = field(default_factory=list)
    outputs: list[PointDraft] = field(default_factory=list)
    diagnostics: list[PointDraft] = field(default_factory=list)
    read: ReadDevice | None = None
    suppress: Any = None
    alarms: list[AlarmDraft] = field(default_factory=list)
