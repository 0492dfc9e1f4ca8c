"""How the alarms of a site perform: the metrics of ISA-18.2-2016, clause 16, and IEC 62682:2022. It knows events, and no file.

An alarm counts when it is put before the operator: a shelved or suppressed one is not. Events are taken one after another and not
kept, so that a year of them takes no more memory than an hour.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from runtime.servers.records.states import ACTIVE, CHATTERED, CLEARED, SHELVED

SECOND = 1_000_000_000
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND
PERIOD = 10 * MINUTE
FLOOD_BEGINS, FLOOD_ENDS = 10, 5  # more than so many alarms in ten minutes begin a flood; fewer than so many end it
BACK = MINUTE  # a clock that is set back by more than that begins another time; by less, it stands still
CHATTER, CHATTER_IN = 3, MINUTE  # so many in such a time
FLEETING = MINUTE  # gone before anybody could have done anything
STALE = DAY
BUSY_HOUR = 30
TOP = 10
MANY = 100  # of fewer, ten make a large part whatever they are


class Happened(NamedTuple):
    """An event of an alarm, as far as its performance goes."""

    time: int
    alarm: str
    kind: str
    severity: str
    active_at: int
    is_shelved: bool
    note: str


@dataclass
class Flood:
    """Whether alarms come faster than a person can follow: at most eleven times are kept, however many come.

    `began` is when it began, 0 where there is none; `alarms` how many came in it so far, with those that began it.
    """

    began: int = 0
    alarms: int = 0
    _newest: deque[int] = field(default_factory=lambda: deque(maxlen=FLOOD_BEGINS + 1))

    def annunciated(self, time: int) -> bool:
        """An alarm came; whether a flood began with it. Ask `ended` first."""
        newest = self._newest
        if newest and time < newest[-1] - BACK:
            newest.clear()  # nothing of before can be compared
        newest.append(max([time, *newest]))
        self.alarms += bool(self.began)
        if self.began or len(newest) <= FLOOD_BEGINS or time - newest[0] >= PERIOD:
            return False
        self.began, self.alarms = time, len(newest)
        return True

    def ended(self, now: int) -> int:
        """When the flood ended, 0 where there is none or it goes on."""
        newest = self._newest
        end = newest[-FLOOD_ENDS] + PERIOD if len(newest) >= FLOOD_ENDS and now >= newest[-1] - BACK else now
        if not self.began or end > now:
            return 0
        self.began = 0
        return end

    def lately(self, now: int) -> int:
        """How many came in the last ten minutes, eleven standing for more."""
        return sum(0 <= now - time < PERIOD for time in self._newest)


@dataclass
class _Alarm:
    """What is remembered of one alarm."""

    count: int = 0
    fleeting: int = 0
    chattering: int = 0  # how often it was the third within a minute, or was held active because it chattered
    longest: int = 0
    newest: deque[int] = field(default_factory=lambda: deque(maxlen=CHATTER))


class Performance:
    """The performance of a site's alarms between two times; give it the events in their order, then ask for `metrics`.

    Of the events after the end it takes only which alarms stood at the end.
    """

    def __init__(self, since: int, until: int):
        self.since, self.until = since, max(until, since + 1)
        self._cleared_later: dict[str, int] = {}  # alarms that stood at the end, and since when
        self._alarms: dict[str, _Alarm] = {}
        self._severities: Counter[str] = Counter()
        self._periods: Counter[int] = Counter()
        self._hours: Counter[int] = Counter()
        self._flood = Flood()
        self._floods: list[tuple[int, int, int]] = []  # began, lasted, alarms: the longest only
        self._flood_time = self._flood_alarms = self._flood_count = self.shelved = 0

    def take(self, event: Happened) -> None:
        """The next event."""
        if event.time > self.until:
            if event.kind == CLEARED and event.active_at <= self.until and not event.is_shelved:
                self._cleared_later[event.alarm] = event.active_at
        elif event.kind == SHELVED:
            self.shelved += 1
        elif event.kind == CLEARED:
            self._cleared(event)
        elif event.kind == ACTIVE and not event.is_shelved:
            self._annunciated(event)

    def _annunciated(self, event: Happened) -> None:
        alarm = self._alarms.setdefault(event.alarm, _Alarm())
        alarm.count += 1
        alarm.newest.append(event.time)
        alarm.chattering += len(alarm.newest) == CHATTER and 0 <= event.time - alarm.newest[0] <= CHATTER_IN
        self._severities[event.severity] += 1
        self._periods[(event.time - self.since) // PERIOD] += 1
        self._hours[(event.time - self.since) // HOUR] += 1
        self._end_flood(event.time)
        self._flood.annunciated(event.time)

    def _cleared(self, event: Happened) -> None:
        alarm = self._alarms.get(event.alarm)
        if alarm is None or event.is_shelved:
            return
        stood = event.time - event.active_at
        alarm.longest = max(alarm.longest, stood)
        alarm.fleeting += 0 <= stood < FLEETING
        alarm.chattering += event.note == CHATTERED

    def _end_flood(self, now: int) -> None:
        began = self._flood.began
        if end := self._flood.ended(now):
            self._count_flood(began, max(0, end - began))

    def _count_flood(self, began: int, lasted: int) -> None:
        self._flood_count += 1
        self._flood_time += lasted
        self._flood_alarms += self._flood.alarms
        self._floods = sorted([*self._floods, (began, lasted, self._flood.alarms)], key=lambda flood: -flood[2])[:TOP]

    def metrics(self, standing: Mapping[str, int]) -> dict[str, Any]:
        """All figures. `standing` are the alarms that are active now, with the time since when each is; times are ns."""
        self._end_flood(self.until)
        if is_flood := bool(self._flood.began):
            self._count_flood(self._flood.began, max(0, self.until - self._flood.began))
        span, total = self.until - self.since, sum(alarm.count for alarm in self._alarms.values())
        top = sorted(self._alarms.items(), key=lambda item: (-item[1].count, item[0]))[:TOP]
        top = [(name, alarm) for name, alarm in top if alarm.count]
        peak = max(self._periods.items(), key=lambda item: (item[1], -item[0]), default=(0, 0))
        stale = {name: since for name, since in {**standing, **self._cleared_later}.items() if self.until - since > STALE}
        return {
            "since": self.since,
            "until": self.until,
            "alarms": total,
            "per_day": total * DAY / span,
            "per_hour": total * HOUR / span,
            "per_10_min": total * PERIOD / span,
            "peak_10_min": {"alarms": peak[1], "time": self.since + peak[0] * PERIOD if peak[1] else None},
            "busy_hours": _share(sum(n > BUSY_HOUR for n in self._hours.values()), max(1, -(-span // HOUR))),
            "busy_10_min": _share(sum(n > FLOOD_BEGINS for n in self._periods.values()), max(1, -(-span // PERIOD))),
            "flood": {
                "share": _share(self._flood_time, span),
                "count": self._flood_count,
                "alarms": self._flood_alarms,
                "is_now": is_flood,
                "worst": [{"began": began, "lasted": lasted, "alarms": alarms} for began, lasted, alarms in self._floods],
            },
            "top": [{"alarm": name, "alarms": alarm.count, "share": _share(alarm.count, total)} for name, alarm in top],
            "top_share": _share(sum(alarm.count for _, alarm in top), total),
            "chattering": self._those(lambda alarm: alarm.chattering),
            "fleeting": self._those(lambda alarm: 0 if alarm.chattering else alarm.fleeting),
            "stale": [{"alarm": name, "since": since} for name, since in sorted(stale.items(), key=lambda item: item[1])],
            "was_stale": [{"alarm": name, "stood": a.longest} for name, a in sorted(self._alarms.items()) if a.longest > STALE],
            "severities": {
                word: {"alarms": n, "share": _share(n, total)} for word, n in sorted(self._severities.items(), key=lambda i: -i[1])
            },
            "shelved": self.shelved,
        }

    def _those(self, count: Callable[[_Alarm], int]) -> list[dict[str, Any]]:
        found = sorted(((name, count(alarm)) for name, alarm in self._alarms.items()), key=lambda item: (-item[1], item[0]))
        return [{"alarm": name, "times": times} for name, times in found if times]


@dataclass(frozen=True, slots=True)
class Target:
    """A figure, and what the standards recommend for it: `good` is very likely acceptable, `most` the most that can be managed."""

    name: str
    value: float
    good: float
    most: float
    unit: str = ""

    @property
    def verdict(self) -> str:
        """`good`, `manageable`, or `too many`."""
        return "good" if self.value <= self.good else "manageable" if self.value <= self.most else "too many"


def targets(metrics: Mapping[str, Any]) -> list[Target]:
    """The figures for which the standards recommend a value (ISA-18.2-2016 table 7, for one operator position)."""
    critical = metrics["severities"].get("critical", {"share": 0.0})["share"]
    of_many = [
        Target("the ten most frequent", metrics["top_share"], 1, 5, "%"),
        Target("of the highest severity", critical, 5, 5, "%"),
    ]
    return [
        Target("alarms a day", metrics["per_day"], 150, 300),
        Target("alarms an hour", metrics["per_hour"], 6, 12),
        Target("alarms in 10 minutes", metrics["per_10_min"], 1, 2),
        Target("hours with more than 30", metrics["busy_hours"], 1, 1, "%"),
        Target("10 minutes with more than 10", metrics["busy_10_min"], 1, 1, "%"),
        Target("most in 10 minutes", metrics["peak_10_min"]["alarms"], 10, 10),
        Target("time in flood", metrics["flood"]["share"], 1, 1, "%"),
        Target("chattering alarms", len(metrics["chattering"]), 0, 0),
        Target("fleeting alarms", len(metrics["fleeting"]), 0, 0),
        Target("stale alarms", len(metrics["stale"]), 4, 4),
        *(of_many if metrics["alarms"] >= MANY else ()),
    ]


def performance_of(events: Iterable[Happened], since: int, until: int, standing: Mapping[str, int]) -> dict[str, Any]:
    """The metrics of these events."""
    performance = Performance(since, until)
    for event in events:
        performance.take(event)
    return performance.metrics(standing)


def told(metrics: Mapping[str, Any], when: Callable[[int], str]) -> dict[str, Any]:
    """All figures with their targets as JSON has them: times as `when` writes them, spans in seconds."""
    flood, peak = metrics["flood"], metrics["peak_10_min"]
    worst = [{"began": when(row["began"]), "lasted_s": row["lasted"] / SECOND, "alarms": row["alarms"]} for row in flood["worst"]]
    return {
        **metrics,
        "since": when(metrics["since"]),
        "until": when(metrics["until"]),
        "peak_10_min": {**peak, "time": when(peak["time"]) if peak["alarms"] else None},
        "flood": {**flood, "worst": worst},
        "stale": [{**row, "since": when(row["since"])} for row in metrics["stale"]],
        "was_stale": [{"alarm": row["alarm"], "stood_s": row["stood"] / SECOND} for row in metrics["was_stale"]],
        "targets": [{**asdict(target), "verdict": target.verdict} for target in targets(metrics)],
    }


def _share(part: float, whole: float) -> float:
    """In percent."""
    return 100.0 * part / whole if whole else 0.0
