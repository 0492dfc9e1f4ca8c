"""`bessplc fmt`: what an engineer aligned stays, what slipped is repaired, and the meaning never changes."""

from __future__ import annotations

import os
import random
import re
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from runtime.cli import app
from runtime.formatting import format_text
from runtime.language import load_text
from runtime.source import SiteError
from tests.aids.places import DEMO
from tests.aids.site_text import DRIVERS

ROOT = Path(__file__).parents[2]
WRITTEN = ("config", "programs", "io_maps")
FILES = sorted(path for root in (ROOT, DEMO) for folder in WRITTEN for path in (root / folder).rglob("*.yaml"))
README = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


def formatted(text: str) -> str:
    made = format_text("a.yaml", dedent(text).lstrip("\n"))
    assert format_text("a.yaml", made) == made, "once is enough"
    return made


def events(text: str) -> list[tuple[str, str]]:
    """What PyYAML's own parser sees, without places: the judge of what a text says."""
    return [(type(event).__name__, str(getattr(event, "value", ""))) for event in yaml.parse(text)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_files_that_are_shipped_are_formatted(path: Path) -> None:
    assert format_text(path.name, path.read_text()) == path.read_text(), f"bessplc fmt {path.relative_to(ROOT)}"


@pytest.mark.parametrize("text", README, ids=lambda text: text.split("\n", 1)[0])
def test_the_examples_of_the_readme_keep_their_lines(text: str) -> None:
    """At most a blank line or a column is put in: their words stay in their lines."""
    assert [line.split() for line in formatted(text).splitlines() if line] == [line.split() for line in text.splitlines() if line]


def test_sections_are_ordered_and_take_their_comments_along() -> None:
    assert formatted("""
        # The head stays.
        outputs:
          a.b: t.Q
        # why there is a timer
        blocks:
          t: {type: TON, IN: c.d, PT: 1 s}    # late
        program: p
    """) == dedent("""\
        # The head stays.
        program: p

        # why there is a timer
        blocks:
          t: {type: TON, IN: c.d, PT: 1 s}    # late

        outputs:
          a.b: t.Q
    """)


def test_words_that_become_neighbours_share_a_column_at_once() -> None:
    formatted("program:   1\noutputs:   1\na: 1\n\nmodes: 1\n")


def test_the_order_inside_a_section_is_the_engineers() -> None:
    text = "program: p\n\nmodes:\n  Z: {when: a.b, P: 1}\n  A: {P: 2}\n\noutputs:\n  z.z: modes.P\n  a.a: modes.P\n"
    assert formatted(text) == text


def test_lines_are_indented_by_two() -> None:
    assert formatted("""
        program: p
        blocks:
            ready:
                type: INTERLOCK
                PERMIT:
                - a.b       # the first
                # above the second
                - c.d and
                  e.f
                RESET: {}
    """) == dedent("""\
        program: p

        blocks:
          ready:
            type: INTERLOCK
            PERMIT:
              - a.b         # the first
              # above the second
              - c.d and
                e.f
            RESET: {}
    """)


def test_the_points_of_a_device_share_a_column() -> None:
    assert formatted("""
        device: d
        driver: fake
        outputs:
          a.much_longer: {at: 1, safe: 0}
        inputs:
          a.b: {at: 1, bad: hold}
          a.ccc:    {at: 2, bad: hold}
    """) == dedent("""\
        device: d
        driver: fake

        inputs:
          a.b:           {at: 1, bad: hold}
          a.ccc:         {at: 2, bad: hold}

        outputs:
          a.much_longer: {at: 1, safe: 0}
    """)


def test_a_column_is_repaired_where_there_is_one_and_not_made_where_there_is_none() -> None:
    aligned = "a.b:   {register: input 0}\na.ccc: {register: input 1}\na.dddd: {register: input 2}\n"
    assert formatted(aligned) == "a.b:    {register: input 0}\na.ccc:  {register: input 1}\na.dddd: {register: input 2}\n"
    plain = "a.b: {register: input 0}\na.ccc: {register: input 1}\n"
    assert formatted(plain) == plain
    slip = "device: a\ndriver:  b\nhost: c\nport: 1\nunit: 2\n"
    assert formatted(slip) == slip.replace("  ", " "), "one space too many makes no column"
    wide = "a.b:      1\na.ccc:    2\n"
    assert formatted(wide) == wide, "a column that is whole stays, however wide"


def test_spaces_inside_brackets() -> None:
    assert formatted("a: { b: 1,c: [ 2,3 ] , d: }\n") == "a: {b: 1, c: [2, 3], d: }\n"
    columns = "a: {b: 1,   c: 2}\nd: {b: 100, c: 2}\n"
    assert formatted(columns) == columns, "more than one space behind a comma is a column"


def test_quotes_and_texts_of_several_lines_stay() -> None:
    text = 'a: "1"\nb: \'x: y\'\nc: |\n  one   \n\n\n  two\nd: "folded\n  on"\n'
    assert formatted(text) == text
    assert formatted("a: |\n  one") == "a: |\n  one", "a line end would be one of the text's"
    assert formatted("a: 1") == "a: 1\n"


def test_blank_lines() -> None:
    assert formatted("\n\na: 1\n\n\n\nb:\n  c: 1\n\n\n  d: 2   \ne: 3\n\n\n") == "a: 1\n\nb:\n  c: 1\n\n  d: 2\n\ne: 3\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\r\nb: 2\r\n", "CR LF"),
        ("\ufeffa: 1\n", "byte order mark"),
        ("a:\n\tb: 1\n", "a tab"),
        ("a:\tb\n", "a tab"),
        ("a: [1\n", "not"),
        ("a: 1\na: 2\n", "twice"),
        ("a: &x 1\n", "anchor"),
        ("", "empty"),
        ("a: 1\n---\nb: 1\n", "second document"),
    ],
)
def test_what_cannot_be_formatted_says_why(text: str, said: str) -> None:
    with pytest.raises(SiteError) as caught:
        format_text("a.yaml", text)
    assert said in " ".join(p.message for p in caught.value.problems)


