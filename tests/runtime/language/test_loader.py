"""The reader of YAML: every scalar as written, with its place; odd line ends, marks and hostile files."""

from __future__ import annotations

import pickle

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from runtime.language.loader import read_yaml
from runtime.source import Listing, Report, Section, Text


def read(text: str) -> Section:
    report = Report()
    found = read_yaml("a.yaml", text, report)
    assert report.problems == []
    assert found is not None
    return found


def codes(text: str) -> list[str]:
    report = Report()
    read_yaml("a.yaml", text, report)
    return [p.code for p in report.problems]


def test_a_scalar_is_what_was_written_and_knows_where() -> None:
    section = read("# first\nNO: on\ntime: 12:30\nn: 010\ninner: {K: 'a b', L: [1, 2 kW]}\nlong: >\n  two\n  lines\n")
    assert section == {"NO": "on", "time": "12:30", "n": "010", "inner": {"K": "a b", "L": ["1", "2 kW"]}, "long": "two lines\n"}
    key = next(iter(section))
    assert isinstance(key, Text)
    assert (str(key.at), key.at.width, str(section["NO"].at)) == ("a.yaml:2:1", 2, "a.yaml:2:5")
    inner = section["inner"]
    assert (str(inner["K"].at), inner["K"].at.width, inner["K"].quoted, inner["L"][1].quoted) == ("a.yaml:5:12", 5, True, False)
    assert str(inner["L"].at) == "a.yaml:5:22"
    assert str(section.key_at("inner")) == "a.yaml:5:1"


@pytest.mark.parametrize(
    "text", ["a: 1\r\nb: 2\r\n", "\ufeffa: 1\nb: 2", "a: 1\nb: 2", "---\na: 1\nb: 2\n...\n", "a: 1\n\n\n# x\nb: 2\n"]
)
def test_line_ends_and_marks_do_not_matter(text: str) -> None:
    assert read(text) == {"a": "1", "b": "2"}


def test_empty_values_and_sections_are_kept() -> None:
    assert read("a:\nb: {}\nc: []\nd: ''\n") == {"a": "", "b": {}, "c": [], "d": ""}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "E008"),
        ("# nothing\n", "E008"),
        ("a: 1\n---\nb: 1\n", "E008"),
        ("just text", "E005"),
        ("- a\n- b\n", "E005"),
        ("{[a]: 1}", "E005"),
        ("a: 'x", "E001"),
        ("a: b: c", "E001"),
        ("\ta: 1", "E001"),
        ("a: {b: 1", "E001"),
        ("a: @x", "E001"),
        ("a: x\x00y", "E001"),
        ("a: 1\na: 2", "E002"),
        ("a: &x 1", "E003"),
        ("a: *x", "E003"),
        ("a: !!str 1", "E003"),
        ("a: &x {b: 1}", "E003"),
        ("a: !t [1]", "E003"),
        ("<<: x", "E003"),
        ("a: {b: max(1, 2)}", "E009"),
        ("a: [max(1, 2), 3]", "E009"),
        ("a: {b: x[*]}", "E009"),
        ("a: {b: x.y[3].z}", "E009"),
        ("a: {b: (1, 2}", "E009"),
        ("a: " + "[" * 200, "E001"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_problem(text: str, code: str) -> None:
    assert codes(text) == [code]


def test_a_comma_in_braces_does_not_hide_the_rest_of_the_line() -> None:
    report = Report()
    found = read_yaml("a.yaml", "a: {x: max(p.a, min(p.b, 3)), y: 5 s}\nb: [max(p.a, 1), z]\n", report)
    assert [p.code for p in report.problems] == ["E009", "E009"]
    assert found == {"a": {"x": "max(p.a, min(p.b, 3))", "y": "5 s"}, "b": ["max(p.a, 1)", "z"]}


def test_deep_nesting_does_not_exhaust_the_stack() -> None:
    assert codes("a: " + "[" * 100_000) == ["E001"]
    assert codes("".join(" " * i + "a:\n" for i in range(500))) == ["E001"]


def test_what_was_read_can_be_pickled() -> None:
    section = read("a: {b: [1, 'x']}\n")
    sent = pickle.loads(pickle.dumps(section))
    assert sent == section
    assert (type(sent), type(sent["a"]["b"]), type(sent["a"]["b"][0])) == (Section, Listing, Text)
    assert sent["a"]["b"][1].at == section["a"]["b"][1].at
    assert sent["a"].at == section["a"].at


def plain(node: yaml.Node) -> object:
    if isinstance(node, yaml.MappingNode):
        return {plain(k): plain(v) for k, v in node.value}
    return [plain(v) for v in node.value] if isinstance(node, yaml.SequenceNode) else node.value


def places(node: yaml.Node) -> list[tuple[str, int, int]]:
    if isinstance(node, yaml.ScalarNode):
        return [(node.value, node.start_mark.line + 1, node.start_mark.column + 1)]
    parts = [part for pair in node.value for part in pair] if isinstance(node, yaml.MappingNode) else node.value
    return [place for part in parts for place in places(part)]


def our_places(value: object) -> list[tuple[str, int, int]]:
    if isinstance(value, Text):
        return [(str(value), value.at.line, value.at.column)]
    parts = [part for pair in value.items() for part in pair] if isinstance(value, dict) else list(value)  # type: ignore[call-overload]
    return [place for part in parts for place in our_places(part)]


WORDS = st.text(alphabet="abcdeXYZ.09 %°ä_", min_size=1, max_size=8).filter(lambda t: t.strip() == t)
TREES = st.recursive(WORDS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4), max_leaves=20)


@given(st.dictionaries(WORDS, TREES, min_size=1, max_size=4), st.booleans())
def test_it_reads_what_yaml_compose_reads_at_the_same_places(tree: dict[str, object], flow: bool) -> None:
    text = yaml.safe_dump(tree, allow_unicode=True, default_flow_style=flow, width=60)
    node = yaml.compose(text, yaml.CSafeLoader)
    found = read(text)
    assert found == plain(node)
    assert our_places(found) == places(node)
