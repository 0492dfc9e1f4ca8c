"""What the drivers gpio and simulated make of an io_map, and how they explain mistakes."""

from __future__ import annotations

import textwrap

import pytest

import runtime.fieldbus.gpio as gpio
import runtime.fieldbus.simulated as simulated
from runtime.fieldbus.gpio_lines import CONDITION_OF, CONDITIONS, ERRORS, OF_THE_CHIP
from runtime.fieldbus.gpio_words import ChipName, GpioSettings, InputLine, OutputLine
from tests.aids.fieldbus import describe, problems

HEAD = "device: panel\ndriver: {driver}\nchip: lab\n"
drivers = pytest.mark.parametrize("driver", ["gpio", "simulated"])


def io_map(lines: str, driver: str = "gpio", head: str = HEAD) -> str:
    return head.replace("{driver}", driver) + textwrap.dedent(lines)


@drivers
def test_every_word_of_a_line_is_read(driver):
    found, report = describe(
        io_map(
            """\
            poll: 50 ms
            inputs:
              p.estop: {line: ESTOP, active: low, bias: pull-up, debounce: 5 ms}
              p.pulses: {line: 4, count: true}
              p.turns: {line: 5, count: true, edges: both}
              p.slow: {line: 6, edges: none}
            outputs:
              p.lamp: {line: 7, drive: open-drain, active: low, safe: false}
            """,
            driver,
        )
    )
    assert not report.problems
    assert found.settings == GpioSettings(ChipName("", "lab"), 50_000_000)
    assert found.points["p.estop"].addresses == (InputLine("ESTOP", True, "pull-up", 5_000_000, "both", False),)
    assert found.points["p.pulses"].addresses == (InputLine(4, False, "as-is", 0, "rising", True),)
    assert found.points["p.turns"].addresses[0].edges == "both"
    assert found.points["p.slow"].addresses[0].edges == "none"
    assert found.points["p.lamp"].addresses == (OutputLine(7, True, "as-is", "open-drain"),)
    assert {tag: point.type for tag, point in found.points.items()} == {
        "p.estop": "BOOL",
        "p.pulses": "LINT",
        "p.turns": "LINT",
        "p.slow": "BOOL",
        "p.lamp": "BOOL",
    }


def test_braces_make_an_array_of_lines():
    found, report = describe(io_map('inputs:\n  p.a: {line: "{0..3}"}\n  p.b: {line: "DI{1,2}"}\n  p.c: {line: "{9}"}\n'))
    assert not report.problems
    assert [a.line for a in found.points["p.a"].addresses] == [0, 1, 2, 3]
    assert [a.line for a in found.points["p.b"].addresses] == ["DI1", "DI2"]
    assert found.points["p.c"].is_array


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("/dev/gpiochip0", ChipName("path", "/dev/gpiochip0")),
        ("gpiochip0", ChipName("", "gpiochip0")),
        ("{label: lab}", ChipName("label", "lab")),
        ("{name: gpiochip1}", ChipName("name", "gpiochip1")),
        ("{path: /dev/gpiochip1}", ChipName("path", "/dev/gpiochip1")),
    ],
)
def test_a_chip_is_named_by_path_name_or_label(written, meant):
    found, report = describe(io_map("inputs:\n  p.a: {line: 0}\n", head=f"device: panel\ndriver: gpio\nchip: {written}\n"))
    assert not report.problems and found.settings.chip == meant


def test_the_twin_needs_no_chip_and_the_driver_does(tmp_path):
    found, report = describe(io_map("inputs:\n  p.a: {line: 0}\n", head="device: panel\ndriver: simulated\n"))
    assert not report.problems and found.settings.poll == 100_000_000
    assert "`chip` is missing" in problems(io_map("inputs:\n  p.a: {line: 0}\n", head="device: p\ndriver: gpio\n"), root=tmp_path)


