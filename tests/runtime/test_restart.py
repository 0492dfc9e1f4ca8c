"""What a site asks of its runtime: started anew in the same process, or a reboot of the machine; asked once, done once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from runtime import restart
from runtime.cli import app
from runtime.quality import GOOD
from runtime.restart import FILE, REBOOT, RESTART, Asked, command_of, go_on, is_as_read
from runtime.rundir import state_folder_of
from tests.aids.places import DEMO_SITE
from tests.aids.site import until
from tests.aids.site_text import load_all, texts

TAGS = "site.again: {type: BOOL}\nsite.boot: {type: BOOL}\nhmi.a: {type: BOOL, write: operator}"
PROGRAM = "outputs: {site.again: hmi.a, site.boot: hmi.a}\n"


class Picture:
    """A snapshot in which the tags are as the test says."""

    def __init__(self) -> None:
        self.values: dict[str, bool] = {}
        self.code = GOOD

    def value(self, tag: Any) -> bool:
        return self.values.get(tag.name, False)

    def quality(self, tag: Any) -> int:
        return self.code


class Watched:
    """A site with its files on disk, and who looks at what it asks for."""

    def __init__(self, folder: Path, *, reboot: tuple[str, ...] = ()):
        made = texts(PROGRAM, TAGS)
        made["config/site.yaml"] += "runtime: {restart: site.again, reboot: site.boot}\n"
        for name, text in made.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        self.site = replace(load_all(made), root=str(folder))
        self.options: Any = SimpleNamespace(site=folder / "config/site.yaml", reboot=reboot)
        self.state = state_folder_of(self.options.site)
        self.state.mkdir(parents=True, exist_ok=True)
        self.told: list[str] = []
        self.deeds: list[Any] = []
        self.picture: Any = Picture()
        self.start()

    def start(self, before: Asked | None = None) -> None:
        """Another start, or another program in the same run."""
        self.asked = Asked(self.site, self.options, lambda p, e, facts: self.told.append(facts["text"]), self.deeds.append, before)

    def see(self, again: bool = False, boot: bool = False) -> str:
        self.picture.values = {"site.again": again, "site.boot": boot}
        return self.asked.look(self.picture)

    def long_ago(self) -> None:
        """Everything that was done was done yesterday."""
        path = self.state / FILE
        path.write_text(json.dumps({word: at - 86400 for word, at in json.loads(path.read_text()).items()}))


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watched:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return Watched(tmp_path / "plant")


def test_a_tag_asks_when_it_turns_true_and_is_not_asked_twice(watched: Watched) -> None:
    assert [watched.see(), watched.see(again=True), watched.see(again=True)] == ["", RESTART, ""]
    [deed] = watched.deeds
    assert (deed.action, deed.subject, deed.taken) == ("restart", "site", True)


def test_a_request_that_a_start_finds_is_none(watched: Watched) -> None:
    """It asked before this start, and would ask for another after each."""
    assert watched.see(again=True) == ""
    watched.start()
    assert [watched.see(again=True), watched.see(again=True)] == ["", ""]
    assert watched.told == ["refused: it stood already when this start began to look: it has to fall and rise again"] * 2


def test_a_request_that_turns_true_again_after_each_start_ends_no_site(watched: Watched) -> None:
    """A program that retains what it asks with makes one start of it, not a loop; a day later it may ask again."""
    watched.see()
    assert watched.see(again=True) == RESTART
    watched.start()
    assert [watched.see(), watched.see(again=True)] == ["", ""]
    assert "not again before 60 s have passed" in watched.told[-1] and not watched.deeds[-1].taken
    watched.long_ago()
    assert [watched.see(), watched.see(again=True)] == ["", RESTART]


def test_a_program_that_was_loaded_goes_on_from_what_was_seen(watched: Watched) -> None:
    watched.see()
    watched.start(watched.asked)
    assert watched.see(again=True) == RESTART


def test_what_is_not_known_asks_for_nothing(watched: Watched) -> None:
    watched.see()
    watched.picture.code = 0x80000000
    assert watched.see(again=True) == ""


def test_a_machine_is_rebooted_only_where_its_command_line_says_how(watched: Watched, tmp_path: Path) -> None:
    watched.see()
    assert watched.see(boot=True) == ""
    assert watched.told == [
        "refused: this machine does not allow it; `bessplc run --reboot-command` names the command that may do it"
    ]
    allowed = Watched(tmp_path / "other", reboot=("true",))
    allowed.see()
    assert allowed.see(boot=True) == REBOOT


def test_edited_files_are_checked_before_the_site_that_runs_is_given_up(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    program = Path(watched.site.root) / "programs/p.yaml"
    text = program.read_text()
    assert is_as_read(watched.site)
    program.write_text(text.replace("hmi.a", "hmi.b", 1))
    watched.see()
    assert watched.see(again=True) == "" and not watched.told
    until(lambda: watched.see(again=True) or watched.told, 60, "the check ends")
    assert watched.told == ["refused: the files were edited and have mistakes, which `bessplc check` shows"]
    program.write_text(f"# the same\n{text}")
    monkeypatch.setattr(restart, "_check_of", lambda _: subprocess.Popen(["true"]))
    watched.see()
    assert until(lambda: watched.see(again=True), 60, "the check ends") == RESTART


def test_a_reboot_command_is_a_program_of_this_machine() -> None:
    assert command_of("true --now 'a b'") == ("true", "--now", "a b")
    for wrong in ("", "   ", "no-such-program-here", "'"):
        with pytest.raises(ValueError):
            command_of(wrong)


def test_the_command_line_refuses_one_that_is_none_before_anything_starts() -> None:
    done = CliRunner().invoke(app, ["run", "--site", str(DEMO_SITE), "--reboot-command", "no-such-program-here"])
    assert done.exit_code == 2 and "there is no program `no-such-program-here`" in done.output


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[list[str]]]:
    """What was started anew: nothing really is."""
    found: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda program, words: found.append(words))
    monkeypatch.setattr(sys, "orig_argv", ["python", "-m", "runtime.cli", "run", "--cold", "--site", "x"])
    yield found
    restart.listen()


LOG: Any = SimpleNamespace(info=lambda *_, **__: None, error=lambda *_, **__: None)


def test_the_same_command_line_is_started_but_for_the_cold_start(begun: list[list[str]]) -> None:
    go_on(RESTART, (), [], LOG, lambda: None)
    assert begun == [["python", "-m", "runtime.cli", "run", "--site", "x"]]


def test_who_asks_to_stop_meanwhile_is_obeyed(begun: list[list[str]]) -> None:
    assert go_on(RESTART, (), [signal.SIGTERM], LOG, lambda: None) == 0
    assert go_on(REBOOT, ("false",), [signal.SIGTERM], LOG, lambda: None) == 0
    assert begun == [] and not signal.pthread_sigmask(signal.SIG_BLOCK, ()), "and is heard later, too"


def test_a_machine_that_goes_down_ends_the_site(begun: list[list[str]], tmp_path: Path) -> None:
    stop: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: stop.append(number))
    try:
        command = ("sh", "-c", f"touch {tmp_path / 'down'}; kill -TERM {os.getpid()}")
        assert go_on(REBOOT, command, stop, LOG, lambda: None) == 0
    finally:
        signal.signal(signal.SIGTERM, before)
    assert (tmp_path / "down").exists() and begun == []


@pytest.mark.parametrize("command", [("false",), ("/nowhere/reboot",), ("true",)])
def test_a_machine_that_does_not_go_down_gets_its_site_back(
    begun: list[list[str]], monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setattr(restart, "REBOOT_PATIENCE_S", 0.2)
    go_on(REBOOT, command, [], LOG, lambda: None)
    assert len(begun) == 1
