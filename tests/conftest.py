"""What every test may ask for: `deviation`, which holds a block to a bar against a reference and shows all of them at the end.

`make test` runs two processes: the tests of blocks and language, which only compute, are dealt out to both; all others start
processes and watch clocks, and stay in one process, one after another.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from tests.aids.deviations import Deviation, table

FOUND = pytest.StashKey[list[Deviation]]()
TESTS = Path(__file__).parent
ONLY_COMPUTE = ("blocks", "runtime/language", "runtime/reference")


settings.register_profile("shared machine", deadline=None)  # an example that takes long says nothing about the code here
settings.load_profile("shared machine")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FOUND] = []
    config.pluginmanager.register(_Collected(config), "deviations")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if not any(item.path.is_relative_to(TESTS / folder) for folder in ONLY_COMPUTE):
            item.add_marker(pytest.mark.xdist_group("one after another"))


@pytest.fixture
def deviation(request: pytest.FixtureRequest) -> Callable[..., None]:
    """`deviation("VOLT_VAR", "opender 2.2", "Q over V", error, 1e-9, "pu")` fails where error > bar; the table shows both."""

    def hold(block: str, reference: str, what: str, error: float, bar: float, unit: str = "") -> None:
        request.node.user_properties.append(("deviation", (block, reference, what, float(error), float(bar), unit)))
        assert math.isfinite(error) and error <= bar, f"{block} against {reference}, {what}: {error} {unit}, bar {bar}"

    return hold


class _Collected:
    """Takes the deviations out of the reports, which come from other processes too."""

    def __init__(self, config: pytest.Config):
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            found = [Deviation(*value) for name, value in report.user_properties if name == "deviation"]  # type: ignore[misc]
            self._config.stash[FOUND] += found


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    found = config.stash[FOUND]
    if found:
        terminalreporter.section("deviations from the references")
        terminalreporter.write_line(table(found))
