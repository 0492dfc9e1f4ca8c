"""What the rules of a message do to its frames: CRC, alive counter, window and time-out, on the compiled path."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.fieldbus.can_rules import LAWS, AliveRule, CrcRule, MessageRules, put_crc
from runtime.fieldbus.can_supervise import (
    E_ALIVE,
    E_CRC,
    E_EARLY,
    E_LATE,
    E_LOST,
    E_OUTSIDE,
    E_TAKEN,
    E_TIMEOUT,
    S_OVERDUE,
    S_REFUSED,
    find_overdue,
    forget,
)
from runtime.fieldbus.can_tables import Bits
from runtime.quality import BAD_WAITING_FOR_INITIAL_DATA, GOOD
from tests.aids.fieldbus import mapped
from tests.aids.fieldbus_codec import SITE, reader
from tests.aids.fieldbus_dbc import write_synthetic

KEY, MS = 29, 1_000_000
CRC = CrcRule(Bits(0, 1, 0, 8), LAWS["sae_j1850"], before=b"\x3a")
ALIVE = AliveRule(Bits(1, 1, 0, 4), 16)


@pytest.fixture(scope="module")
def device(tmp_path_factory):
    root = tmp_path_factory.mktemp("site")
    write_synthetic(root)
    text = """
        device: d
        driver: can
        channel: can0
        dbc: dbc/synthetic.dbc
        inputs:
          a.value: {signal: Protected.Value}
          a.word: {signal: Slow.Word}
    """
    return mapped(text, SITE, root)


def reading_of(device, **rules):
    return reader(device, {"Protected": MessageRules("Protected", **rules)})


def frame(count: int = 0, value: int = 0) -> bytes:
    """`Protected` as cantools encodes it, without a CRC."""
    return bytes([0, count]) + value.to_bytes(2, "little", signed=True) + bytes(4)


def signed(data: bytes, rule: CrcRule = CRC) -> bytes:
    made = bytearray(data)
    put_crc(made, rule)
    return bytes(made)


def test_a_frame_with_a_wrong_crc_is_not_taken(device):
    reading = reading_of(device, crc=CRC)
    assert reading.read([(KEY, frame(value=50))]) == 0
    assert (reading.seen("Protected", E_CRC), reading.seen("Protected", S_REFUSED)) == (1, 1)
    assert (reading.cells.lreal[0], reading.cells.quality[0]) == (0.0, BAD_WAITING_FOR_INITIAL_DATA)
    assert reading.read([(KEY, signed(frame(value=50)))]) == 1
    assert (reading.cells.lreal[0], reading.cells.quality[0]) == (5.0, GOOD)
    assert (reading.seen("Protected", E_CRC), reading.seen("Protected", S_REFUSED)) == (1, 0)


def test_bytes_after_the_message_are_no_part_of_the_crc(device):
    reading = reading_of(device, crc=CRC)
    assert reading.read([(KEY, signed(frame(value=50)) + b"\xff" * 4)]) == 1


@settings(max_examples=200, deadline=None)
@given(noise=st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), min_size=1, max_size=2, unique=True))
def test_up_to_two_wrong_bits_never_reach_a_tag(device, noise):
    """The polynomial of SAE J1850 is primitive: it finds every error of two bits in up to 247 bits of data."""
    reading = reading_of(device, crc=CRC)
    wrong = bytearray(signed(frame(3, 777)))
    for byte, bit in noise:
        wrong[byte] ^= 1 << bit
    assert reading.read([(KEY, bytes(wrong))]) == 0
    assert reading.cells.quality[0] == BAD_WAITING_FOR_INITIAL_DATA


@pytest.mark.parametrize(
    ("counts", "taken", "alive", "lost"),
    [
        ([0, 1, 2, 3], 4, 0, 0),
        ([14, 15, 0, 1], 4, 0, 0),  # it begins again
        ([7, 7, 7, 8], 2, 2, 0),  # stuck: not taken
        ([1, 2, 4], 3, 0, 1),  # one frame is missing
        ([1, 6], 2, 0, 4),
        ([3, 2], 2, 0, 14),  # backwards is the long way round
        ([9], 1, 0, 0),  # where it begins says nothing
    ],
)
def test_an_alive_counter_that_is_stuck_or_jumps(device, counts, taken, alive, lost):
    reading = reading_of(device, alive=ALIVE)
    assert reading.read([(KEY, frame(count)) for count in counts]) == taken
    assert (reading.seen("Protected", E_ALIVE), reading.seen("Protected", E_LOST)) == (alive, lost)


def test_a_stuck_counter_leaves_the_old_value_and_its_time(device):
    reading = reading_of(device, alive=ALIVE)
    reading.read([(KEY, frame(1, 10)), (KEY, frame(1, 20))])
    assert (reading.cells.lreal[0], reading.cells.time[0]) == (1.0, 1000)


def test_counts_from_the_modulus_on_cannot_be(device):
    """The counter of AUTOSAR E2E profile 1 runs from 0 to 14."""
    reading = reading_of(device, alive=AliveRule(ALIVE.bits, 15))
    assert reading.read([(KEY, frame(13)), (KEY, frame(14)), (KEY, frame(15)), (KEY, frame(0))]) == 3
    assert (reading.seen("Protected", E_ALIVE), reading.seen("Protected", E_LOST)) == (1, 0)


def test_a_counter_in_steps(device):
    reading = reading_of(device, alive=AliveRule(ALIVE.bits, 16, 2))
    assert reading.read([(KEY, frame(count)) for count in (0, 2, 4, 8, 9)]) == 5
    assert reading.seen("Protected", E_LOST) == 1 + 1, "a step of 4 leaves one out; a step of 1 is no step"


@settings(max_examples=100, deadline=None)
@given(moves=st.lists(st.integers(0, 15), min_size=1, max_size=30), modulus=st.integers(2, 16))
def test_every_frame_is_taken_or_counted(device, moves, modulus):
    reading = reading_of(device, alive=AliveRule(ALIVE.bits, modulus))
    count, sent, missing, stuck = 0, [0], 0, 0
    for move in moves:
        move %= modulus
        count = (count + move) % modulus
        sent.append(count)
        missing += max(0, move - 1)
        stuck += move == 0
    taken = reading.read([(KEY, frame(c)) for c in sent])
    assert taken == len(sent) - stuck == reading.seen("Protected", E_TAKEN)
    assert (reading.seen("Protected", E_ALIVE), reading.seen("Protected", E_LOST)) == (stuck, missing)


@pytest.mark.parametrize(
    ("gap", "early", "late"),
    [(100, 0, 0), (95, 0, 0), (105, 0, 0), (94, 1, 0), (106, 0, 1), (0, 1, 0), (1000, 0, 1), (-5, 1, 0)],
)
def test_a_frame_every_100_ms_is_accepted_within_95_and_105(device, gap, early, late):
    """The figures of foxBMS 2, see NUMBERS.md; a frame outside the window is counted and taken."""
    reading = reading_of(device, cycle=100 * MS, window=5 * MS)
    times = [5000 * MS, (5000 + gap) * MS]
    assert reading.read([(KEY, frame())] * 2, times) == 2
    assert (reading.seen("Protected", E_EARLY), reading.seen("Protected", E_LATE)) == (early, late)


def test_the_first_frame_is_neither_early_nor_late(device):
    reading = reading_of(device, cycle=100 * MS, window=5 * MS)
    reading.read([(KEY, frame())])
    forget(reading.watch)
    reading.read([(KEY, frame())], [10_000 * MS])
    assert (reading.seen("Protected", E_EARLY), reading.seen("Protected", E_LATE)) == (0, 0)


def test_a_message_is_overdue_once_and_until_it_comes_again(device):
    reading = reading_of(device, timeout=300 * MS, alive=ALIVE)
    reading.read([(KEY, frame(1))], [1000 * MS])
    row = reading.names.index("Protected")
    assert not find_overdue(reading.watch, 1300 * MS, 0).size
    assert list(find_overdue(reading.watch, 1301 * MS, 0)) == [row]
    assert not find_overdue(reading.watch, 1400 * MS, 0).size, "it is said once"
    assert (reading.seen("Protected", E_TIMEOUT), reading.seen("Protected", S_OVERDUE)) == (1, 1)
    assert reading.read([(KEY, frame(1))], [1500 * MS]) == 1, "after a time-out the counter begins anew"
    assert reading.seen("Protected", S_OVERDUE) == 0
    assert list(find_overdue(reading.watch, 1801 * MS, 0)) == [row]


def test_a_message_that_never_comes_is_overdue_too(device):
    reading = reading_of(device, timeout=300 * MS)
    assert not find_overdue(reading.watch, 1300 * MS, since=1000 * MS).size
    assert find_overdue(reading.watch, 1301 * MS, since=1000 * MS).size == 1


def test_frames_that_are_refused_do_not_feed_the_time_out(device):
    reading = reading_of(device, timeout=300 * MS, crc=CRC)
    reading.read([(KEY, frame())], [1000 * MS])
    assert find_overdue(reading.watch, 1001 * MS, since=700 * MS).size == 1


def test_a_message_without_rules_is_only_counted(device):
    reading = reader(device)
    assert reading.read([(KEY, frame(1))] * 3) == 3
    assert not find_overdue(reading.watch, 1 << 60, 0).size


def test_a_value_outside_the_range_of_the_dbc_is_taken_and_counted(device):
    reading = reader(device)
    reading.read([(KEY, frame(0, 9999)), (KEY, frame(1, 10001))])
    assert (reading.cells.lreal[0], reading.cells.quality[0]) == (pytest.approx(1000.1), GOOD)
    assert reading.seen("Protected", E_OUTSIDE) == 1
