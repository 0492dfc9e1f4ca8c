"""SIGHUP and `run --watch` on a real small site: an edited file runs, a broken one does not, and why is said; nothing piles up."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from runtime.onlooker import NOT_LOADED
from tests.aids.site import ROOT, RunningSite, until
from tests.aids.small_site import descriptors, running_small_site

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
EXTRA = "  extra{n}: {{type: ADD, A: 1.0, B: 2.0}}\n"
SWAPS = 3


class Edited:
    """A running small site and the program that the test edits."""

    def __init__(self, site: RunningSite):
        self.site, self.program = site, site.root / "programs/peak.yaml"
        self.text = self.program.read_text()

    def add_block(self, number: int) -> None:
        """Save the program with one more block of this number."""
        self.program.write_text(re.sub(r"^blocks:.*\n", lambda found: found[0] + EXTRA.format(n=number), self.text, flags=re.M))

    def loads(self) -> list[dict[str, Any]]:
        return [line for line in self.site.log() if line.get("event") == "load"]

    def next_load(self, before: int) -> dict[str, Any]:
        """The load after so many."""
        return until(lambda: self.loads()[before:], 90, "a load in the log")[0]  # type: ignore[no-any-return]

    def hang_up(self) -> dict[str, Any]:
        """SIGHUP, and what came of it."""
        count = len(self.loads())
        self.site.process.send_signal(signal.SIGHUP)
        return self.next_load(count)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edited]:
    with running_small_site(tmp_path_factory.mktemp("hup")) as site:
        yield Edited(site)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edited]:
    with running_small_site(tmp_path_factory.mktemp("watch"), "--watch") as site:
        yield Edited(site)


def test_sighup_loads_what_was_edited(plain: Edited) -> None:
    plain.add_block(1)
    done = plain.hang_up()
    assert done["ok"] and done["swapped"] and done["user"] == "SIGHUP", done
    assert done["differences"] == ["+ block peak.extra1: ADD of LREAL"]
    assert plain.site.process.poll() is None


def test_sighup_with_a_broken_edit_leaves_the_old_program_running_and_says_why(plain: Edited) -> None:
    plain.add_block(1)
    plain.hang_up()
    plain.program.write_text(plain.program.read_text().replace("IN: grid.p,", "IN: grid.q,"))
    scan = plain.site.pid_of("runtime.engine.scan")
    done = plain.hang_up()
    assert not done["ok"] and done["text"] == "refused: the files have mistakes"
    problem = until(lambda: next((e for e in plain.site.log() if e.get("event") == "problem"), None), 20, "the mistake in the log")
    assert "grid.q" in str(problem["problem"]) and "programs/peak.yaml" in str(problem["problem"])
    assert not done["swapped"] and plain.site.pid_of("runtime.engine.scan") == scan


def test_programs_one_after_another_leave_no_file_open(plain: Edited) -> None:
    """Descriptors of the supervisor and of the scan are after the last swap what they were after the first."""
    figures = []
    for n in range(SWAPS):
        plain.add_block(2 + n % 2)
        assert plain.hang_up()["swapped"]
        figures.append([descriptors(pid) for pid in (plain.site.pid_of("runtime.engine.scan"), plain.site.process.pid)])
    for files, files_on in zip(figures[0], figures[-1], strict=True):
        assert files_on <= files + 1, "a load that is just ending may still hold its pipe"
    assert len(list(plain.site.run_dir.glob("program.*"))) <= 2


def test_who_looks_on_sees_the_program_that_runs_while_the_files_are_edited(plain: Edited) -> None:
    plain.program.write_text(plain.text.replace("T: 2 s", "T: 3 s"))
    env = {**os.environ, "BESSPLC_RUN": str(plain.site.run_base), "NO_COLOR": "1"}
    words = ["io", "--site", str(plain.site.root / "config/site.yaml")]
    done = subprocess.run(
        [sys.executable, "-m", "runtime.cli", *words], cwd=ROOT, env=env, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0 and "grid.p" in done.stdout, done.stderr
    assert NOT_LOADED in done.stderr


def test_a_saved_file_is_loaded_where_the_site_watches_its_files(watched: Edited) -> None:
    watched.add_block(1)
    done = watched.next_load(0)
    assert done["swapped"] and done["user"] == "the watch over the files", done
    watched.program.write_text("program: [\n")
    refused = watched.next_load(1)
    assert refused["text"] == "refused: the files have mistakes"
    watched.program.write_text(watched.text)
    assert watched.next_load(2)["swapped"]
