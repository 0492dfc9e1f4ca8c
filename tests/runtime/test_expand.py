"""Brace patterns, as bash expands them (its manual, section 3.5.1), with what we refuse."""

import shutil
import subprocess

import pytest

from runtime.expand import PatternError, expand, is_pattern


@pytest.mark.parametrize(
    "pattern",
    [
        "V_{1..4}",
        "Module_{1..3}.V_{1..2}",
        "{a,b}.{x,y,z}",
        "S{01..11}",
        "{3..1}",
        "{0..10..5}",
        "{-1..1}",
        "plain",
    ],
)
@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is the reference")
def test_a_pattern_expands_as_in_bash(pattern):
    expected = subprocess.run(["bash", "-c", f"echo {pattern}"], capture_output=True, text=True, check=True).stdout.split()
    assert list(expand(pattern)) == expected


def test_the_leftmost_braces_are_the_slowest():
    assert expand("M{1..2}.V{1..2}") == ("M1.V1", "M1.V2", "M2.V1", "M2.V2")


@pytest.mark.parametrize(
    ("pattern", "start", "width"),
    [
        ("V_{1..4", 2, 1),
        ("V_1..4}", 6, 1),
        ("V_{}", 2, 2),
        ("V_{1..}", 2, 5),
        ("V_{{1,2},3}", 2, 1),
        ("V_{a,,b}", 2, 6),
        ("{1..9..0}", 0, 9),
    ],
)
def test_a_broken_pattern_says_which_characters_are_meant(pattern, start, width):
    with pytest.raises(PatternError) as caught:
        expand(pattern)
    assert (caught.value.start, caught.value.width) == (start, width)


@pytest.mark.parametrize("pattern", ["{1..1000000000}", "{1..1000}{1..1000}"])
def test_a_pattern_cannot_fill_the_memory(pattern):
    with pytest.raises(PatternError, match="more than 100000"):
        expand(pattern)


def test_only_braces_make_a_pattern():
    assert is_pattern("V_{1..1}") and not is_pattern("V_1")
    assert expand("V_{1..1}") == ("V_1",)
