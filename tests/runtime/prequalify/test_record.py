"""The record of a test: what the operators prescribe of a log is checked, refused in words, and survives its file."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import numpy as np
import pytest

from runtime.prequalify import record_csv
from runtime.prequalify import sequences_fcr as fcr
from runtime.prequalify.record import Logging, Record, RecordRefused, check
from runtime.prequalify.record_csv import Resource
from tests.aids import reserve_plants as plants

TEST = fcr.ramp_test(fcr.FCR_D_UP)
TEN_A_SECOND = Logging.nordic(0.1, 1000.0)


def good(dt: float = 0.1) -> Record:
    return plants.record_of(TEST, fcr.FCR_D_UP, plants.converter, dt)


def without(record: Record, keep: np.ndarray) -> Record:
    return dataclasses.replace(
        record, **{name: getattr(record, name)[keep] for name in ("t", "f", "p", "p_set", "soc", "q", "v", "status")}
    )


def refusal(record: Record, logging: Logging = TEN_A_SECOND) -> str:
    with pytest.raises(RecordRefused) as refused:
        check(record, logging, TEST)
    return str(refused.value)


def test_a_complete_log_of_ten_samples_a_second_is_taken():
    check(good(), TEN_A_SECOND, TEST)


def test_a_gap_is_refused_with_its_place_and_its_length():
    record = good()
    text = refusal(without(record, (record.t < 691.95) | (record.t > 693.05)))
    assert text == "no sample between 691.900 s and 693.100 s, a gap of 1.200 s"


def test_too_few_samples_a_second_are_refused_for_fcr_d_and_enough_for_fcr_n():
    assert "a sample every 0.200 s; at least every 0.100 s is prescribed" in refusal(good(0.2))
    check(good(0.2), Logging.nordic(0.2, 1000.0), TEST)


def test_what_is_no_number_and_time_that_stands_still_are_refused():
    record = good()
    p = record.p.copy()
    p[[10, 500]] = np.nan
    assert refusal(dataclasses.replace(record, p=p)) == "p is no number in 2 samples, first at 1.000 s"
    t = record.t.copy()
    t[100] = t[99]
    assert "time does not go on after 9.900 s" in refusal(dataclasses.replace(record, t=t))


def test_a_meter_too_coarse_for_the_prescribed_resolution_is_refused():
    """5 mHz and 0.01 MW: a sine in steps of 10 mHz, or power in steps of 25 kW."""
    test = fcr.sine_test(fcr.FCR_D_UP, 25.0)
    record = plants.record_of(test, fcr.FCR_D_UP, plants.converter)
    check(record, TEN_A_SECOND, test)
    coarse = dataclasses.replace(record, f=np.round(record.f, 2))
    with pytest.raises(RecordRefused, match=r"f moves in steps of 0\.01 Hz; a resolution of 0\.005 Hz is prescribed"):
        check(coarse, TEN_A_SECOND)
    with pytest.raises(RecordRefused, match="p moves in steps of 25 kW; a resolution of 10 kW is prescribed"):
        check(dataclasses.replace(record, p=np.round(record.p / 25.0) * 25.0), TEN_A_SECOND)


def test_a_record_of_another_test_or_of_half_a_test_is_refused():
    record = good()
    assert "the record ends at 399.9 s, the fast ramp test lasts 810.0 s" in refusal(without(record, record.t < 400.0))
    assert "mHz off the fast ramp test" in refusal(dataclasses.replace(record, f=100.0 - record.f))


RESOURCE = Resource("Battery_1", "FcrdUp", 1000.0, 0.4, energy=2000.0)


def test_the_file_has_the_prescribed_name_headers_times_and_lines(tmp_path):
    record = dataclasses.replace(good(), start=datetime(2026, 3, 28, 12, 0, tzinfo=UTC))
    name = record_csv.file_name(dataclasses.replace(RESOURCE, name="Battery 1"), "Ramp", record)
    assert name == "Battery-1_FcrdUp_Ramp_FI_UTC_20260328T1200-20260328T1213_100ms.csv"
    record_csv.write(tmp_path / name, record, RESOURCE)
    raw = (tmp_path / name).read_bytes()
    head, first, *_ = raw.decode().split("\r\n")
    assert head.split(",") == [
        *("DateTime", "InsAcPow", "GridFreq", "ApplFreqSig", "ContMode_FcrdUp", "Cap_FcrdUp", "RegStr_FcrdUp", "CalcBaseline"),
        *("Activated_FcrdUp", "ResSize_FcrdUp", "NEM_MW_FcrdUp", "NEM_FcrdUp", "AEM_FcrdUp", "SOC"),
    ]
    assert first == "20260328T120000.000,0,49.9,49.9,1,1,2.5,0,0,2,0,0,0,50", "1 MW over 0.4 Hz is 2.5 MW/Hz"
    assert raw.count(b"\n") == raw.count(b"\r\n") == 8101


def test_a_record_comes_back_from_its_file_as_it_was(tmp_path):
    record = good()
    record = dataclasses.replace(
        record, p_set=np.full(len(record.t), -20.0), more={"NEM_MW_FcrdUp": np.linspace(0.0, 0.2, len(record.t))}
    )
    path = tmp_path / record_csv.file_name(RESOURCE, "Ramp", record)
    record_csv.write(path, record, RESOURCE, ours=True)
    back, resource = record_csv.read(path.rename(tmp_path / path.name.replace("Battery-1", "Battery_1")))
    for name in ("t", "f", "p", "p_set", "soc", "q", "v", "status"):
        np.testing.assert_allclose(getattr(back, name), getattr(record, name), rtol=1e-8, atol=1e-9, err_msg=name)
    np.testing.assert_allclose(back.more["NEM_MW_FcrdUp"], record.more["NEM_MW_FcrdUp"], rtol=1e-8)
    assert (resource, back.start) == (RESOURCE, record.start)
    check(back, TEN_A_SECOND, TEST)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda text: text.replace("InsAcPow", "Power"), "the column InsAcPow is missing"),
        (lambda text: text.replace("49.9,49.9", "49.9,many", 1), "line 2: `many` in ApplFreqSig is no number"),
        (
            lambda text: text.replace("20260101T000000.100", "2026-01-01 00:00:00.1"),
            "line 3: the time `2026-01-01 00:00:00.1` is not",
        ),
        (lambda text: text.replace("20260101T000000.000", "20261301T000000.000"), "there is no time 20261301T000000.000"),
        (lambda text: text.replace("\r\n", ",7\r\n", 2).replace(",7\r\n", "\r\n", 1), "line 2 has"),
        (lambda text: text.split("\r\n")[0] + "\r\n", "the file has no samples"),
    ],
)
def test_a_spoiled_file_is_refused_with_the_line(tmp_path, spoil, words):
    path = tmp_path / record_csv.file_name(RESOURCE, "Ramp", good())
    record_csv.write(path, good(), RESOURCE)
    path.write_bytes(spoil(path.read_bytes().decode()).encode())
    with pytest.raises(RecordRefused, match=words):
        record_csv.read(path)


def test_a_file_of_another_name_is_refused(tmp_path):
    with pytest.raises(RecordRefused, match=r"night\.csv is not \[Resource\]_\[Service\]"):
        record_csv.read(tmp_path / "night.csv")


def test_integrals_and_means_are_those_of_the_curve():
    """p = t over 10 s: energy 50 kWs, 12.5 from 5 s on to 7.07..; the mean of 2 .. 4 s is 3 (less half a sample)."""
    t = np.arange(0.0, 10.01, 0.01)
    record = Record.of(t, np.full(len(t), 50.0), t)
    assert record.integral(record.p, 0.0, 10.0) == pytest.approx(50.0)
    assert record.integral(record.p, 0.005, 7.505) == pytest.approx((7.505**2 - 0.005**2) / 2.0)
    assert record.mean(record.p, 2.0, 4.0) == pytest.approx(3.0, abs=0.006)
