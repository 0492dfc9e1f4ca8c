"""The site as Prometheus reads it: tags, qualities, scan times, devices and alarms. It knows no HTTP.

A bad value is left out, and so is every value once the scan is silent: what is not there cannot be taken for the plant's.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from runtime import quality
from runtime.engine.image import ImageError
from runtime.engine.statistics import BUCKETS, FIRST_BUCKET, ROW, STEPS, SUM
from runtime.servers.condition import DEVICE
from runtime.servers.records.states import name_of
from runtime.servers.rest.room import Room
from runtime.servers.standing import standing

EDGES = range(10, 31)  # powers of two of nanoseconds, 1 us to 1 s: the scan's own histogram has eight buckets to each

RECORDED = {
    "shelved": ("bessplc_alarms_shelved", "Alarms that somebody shelved"),
    "lately": ("bessplc_alarms_10_minutes", "Alarms that came in the last ten minutes, 11 standing for more"),
    "flood": ("bessplc_alarm_flood", "Whether alarms come faster than a person can follow (ISA-18.2)"),
}
FRESH_S = 5.0  # the records write their figures once a second


class Taken:
    """One moment of the site, copied, so that writing it down may take its time in a thread."""

    def __init__(self, room: Room):
        picture = room.picture
        picture.look()
        selection = picture.select()
        self.tags = selection.tags
        self.values, self.qualities = picture.values(selection), picture.qualities(selection)
        self.is_stale = room.door.is_stale()
        self.state = picture.state
        self.scan = room.door.snapshot.scan
        told = standing(room.picture)
        self.alarms = [(one.alarm, one.is_on) for one in told if not quality.is_bad(one.code)]
        self.suppressed = sum(one.is_suppressed for one in told)
        self.recorded = _recorded(room)
        self.tasks = tuple(task.name for task in picture.order.tasks)
        self.statistics: np.ndarray | None
        try:
            self.statistics = room.door.snapshot.statistics().copy()
        except ImageError:
            self.statistics = None

    def collect(self) -> Iterator[Metric]:
        """What prometheus_client writes down."""
        yield GaugeMetricFamily("bessplc_up", "Whether a scan runs", value=int(self.state in ("running", "inhibited")))
        yield CounterMetricFamily("bessplc_scans", "Scans since the start", value=self.scan)
        yield from self._tags()
        yield from self._alarms()
        yield from self._devices()
        if self.statistics is not None:
            yield from self._timings(self.statistics)

    def _tags(self) -> Iterator[Metric]:
        values = GaugeMetricFamily("bessplc_tag", "The value of a tag that is not bad", labels=("tag", "unit"))
        told = GaugeMetricFamily("bessplc_tag_quality", "0 good, 1 uncertain, 2 bad", labels=("tag",))
        for tag, value, code in zip(self.tags, self.values, self.qualities, strict=True):
            told.add_metric((tag.name,), 2 if quality.is_bad(code) else int(not quality.is_good(code)))
            if self.is_stale or quality.is_bad(code) or value is None:
                continue
            if tag.length:
                for n, one in enumerate(value, 1):
                    values.add_metric((f"{tag.name}[{n}]", tag.unit), float(one))
            else:
                values.add_metric((tag.name, tag.unit), float(value))
        yield values
        yield told

    def _alarms(self) -> Iterator[Metric]:
        active = GaugeMetricFamily("bessplc_alarm_active", "Whether an alarm is active", labels=("alarm", "severity"))
        for alarm, is_active_now in () if self.is_stale else self.alarms:
            active.add_metric((name_of(alarm), alarm.severity), int(is_active_now))
        yield active
        count = GaugeMetricFamily("bessplc_alarms_active", "Alarms that are active", labels=("severity",))
        for severity in sorted({alarm.severity for alarm, _ in self.alarms}) if not self.is_stale else ():
            count.add_metric((severity,), sum(on for alarm, on in self.alarms if alarm.severity == severity))
        yield count
        if not self.is_stale:
            yield GaugeMetricFamily("bessplc_alarms_suppressed", "Alarms that the program suppresses", value=self.suppressed)
        for word, (name, text) in RECORDED.items():
            if word in self.recorded:
                yield GaugeMetricFamily(name, text, value=self.recorded[word])

    def _devices(self) -> Iterator[Metric]:
        state = GaugeMetricFamily(
            "bessplc_device_state", "0 closed, 1 connecting, 2 online, 3 degraded, 4 lost", labels=("device",)
        )
        errors = CounterMetricFamily("bessplc_device_errors", "Errors of all kinds", labels=("device",))
        exchanges = CounterMetricFamily("bessplc_device_exchanges", "Answers or frames taken", labels=("device",))
        families: dict[str, Any] = {"state": state, "errors": errors, "exchanges": exchanges}
        for tag, value in () if self.is_stale else zip(self.tags, self.values, strict=True):
            parts = tag.name.split(".")
            if tag.name.startswith(DEVICE) and len(parts) == 3 and parts[2] in families:
                families[parts[2]].add_metric((parts[1],), float(value))
        yield from families.values()

    def _timings(self, words: np.ndarray) -> Iterator[Metric]:
        steps = HistogramMetricFamily(
            "bessplc_scan_seconds", "How late each scan started, and how long its steps took", labels=("step",)
        )
        for row, name in enumerate(STEPS):
            steps.add_metric((name.replace(" ", "_"),), *_histogram(words, row))
        yield steps
        tasks = HistogramMetricFamily("bessplc_task_seconds", "How long each task took", labels=("task",))
        for row, name in enumerate(self.tasks, len(STEPS)):
            tasks.add_metric((name,), *_histogram(words, row))
        yield tasks


def _histogram(statistics: np.ndarray, row: int) -> tuple[list[tuple[str, float]], float]:
    """A row of the scan's statistics as Prometheus wants it: cumulative counts, and the sum in seconds."""
    words = statistics[row * ROW : (row + 1) * ROW]
    counts = np.cumsum(words[FIRST_BUCKET : FIRST_BUCKET + BUCKETS])
    buckets = [(repr(2**edge / 1e9), float(counts[8 * edge - 1])) for edge in EDGES]
    return [*buckets, ("+Inf", float(counts[-1]))], float(words[SUM]) / 1e9


def _recorded(room: Room) -> dict[str, int]:
    """What the process `records` says of alarms; nothing where it does not run."""
    path = Path(room.picture.order.run_dir) / "records.json"
    try:
        if time.time() - path.stat().st_mtime > FRESH_S:
            return {}
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return {word: int(found[word]) for word in RECORDED if word in found}


def text_of(taken: Taken) -> bytes:
    """The text that Prometheus reads."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(taken)  # type: ignore[arg-type]
    return bytes(generate_latest(registry))
