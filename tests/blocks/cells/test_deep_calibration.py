"""DEEP_CALIBRATION: the whole sequence, and everything that stops it."""

from __future__ import annotations

import pytest

from blocks.cells.deep_calibration import DEEP_CALIBRATION, PHASES, REASONS
from blocks.cells.full_empty import FULL_EMPTY
from blocks.declare import INPUT
from tests.aids.scan_table import Twin, scan
from tests.blocks.cells.true_cells import nmc

SITE = {"P_DISCHARGE": 50.0, "P_CHARGE": -40.0, "CAPACITY_NOMINAL": 100.0, "REST": "20min", "dt": "10min"}


def test_it_goes_through_all_phases_with_the_right_sign_of_power():
    scan(
        DEEP_CALIBRATION,
        **SITE,
        PERMIT=True,
        table="""
        x START EMPTY FULL I   | PHASE P   ACTIVE ET    COUNTED CAPACITY FINISHED
        1 0     0     0    0   | 0     0   0      10min 0       0        0
        1 1     0     0    0   | 1     50  1      0min  0       0        0
        3 1     0     0    60  | 1     50  1      30min 0       0        0
        1 0     1     0    60  | 2     0   1      0min  0       0        0
        1 0     1     0    0   | 2     0   1      10min 0       0        0
        1 0     1     0    0   | 3     -40 1      0min  0       0        0
        9 0     0     0    -60 | 3     -40 1      90min 90      0        0
        1 0     0     1    -12 | 4     0   1      0min  92      92       0
        1 0     0     1    0   | 4     0   1      10min 92      92       0
        1 0     0     1    0   | 5     0   0      0min  92      92       1
        1 0     0     0    50  | 5     0   0      10min 92      92       0
        1 1     0     0    0   | 1     50  1      0min  0       92       0     # once more
    """,
    )


def test_what_is_charged_counts_by_its_efficiency_and_what_leaves_counts_fully():
    scan(
        DEEP_CALIBRATION,
        **SITE | {"REST": 0},
        PERMIT=True,
        ETA=90.0,
        table="""
        x START EMPTY FULL I   | PHASE COUNTED CAPACITY
        1 0     0     0    0   | 0     0       0
        1 1     0     0    0   | 1     0       0
        1 0     1     0    0   | 2     0       0
        1 0     1     0    0   | 3     0       0
        7 0     0     0    -90 | 3     94.5    0
        1 0     0     0    15  | 3     92      0
        1 0     0     1    0   | 4     92      92
    """,
    )


START = "1 0 0 1 0 0 0 | 0 0 0\n 1 1 0 1 0 0 0 | 1 50 0\n"
AT_FILL = START + "1 0 0 1 1 0 0 | 2 0 0\n 2 0 0 1 1 0 0 | 3 -40 0\n"


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (START + "1 0 1 1 0 0 50 | 6 0 1", "stopped"),
        (START + "1 0 0 0 0 0 50 | 6 0 2", "permit lost"),
        (START + "6 0 0 1 0 0 50 | 1 50 0\n 1 0 0 1 0 0 50 | 6 0 3", "phase too long"),
        (START + "1 0 0 1 0 0 nan | 6 0 4", "current dead"),
        (START + "1 0 0 1 1 1 0 | 2 0 0\n 2 0 0 1 1 1 0 | 6 0 5", "full while empty"),
        (AT_FILL + "1 0 1 1 0 0 -50 | 6 0 1", "stopped"),
        (AT_FILL + "1 0 0 0 0 0 -50 | 6 0 2", "permit lost"),
        (AT_FILL + "6 0 0 1 0 0 -50 | 3 -40 0\n 1 0 0 1 0 0 -50 | 6 0 3", "phase too long"),
        (AT_FILL + "1 0 0 1 0 0 nan | 6 0 4", "current dead"),
        (AT_FILL + "1 0 0 1 0 1 -60 | 6 0 6", "capacity not plausible"),
        (AT_FILL + "6 0 0 1 0 0 -120 | 3 -40 0\n 1 0 0 1 0 1 0 | 6 0 3", "phase too long"),
        (AT_FILL + "6 0 0 1 0 0 120 | 3 -40 0", "none"),
    ],
)
def test_whatever_is_wrong_ends_it_with_no_power_and_says_why(lines, why):
    scan(DEEP_CALIBRATION, **SITE, TIMEOUT="60min", table=f"x START STOP PERMIT EMPTY FULL I | PHASE P REASON\n {lines}")
    assert REASONS[int(lines.split()[-1])] == why


