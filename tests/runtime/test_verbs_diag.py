"""The verb `diag harmonics`: waveforms that numpy makes, judged against the tables of the standards as they are printed."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from runtime.cli import app
from runtime.harmonics import STANDARDS, judge
from runtime.waveforms import Signal

RATE = 10_000.0
Run = Callable[..., Result]


def wave(orders: Mapping[int, float], f: float = 50.0, seconds: float = 0.42, direct: float = 0.0) -> np.ndarray:
    """Root mean squares by their orders, each with a phase of its own."""
    t = np.arange(round(seconds * RATE)) / RATE
    return direct + sum(np.sqrt(2) * rms * np.sin(2 * np.pi * order * f * t + order) for order, rms in orders.items())


def table(path: Path, heads: str, *columns: np.ndarray, mark: str = ",") -> Path:
    """The columns as a file, with a column of time in front."""
    t = np.arange(len(columns[0])) / RATE
    lines = [mark.join(f"{value:.6f}" for value in row) for row in zip(t, *columns, strict=True)]
    path.write_text("\n".join([heads, *lines]) + "\n")
    return path


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["diag", "harmonics", *map(str, words)])


@pytest.mark.parametrize(
    ("order", "limit"),
    [
        (2, 1.0),
        (3, 4.0),
        (4, 2.0),
        (6, 3.0),
        (8, 4.0),
        (9, 4.0),
        (11, 2.0),
        (15, 2.0),
        (17, 1.5),
        (21, 1.5),
        (23, 0.6),
        (33, 0.6),
        (35, 0.3),
    ],
)
def test_the_limits_of_ieee_1547(order: int, limit: float) -> None:
    """Table 26: h < 11 4.0, < 17 2.0, < 23 1.5, < 35 0.6, < 50 0.3; table 27: 1.0, 2.0 and 3.0 for the 2nd, 4th and 6th."""
    assert STANDARDS["ieee1547"].limit(order) == limit


@pytest.mark.parametrize("f", [49.6, 50.0, 50.03])
def test_orders_and_total_are_measured_also_off_the_nominal_frequency(f: float) -> None:
    found = judge(Signal("i1", "A", False, wave({1: 100, 5: 3, 7: 2, 2: 0.5}, f)), RATE, 50.0, 120.0, None)
    by_order = {line.what: line.value for line in found.lines}
    assert found.frequency == pytest.approx(f, abs=0.002)
    assert [by_order[order] for order in ("2", "5", "7")] == pytest.approx([0.5, 3, 2], rel=0.02, abs=0.02)
    assert by_order["TRD"] == pytest.approx(np.sqrt(3**2 + 2**2 + 0.5**2), rel=0.01)
    assert found.holds


def test_what_lies_between_the_harmonics_counts_in_the_total_of_ieee_1547() -> None:
    """TRD is of all that is not the fundamental (IEEE 1547-2018, 7.3): 6 A at 130 Hz are 6 %, and no harmonic shows them."""
    between = wave({1: 100}) + wave({13: 6}, f=10.0)
    found = judge(Signal("i1", "A", False, between), RATE, 50.0, 100.0, None)
    assert [line.what for line in found.lines if not line.holds] == ["TRD"]


def test_a_converter_within_its_limits_is_told_and_exits_0(tmp_path: Path) -> None:
    file = table(tmp_path / "pcs.csv", "t,i1", wave({1: 58, 5: 1, 7: 0.6}))
    done = run(file, "--rated", "58 A")
    assert done.exit_code == 0
    assert "i1: within its limits (IEEE 1547-2018" in done.output and "50.000 Hz" in done.output
    assert any(line.split()[:2] == ["5", "1"] for line in done.output.splitlines())


def test_a_harmonic_beyond_its_limit_exits_1_and_is_marked(tmp_path: Path) -> None:
    file = table(tmp_path / "pcs.csv", "t,i1", wave({1: 58, 11: 1.5}))
    done = run(file, "--rated", "58 A", "--svg", tmp_path / "s.svg")
    assert done.exit_code == 1 and "BEYOND ITS LIMITS" in done.output
    (line,) = [line for line in done.output.splitlines() if line.endswith("beyond")]
    assert line.split()[0] == "11" and "2.59 %" in line and "2 %" in line
    drawn = ElementTree.fromstring((tmp_path / "s.svg").read_text())
    assert [bar.get("fill") for bar in drawn.iter("{http://www.w3.org/2000/svg}rect")].count("#D55E00") == 1


def test_a_direct_part_saturates_transformers(tmp_path: Path) -> None:
    file = table(tmp_path / "pcs.csv", "t,i1", wave({1: 58}, direct=0.4))
    facts = json.loads(run(file, "--rated", "58 A", "--json").output)[0]
    assert facts["holds"] is False
    assert [line["what"] for line in facts["lines"] if not line["holds"]] == ["DC"]  # 0.69 % of 0.5 %
    assert facts["lines"][-1]["percent"] == pytest.approx(100 * 0.4 / 58, rel=0.02)


def test_voltages_and_the_direct_side_have_their_own_rules(tmp_path: Path) -> None:
    u, dc = wave({1: 230, 5: 8}), wave({2: 20}, direct=800.0)
    file = table(tmp_path / "all.csv", "time_s;u1;v_dc", u, dc, mark=";")
    facts = {one["name"]: one for one in json.loads(run(file, "--json").output)}
    assert facts["u1"]["standard"].startswith("EN 50160") and facts["u1"]["holds"] is True
    ripple = facts["v_dc"]["lines"][0]
    assert (ripple["what"], ripple["holds"]) == ("ripple", False) and ripple["percent"] == pytest.approx(2.5, rel=0.01)


def test_60_hz_and_another_standard_are_chosen_by_word(tmp_path: Path) -> None:
    file = table(tmp_path / "pcs.csv", "t,i1", wave({1: 58, 5: 6}, f=60.0))
    assert run(file, "--f0", 60, "--rated", "58 A").exit_code == 1  # 10.3 % of 4 %
    done = run(file, "--f0", 60, "--rated", "58 A", "--standard", "iec61000-3-12")  # 10.7 %, THC 13 %
    assert done.exit_code == 0 and "60.000 Hz" in done.output and "PWHC" in done.output


def test_a_recording_without_a_fundamental_is_not_judged(tmp_path: Path) -> None:
    file = table(tmp_path / "noise.csv", "t,i1", np.random.default_rng(1).standard_normal(6000))
    done = run(file)
    assert done.exit_code == 1 and "not judged" in done.output


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty"),
        ("t,p1\n0,1\n", "x.csv:1:3: error: `p1` is no voltage (u..., v...), current (i...) or time (t)"),
        ("i1\n1\n", "no column of time: name one `t` (s), `t_ms` or `t_us`, or say --rate 10000"),
        ("t,i1\n0,1\n1,x\n", "x.csv:3:3: error: `x` is no number"),
        ("t,i1\n0,1\n1\n", "x.csv:3:1: error: 1 values, and the first line names 2 columns"),
        ("t,i1\n0,1\n1,2\n", "only 2 samples"),
        ("t,i1\n" + "".join(f"{t},1\n" for t in (*range(20), 25)), "us since the sample before"),
    ],
)
def test_a_table_that_is_none_is_told_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "x.csv"
    file.write_text(text)
    done = run(file)
    assert done.exit_code == 1 and said in done.output


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("none.csv",), 74, "none.csv cannot be read: No such file"),
        (("{file}", "--standard", "ieee1574"), 2, "did you mean `ieee1547`?"),
        (("{file}", "--signal", "i2"), 2, "no column i2: there is i1"),
        (("{file}", "--rated", "58 kW"), 2, "--rated 58 kW: a current or a voltage"),
        (("{file}", "--f0", "16.7"), 2, "--f0 16.7: 50 or 60"),
    ],
)
def test_wrong_words_say_what_was_meant(tmp_path: Path, words: tuple[str, ...], code: int, said: str) -> None:
    file = table(tmp_path / "pcs.csv", "t,i1", wave({1: 58}, seconds=0.2))
    done = run(*(word.format(file=file) for word in words))
    assert done.exit_code == code and said in done.output
