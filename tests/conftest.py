"""What every test may ask for: `deviation`, which holds a block to a bar against a reference and shows all of them at the end.

`make test` runs three processes. The tests that start processes and watch clocks make groups, each in one process and one after
another; those that only compute are dealt out by file to whoever has time. A site of 10 ms scans beside a browser comes last
and alone: two busy cores are too little for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import PurePosixPath

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

from tests.aids.deviations import Deviation, table

FOUND = pytest.StashKey[list[Deviation]]()
ONLY_COMPUTE = ("tests/blocks", "tests/runtime/language", "tests/runtime/reference")
BY_FUNCTION = ("tests/blocks/test_every_block.py",)  # too much for one process
FIELD = ("tests/site", "tests/runtime/engine", "tests/runtime/fieldbus", "tests/hmi")  # about half of what does not only compute
WORKSHOP = ("tests/hmi/test_workshop.py",)
LAST = "workshop"  # its group
LEFT = 2  # tests of a process, when xdist asks what it does next

settings.register_profile("shared machine", deadline=None)  # an example that takes long says nothing about the code here
settings.load_profile("shared machine")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FOUND] = []
    config.pluginmanager.register(_Collected(config), "deviations")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    return _Dealer(config, log)


class _Dealer(LoadScopeScheduling):
    """Deals the tests out to the processes, by what they are of: the largest group first, each to one process."""

    def _split_scope(self, nodeid: str) -> str:
        file, _, name = nodeid.partition("::")
        if _is_in(file, ONLY_COMPUTE):
            return f"{file}::{name.partition('[')[0]}" if _is_in(file, BY_FUNCTION) else file
        if _is_in(file, WORKSHOP):
            return LAST
        return "field" if _is_in(file, FIELD) else "others"

    def _assign_work_unit(self, node: WorkerController) -> None:
        if LAST in self.workqueue:
            self.workqueue.move_to_end(LAST)
        super()._assign_work_unit(node)

    def _reschedule(self, node: WorkerController) -> None:
        """Whoever has no more to do ends, and the one who is busy longest takes what must be alone."""
        is_done = self._pending_of(self.assigned_work.get(node, {})) <= LEFT
        others = [one for one in self.nodes if one is not node and not one.shutting_down]
        if list(self.workqueue) == [LAST] and is_done and others:
            node.shutdown()
        else:
            super()._reschedule(node)


def _is_in(file: str, folders: tuple[str, ...]) -> bool:
    return any(PurePosixPath(file).is_relative_to(folder) for folder in folders)


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
