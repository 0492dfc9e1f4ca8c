"""Tests of programs: scans a second of the demo site's own tests, from their first scan to their last."""

from __future__ import annotations

import statistics

from blocks import catalogue
from runtime.app import read_site
from runtime.language.scenarios import read_scenarios
from runtime.program_tests import run_tests
from runtime.program_tests_stand import stand
from runtime.source import Report
from tests.aids.places import DEMO_SITE
from tests.bench.measure import Result

SITE = DEMO_SITE
WINDOWS = 5
BAR = 5_000.0  # scans/s


def run() -> list[Result]:
    site, report = read_site(SITE)[0], Report()
    scenarios = read_scenarios(site, catalogue(), report)
    report.raise_if_any()
    rates = []
    with stand(site, scenarios.points) as made:
        for _ in range(WINDOWS):
            outcomes = run_tests(made, scenarios.tests)
            assert all(one.passed for one in outcomes), [one.scenario.full_name for one in outcomes if not one.passed]
            rates.append(sum(one.scans for one in outcomes) / sum(one.seconds for one in outcomes))
    rate = statistics.median(rates)
    return [
        Result("program tests of the demo, time a scan", 1e6 / rate, "us", 1e6 / BAR),
        Result("program tests of the demo, scans a second", rate, "scans/s"),
        Result("program tests of the demo, slowest of the windows", min(rates), "scans/s"),
    ]
