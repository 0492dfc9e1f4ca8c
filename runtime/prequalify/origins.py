"""What a service demands and where each demand is from: its requirements, and what of them is confirmed, quoted or our own reading.

It judges nothing; a report and `bessplc prequalify --product-terms` show it.
"""

from __future__ import annotations

import dataclasses

from runtime.prequalify import criteria_1547, criteria_fcr, criteria_sines, fast_reserve
from runtime.prequalify.criterion import Requirement
from runtime.prequalify.sequences_fcr import NORDIC, PRODUCTS

QUOTED, OLDER, UNCONFIRMED, OURS = "quoted", "from an older text", "unconfirmed", "our own reading"
LFSM = (OURS, "LFSM is switched off for the tests: what it adds beyond the reserve's band is not the reserve's.")
FCR = (
    (QUOTED, f"Steady state, power and energy of 7.5 s, deactivation, stability, sequences, log, reservoir: {NORDIC}."),
    (UNCONFIRMED, "The quotation was not compared with the operators' text again: do so before this report is handed in."),
    (OLDER, "Interpolation between the tested periods: Supporting Document on Technical Requirements for FCR (2021), 4.1."),
    (OURS, "The nadir of ramp 1 is read at 34.4 s, as the text says, and at 34.9 s, as the table says; the worse one counts."),
    (OURS, "Linearity: each step is held for 150 s. Endurance: no 10 s of the long hold below 95 % of its first minute."),
    (OURS, "Sines: two periods to settle, five evaluated. No sag: the meter's resolution of 0.025 % is allowed for."),
    LFSM,
)
FCR_N = (
    *FCR[:3],
    (OLDER, "Total backlash and the factor h by which it reduces the answer: Supporting Document (2021), 4.1.1 and table 14."),
    (OLDER, "Sines of 90, 150 and 300 s for the performance: drafts of 2021; v1.1 is not confirmed to ask for them."),
    (OURS, "Reduced capacity: the share K with which the same plant would meet the performance; below 0.9 it fails."),
    *FCR[4:],
)
FFR = (
    (QUOTED, f"Thresholds, times to full power, length of the support, readiness after 15 min: {fast_reserve.PAGES}."),
    (UNCONFIRMED, "Overdelivery of at most 35 %, buffer of 10 s, recovery of at most 25 %."),
    (OURS, "Full power is 99 % of the capacity: a plant of first order never gives all of it. Levels last 60 s, 0.05 Hz below."),
    LFSM,
)
OF_1547 = (
    (
        QUOTED,
        "Curves, times, trips and accuracies: IEEE 1547-2018, defaults of category III and B, as in EPRI's OpenDER.",
    ),
    (
        QUOTED,
        "Right is within 1.5 times the accuracies: IEEE 1547.1-2020, 4.2 and 5.15.2.3, as ua-kxie/UL1741SB quotes it; from "
        "there too the trips from twice the accuracy inside the threshold to twice beyond, and entering service (table 11, cases "
        "1 and 2).",
    ),
    (
        OURS,
        "Curves are held for four response times, rides for 98 % of their time. Droop and volt-var work in their own test only. "
        "The steps of the ride-through are chained from table 16 so that no default trip is due in them.",
    ),
    (
        OURS,
        "Not tested: jumps of the phase angle (the simulated grid has no angle while it is connected), unequal phases, several "
        "disturbances one after another.",
    ),
)
ORIGINS = {"fcr-n": FCR_N, "fcr-d-up": FCR, "fcr-d-down": FCR, "ffr": FFR, "ieee1547": OF_1547}


def requirements_of(service: str, option: int = 0) -> list[Requirement]:
    """Every requirement that a service is tested for; those of IEEE 1547 once, and not for each of its curves and stages."""
    if service == "ffr":
        _, limit = fast_reserve.OPTIONS[option]
        timed = [dataclasses.replace(r, high=limit) for r in (fast_reserve.ACTIVATION, fast_reserve.AGAIN)]
        lasts = dataclasses.replace(fast_reserve.DURATION, low=5.0)
        return [*timed, lasts, fast_reserve.OVER, fast_reserve.BUFFER, fast_reserve.RECOVERY]
    if service == "ieee1547":
        each = {"1547.trip": "each stage", "1547.ride": "each disturbance"}
        names = [each.get(need.id.partition(".{}")[0], "each function") for need in criteria_1547.REQUIREMENTS]
        titles = [need.title.format(name) for need, name in zip(criteria_1547.REQUIREMENTS, names, strict=True)]
        told = zip(criteria_1547.REQUIREMENTS, titles, strict=True)
        return [dataclasses.replace(need, title=title[0].upper() + title[1:]) for need, title in told]
    time, sines = criteria_fcr, [criteria_sines.STABILITY]
    last = [time.LINEAR, time.ENDURANCE]
    if PRODUCTS[service].is_symmetric:
        return [time.STEADY, time.BACKLASH, *sines, criteria_sines.PERFORMANCE, *last, time.STORE_N]
    return [time.STEADY, time.POWER, time.ENERGY, time.SUSTAIN, time.DEACTIVATION, *sines, *last, time.STORE_D]
