"""`python -m runtime.control_prepare`: reads an edited site beside a running one, in a process of its own.

It checks the files, compiles the kernels that the cache lacks, and compares the site with the running one, so that neither the
scan nor its supervisor is held up. It starts nothing and touches no shared file.
"""

from __future__ import annotations

import os
import pickle
import sys
from dataclasses import dataclass
from pathlib import Path

from runtime import child
from runtime.model import Site
from runtime.program_diff import Difference
from runtime.source import Problem

NICENESS = 5


@dataclass(frozen=True)
class PrepareOrder:
    """The site file to read, and the site that runs."""

    site: str
    running: Site


@dataclass(frozen=True)
class Prepared:
    """The edited site (None: `problems` holds its mistakes), the warnings, what differs, and the kernels that were compiled."""

    site: Site | None
    problems: tuple[Problem, ...]
    differences: tuple[Difference, ...] = ()
    compiled: tuple[str, ...] = ()


def prepare(order: PrepareOrder) -> Prepared:
    """Read, check, compile, compare."""
    from runtime.app import read_site
    from runtime.engine import kernels
    from runtime.engine.plan import wanted_kernels
    from runtime.program_diff import differences
    from runtime.source import SiteError

    try:
        site, warnings = read_site(Path(order.site))
    except SiteError as error:
        return Prepared(None, error.problems)
    wanted = wanted_kernels(site.schedule)
    missing = kernels.uncached(wanted)  # type: ignore[arg-type]
    if missing:
        kernels.load_kernels(wanted)  # type: ignore[arg-type]
    return Prepared(site, warnings, differences(order.running, site), tuple(missing))


def main() -> int:
    """Answer one order on standard output. What anybody prints goes to standard error: it would spoil the answer.

    A whole answer ends the process on the spot: taking a large interpreter down takes longer than the supervisor waits.
    """
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    os.nice(NICENESS)
    try:
        order: PrepareOrder = child.receive()
    except EOFError:
        return os.EX_USAGE  # the supervisor gave up
    if type(order).__module__ != PrepareOrder.__module__:
        return os.EX_USAGE
    with answer:
        answer.write(pickle.dumps(prepare(order), pickle.HIGHEST_PROTOCOL))
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    from runtime.control_prepare import main as run  # under its own name: what is pickled here is read under that

    sys.exit(run())