def test_both_drivers_know_the_same_words():
    for words in ("DEVICE_WORDS", "INPUT_WORDS", "OUTPUT_WORDS", "ERRORS", "CONDITIONS"):
        assert getattr(gpio, words) == getattr(simulated, words)


def test_every_error_of_a_line_has_its_condition():
    assert set(CONDITION_OF) == set(ERRORS) - {"lost_edges"}
    assert set(CONDITION_OF.values()) <= set(CONDITIONS)
    assert set(ERRORS) >= OF_THE_CHIP


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ("inputs: {p.a: {active: low}}", "E651", "`line` is missing"),
        ("inputs: {p.a: {line: [1]}}", "E652", "`line` takes one value"),
        ("inputs: {p.a: {line: -1}}", "E686", "`-1` is no line"),
        ("inputs: {p.a: {line: '{1..'}}", "E663", "this brace is never closed"),
        ("inputs: {p.a: {line: 1, bias: pullup}}", "E655", "did you mean `pull-up`?"),
        ("inputs: {p.a: {line: 1, active: lo}}", "E655", "did you mean `low`?"),
        ("inputs: {p.a: {line: 1, edges: rising}}", "E687", "a level cannot be told from rising edges alone"),
        ("inputs: {p.a: {line: 1, count: true, edges: none}}", "E655", "`edges` cannot be `none`"),
        ("inputs: {p.a: {line: 1, count: 1}}", "E655", "`count` cannot be `1`"),
        ("inputs: {p.a: {line: 1, debounce: 5}}", "E653", "`5` is no duration"),
        ("inputs: {p.a: {line: 1, debounce: 2 h}}", "E653", "60 s at most"),
        ("outputs: {p.a: {line: 1, drive: open}}", "E655", "`drive` cannot be `open`"),
        ("inputs: {p.a: {line: 1}, p.b: {line: 1}}", "E686", "line 1 is mapped twice"),
        ("inputs: {p.a: {line: '{1,1}'}}", "E686", "in one pattern"),
        ("inputs: {p.a: {line: 1}}\noutputs: {p.b: {line: 01}}", "E686", "line 1 is mapped twice"),
        ("poll: 1 ns\ninputs: {p.a: {line: 1}}", "E653", "`poll` is 1 ms at least"),
        ("poll: 2 years\ninputs: {p.a: {line: 1}}", "E653", "`2 years` is no duration"),
        ("poll: 9000 h\ninputs: {p.a: {line: 1}}", "E653", "`poll` is a year at most"),
        ("poll: 0.5 ns\ninputs: {p.a: {line: 1}}", "E653", "`poll` is at least 1 ns"),
        (f"inputs: {{p.a: {{line: {'9' * 5000}}}}}", "E686", "is no line"),
        ("chip2: x\npoll: 0 ms\ninputs: {p.a: {line: 1}}", "E653", "`0 ms` is no duration"),
    ],
)
@drivers
def test_a_mistake_is_explained_with_its_place(driver, line, code, says, tmp_path):
    text = problems(io_map(line, driver), root=tmp_path)
    assert f"error[{code}]" in text and says in text
    assert "io_maps/device.yaml:" in text and "^" in text


def test_all_mistakes_are_reported_at_once(tmp_path):
    text = problems(io_map("inputs: {p.a: {line: 1, bias: x, active: y}, p.b: {debounce: 1}}"), root=tmp_path)
    assert text.count("error[") == 4


@pytest.mark.parametrize("chip", ["{lable: lab}", "{label: a, path: b}", "{}"])
def test_a_chip_named_in_no_way_or_two_is_refused(chip, tmp_path):
    text = problems(f"device: panel\ndriver: gpio\nchip: {chip}\ninputs: {{p.a: {{line: 1}}}}\n", root=tmp_path)
    assert "E685" in text and "`chip: {label: lab}`" in text
    if "lable" in chip:
        assert "did you mean `label`?" in text
