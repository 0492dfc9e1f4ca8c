"""The small words of io_maps: what is taken, and what is explained where it would only fail later."""

import pytest

from runtime.fieldbus import words
from runtime.source import Report, Section, Text

YEAR = 365 * 24 * 3600 * 10**9


@pytest.mark.parametrize(("written", "ns"), [("1 ns", 1), ("1.5 ms", 1_500_000), ("0.25 us", 250), ("8760 h", YEAR)])
def test_a_duration_is_a_whole_number_of_ns(written, ns):
    report = Report()
    assert words.duration(Section([(Text("t"), Text(written))]), "t", 7, report) == ns
    assert not report.problems


@pytest.mark.parametrize("written", ["0.9 ns", "8761 h", "9223372036854775808 ns", "9" * 5000 + " s", "0 s", "-1 s", "1", "1 d"])
def test_what_is_no_duration_is_a_problem_and_the_default(written):
    report = Report()
    assert words.duration(Section([(Text("t"), Text(written))]), "t", 7, report) == 7
    assert [problem.code for problem in report.problems] == ["E653"]


@pytest.mark.parametrize(
    ("written", "value"),
    [("5", 5), ("-12", -12), ("true", True), ("0.5", 0.5), ("can0", "can0"), ("9" * 5000, "9" * 5000)],
)
def test_an_option_for_a_library_has_the_type_that_it_looks_like(written, value):
    found = words.scalar(Text(written))
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("written", ["9" * 5000, "0.5", "1.1 Gbit/s", "2000 Mbit/s", "0"])
def test_what_no_bus_can_be_is_no_bit_rate(written):
    report = Report()
    assert words.bitrate(Section([(Text("b"), Text(written))]), "b", report) is None
    assert [problem.code for problem in report.problems] == ["E653"]


def test_a_bit_rate_is_read_with_its_unit():
    report = Report()
    assert [words.bitrate(Section([(Text("b"), Text(w))]), "b", report) for w in ("500 kbit/s", "1", "0.5 Mbit/s")] == [
        500_000,
        1,
        500_000,
    ]
    assert not report.problems


@pytest.mark.parametrize("written", ["1e999", "9" * 5000, "nan", "x"])
def test_a_number_is_finite(written):
    report = Report()
    assert words.number(Section([(Text("n"), Text(written))]), "n", 2.5, report) == 2.5
    assert [problem.code for problem in report.problems] == ["E654"]
