"""AEM: when it switches, and the reference frequency as the mean of 300 seconds."""

from __future__ import annotations

import numpy as np
import pytest

from blocks.grid.aem import AEM
from blocks.grid.fcr import FCR_D_UP, FCR_N
from tests.aids.scan_table import Twin, scan

SECOND = {"dt": "1s", "CAPACITY": 1000.0, "ENERGY": 2000.0}


def test_it_switches_at_5_and_10_minutes_of_energy_at_both_ends():
    """4.167 % and 8.333 %, mirrored 95.833 % and 91.667 %."""
    scan(
        AEM,
        **SECOND,
        F=50.0,
        table="""
        SOC   | ON
        4.17  | 0
        4.16  | 1
        8.33  | 1
        8.34  | 0
        95.83 | 0
        95.84 | 1
        91.67 | 1
        91.66 | 0
    """,
    )


def test_fcr_d_watches_the_end_that_it_sells():
    scan(AEM, **SECOND, F=50.0, PRODUCT=1, table="SOC | ON\n 99 | 0\n 4 | 1\n 99 | 0")
    scan(AEM, **SECOND, F=50.0, PRODUCT=2, table="SOC | ON\n 1 | 0\n 96 | 1\n 1 | 0")


@pytest.mark.parametrize(
    ("product", "soc", "nominal", "clamped", "beyond"),
    [(0, 1, 50.0, 49.9, 49.0), (1, 1, 49.9, 49.5, 49.2), (2, 99, 50.1, 50.5, 51.0)],
)
def test_the_reference_goes_to_the_clamped_frequency_in_five_minutes_and_back(product, soc, nominal, clamped, beyond):
    half = (nominal + clamped) / 2.0
    scan(
        AEM,
        **SECOND,
        PRODUCT=product,
        table=f"""
        x   F        SOC   | F_REF     ON
        300 {beyond} 50    | {nominal} 0
        150 {beyond} {soc} | {half}    1
        150 {beyond} {soc} | {clamped} 1
        150 {beyond} 50    | {half}    0
        150 {beyond} 50    | {nominal} 0
    """,
    )


def test_it_is_the_plain_mean_of_any_frequency(deviation):
    """NumPy's mean of the last 300 clamped samples over an hour; samples are rounded to a nanohertz, so the bar is one."""
    chance = np.random.default_rng(5)
    f = 50.0 + np.cumsum(chance.normal(0.0, 0.01, 1800)) * 0.3
    twin = Twin(AEM)
    for name, value in {"CAPACITY": 1000.0, "ENERGY": 2000.0, "SOC": 1.0}.items():
        twin.set(name, value)
    history, worst = [50.0] * 300, 0.0
    for value in f:
        twin.set("F", value)
        twin.scan(1_000_000_000)
        history = [*history[1:], min(50.1, max(49.9, value))]
        worst = max(worst, abs(float(twin.get("F_REF")) - float(np.mean(history))))
    deviation("AEM", "NumPy mean", "reference frequency", worst, 1e-9, "Hz")


def test_with_fcr_n_a_lasting_deviation_fades_and_a_new_one_is_answered():
    """P = C/0.1 (f_ref - f): at 49.9 Hz from 1000 kW to 0 in five minutes; a step back to 50 Hz then charges at full power."""
    aem, fcr = Twin(AEM), Twin(FCR_N)
    for name, value in {"CAPACITY": 1000.0, "ENERGY": 2000.0, "SOC": 2.0}.items():
        aem.set(name, value)
    fcr.set("CAPACITY", 1000.0)

    def power(f: float, seconds: int) -> float:
        for _ in range(seconds):
            for twin in (aem, fcr):
                twin.set("F", f)
            aem.scan(1_000_000_000)
            fcr.set("F_REF", aem.get("F_REF"))
            fcr.scan(1_000_000_000)
        return float(fcr.get("P"))

    assert power(49.9, 1) == pytest.approx(1000.0, abs=4.0)
    assert power(49.9, 149) == pytest.approx(500.0, abs=1e-6)
    assert power(49.9, 150) == pytest.approx(0.0, abs=1e-6)
    assert power(50.0, 1) == pytest.approx(-1000.0, abs=4.0)
    assert FCR_D_UP.pin("F_REF").default == 49.9


def test_a_dead_state_of_charge_changes_nothing_and_a_dead_frequency_counts_as_nominal():
    scan(AEM, **SECOND, F=49.9, table="SOC | ON\n nan | 0\n 1 | 1\n nan | 1\n 50 | 0\n nan | 0")
    scan(AEM, **SECOND, SOC=1.0, table="x F | F_REF\n 150 49.9 | 49.95\n 30 nan | 49.95\n 120 49.9 | ~49.91\n 30 inf | 49.92")
    scan(AEM, **SECOND | {"ENERGY": 0.0}, F=49.9, table="SOC | F_REF ON\n 1 | 50 0")


def test_a_lost_capacity_or_energy_does_not_drop_it_at_an_empty_battery():
    """Inside its hysteresis ON must stay, and so must it below the lower threshold."""
    for name, good in (("ENERGY", 2000), ("CAPACITY", 1000)):
        lost = "".join(f"6 {value} | 1\n" for value in ("nan", 0, "inf", -1, good))
        others = {key: value for key, value in SECOND.items() if key != name}
        scan(AEM, **others, F=49.9, table=f"SOC {name} | ON\n 1 {good} | 1\n {lost} 50 {good} | 0")


def test_a_late_scan_counts_for_all_of_its_seconds():
    scan(
        AEM,
        CAPACITY=1000.0,
        ENERGY=2000.0,
        SOC=1.0,
        F=49.9,
        table="dt x | F_REF\n 1s 3 | 49.999\n 7s 1 | ~49.99667\n 300s 1 | 49.9",
    )


def test_a_dead_meter_counts_as_nominal():
    scan(AEM, **SECOND, SOC=1.0, table="x F | F_REF\n 300 0 | 50\n 300 6553.5 | 50\n 300 49.9 | 49.9")


def test_another_product_begins_anew():
    """49.5 Hz of FCR-D must not become 49.6 Hz of FCR-N."""
    table = "x F PRODUCT SOC | F_REF\n 300 49.5 1 1 | 49.5\n 1 50 0 50 | 50\n 1 49.9 1 50 | 49.9\n 300 49.9 0 1 | 49.9"
    scan(AEM, **SECOND, table=table)
