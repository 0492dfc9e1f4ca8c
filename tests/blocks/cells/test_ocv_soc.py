"""OCV_SOC: the table read backwards, and when that means something."""

from __future__ import annotations

import numpy as np
import pytest

from blocks.cells.laws import LFP, NMC
from blocks.cells.ocv_soc import OCV_SOC
from blocks.declare import INPUT
from tests.aids.scan_table import Twin, scan
from tests.blocks.cells.true_cells import GRID, lfp, nmc, particles


def test_the_default_tables_are_the_published_cells():
    assert lfp(GRID) == pytest.approx(np.array(LFP), abs=1e-4)
    assert nmc(GRID) == pytest.approx(np.array(NMC), abs=1e-4)


@pytest.mark.parametrize("table", [LFP, NMC], ids=["LFP", "NMC"])
def test_every_voltage_is_read_from_the_table(table, deviation):
    """NumPy's interpolation of the table turned around: rounding only, where 0.1 mV are up to 0.5 % of charge."""
    twin, worst = Twin(OCV_SOC), 0.0
    for name, value in {"OCV": table, "REST_TIME": 0, "SIGMA_MAX": 100.0, "I": 0.0}.items():
        twin.set(name, value)
    for v in np.linspace(table[0] - 0.01, table[-1] + 0.01, 400):
        twin.set("V", v)
        twin.scan(10_000_000)
        worst = max(worst, abs(twin.get("SOC") - np.interp(v, table, 100.0 * GRID)))
    deviation("OCV_SOC", "numpy 2.4 interp", f"SOC over {table[0]} to {table[-1]} V", worst, 1e-9, "%")


def test_the_rest_must_be_long_enough_and_starts_anew_after_a_current_in_either_direction():
    scan(
        OCV_SOC,
        V=3.0072,
        REST_TIME="30min",
        dt="15min",
        table="""
        I    | USABLE RESTED ET
        0.4  | 0      0      0min
        -0.4 | 0      0      15min
        0    | 1      1      30min
        -20  | 0      0      0min
        0    | 0      0      0min
        20   | 0      0      0min
        nan  | 0      0      0min      # nobody knows whether it rests
        0    | 0      0      0min
        0    | 0      0      15min
        0    | 1      1      30min
    """,
    )


def test_the_plateau_is_not_usable_and_the_last_reading_stays():
    """3.2670 V: 59.2 %; 5 mV lower is 47.4 %, 5 mV higher 68.8 %. On NMC the same voltage is a steep place."""
    table = """
        V      | SOC   SIGMA USABLE
        3.0072 | ~11.2 ~0.2  1
        3.2670 | ~11.2 ~11.8 0
        nan    | ~11.2 100   0
    """
    scan(OCV_SOC, I=0.0, REST_TIME=0, table=table)
    scan(OCV_SOC, I=0.0, REST_TIME=0, OCV=NMC, table="V | SOC SIGMA USABLE\n 3.2670 | ~10.2 ~0.2 1")


def test_a_voltage_beyond_the_table_is_no_open_circuit_voltage():
    """LFP ends at 2.0 V and 3.5984 V; three times 5 mV are allowed."""
    scan(
        OCV_SOC,
        I=0.0,
        REST_TIME=0,
        table="""
        V    | SOC USABLE SIGMA
        3.61 | 100 1      -
        3.62 | 100 0      100
        1.99 | 0   1      -
        1.98 | 0   0      100
        0    | 0   0      100
        inf  | 0   0      100
    """,
    )


def test_an_error_that_is_not_known_makes_nothing_usable():
    scan(OCV_SOC, V=3.0, I=0.0, REST_TIME=0, table="V_ERROR | USABLE SIGMA\n nan | 0 100\n 0.005 | 1 ~0.2")


@pytest.mark.slow
@pytest.mark.parametrize("start", [0.9, 0.7, 0.5, 0.3, 0.2])
def test_a_particle_model_at_rest_is_read_within_what_it_claims(start, deviation):
    """Two minutes of C/2, two hours of rest: the reading is off by no more than three times the SIGMA of 5 mV."""
    cell = particles("Chen2020")
    i = np.concatenate([np.zeros(5), np.full(120, 0.5 * cell.capacity), np.zeros(7200)])
    truth = cell.run(i, start)
    twin = Twin(OCV_SOC)
    for name, value in {"OCV": cell.table, "V": truth.v[-1], "I": 0.0, "REST_TIME": 0}.items():
        twin.set(name, value)
    twin.scan(10_000_000)
    assert twin.get("USABLE")
    error = abs(twin.get("SOC") - 100.0 * truth.z[-1]) / twin.get("SIGMA")
    deviation("OCV_SOC", "pybamm 26.10 SPM Chen2020", f"reading after 2 h at {start:.0%}", error, 3.0, "sigma")


def test_beyond_the_ends_the_reading_is_no_better_than_at_the_ends():
    """The last segment rises by 283 mV in 5 %: 5 mV are 0.088 %, and 3.6084 V is 10 mV off; the first by 780 mV."""
    scan(
        OCV_SOC,
        I=0.0,
        REST_TIME=0,
        table="""
        V      | SOC SIGMA
        3.5984 | 100 ~0.088
        3.6034 | 100 ~0.088
        3.6084 | 100 ~0.176
        2.0000 | 0   ~0.032
        1.9900 | 0   ~0.064
    """,
    )


def test_after_a_restart_the_rest_begins_anew():
    """A retained ET would say nothing of what flowed meanwhile; the last usable reading stays."""
    assert {pin.name for pin in OCV_SOC.pins if pin.kind != INPUT and not pin.volatile} == {"SOC"}