# files made by chance ------------------------------------------------------------------------------------------------------

WORD = st.sampled_from(
    ["a", "bb", "ccc.d", "program", "blocks", "outputs", "x1", "device", "driver", "inputs", "tasks", "modes", "NO"]
)
SCALAR = st.sampled_from(
    ["1", "true", "5 kW", '"a # b"', "'it''s'", "x.y and not z", "[1,2]", "{a: 1 ,b: [x]}", "{ }", "''", "", "a#b"]
)


@st.composite
def part(draw: st.DrawFn, depth: int) -> list[str]:
    """The lines of a section, each indented by what chance says, with comments and blank lines between."""
    step = draw(st.sampled_from(["  ", "    ", " "]))
    lines: list[str] = []
    for key in draw(st.lists(WORD, min_size=1, max_size=4, unique=True)):
        lines += draw(st.lists(st.sampled_from(["", "# a comment", "#b", "", f"{step}# deeper"]), max_size=2))
        pad, comment = " " * draw(st.integers(1, 4)), draw(st.sampled_from(["", " # c", "      # far"]))
        kind = draw(st.sampled_from(["scalar", "scalar", "section", "list", "text", "flow"] if depth else ["scalar"]))
        if kind == "scalar":
            lines.append(f"{key}:{pad}{draw(SCALAR)}{comment}")
        elif kind == "section":
            lines += [f"{key}:{comment}", *(step + line if line else line for line in draw(part(depth - 1)))]
        elif kind == "list":
            dash = draw(st.sampled_from(["", step]))
            items = draw(st.lists(SCALAR.filter(bool), min_size=1, max_size=3))
            lines += [f"{key}:", *(f"{dash}- {item}{comment}" for item in items)]
        elif kind == "text":
            lines += [f"{key}: |", f"{step}one  ", "", f"{step}  two"]
        else:
            lines += [f"{key}:{pad}{{a: 1,", f"{step}  # inside", f"{step}    b: [2,", f"{step}  3 ]}}{comment}"]
    return lines


@settings(max_examples=50, deadline=None)
@given(part(3))
def test_a_file_made_by_chance_keeps_its_meaning_and_its_comments(lines: list[str]) -> None:
    text = "\n".join(lines) + "\n"
    made = format_text("a.yaml", text)
    assert format_text("a.yaml", made) == made
    assert yaml.load(made, yaml.BaseLoader) == yaml.load(text, yaml.BaseLoader)
    assert sorted(re.findall(r"# ?\w+", made)) == sorted(re.findall(r"# ?\w+", text))
    if not {"program", "function_block", "tasks", "driver"} & set(yaml.load(text, yaml.BaseLoader)):
        assert events(made) == events(text)


