"""Any frame and any values of any DBC here: our kernels and cantools agree, in both directions."""

import math
import time

import pytest
from cantools.database.errors import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.fieldbus.can_database import type_of
from runtime.quality import BAD_SENSOR_FAILURE, BAD_WAITING_FOR_INITIAL_DATA, GOOD
from tests.aids.fieldbus import ROOT
from tests.aids.fieldbus_codec import database, encode_signals, is_no_value, key_of, map_all, reader, same
from tests.aids.fieldbus_dbc import SYNTHETIC, large_dbc

# Every DBC of the repository, the synthetic one with every kind of signal, and one of the size of foxBMS.
SHIPPED = sorted(path.stem for path in (ROOT / "dbc").glob("*.dbc"))
WHICH = [*SHIPPED, "synthetic", "large"]
EXACT = 1 << 53  # what a double carries exactly


class Dbcs(dict):
    """Short in a report of a failed example."""

    def __repr__(self) -> str:
        return "DBCS"


@pytest.fixture(scope="module")
def dbcs(tmp_path_factory):
    """Each DBC as cantools knows it, the io_map that maps all of it, and the two together as a reader."""
    root = tmp_path_factory.mktemp("site")
    (root / "dbc").mkdir()
    texts = {name: (ROOT / "dbc" / f"{name}.dbc").read_text(encoding="utf-8") for name in SHIPPED}
    texts |= {"synthetic": SYNTHETIC, "large": large_dbc()}
    found = Dbcs()
    for name, text in texts.items():
        (root / "dbc" / f"{name}.dbc").write_text(text, encoding="utf-8")
        known = database(text)
        device = map_all(f"dbc/{name}.dbc", root, known)
        types = {p.slot: p.type for p in device.device.inputs}
        found[name] = (known, device, reader(device), types)
    return found


@pytest.mark.parametrize("which", WHICH)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_frame_decodes_as_cantools_decodes_it(dbcs, which, data):
    known, device, reading, types = dbcs[which]
    message = data.draw(st.sampled_from(known.messages))
    frame = data.draw(any_frame(message))
    try:
        expected = message.decode(frame, decode_choices=False)
    except DecodeError:
        return  # a selector that the DBC does not know
    cells = reading.cells
    cells.quality[:], cells.integer[:] = BAD_WAITING_FOR_INITIAL_DATA, 0
    assert reading.read([(key_of(message), frame)]) == 1
    for signal in message.signals:
        slot = device.slots[f"{message.name}.{signal.name}"][0]
        got = float(cells.lreal[slot] if types[slot] == "LREAL" else cells.integer[slot])
        if signal.name not in expected:
            assert (cells.quality[slot], got) == (BAD_WAITING_FOR_INITIAL_DATA, 0.0), signal.name
        elif is_no_value(signal, expected[signal.name]):
            assert (cells.quality[slot], got) == (BAD_SENSOR_FAILURE, 0.0), signal.name
        else:
            assert cells.quality[slot] == GOOD and same(got, float(expected[signal.name])), signal.name
    others = {slot for name, slots in device.slots.items() if not name.startswith(f"{message.name}.") for slot in slots}
    assert (cells.quality[list(others)] == BAD_WAITING_FOR_INITIAL_DATA).all(), "a frame writes the cells of its message only"


@st.composite
def any_frame(draw, message):
    """Bytes of the message's length, more often than by chance with selectors that the DBC knows."""
    frame = draw(st.binary(min_size=message.length, max_size=message.length))
    if message.is_multiplexed() and draw(st.booleans()):
        raw = int.from_bytes(frame, "little")
        for name, value in draw(path_of(message)).items():
            selector = message.get_signal_by_name(name)
            if selector.byte_order == "little_endian":
                mask = ((1 << selector.length) - 1) << selector.start
                raw = raw & ~mask | value << selector.start
            else:
                return frame[:0] + bytes([value]) + frame[1:]  # the selectors of the large DBC fill the first byte
        frame = raw.to_bytes(message.length, "little")
    return frame


@st.composite
def path_of(draw, message):
    """The selectors of one way through the message's multiplexing, with their values."""
    chosen, tree = {}, message.signal_tree
    while selectors := [branch for branch in tree if isinstance(branch, dict)]:
        (name, branches) = next(iter(selectors[0].items()))
        chosen[name] = draw(st.sampled_from(sorted(branches)))
        tree = branches[chosen[name]]
    return chosen


