"""The DBC: it loads strictly, nothing overlaps, and the plant's own encoder agrees with cantools on every signal."""

from __future__ import annotations

import math
import re

import cantools
import numpy as np
import pytest

from runtime.simulation.frames import EXTENDED, LayoutError, encode, plan
from runtime.simulation.process import load_dbc
from runtime.simulation.settings import ID_STEP
from tests.aids.plant import ROOT
from tests.aids.rack_dbc import KINDS, dbc_of


@pytest.fixture(scope="module")
def database():
    return load_dbc(ROOT / "dbc" / "rack.dbc")


@pytest.fixture(scope="module", params=KINDS)
def other(request):
    return request.param, load_dbc(ROOT / "dbc" / request.param)


def test_the_other_racks_files_are_what_their_script_writes(other):
    name, _ = other
    assert (ROOT / "dbc" / name).read_text(encoding="utf-8") == dbc_of(KINDS[name])


def test_another_rack_says_what_the_first_says(other, database):
    """The same messages and signals; only sizes, identifiers, steps and rhythm differ."""
    name, theirs = other
    kind = KINDS[name]
    ours = {message.name: message for message in database.messages}
    for message in theirs.messages:
        like = ours[re.sub(r"_\d+$", "_1", message.name)]
        assert message.senders == like.senders
        assert message.is_extended_frame == kind.extended
        assert message.comment
        assert {s.name for s in message.signals} <= {s.name for s in like.signals}
        for signal in message.signals:
            same = like.get_signal_by_name(signal.name)
            assert (signal.unit, signal.choices, signal.is_signed) == (same.unit, same.choices, same.is_signed)
    ids = [message.frame_id for message in theirs.messages]
    assert len(ids) == len(set(ids)) == 4 + 3 * kind.modules
    assert max(ids) < ID_STEP, "the next rack's begin there"
    cells = [f"{m}.{s.name}" for m in range(1, kind.modules + 1) for s in theirs.get_message_by_name(f"Module_{m}").signals]
    assert sum(".V_" in cell for cell in cells) == kind.modules * kind.per_module


def test_the_encoder_knows_the_other_racks_too(other):
    name, theirs = other
    burst = plan(theirs, ["BMS_Status", "Module_1"])
    assert ((burst.ids >= EXTENDED) == KINDS[name].extended).all()
    values = np.array([2.5 + 0.01 * at for at in range(len(burst.fields))])
    for row, message in zip(encode(burst, np.stack([values, values + 0.001]))[1], burst.messages):
        decoded = theirs.get_message_by_name(message).decode(row.tobytes(), decode_choices=False)
        for signal, value in decoded.items():
            if signal.startswith("V_"):
                assert value == pytest.approx(values[burst.fields.index(f"{message}.{signal}")] + 0.001, abs=0.0001 + 1e-9)


SENT = ["BMS_Status", "BMS_Limits", "BMS_CellSummary", *(f"{kind}_{m}" for kind in ("Module", "ModuleTemp") for m in range(1, 17))]


def test_it_loads_strictly_and_ids_are_unique(database):
    ids = [message.frame_id for message in database.messages]
    assert len(ids) == len(set(ids)) == 52


def test_no_signals_overlap_unless_their_selector_keeps_them_apart(database):
    for message in database.messages:
        used: dict[tuple[int | None, int], str] = {}
        for signal in message.signals:
            assert signal.byte_order == "little_endian"
            assert signal.start + signal.length <= 8 * message.length, f"{message.name}.{signal.name} does not fit"
            rows = signal.multiplexer_ids or (list(range(4)) if message.is_multiplexed() else [None])
            for row in rows:
                for bit in range(signal.start, signal.start + signal.length):
                    assert (row, bit) not in used, f"{message.name}.{signal.name} overlaps {used.get((row, bit))}"
                    used[row, bit] = signal.name


def test_every_message_says_how_often_it_comes_and_what_it_is(database):
    for message in database.messages:
        assert message.cycle_time in (10, 100, 1000), message.name
        assert message.comment, message.name
        assert message.senders in (["BMS"], ["PLC"]), message.name


def test_every_quantity_has_a_range_and_a_unit_and_every_signal_fits_it(database):
    for message in database.messages:
        for signal in message.signals:
            assert signal.minimum is not None and signal.maximum is not None, f"{message.name}.{signal.name}"
            low = signal.offset + signal.scale * (-(1 << signal.length - 1) if signal.is_signed else 0)
            high = signal.offset + signal.scale * ((1 << signal.length - signal.is_signed) - 1)
            assert low <= signal.minimum < signal.maximum <= high + 1e-9, f"{message.name}.{signal.name}"
            if signal.length > 4:
                assert signal.unit, f"{message.name}.{signal.name}"


