"""What a reserve did, from the history of a site, as a record of samples at even times. It must not know files, verbs or programs.

The tags are those of the site's programs `services`, `power` and `grid`; a site records them (`servers: records: history:`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import numpy as np

from runtime.prequalify.record import Record
from runtime.prequalify.sequences_fcr import PRODUCTS

FREQUENCY, POWER, BASELINE, SOC, IN_SERVICE = "grid.frequency", "site.p", "site.p_allowed", "bms.soc", "grid.in_service"


class Sample(Protocol):
    """One recorded value: source time in ns since 1970 UTC, value, and quality as an OPC UA status code."""

    time: int
    value: float
    quality: int


History = Mapping[str, Sequence[Sample]]


@dataclass(frozen=True)
class Reserve:
    """A reserve as it is sold: the word in the operator's file, the end of its tags' names, and NEM's part of its capacity."""

    word: str
    tag: str
    nem: float = 0.0

    @property
    def band(self) -> float:
        """The deviation that asks for all of it, in Hz; FFR knows no such thing."""
        return next((one.band for one in PRODUCTS.values() if one.service == self.word), 1.0)

    @property
    def sold(self) -> str:
        """The tag of the capacity that is sold."""
        return f"set.{self.tag}"

    @property
    def activated(self) -> str:
        """The tag of the power that it asks for."""
        return f"services.{self.tag}"

    @property
    def needed(self) -> tuple[str, ...]:
        """The tags without whose history there is no telemetry."""
        return (FREQUENCY, POWER, BASELINE, SOC, IN_SERVICE, self.sold, self.activated, *self.management)

    @property
    def management(self) -> tuple[str, ...]:
        """The tags of its energy management; FFR has none."""
        return (f"services.nem_{self.tag}", f"services.aem_{self.tag}") if self.nem else ()


RESERVES = {
    "fcr-n": Reserve("Fcrn", "fcr_n", 0.34),
    "fcr-d-up": Reserve("FcrdUp", "fcr_d_up", 0.20),
    "fcr-d-down": Reserve("FcrdDo", "fcr_d_down", 0.20),
    "ffr": Reserve("Ffr", "ffr"),
}


def record_of(reserve: Reserve, history: History, start: int, end: int, every: int) -> tuple[Record, np.ndarray]:
    """The reserve's record at even times from `start` to before `end` (ns), and the capacity sold at each of them in kW.

    A value holds until the next sample. Times at which something was not yet recorded, or frequency or power were not good, are
    left out: nothing is made up.
    """
    times = np.arange(start, end, every)
    columns, good = {}, np.ones(len(times), bool)
    for tag in reserve.needed:
        columns[tag], is_good = _at(history[tag], times)
        good &= is_good if tag in (FREQUENCY, POWER) else ~np.isnan(columns[tag])
    times, columns = times[good], {tag: values[good] for tag, values in columns.items()}
    sold, activated = columns[reserve.sold], columns[reserve.activated]
    word = reserve.word
    more = {f"Cap_{word}": sold / 1000.0, f"RegStr_{word}": sold / 1000.0 / reserve.band}
    if reserve.management:
        nem, aem = (columns[tag] for tag in reserve.management)
        most = np.maximum(reserve.nem * sold, 1e-9)
        more |= {f"NEM_MW_{word}": nem / 1000.0, f"NEM_{word}": np.where(sold > 0.0, nem / most, 0.0), f"AEM_{word}": aem}
    record = Record(
        t=(times - start) / 1e9,
        f=columns[FREQUENCY],
        p=columns[POWER],
        p_set=columns[BASELINE] - activated,
        soc=columns[SOC],
        q=np.zeros(len(times)),
        v=np.ones(len(times)),
        status=((sold > 0.0) & (columns[IN_SERVICE] > 0.0)).astype(float),
        start=datetime.fromtimestamp(start / 1e9, UTC),
        more=more,
    )
    return record, sold


def _at(samples: Sequence[Sample], times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The value that stood at each time, NaN before the first, and whether it was good."""
    begins = [sample.time for sample in samples]
    places = [bisect_right(begins, time) - 1 for time in times.tolist()]
    values = np.array([float(samples[place].value) if place >= 0 else np.nan for place in places])
    good = np.array([place >= 0 and samples[place].quality >> 30 == 0 for place in places], bool)
    return values, good & np.isfinite(values)