def signals_on(message, chosen):
    """The names of the signals that a frame with these selectors carries."""
    names, tree = [], message.signal_tree
    while True:
        names += [branch for branch in tree if isinstance(branch, str)]
        selectors = [branch for branch in tree if isinstance(branch, dict)]
        if not selectors:
            return names
        (name, branches) = next(iter(selectors[0].items()))
        names.append(name)
        tree = branches[chosen[name]]


@st.composite
def value_of(draw, signal):
    """A value that the signal can carry, on its raster or off it."""
    if signal.conversion.is_float:
        most = {16: 32768.0, 32: 2.0**127, 64: 2.0**1000}[signal.length]
        raw = draw(st.one_of(st.floats(-most, most, width=signal.length), st.floats(-most, most)))  # on its raster or off it
        return raw * signal.scale / 4 + signal.offset
    low = -(1 << signal.length - 1) if signal.is_signed else 0
    high = (1 << signal.length - signal.is_signed) - 1
    raw = draw(st.integers(max(low, -EXACT), min(high, EXACT)))
    value = raw * signal.scale + signal.offset
    if signal.minimum is not None:
        value = max(value, signal.minimum)
    if signal.maximum is not None:
        value = min(value, signal.maximum)
    return value


@pytest.mark.parametrize("which", WHICH)
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_any_values_encode_as_cantools_encodes_them_and_come_back(dbcs, which, data):
    known, device, reading, types = dbcs[which]
    message = data.draw(st.sampled_from(known.messages))
    chosen = data.draw(path_of(message))
    names = signals_on(message, chosen)
    values = {name: chosen[name] if name in chosen else data.draw(value_of(message.get_signal_by_name(name))) for name in names}
    ours, refused = encode_signals(message, values)
    assert not refused, values
    theirs = message.encode(values, strict=True)
    assert ours == theirs, values
    decoded = message.decode(ours, decode_choices=False)
    cells = reading.cells
    cells.quality[:] = BAD_WAITING_FOR_INITIAL_DATA
    reading.read([(key_of(message), theirs)])
    for name in names:
        slot = device.slots[f"{message.name}.{name}"][0]
        if cells.quality[slot] == BAD_SENSOR_FAILURE:
            assert is_no_value(message.get_signal_by_name(name), decoded[name])
            continue
        got = float(cells.lreal[slot] if types[slot] == "LREAL" else cells.integer[slot])
        assert same(got, float(decoded[name])), name
        signal = message.get_signal_by_name(name)
        if not signal.conversion.is_float:
            assert math.isclose(got, values[name], rel_tol=1e-12, abs_tol=abs(signal.scale) * 0.5000001), name


def harmless(signal):
    """A value that the signal can carry."""
    return signal.offset if signal.minimum is None else signal.minimum


@pytest.mark.parametrize("which", WHICH)
@settings(max_examples=40, deadline=None)
@given(data=st.data(), far=st.floats(allow_nan=True, allow_infinity=True))
def test_a_value_that_cantools_refuses_is_refused(dbcs, which, data, far):
    known, *_ = dbcs[which]
    message = data.draw(st.sampled_from(known.messages))
    chosen = data.draw(path_of(message))
    names = signals_on(message, chosen)
    name = data.draw(st.sampled_from(names))
    signal = message.get_signal_by_name(name)
    if type_of(signal) != "LREAL" or name in chosen:
        return  # the engine's whole numbers have no fractions, infinities or NaN
    values = {other: chosen[other] if other in chosen else harmless(message.get_signal_by_name(other)) for other in names}
    values[name] = far
    try:
        message.encode(values, strict=True)
        theirs = math.isfinite(far)
    except Exception:  # noqa: BLE001 - cantools and struct refuse in many ways
        theirs = False
    _, refused = encode_signals(message, values)
    if not theirs:
        assert name in refused


def test_a_dbc_of_2000_signals_loads_in_seconds(tmp_path):
    (tmp_path / "dbc").mkdir()
    (tmp_path / "dbc" / "large.dbc").write_text(large_dbc(), encoding="utf-8")
    known = database(large_dbc())
    assert sum(len(message.signals) for message in known.messages) == 2000
    begun = time.process_time()
    device = map_all("dbc/large.dbc", tmp_path, known)
    spent = time.process_time() - begun
    assert len(device.device.inputs) == 2000
    assert spent < 30
