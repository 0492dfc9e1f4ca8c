"""The record of a test: columns of samples, and the checks of the prescribed logging, which refuse in words.

It knows no requirement's limits and no file format. Power in kW, discharging positive.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from runtime.prequalify.sequence import Sequence

COLUMNS = ("t", "f", "p", "p_set", "soc", "q", "v", "status")


class RecordRefused(Exception):  # noqa: N818 - it is a refusal, and says why
    """The record is not what the operator prescribes; `faults` says each reason in words."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


@dataclass(frozen=True)
class Logging:
    """What is prescribed of a log: time between samples in s, resolution in Hz and kW, rest before and time after in s."""

    every: float
    f_resolution: float = 0.005
    p_resolution: float = 10.0
    source: str = ""

    @staticmethod
    def nordic(every: float, rated: float) -> Logging:
        """Of the Nordic FCR: 5 mHz, and 0.01 MW or 0.025 % of the rated power (kW), whichever is coarser."""
        source = "Technical Requirements for FCR in the Nordic Synchronous Area v1.1 (2025), logging"
        return Logging(every, 0.005, max(10.0, 0.00025 * rated), source)


@dataclass(frozen=True)
class Record:
    """Samples of one test, one array a column, all of the same length.

    t: s from the start; f: frequency as applied to the controller, Hz; p, q: power at the meter, kW and kvar, discharging positive;
    p_set: the baseline, what would run without the reserve, kW; soc: %; v: voltage over the nominal one; status: 0 off, 1 on.
    `more` are further columns of the operator's file by their header there.
    """

    t: np.ndarray
    f: np.ndarray
    p: np.ndarray
    p_set: np.ndarray
    soc: np.ndarray
    q: np.ndarray
    v: np.ndarray
    status: np.ndarray
    start: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    more: Mapping[str, np.ndarray] = field(default_factory=dict)

    @staticmethod
    def of(t: np.ndarray, f: np.ndarray, p: np.ndarray, **others: np.ndarray) -> Record:
        """A record of what was measured; what was not: baseline and q 0, SoC 50 %, nominal voltage, on."""
        rest = {"p_set": 0.0, "soc": 50.0, "q": 0.0, "v": 1.0, "status": 1.0}
        if wrong := set(others) - set(rest):
            raise TypeError(f"a record has no column {', '.join(sorted(wrong))}")
        p_set, soc, q, v, status = (others.get(name, np.full(len(t), value)) for name, value in rest.items())
        return Record(t, f, p, p_set, soc, q, v, status)

    @property
    def dp(self) -> np.ndarray:
        """Power given for the reserve: the meter's less the baseline."""
        return self.p - self.p_set

    def within(self, begin: float, end: float) -> np.ndarray:
        """Which samples lie from `begin` to before `end`, in s."""
        return (self.t >= begin - 1e-9) & (self.t < end - 1e-9)

    def mean(self, values: np.ndarray, begin: float, end: float) -> float:
        """The mean of a column from `begin` to before `end`; NaN where nothing was recorded."""
        chosen = values[self.within(begin, end)]
        return float(np.mean(chosen)) if len(chosen) else float("nan")

    def at(self, values: np.ndarray, time: float) -> float:
        """A column at a time, between two samples in proportion."""
        return float(np.interp(time, self.t, values))

    def integral(self, values: np.ndarray, begin: float, end: float) -> float:
        """The integral of a column over time, by trapezoids, with both ends in proportion."""
        inside = self.t[(self.t > begin) & (self.t < end)]
        t = np.concatenate([[begin], inside, [end]])
        return float(np.trapezoid(np.interp(t, self.t, values), t))


def check(record: Record, logging: Logging, sequence: Sequence | None = None) -> None:
    """Refuses a record that the operator would refuse: order, gaps, sample time, numbers, resolution, and the test it claims."""
    faults = _shape(record)
    if not faults:
        faults = [*_times(record, logging), *_numbers(record)]
    if not faults:
        faults += _resolution(record, logging)
        faults += _sequence(record, sequence, logging) if sequence is not None else []
    if faults:
        raise RecordRefused(faults)


def _shape(record: Record) -> list[str]:
    lengths = {name: len(getattr(record, name)) for name in COLUMNS} | {name: len(c) for name, c in record.more.items()}
    if min(lengths.values()) < 2:
        return ["the record has fewer than two samples"]
    if len(set(lengths.values())) > 1:
        return ["the columns are not equally long: " + ", ".join(f"{name} {count}" for name, count in lengths.items())]
    return []


def _times(record: Record, logging: Logging) -> list[str]:
    steps = np.diff(record.t)
    if not np.all(steps > 0.0):
        at = int(np.argmax(~(steps > 0.0)))
        return [f"time does not go on after {record.t[at]:.3f} s: the next sample is at {record.t[at + 1]:.3f} s"]
    usual, faults = float(np.median(steps)), []
    if usual > logging.every * 1.001:
        faults.append(f"a sample every {usual:.3f} s; at least every {logging.every:.3f} s is prescribed")
    gaps = np.flatnonzero(steps > 1.5 * max(usual, 1e-9))
    for at in gaps[:3]:
        faults.append(f"no sample between {record.t[at]:.3f} s and {record.t[at + 1]:.3f} s, a gap of {steps[at]:.3f} s")
    if len(gaps) > 3:
        faults.append(f"{len(gaps) - 3} more gaps")
    return faults


def _numbers(record: Record) -> list[str]:
    faults = []
    for name in COLUMNS:
        wrong = np.flatnonzero(~np.isfinite(getattr(record, name)))
        if len(wrong):
            faults.append(f"{name} is no number in {len(wrong)} samples, first at {record.t[wrong[0]]:.3f} s")
    return faults


def _resolution(record: Record, logging: Logging) -> list[str]:
    """The smallest step that a column ever makes is its resolution; a column that hardly moves cannot show it."""
    faults = []
    for name, limit, unit in (("f", logging.f_resolution, "Hz"), ("p", logging.p_resolution, "kW")):
        levels = np.unique(np.round(getattr(record, name), 9))
        if len(levels) < 3:
            continue  # a switch between two values says nothing about steps
        finest = float(np.min(np.diff(levels)))
        if finest > limit * 1.001 and _is_wandering(getattr(record, name)):
            faults.append(f"{name} moves in steps of {finest:g} {unit}; a resolution of {limit:g} {unit} is prescribed")
    return faults


def _is_wandering(values: np.ndarray) -> bool:
    """Whether a column changes in more than a twentieth of its samples: stairs of a test are no proof of a coarse meter."""
    return float(np.mean(np.diff(values) != 0.0)) > 0.05


def _sequence(record: Record, sequence: Sequence, logging: Logging) -> list[str]:
    """The frequency in the record must be that of the test, one sample earlier or later."""
    faults = []
    late = float(record.t[-1]) + 1.5 * logging.every
    if late < sequence.seconds:
        faults.append(f"the record ends at {record.t[-1]:.1f} s, the {sequence.title} lasts {sequence.seconds:.1f} s")
    shift = max(float(np.median(np.diff(record.t))), 0.001) * 1.01
    near = np.array([sequence.f.at(record.t + s) for s in (-shift, 0.0, shift)])
    off = np.maximum(near.min(axis=0) - record.f, record.f - near.max(axis=0))
    worst = int(np.argmax(off))
    if off[worst] > 0.01:
        faults.append(
            f"at {record.t[worst]:.2f} s the frequency is {record.f[worst]:.3f} Hz, "
            f"{off[worst] * 1000.0:.0f} mHz off the {sequence.title}"
        )
    return faults