def test_a_current_of_the_wrong_sign_measures_no_capacity():
    """A sensor the wrong way round counts downwards: not plausible, rather than a capacity."""
    scan(
        DEEP_CALIBRATION,
        **SITE,
        table=f"x START STOP PERMIT EMPTY FULL I | PHASE P REASON\n {AT_FILL} 6 0 0 1 0 0 100 | 3 -40 0\n 1 0 0 1 0 1 0 | 6 0 6",
    )


@pytest.mark.parametrize("nominal", ["0", "nan", "10"])
def test_without_a_nominal_capacity_nothing_is_believed(nominal):
    lines = AT_FILL + "6 0 0 1 0 0 -95 | 3 -40 0\n 1 0 0 1 0 1 0 | 6 0 6"
    scan(
        DEEP_CALIBRATION,
        **SITE | {"CAPACITY_NOMINAL": float(nominal)},
        table=f"x START STOP PERMIT EMPTY FULL I | PHASE P REASON\n {lines}",
    )


def test_it_starts_on_an_edge_with_a_permit_only():
    scan(
        DEEP_CALIBRATION,
        **SITE,
        EMPTY=0,
        FULL=0,
        I=0.0,
        table="""
        START PERMIT STOP | PHASE REASON
        1     1      0    | 0     0       # stuck since the start
        0     1      0    | 0     0
        1     0      0    | 0     0
        1     1      0    | 0     0
        0     1      0    | 0     0
        1     1      1    | 0     0
        0     1      0    | 0     0
        1     1      0    | 1     0
        1     0      0    | 6     2
        1     1      0    | 6     2       # the permit is back: it does not resume
        0     1      0    | 6     2
        1     1      0    | 1     0
    """,
    )


def test_it_does_not_start_without_a_current_and_discharges_nothing_that_is_empty():
    scan(
        DEEP_CALIBRATION,
        **SITE,
        FULL=0,
        PERMIT=True,
        table="START EMPTY I | PHASE P\n 0 1 nan | 0 0\n 1 1 nan | 0 0\n 0 1 0 | 0 0\n 1 1 0 | 1 0\n 1 1 0 | 2 0",
    )


def test_powers_without_sense_ask_for_nothing():
    for wrong in ("nan", "-50"):
        scan(
            DEEP_CALIBRATION,
            PERMIT=True,
            EMPTY=0,
            FULL=0,
            I=0.0,
            P_CHARGE=-40.0,
            CAPACITY_NOMINAL=100.0,
            table=f"START P_DISCHARGE | PHASE P\n 0 50 | 0 0\n 1 {wrong} | 1 0\n 1 50 | 1 50",
        )


def test_with_full_empty_it_measures_a_simulated_cell():
    """A cell of 93 Ah on NMC's curve with 2 mOhm; 50 A either way, the charge tapered at 4.18 V: 2.6 % stays beyond the ends."""
    ends, sequence = Twin(FULL_EMPTY), Twin(DEEP_CALIBRATION)
    for name, value in {"V_FULL": 4.17, "V_EMPTY": 2.8, "I_FULL": 5.0, "I_EMPTY": 55.0, "HOLD": 30_000_000_000}.items():
        ends.set(name, value)
    given = {"PERMIT": True, "P_DISCHARGE": 50.0, "P_CHARGE": -50.0, "CAPACITY_NOMINAL": 100.0, "REST": 600_000_000_000}
    for name, value in given.items():
        sequence.set(name, value)
    z, r, capacity, seen = 0.5, 0.002, 93.0, []
    for t in range(2000):
        asked = float(sequence.get("P"))
        amps = asked if asked >= 0.0 else -min(50.0, max(4.18 - float(nmc(z)), 0.0) / r)
        z -= amps * 10.0 / 3600.0 / capacity
        v = float(nmc(z)) - r * amps
        if v < 2.8 and amps > 0.0:
            v = 2.8
        for name, value in {"V_MAX": v, "V_MIN": v, "I": amps}.items():
            ends.set(name, value)
        ends.scan(10_000_000_000)
        for name, value in {"START": t > 0, "EMPTY": ends.get("EMPTY"), "FULL": ends.get("FULL"), "I": amps}.items():
            sequence.set(name, value)
        sequence.scan(10_000_000_000)
        phase = PHASES[sequence.get("PHASE")]
        if not seen or seen[-1] != phase:
            seen.append(phase)
    assert seen == ["idle", *PHASES[1:6]]
    assert sequence.get("CAPACITY") == pytest.approx(93.0, rel=0.04)


def test_a_restart_leaves_nothing_of_a_retained_block_but_its_capacity():
    """What it was doing is not put back, so nothing asks for power by itself."""
    assert {pin.name for pin in DEEP_CALIBRATION.pins if pin.kind != INPUT and not pin.volatile} == {"CAPACITY"}
