"""Records as the Nordic operators' result files: the file's name, the headers, time and number formats; written and read back.

Source: Technical Requirements for FCR v1.1 (2025), result files (NUMBERS.md): comma, decimal point, CRLF, time YYYYMMDDThhmmss.nnn,
power in MW. Reactive power and voltage are columns of our own, at the end and only where asked for. It knows no criterion.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from runtime.prequalify.record import COLUMNS, Record, RecordRefused

TIME = "DateTime"
SERVICES = ("Fcrn", "FcrdUp", "FcrdDo", "Ffr", "Ieee1547")
STAMP = re.compile(r"(\d{8}T\d{6})\.(\d{3})\d*$")
OURS = {"ReacPow": "q", "Voltage": "v"}


@dataclass(frozen=True)
class Resource:
    """What the file's name and its constant columns say: capacity in kW, stored energy in kWh (0: not a limited reservoir)."""

    name: str
    service: str
    capacity: float
    band: float
    area: str = "FI"
    timezone: str = "UTC"
    energy: float = 0.0


def file_name(resource: Resource, kind: str, record: Record) -> str:
    """[Resource]_[Service]_[TestType]_[Area]_[Timezone]_[Interval]_[SamplingRate].csv, underscores between the parts only."""
    end = record.start + timedelta(seconds=float(record.t[-1]))
    interval = f"{record.start:%Y%m%dT%H%M}-{end:%Y%m%dT%H%M}"
    rate = f"{round(float(np.median(np.diff(record.t))) * 1000.0)}ms"
    parts = (resource.name, resource.service, kind, resource.area, resource.timezone, interval, rate)
    return "_".join(re.sub(r"[^A-Za-z0-9+.-]+", "-", part) for part in parts) + ".csv"


def write(path: Path, record: Record, resource: Resource, *, ours: bool = False) -> None:
    """Writes the record; `ours` adds reactive power and voltage, which the operators do not ask for."""
    columns = _columns(record, resource)
    if ours:
        columns |= {header: getattr(record, name) for header, name in OURS.items()}
    for header, values in record.more.items():
        columns[header] = values
    stamps = [_stamp(record.start + timedelta(milliseconds=round(float(t) * 1000.0))) for t in record.t]
    with path.open("w", newline="", encoding="ascii") as file:
        out = csv.writer(file, lineterminator="\r\n")
        out.writerow([TIME, *columns])
        for stamp, *row in zip(stamps, *(values.tolist() for values in columns.values()), strict=True):
            out.writerow([stamp, *(f"{value:.9g}" for value in row)])


def _columns(record: Record, resource: Resource) -> dict[str, np.ndarray]:
    """The prescribed columns in their order. Grid frequency is the applied one, unless the record brings another."""
    service, count = resource.service, len(record.t)
    columns = {
        "InsAcPow": record.p / 1000.0,
        "GridFreq": record.f,
        "ApplFreqSig": record.f,
        f"ContMode_{service}": record.status,
        f"Cap_{service}": np.full(count, resource.capacity / 1000.0),
        f"RegStr_{service}": np.full(count, resource.capacity / 1000.0 / resource.band),
        "CalcBaseline": record.p_set / 1000.0,
        f"Activated_{service}": record.dp / 1000.0,
    }
    if resource.energy > 0.0:
        columns[f"ResSize_{service}"] = np.full(count, resource.energy / 1000.0)
        columns |= {f"{word}_{service}": np.zeros(count) for word in ("NEM_MW", "NEM", "AEM")}
    return columns | {"SOC": record.soc}


def _stamp(time: datetime) -> str:
    return f"{time:%Y%m%dT%H%M%S}.{time.microsecond // 1000:03d}"


def read(path: Path) -> tuple[Record, Resource]:
    """A record from an operator's file, and what its name and constant columns say; refused in words where it is none.

    The name's parts are taken from the right, so that a resource may have an underscore in its name.
    """
    parts = path.stem.split("_")
    if len(parts) < 7 or parts[-6] not in SERVICES:
        raise RecordRefused([f"{path.name} is not [Resource]_[Service]_[TestType]_[Area]_[Timezone]_[Interval]_[SamplingRate].csv"])
    service = parts[-6]
    with path.open(newline="", encoding="ascii") as file:
        head, *rows = list(csv.reader(file))
    _check_table(head, rows, service)
    starts = _seconds([row[0] for row in rows])
    table = np.array([[float(cell) for cell in row[1:]] for row in rows])
    columns = dict(zip(head[1:], table.T, strict=True))
    record = _record(columns, service, starts)
    resource = Resource(
        name="_".join(parts[:-6]),
        service=service,
        capacity=float(columns[f"Cap_{service}"][0]) * 1000.0,
        band=float(columns[f"Cap_{service}"][0] / columns[f"RegStr_{service}"][0]),
        area=parts[-4],
        timezone=parts[-3],
        energy=float(columns.get(f"ResSize_{service}", [0.0])[0]) * 1000.0,
    )
    return record, resource


def _check_table(head: list[str], rows: list[list[str]], service: str) -> None:
    needed = (TIME, "InsAcPow", "ApplFreqSig", "CalcBaseline", "SOC", f"Cap_{service}", f"RegStr_{service}", f"ContMode_{service}")
    faults = [f"the column {name} is missing" for name in needed if name not in head]
    for number, row in enumerate(rows, start=2):
        if len(row) != len(head):
            faults.append(f"line {number} has {len(row)} values, the header {len(head)}")
        elif not STAMP.match(row[0]):
            faults.append(f"line {number}: the time `{row[0]}` is not YYYYMMDDThhmmss.nnn")
        else:
            faults += [
                f"line {number}: `{cell}` in {name} is no number" for name, cell in zip(head[1:], row[1:]) if _is_no_number(cell)
            ]
    if not rows:
        faults.append("the file has no samples")
    if faults:
        raise RecordRefused(faults[:10])


def _is_no_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return True
    return False


def _seconds(stamps: list[str]) -> tuple[datetime, np.ndarray]:
    """The first time, and the seconds of every sample from there; stamps are whole milliseconds."""
    times = [_time_of(stamp) for stamp in stamps]
    return times[0], np.array([(time - times[0]) / timedelta(seconds=1) for time in times])


def _time_of(stamp: str) -> datetime:
    whole, thousandths = stamp.split(".")
    try:
        time = datetime.strptime(whole, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError as error:
        raise RecordRefused([f"there is no time {stamp}: {error}"]) from error
    return time + timedelta(milliseconds=int(thousandths[:3]))


def _record(columns: dict[str, np.ndarray], service: str, starts: tuple[datetime, np.ndarray]) -> Record:
    begin, t = starts
    count = len(t)
    taken = {
        "t": t,
        "f": columns["ApplFreqSig"],
        "p": columns["InsAcPow"] * 1000.0,
        "p_set": columns["CalcBaseline"] * 1000.0,
        "soc": columns["SOC"],
        "q": columns.get("ReacPow", np.zeros(count)),
        "v": columns.get("Voltage", np.ones(count)),
        "status": columns[f"ContMode_{service}"],
    }
    assert set(taken) == set(COLUMNS)
    derived = {"InsAcPow", "ApplFreqSig", "CalcBaseline", "SOC", *OURS}
    derived |= {f"{word}_{service}" for word in ("ContMode", "Cap", "RegStr", "Activated", "ResSize")}
    more = {name: values for name, values in columns.items() if name not in derived}
    if np.array_equal(more["GridFreq"], columns["ApplFreqSig"]) if "GridFreq" in more else False:
        del more["GridFreq"]
    return Record(**taken, start=begin, more=more)