def test_a_site_that_was_written_carelessly_is_the_same_site() -> None:
    """The schedule of the demo's programs: what runs is equal to the last byte, whatever the spaces."""
    texts = {
        "config/site.yaml": """tags:
    x.p:   {type: LREAL,unit: kW}
    x.q: { type: LREAL, unit: kW }
tasks:
    m: {interval: 10 ms,programs: [ p ]}
io: [d]
""",
        "programs/p.yaml": """outputs:
      x.p: l.OUT
      x.q:   modes.P
modes:
   A: {when: x.p > 1 kW,P: 1 kW}
   B:   {P: x.p}
blocks:
   l: {type: LAG,IN: a.b,T: 1 s}
program: p
""",
        "io_maps/d.yaml": """driver: fake
device: d
stale: 1 s
inputs:
   a.b: {at: 1,known: LREAL,measured: kW,bad: hold}
""",
    }
    neat = {name: format_text(name, text) for name, text in texts.items()}
    assert neat != texts
    before, after = (load_text(one, DRIVERS)[0].schedule for one in (texts, neat))
    assert before.groups == after.groups and before.tasks == after.tasks and before.pins == after.pins
    assert [tag.name for tag in before.tags] == [tag.name for tag in after.tags]
    for name in ("source", "target", "size"):
        assert np.array_equal(getattr(before.copies, name), getattr(after.copies, name))
    assert np.array_equal(before.initial, after.initial)


def test_a_shipped_file_with_its_spaces_shaken_comes_back() -> None:
    """Indents of four and lost columns: formatting gives the shipped lines again."""
    dice = random.Random(6)
    for path in (DEMO / "programs/protection.yaml", DEMO / "io_maps/rack1.yaml"):
        shaken = [" " * (len(line) - len(line.lstrip())) + line if line.strip() else line for line in path.read_text().split("\n")]
        shaken = [re.sub(r"^( +[a-z.]\S*:) +(?=\{)", lambda m: m[1] + " " * dice.randint(1, 3), line) for line in shaken]
        lines = [re.sub(r" +#.*", "", line) for line in format_text("a.yaml", "\n".join(shaken)).split("\n")]
        wanted = [re.sub(r" +#.*", "", line) for line in path.read_text().split("\n")]
        if "rack1" in path.name:
            assert lines == wanted
        assert [line.split() for line in lines] == [line.split() for line in wanted]


# the verb ------------------------------------------------------------------------------------------------------------------


def fmt(*arguments: str, input: bytes | None = None) -> Result:
    return CliRunner().invoke(app, ["fmt", *arguments], input=input)


def test_the_verb_writes_aside_and_keeps_mode_and_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.yaml", tmp_path / "link.yaml"
    real.write_text("a: {b: 1,c: 2}\n")
    real.chmod(0o640)
    link.symlink_to("real.yaml")
    before = real.stat().st_ino
    done = fmt(str(link))
    assert done.exit_code == 0 and "1 formatted, 0 already good" in done.output
    assert link.is_symlink() and real.read_text() == "a: {b: 1, c: 2}\n"
    assert real.stat().st_mode & 0o7777 == 0o640 and real.stat().st_ino != before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.yaml", "real.yaml"]


def test_check_and_diff_write_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: {b: 1,c: 2}\n")
    checked, shown = fmt("--check", str(path)), fmt("--diff", str(path))
    assert checked.exit_code == 1 and f"would format {path}" in checked.output
    assert shown.exit_code == 0 and "-a: {b: 1,c: 2}\n+a: {b: 1, c: 2}\n" in shown.output
    assert path.read_text() == "a: {b: 1,c: 2}\n"
    path.write_text("a: {b: 1, c: 2}\n")
    assert fmt("--check", str(path)).exit_code == 0


def test_a_mistake_is_shown_with_its_caret_and_the_others_are_formatted(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: [1\n")
    (tmp_path / "b.yaml").write_text("a: {b: 1,c: 2}\n")
    done = fmt(str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml"))
    assert done.exit_code == 1 and "a.yaml:1:4: error[E001]" in done.output and "^" in done.output
    assert (tmp_path / "a.yaml").read_text() == "a: [1\n" and (tmp_path / "b.yaml").read_text() == "a: {b: 1, c: 2}\n"
    assert fmt(str(tmp_path / "none.yaml")).exit_code == os.EX_IOERR


def test_the_files_of_a_site_are_found_and_its_users_are_left_alone(tmp_path: Path) -> None:
    for name in ("config/site.yaml", "config/users.yaml", "programs/a.yaml", "io_maps/b.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("a: {b: 1,c: 2}\n")
    done = fmt("--site", str(tmp_path / "config/site.yaml"))
    assert done.exit_code == 0 and "3 formatted" in done.output
    assert (tmp_path / "config/users.yaml").read_text() == "a: {b: 1,c: 2}\n"


def test_standard_input_is_formatted_for_editors() -> None:
    assert fmt("-", input=b"a: {b: 1,c: 2}\n").output == "a: {b: 1, c: 2}\n"
    assert fmt("-", input=b"a: [1").exit_code == 1
    assert fmt("-", "--check").exit_code == 2
