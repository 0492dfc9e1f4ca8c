"""The verb `replay`: what is wrong with the words, and what is not there, is said with an exit code for scripts."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from runtime.cli import app
from tests.aids.places import DEMO_SITE


def replay(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["replay", *words])
    return done.exit_code, done.output


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, "say a FILE, or --since"),
        (["none.tape"], 74, "no such file; incidents are in"),
        (["none.tape", "--since", "1h"], 74, "no such file"),
        (["none.tape", "--csv", "x.csv"], 74, "no such file"),
        (["--since", "soon"], 2, "is no time"),
        (["--since", "1h"], 74, "has no tape of that time"),
    ],
)
def test_what_cannot_be_replayed(words: list[str], code: int, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("BESSPLC_SITE", str(DEMO_SITE))
    assert replay(*words)[0] == code
    assert said in replay(*words)[1].replace("\n", " ")


def test_a_file_that_is_no_tape_has_nothing_to_replay(tmp_path: Path) -> None:
    (tmp_path / "x.tape").write_bytes(b"something else altogether, and long enough to be read as a head")
    code, said = replay(str(tmp_path / "x.tape"))
    assert code == 1
    assert "no block of a tape begins there" in said and "nothing to replay" in said
