"""Whether an io_map fits the plant that it is for: every signal in the DBC, every register in the device, with the same scale.

It takes io_maps as plain YAML, so that the language's own reading is not what is believed.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

import pytest

from runtime.simulation.registers import COIL, DISCRETE, Registers

# the plant's name for what the io_map calls otherwise
SAME = {"voltage": "v_mean", "e_import": "import", "e_export": "export"}
WATTS = ("p", "q", "p_l1", "p_l2", "p_l3", "q_l1", "q_l2", "q_l3")  # the meter speaks W and var, the tags kW and kvar


def spread(pattern: str) -> Iterator[str]:
    """The names that a brace pattern stands for, the left pattern outermost."""
    parts = re.split(r"\{(\d+)\.\.(\d+)\}", pattern)
    ranges = [range(int(low), int(high) + 1) for low, high in zip(parts[1::3], parts[2::3])]
    for numbers in itertools.product(*ranges):
        yield "".join(itertools.chain.from_iterable(zip(parts[0::3], [*map(str, numbers), ""])))


def signals_of(rack: Any, database: Any) -> set[str]:
    """All signals that the rack's io_map names: each of them once, in the DBC, and going the right way."""
    seen: set[str] = set()
    for section, sender in (("inputs", "BMS"), ("outputs", "PLC")):
        for tag, line in rack[section].items():
            for name in spread(line["signal"]):
                assert name not in seen, f"{tag} names {name} a second time"
                seen.add(name)
                message = database.get_message_by_name(name.split(".")[0])
                assert message.senders == [sender], tag
                message.get_signal_by_name(name.split(".")[1])
    return seen


def check_registers(mapped: Any, registers: Registers, is_meter: bool) -> None:
    """Each register that the io_map names is that of the device, in its form and scale."""
    for section in ("inputs", "outputs"):
        for tag, line in mapped.get(section, {}).items():
            space, address = line["register"].split()
            cell = registers.at[space, int(address)]
            last = tag.split(".")[1]
            assert cell.name == SAME.get(last, last), tag
            assert (cell.write is not None) == (section == "outputs"), tag
            if space in (COIL, DISCRETE):
                continue
            assert line["as"] == cell.form, tag
            assert line.get("words", "big") == cell.words, tag
            per_cent = 100 if line.get("unit") == "%" else 1
            wanted = 0.001 if is_meter and last in WATTS else cell.scale * per_cent
            assert float(line.get("scale", 1)) == pytest.approx(wanted), tag


def check_words(mapped: Any, *of_an_output: str) -> None:
    """Every input says what it becomes when it is bad, every output what is safe, and a device with outputs its time-out."""
    for tag, line in mapped["inputs"].items():
        assert {"initial", "bad", "text"} <= set(line), tag
    for tag, line in mapped.get("outputs", {}).items():
        assert {"safe", "text", *of_an_output} <= set(line), tag
    assert ("timeout" in mapped) == bool(mapped.get("outputs"))
