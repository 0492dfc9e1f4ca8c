"""The tests of each service, and all findings of their records: what `bessplc prequalify SERVICE` runs and evaluates.

It knows what to drive and how to judge it; who drives a plant, and which one, it does not know.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from runtime.prequalify import criteria_1547, criteria_fcr, criteria_sines, fast_reserve, sequences_1547, sequences_fcr
from runtime.prequalify.criterion import Finding
from runtime.prequalify.record import Logging, Record, check
from runtime.prequalify.sequence import Sequence

SERVICES = ("fcr-n", "fcr-d-up", "fcr-d-down", "ffr", "ieee1547")
LOG_1547 = 0.02  # s: a trip of 0.16 s is told from one of 0.2 s
LONG, LOG_LONG = 150.0, 0.1  # s: from here on a test of IEEE 1547 has times of seconds, and its log need not be so fine
GROUPS = {
    "Step": "step",
    "Ramp": "ramp",
    "Lin": "linearity",
    "Endurance": "endurance",
    "Act": "activation",
    "Droop": "droop",
    "VoltVar": "volt-var",
    "VoltWatt": "volt-watt",
    "Enter": "enter",
}
MANY = {"Sine": "sines", "Trip": "trips", "Ride": "rides"}  # kinds that begin so


@dataclass(frozen=True)
class Terms:
    """What is to be proved: the capacity in kW, the rated power in kW, and what the plant says of itself.

    `energy` in kWh (0: not a limited reservoir) and `most` (kW discharging, charging) of the reservoir; `option` of FFR (0 to 2);
    `meter` is the time constant in s of a frequency measurement that the injected signal went round; `before` is the power that
    runs while IEEE 1547 is tested, over the rated power. `tests` are the groups of tests that are driven; empty: all of them.
    """

    capacity: float
    rated: float
    energy: float = 0.0
    most: tuple[float, float] = (0.0, 0.0)
    option: int = 0
    meter: float = 0.0
    before: float = 0.5
    tests: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evaluation:
    """All findings of a service, and the transfer function that the sines gave, by period in s."""

    service: str
    findings: list[Finding]
    transfer: Mapping[float, complex]


def group_of(sequence: Sequence) -> str:
    """The word that chooses a test on the command line; sines of all periods are one group, and so are all trips."""
    kind = sequence.kind
    return GROUPS.get(kind) or next(word for start, word in MANY.items() if kind.startswith(start))


def groups_of(service: str) -> tuple[str, ...]:
    """The words of all tests of a service, in their order."""
    return tuple(dict.fromkeys(group_of(sequence) for sequence in _all_sequences(service, Terms(0.0, 0.0))))


def sequences_of(service: str, terms: Terms) -> list[Sequence]:
    """The sequences of a service, in the order in which they are driven; only those of the groups that the terms name."""
    return [one for one in _all_sequences(service, terms) if not terms.tests or group_of(one) in terms.tests]


def _all_sequences(service: str, terms: Terms) -> list[Sequence]:
    if service == "ffr":
        return [fast_reserve.sequence(terms.option)]
    if service == "ieee1547":
        return sequences_1547.sequences()
    return sequences_fcr.sequences(sequences_fcr.PRODUCTS[service])


def logging(service: str, terms: Terms, sequence: Sequence | None = None) -> Logging:
    """What the log of a service's test must be; without a test, that of the shortest."""
    if service == "ffr":
        return Logging(fast_reserve.LOG_EVERY, 0.005, max(10.0, 0.00025 * terms.rated), fast_reserve.PAGES)
    if service == "ieee1547":
        every = LOG_LONG if sequence is not None and sequence.seconds > LONG else LOG_1547
        return Logging(every, 0.01, 0.05 * terms.rated, "IEEE 1547-2018, table 3")
    return Logging.nordic(sequences_fcr.PRODUCTS[service].log_every, terms.rated)