def test_what_is_not_available_lies_outside_the_range(database):
    marked = 0
    for message in database.messages:
        for signal in message.signals:
            raw = signal.dbc.attributes.get("SignalInvalidRaw")
            if raw is not None:
                marked += 1
                assert raw.value == (1 << signal.length) - 1
                assert signal.offset + signal.scale * raw.value > signal.maximum
    assert marked == 512 + 6


def test_brace_patterns_reach_every_cell(database):
    for kind, letter in (("Module", "V"), ("ModuleTemp", "T")):
        for module in range(1, 17):
            message = database.get_message_by_name(f"{kind}_{module}")
            for cell in range(1, 17):
                assert message.get_signal_by_name(f"{letter}_{cell}").multiplexer_ids == [(cell - 1) // 4]
    for module in range(1, 17):
        names = [signal.name for signal in database.get_message_by_name(f"Balance_Cmd_{module}").signals]
        assert names == [f"Cell_{cell}" for cell in range(1, 17)]


def test_states_have_names(database):
    status = database.get_message_by_name("BMS_Status")
    assert {int(k): str(v) for k, v in status.get_signal_by_name("State").choices.items()} == {
        0: "INIT",
        1: "STANDBY",
        2: "PRECHARGE",
        3: "CLOSED",
        4: "FAULT",
    }
    assert len(status.get_signal_by_name("FaultCode").choices) == 12


def test_the_encoder_agrees_with_cantools_on_every_signal(database):
    random = np.random.default_rng(11)
    burst = plan(database, SENT)
    assert len(burst.ids) == 3 + 2 * 16 * 4
    for _ in range(20):
        values = np.empty(len(burst.fields))
        for at, field in enumerate(burst.fields):
            message, _, name = field.partition(".")
            signal = database.get_message_by_name(message).get_signal_by_name(name)
            values[at] = random.uniform(signal.minimum, signal.maximum)
        payload = encode(burst, values)
        for row in range(len(burst.ids)):
            message = database.get_message_by_frame_id(int(burst.ids[row]))
            decoded = message.decode(payload[row].tobytes(), decode_choices=False)
            for name, value in decoded.items():
                if name == "Row":
                    continue
                signal = message.get_signal_by_name(name)
                wanted = values[burst.fields.index(f"{message.name}.{name}")]
                assert value == pytest.approx(wanted, abs=float(signal.scale) / 2 + 1e-9), f"{message.name}.{name}"


def test_the_selector_of_each_row_is_sent(database):
    payload = encode(plan(database, ["Module_3"]), np.full(16, 3.3))
    rows = [database.decode_message("Module_3", row.tobytes())["Row"] for row in payload]
    assert rows == [0, 1, 2, 3]


def test_a_missing_value_is_all_ones_and_a_wild_one_is_the_nearest_in_range(database):
    values = np.full(16, 3.3)
    values[0], values[1], values[2] = math.nan, 9.0, -1.0
    decoded = database.decode_message("Module_1", encode(plan(database, ["Module_1"]), values)[0].tobytes())
    assert decoded["V_1"] == pytest.approx(32767 * 0.0002)
    assert (decoded["V_2"], decoded["V_3"]) == (pytest.approx(5.0), 0.0)


def test_negative_currents_keep_their_sign(database):
    burst = plan(database, ["BMS_Status"])
    values = np.zeros(len(burst.fields))
    values[burst.fields.index("BMS_Status.PackCurrent")] = -123.46
    assert database.decode_message("BMS_Status", encode(burst, values)[0].tobytes())["PackCurrent"] == pytest.approx(-123.46)


def test_overlapping_signals_are_refused(tmp_path):
    path = tmp_path / "bad.dbc"
    path.write_text('VERSION ""\nBU_: A\nBO_ 1 M: 8 A\n SG_ X : 0|16@1+ (1,0) [0|1] "" A\n SG_ Y : 8|8@1+ (1,0) [0|1] "" A\n')
    with pytest.raises(cantools.database.errors.Error, match="overlapping"):
        load_dbc(path)


def test_a_layout_that_the_encoder_cannot_do_is_named(tmp_path, database):
    with pytest.raises(LayoutError, match="Stack_Cmd has 2 bytes"):
        plan(database, ["Stack_Cmd"])
    path = tmp_path / "motorola.dbc"
    path.write_text('VERSION ""\nBU_: A\nBO_ 1 M: 8 A\n SG_ X : 7|16@0+ (1,0) [0|1] "" A\n')
    with pytest.raises(LayoutError, match=r"M\.X is Motorola"):
        plan(load_dbc(path), ["M"])
