"""`runtime:` of a site: the tags by which programs and runtime ask something of each other are read strictly, with carets."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.requests import Requests
from tests.aids.site_text import load, load_all, said_about, texts

TAGS = """
    site.change_ok: {type: BOOL}
    site.restart: {type: BOOL}
    site.reboot: {type: BOOL}
    site.keeps: {type: BOOL, retain: true, write: operator}
    site.begins: {type: BOOL, default: true, write: operator}
    site.many: {type: "BOOL[4]", write: operator}
    site.p: {type: LREAL, write: operator}
    set.asked: {type: BOOL, pulse: true, write: engineer}
"""
OUTPUTS = "outputs: {site.change_ok: site.p > 1.0, site.restart: site.begins, site.reboot: site.keeps}"
GOOD = "{changes: site.change_ok, refused: set.asked, restart: site.restart, reboot: site.reboot}"


def files(words: str) -> dict[str, str]:
    made = texts(OUTPUTS, TAGS)
    made["config/site.yaml"] += f"runtime: {words}\n"
    return made


def test_the_site_names_the_tags() -> None:
    assert load_all(files(GOOD)).requests == Requests("site.change_ok", "set.asked", "site.restart", "site.reboot")
    assert load_all(files("{restart: SITE.Restart}")).requests == Requests(restart="site.restart")
    assert load("").requests == Requests()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("{changes: site.chang_ok}", "E101]: no tag named `site.chang_ok`"),
        ("{changes: site.p}", "E202]: `site.p` is no BOOL"),
        ("{changes: site.many}", "E202]: `site.many` is no BOOL"),
        ("{changes: [site.change_ok]}", "E010]: `changes` is one tag"),
        ("{change: site.change_ok}", "E006]: `change` is no word of `runtime`"),
        ("{refused: site.begins}", "E010]: `site.begins` is no command"),
        ("{refused: site.change_ok}", "E010]: `site.change_ok` is no command"),
        ("{restart: set.asked}", "E010]: `set.asked` is a pulse"),
        ("{restart: site.keeps}", "E010]: `site.keeps` is retained"),
        ("{reboot: site.begins}", "E010]: `site.begins` is true from the start"),
        ("site.change_ok", "E005]: `runtime` is a section"),
    ],
)
def test_what_could_not_work_is_a_mistake(words: str, said: str, tmp_path: Path) -> None:
    text = said_about(files(words), tmp_path)
    assert f"error[{said}" in text and "config/site.yaml:" in text and "^" in text, text


def test_a_request_that_would_come_again_after_its_own_start_says_why(tmp_path: Path) -> None:
    text = said_about(files("{reboot: site.keeps}"), tmp_path)
    assert "true for a second or longer: the machine is rebooted" in text
    assert "= help: it would ask again after the start that it asked for" in text
