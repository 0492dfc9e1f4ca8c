"""What every test may ask for: `deviation`, which holds a block to a bar against a reference and shows all of them at the end."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from tests.aids.deviations import Deviation, table

FOUND = pytest.StashKey[list[Deviation]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FOUND] = []


@pytest.fixture
def deviation(request: pytest.FixtureRequest) -> Callable[..., None]:
    """`deviation("VOLT_VAR", "opender 2.2", "Q over V", error, 1e-9, "pu")` fails where error > bar; the table shows both."""

    def hold(block: str, reference: str, what: str, error: float, bar: float, unit: str = "") -> None:
        request.config.stash[FOUND].append(Deviation(block, reference, what, float(error), float(bar), unit))
        assert math.isfinite(error) and error <= bar, f"{block} against {reference}, {what}: {error} {unit}, bar {bar}"

    return hold


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    found = config.stash[FOUND]
    if found:
        terminalreporter.section("deviations from the references")
        terminalreporter.write_line(table(found))
