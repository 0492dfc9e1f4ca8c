"""Writes what a prequalification leaves behind: the operator's CSV of each test, and the report. It drives and judges nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from runtime.prequalify import criteria_sines, plots, record_csv
from runtime.prequalify.criterion import overall
from runtime.prequalify.origins import ORIGINS
from runtime.prequalify.programme import Evaluation, Terms, logging, sequences_of
from runtime.prequalify.record import Record
from runtime.prequalify.record_csv import Resource
from runtime.prequalify.report import Picture, page
from runtime.prequalify.sequences_fcr import PERIODS, PRODUCTS
from runtime.prequalify.summary import left_out

TITLES = {
    "fcr-n": "Prequalification FCR-N",
    "fcr-d-up": "Prequalification FCR-D upwards",
    "fcr-d-down": "Prequalification FCR-D downwards",
    "ffr": "Prequalification FFR",
    "ieee1547": "Tests of IEEE 1547-2018",
}
REPORT = "report.html"


def resource_of(service: str, terms: Terms, name: str, area: str = "FI") -> Resource:
    """What names the files of a service; IEEE 1547 prescribes no file, and takes the same form."""
    if service in PRODUCTS:
        return Resource(name, PRODUCTS[service].service, terms.capacity, PRODUCTS[service].band, area, energy=terms.energy)
    word, band = ("Ffr", 1.0) if service == "ffr" else ("Ieee1547", 1.0)
    return Resource(name, word, terms.capacity, band, area)


def write(
    folder: Path, terms: Terms, resource: Resource, facts: Mapping[str, str], records: Mapping[str, Record], found: Evaluation
) -> list[Path]:
    """Writes the report and a CSV file for each test, and says which; `facts` head the report (site, digest, seed, versions)."""
    folder.mkdir(parents=True, exist_ok=True)
    ours, pictures, files = found.service == "ieee1547", list[Picture](), [folder / REPORT]
    for sequence in sequences_of(found.service, terms):
        record = records[sequence.kind]
        path = folder / record_csv.file_name(resource, sequence.kind, record)
        record_csv.write(path, record, resource, ours=ours)
        files.append(path)
        own = [finding for finding in found.findings if finding.test == sequence.title]
        drawn = plots.course(record, sequence, own, 0.0 if ours else terms.capacity)
        pictures.append(Picture(_sentence(sequence.title), drawn, f"{sequence.source}; {path.name}"))
        for title, begin, end in sequence.views:
            drawn = plots.course(record, sequence, own, 0.0 if ours else terms.capacity, (begin, end))
            pictures.append(Picture(f"{_sentence(sequence.title)}: {title}", drawn))
    logs = [logging(found.service, terms, sequence) for sequence in sequences_of(found.service, terms)]
    steps = sorted({log.every for log in logs})
    least = f"{steps[0]:g} s" + (f", in long tests {steps[-1]:g} s" if len(steps) > 1 else "")
    head = {
        "Resource": resource.name,
        "Capacity": f"{terms.capacity:g} kW, rated power {terms.rated:g} kW",
        **facts,
        "Log": f"a sample at least every {least} ({logs[0].source})",
        "Outcome": overall(found.findings).value,
    }
    html = page(
        TITLES[found.service],
        head,
        found.findings,
        pictures,
        capacity=terms.capacity,
        pairs=_pairs(found),
        left_out=left_out(found.service, terms),
        origins=ORIGINS[found.service],
    )
    files[0].write_text(html, encoding="utf-8")
    return files


def _sentence(title: str) -> str:
    return title[0].upper() + title[1:]


def _pairs(found: Evaluation) -> list[Picture]:
    """Nyquist curve and performance, where sines were tested."""
    judged = {finding.requirement.id: finding for finding in found.findings}
    pairs = []
    if (stability := judged.get(criteria_sines.STABILITY.id)) is not None:
        short = {period: f for period, f in found.transfer.items() if period <= max(PERIODS)}
        pairs.append(Picture("Stability", plots.nyquist(short, PRODUCTS[found.service], stability)))
    if (performed := judged.get(criteria_sines.PERFORMANCE.id)) is not None:
        pairs.append(Picture("Performance", plots.performance(found.transfer, PRODUCTS[found.service], performed)))
    return pairs
