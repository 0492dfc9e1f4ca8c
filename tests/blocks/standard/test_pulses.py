"""TONR, BLINK, GEN, FREQ_MEASURE."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.signal

from blocks.plain import Instance
from blocks.standard.pulses import BLINK, FREQ_MEASURE, GEN, TONR
from tests.aids.scan_table import scan

MS = 1_000_000


def test_pauses_do_not_lose_time_and_only_r_takes_it_away():
    scan(
        TONR,
        PT="50ms",
        table="""
        IN R | Q ET
        1  0 | 0 0ms
        1  0 | 0 10ms
        0  0 | 0 20ms      # what IN was counts until this scan
        0  0 | 0 20ms
        1  0 | 0 20ms
        1  0 | 0 30ms
        1  0 | 0 40ms
        1  0 | 1 50ms
        1  0 | 1 50ms      # held at PT
        0  0 | 1 50ms      # Q stays
        0  1 | 0 0ms
        1  0 | 0 0ms
    """,
    )


def test_short_pulses_add_up_to_their_true_time():
    """Every second scan true: half of the time. A timer that asks for two true scans in a row would never move."""
    tonr = Instance(TONR)
    tonr.PT = 1000 * MS
    for i in range(100):
        tonr.IN = i % 2 == 0
        tonr.scan(10 * MS)
    assert tonr.ET == 500 * MS


def test_reset_wins_and_nothing_is_gathered_under_it():
    scan(TONR, PT="20ms", table="IN R | Q ET\n 1 1 | 0 0ms\n 1 1 | 0 0ms\n 1 0 | 0 0ms\n 1 0 | 0 10ms\n 1 1 | 0 0ms")


def test_only_r_takes_the_time_and_q_away_whatever_pt_becomes():
    """Q comes with 20 ms; a PT of 5 ms shows 5 ms and takes nothing of the 50 ms gathered."""
    scan(
        TONR,
        table="""
        PT    IN R | Q ET
        60ms  1  0 | 0 0ms
        60ms  1  0 | 0 10ms
        5ms   1  0 | 1 5ms
        60ms  1  0 | 1 30ms
        60ms  1  1 | 0 0ms
        60ms  1  0 | 0 0ms
    """,
    )
    scan(
        TONR,
        table="""
            PT IN | Q ET
            20ms 1 | 0 0ms
            20ms 1 | 0 10ms
            20ms 1 | 1 20ms
            40ms 1 | 1 30ms
            5ms 1 | 1 5ms
            60ms 1 | 1 50ms
        """,
    )


def test_a_blinker_starts_high_and_keeps_its_rhythm_when_scans_are_late():
    scan(
        BLINK,
        TIMELOW="100ms",
        TIMEHIGH="100ms",
        table="""
        dt    ENABLE | OUT
        10ms  0      | 0
        10ms  1      | 1
        90ms  1      | 1
        10ms  1      | 0
        99ms  1      | 0
        1ms   1      | 1
        250ms 1      | 1       # at 450 ms: 50 ms into the third pulse
        50ms  1      | 0
        10ms  0      | 0
        10ms  1      | 1       # begins anew
    """,
    )


def test_a_blinker_with_a_half_of_no_length_does_not_blink():
    scan(BLINK, TIMELOW="0s", TIMEHIGH="10ms", table="ENABLE | OUT\n 1 | 1\n 1 | 1\n 1 | 1")
    scan(BLINK, TIMELOW="10ms", TIMEHIGH="0s", table="ENABLE | OUT\n 1 | 0\n 1 | 0\n 1 | 0")
    scan(BLINK, TIMELOW="0s", TIMEHIGH="0s", table="ENABLE | OUT\n 1 | 0\n 1 | 0")


def test_a_blinker_does_not_drift_over_a_day():
    """30 ms by 7 ms scans: the share of true scans stays that of the two times."""
    blink = Instance(BLINK)
    blink.TIMEHIGH, blink.TIMELOW, blink.ENABLE = 10 * MS, 20 * MS, True
    seen = 0
    for i in range(3000):
        blink.scan(7 * MS)
        assert blink.OUT == (7 * i % 30 < 10)
        seen += blink.OUT
    assert seen == 1000


WAVES = {  # as functions of the turns since the start
    0: lambda x: scipy.signal.sawtooth(2 * np.pi * (x + 0.25), 0.5),
    1: lambda x: (scipy.signal.sawtooth(2 * np.pi * x, 0.5) + 1) / 2,
    2: lambda x: scipy.signal.sawtooth(2 * np.pi * x, 1),
    3: lambda x: scipy.signal.sawtooth(2 * np.pi * x, 0),
    4: lambda x: scipy.signal.square(2 * np.pi * x),
    5: lambda x: np.sin(2 * np.pi * x),
    6: lambda x: np.cos(2 * np.pi * x),
}


@pytest.mark.parametrize("mode", WAVES)
def test_the_waveforms_are_scipys(mode: int, deviation):
    gen = Instance(GEN)
    gen.MODE, gen.PERIOD, gen.AMPLITUDE = mode, 1000 * MS, 2.5
    error = 0.0
    for i in range(1000):
        gen.scan(7 * MS)
        turns = (7 * i % 1000) / 1000
        if turns not in (0.0, 0.5):  # the steps, where a rounding of SciPy's decides
            error = max(error, abs(gen.OUT - 2.5 * float(WAVES[mode](turns))))
    # SciPy reduces angles in floating point, of up to 2 pi here: some units of 4e-16 on slopes of 4 / pi
    deviation("GEN", "scipy 1.17", f"mode {mode}", error, 1e-14)


def test_a_waveform_starts_and_steps_where_it_says():
    starts = {0: 0, 1: 0, 2: -10, 3: 10, 4: 10, 5: 0, 6: 10}
    for mode, start in starts.items():
        scan(GEN, MODE=mode, PERIOD="40ms", AMPLITUDE=10.0, table=f"RESET | OUT\n 0 | {start}\n 0 | -\n 1 | {start}\n 1 | {start}")
    scan(GEN, MODE=4, PERIOD="40ms", table="x RESET | OUT\n 2 0 | 1\n 1 0 | -1\n 1 0 | -1\n 1 0 | 1")
    scan(GEN, MODE=2, PERIOD="40ms", table="x RESET | OUT\n 1 0 | -1\n 1 0 | -0.5\n 1 0 | 0\n 1 0 | 0.5\n 1 0 | -1")


def test_a_new_period_keeps_the_place_so_that_nothing_jumps():
    scan(
        GEN,
        MODE=2,
        AMPLITUDE=10.0,
        table="""
        PERIOD x | OUT
        100ms  5 | -2        # 40 ms of 100
        200ms  1 | -1        # 80 ms of 200 and a scan of 10 ms: 45 %
        50ms   1 | 3         # 22.5 ms of 50 and a scan: 65 %
    """,
    )


def test_a_waveform_without_a_period_stands_still_and_a_broken_amplitude_is_seen():
    scan(GEN, MODE=6, PERIOD="0s", table="x RESET | OUT\n 1 0 | 1\n 5 0 | 1")
    scan(GEN, MODE=6, PERIOD="40ms", table="AMPLITUDE | OUT\n 1 | 1\n nan | nan\n 1 | -1")


def test_the_frequency_is_the_mean_of_the_periods_asked_for():
    scan(
        FREQ_MEASURE,
        PERIODS=2,
        table="""
        x IN | OUT VALID
        1 1  | 0   0       # true from the start: no edge
        1 0  | 0   0
        1 1  | 0   0
        1 0  | 0   0
        1 1  | 0   0       # one period of 20 ms
        2 0  | 0   0
        1 1  | 40  1       # 20 and 30 ms: two periods in 50 ms
        2 0  | 40  1
        1 1  | ~33.333333 1
    """,
    )


def test_a_signal_that_stops_has_no_frequency_and_one_that_returns_is_measured_anew():
    scan(
        FREQ_MEASURE,
        table="""
        x IN | OUT VALID
        1 0  | 0   0
        1 1  | 0   0
        1 0  | 0   0
        1 1  | 50  1
        6 0  | 50  1       # 60 ms, three periods
        1 0  | 0   0
        9 0  | 0   0
        1 1  | 0   0       # the pause was no period
        1 0  | 0   0
        1 1  | 50  1
    """,
    )


def test_reset_forgets_the_periods():
    scan(
        FREQ_MEASURE,
        table="""
        IN RESET | OUT VALID
        0  0     | 0   0
        1  0     | 0   0
        0  0     | 0   0
        1  0     | 50  1
        0  1     | 0   0
        1  0     | 0   0
        0  0     | 0   0
        1  0     | 50  1
    """,
    )


@pytest.mark.parametrize("periods", [1, 10])
def test_the_error_of_a_frequency_is_one_scan_by_the_time_measured(periods: int, deviation):
    """3.7 Hz, scanned each 10 ms: an edge is seen up to a scan late, so the span of k periods is off by less than a scan."""
    measure, truth, worst = Instance(FREQ_MEASURE), 3.7, 0.0
    measure.PERIODS = periods
    for i in range(3000):
        measure.IN = math.fmod(i * 0.01 * truth, 1.0) < 0.5
        measure.scan(10 * MS)
        if measure.VALID:
            worst = max(worst, abs(measure.OUT / truth - 1.0))
    assert measure.VALID
    span = periods / truth
    deviation("FREQ_MEASURE", "the true 3.7 Hz", f"{periods} periods", worst * 100, 0.01 / (span - 0.01) * 100, "%")