def evaluate(service: str, terms: Terms, records: Mapping[str, Record]) -> Evaluation:
    """All findings of the records, which are given by the kind of their test; a missing or a bad record is refused."""
    sequences = sequences_of(service, terms)
    missing = [sequence.title for sequence in sequences if sequence.kind not in records]
    if missing:
        raise LookupError(f"no record of: {', '.join(missing)}")
    for sequence in sequences:
        check(records[sequence.kind], logging(service, terms, sequence), sequence)
    if service == "ffr":
        return Evaluation(service, fast_reserve.judge(records["Act"], terms.capacity, sequences[0]), {})
    if service == "ieee1547":
        return Evaluation(service, [f for s in sequences for f in _judge_1547(s, records[s.kind], terms)], {})
    return _judge_fcr(service, terms, sequences, records)


def _judge_fcr(service: str, terms: Terms, sequences: list[Sequence], records: Mapping[str, Record]) -> Evaluation:
    product = sequences_fcr.PRODUCTS[service]
    judge = criteria_fcr.judge_steps if product.is_symmetric else criteria_fcr.judge_ramps
    findings: list[Finding] = []
    steady, backlash, points = terms.capacity, 0.0, dict[float, complex]()
    for sequence in sequences:
        record = records[sequence.kind]
        if sequence.kind in ("Step", "Ramp"):
            first = judge(record, product, terms.capacity, sequence)
            steady = terms.capacity * float(np.mean([f.value for f in first if f.requirement is criteria_fcr.STEADY]))
            backlash = next((f.value for f in first if f.requirement is criteria_fcr.BACKLASH), 0.0)
            findings += first
        elif sequence.kind == "Endurance":
            # what follows the long hold is judged in the short test: an empty battery must not fail twice for one reason
            long = judge(record, product, terms.capacity, sequence)
            findings += [f for f in long if f.requirement in (criteria_fcr.STEADY, criteria_fcr.ENDURANCE)]
        elif sequence.kind == "Lin":
            findings += criteria_fcr.judge_linearity(record, product, sequence)
        elif steady > 0.0:
            f = criteria_sines.transfer(record, product, steady, sequence, meter=terms.meter, backlash=backlash)
            points[sequence.marks["period"]] = f
    if any(group_of(sequence) == "sines" for sequence in sequences):
        findings += _judge_sines(product, points)
    if terms.energy > 0.0:
        findings += criteria_fcr.judge_reservoir(product, terms.capacity, terms.energy, terms.most)
    return Evaluation(service, findings, points)


def _judge_sines(product: sequences_fcr.Product, points: Mapping[float, complex]) -> list[Finding]:
    """Stability from the short periods, and for FCR-N performance from all of them."""
    if not points:
        note = "no steady power in the asked direction to compare with"
        return [Finding(criteria_sines.STABILITY, "sine tests, by period", math.nan, (0.0, 0.0), note)]
    short = {period: f for period, f in points.items() if period <= max(sequences_fcr.PERIODS)}
    found = [criteria_sines.judge_stability(short, product)]
    return [*found, criteria_sines.judge_performance(points, product)] if product.is_symmetric else found


def _judge_1547(sequence: Sequence, record: Record, terms: Terms) -> list[Finding]:
    rated, s = terms.rated, sequences_1547
    if sequence.kind == "Droop":
        return criteria_1547.judge_curve(record, sequence, "f", "p", rated, lambda f: s.droop(f, terms.before), s.DROOP_TIME)
    if sequence.kind == "VoltVar":
        return criteria_1547.judge_curve(record, sequence, "v", "q", rated, s.volt_var, s.VOLT_VAR_TIME)
    if sequence.kind == "VoltWatt":
        return criteria_1547.judge_curve(
            record, sequence, "v", "p", rated, lambda v: s.volt_watt(v, terms.before), s.VOLT_WATT_TIME
        )
    if sequence.kind == "Enter":
        return criteria_1547.judge_enter_service(record, sequence, rated)
    for stage in s.STAGES:
        if sequence.kind == f"Trip{stage.name}":
            return criteria_1547.judge_trip(record, sequence, stage, rated)
    ride = next(ride for ride in s.RIDES if sequence.kind == f"Ride{ride.name}")
    return criteria_1547.judge_ride(record, sequence, ride, rated)
