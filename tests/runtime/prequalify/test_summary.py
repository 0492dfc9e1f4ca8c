"""What may be sold of a battery, and how a terminal and a script are told what a prequalification found."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from runtime.prequalify import summary
from runtime.prequalify.criteria_fcr import POWER, STEADY
from runtime.prequalify.criterion import Finding, Outcome
from runtime.prequalify.programme import SERVICES, Terms, groups_of, sequences_of
from runtime.prequalify.rating import Rating, RatingError, capacity_of, power_in_kw, rating_of, terms_of
from runtime.prequalify.record import Record
from runtime.simulation.settings import PlantSettings

TERMS = Terms(1000.0, 1000.0, tests=("ramp",))


@pytest.mark.parametrize(
    ("service", "energy", "sold"),
    [
        ("fcr-n", 2000.0, 1000.0 / 1.34),  # power for 1.34 C each way
        ("fcr-n", 1000.0, 500.0),  # an hour of C each way
        ("fcr-d-up", 1000.0, 1000.0),
        ("fcr-d-down", 250.0, 750.0),  # 20 minutes of C
        ("ffr", 100.0, 1000.0),
    ],
)
def test_no_more_is_sold_than_power_and_energy_last_for(service, energy, sold):
    """NUMBERS.md, limited reservoirs, table 10."""
    assert capacity_of(service, Rating(1000.0, energy)) == pytest.approx(sold)


def test_a_battery_that_lasts_two_hours_is_no_limited_reservoir():
    assert terms_of("fcr-d-up", Rating(1000.0, 1999.0), None, 0, ()).energy == 1999.0
    assert terms_of("fcr-d-up", Rating(1000.0, 2000.0), None, 0, ()).energy == 0.0
    assert terms_of("fcr-n", Rating(1000.0, 2000.0), 500.0, 0, ()).energy == 0.0
    assert terms_of("ffr", Rating(1000.0, 10.0), None, 0, ()).energy == 0.0


def test_the_rating_is_the_sites_own_or_that_of_its_plant():
    plant = PlantSettings(racks=4)
    assert rating_of({"p_site": "1 MW", "e_site": "2056 kWh"}, plant) == Rating(1000.0, 2056.0)
    assert rating_of({}, plant) == Rating(4 * 230.0, pytest.approx(4 * 256 * 280.0 * 3.2 / 1000.0))


@pytest.mark.parametrize("text", ["12 V", "much", "0 kW", "-5 kW", "5 Gx"])
def test_a_power_that_is_none_is_refused_in_words(text):
    with pytest.raises(RatingError, match=f"`{text}` for --capacity"):
        power_in_kw(text, "--capacity")
    assert (power_in_kw("1 MW", "x"), power_in_kw("250", "x")) == (1000.0, 250.0)


def test_a_line_for_each_requirement_shows_what_decides():
    findings = [
        Finding(STEADY, "fast ramp test", 1.01, (0.0, 1.0)),
        Finding(STEADY, "fast ramp test", 0.5, (0.0, 1.0), "49.5 Hz"),
        Finding(POWER, "fast ramp test", math.nan, (7.5, 7.5)),
    ]
    lines = summary.table(findings).splitlines()
    assert len(lines) == 3
    assert lines[1].startswith("✗ FAIL") and "0.5" in lines[1] and lines[1].endswith("fast ramp test, 49.5 Hz")
    assert "none" in lines[2] and "none s" not in lines[2]


def test_the_verdict_says_what_is_left_and_what_was_not_tested():
    reduced = [Finding(POWER, "fast ramp test", 0.9 * 0.86, (7.5, 7.5))]
    assert summary.verdict(reduced, TERMS, "fcr-d-up") == (
        "▽ REDUCED: 900 of 1000 kW (K = 0.900) (not tested: sines, linearity, endurance)"
    )
    said = summary.as_data(reduced, TERMS, "fcr-d-up")
    assert (said["outcome"], said["left_out"]) == (Outcome.REDUCED.value, ["sines", "linearity", "endurance"])
    assert said["findings"][0]["high"] is None and said["findings"][0]["margin"] == pytest.approx(-0.086)


def test_a_site_that_falls_out_is_said_with_test_and_time():
    test = sequences_of("fcr-d-up", TERMS)[0]
    t = test.times(0.1)
    record = Record.of(t, test.frequency(0.1), np.zeros(len(t)), status=np.where(t < 290.05, 1.0, 0.0))
    assert summary.fallen_out("fcr-d-up", TERMS, {"Ramp": record}) == ["fast ramp test from 290.1 s on"]
    well = dataclasses.replace(record, status=np.ones(len(t)))
    assert summary.fallen_out("fcr-d-up", TERMS, {"Ramp": well}) == []


@pytest.mark.parametrize("service", SERVICES)
def test_every_test_has_a_word_and_every_requirement_a_source(service):
    text = summary.terms_text(service, Terms(1000.0, 1000.0))
    assert all(word in text for word in groups_of(service))
    assert "quoted" in text and "our own reading" in text
