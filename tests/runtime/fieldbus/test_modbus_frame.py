"""Modbus frames: equal to pymodbus', cut from any stream, and never believed when one byte does not fit."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pymodbus.framer import FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ExceptionResponse, bit_message, register_message
from pymodbus.pdu.mei_message import ReadDeviceInformationRequest, ReadDeviceInformationResponse

from runtime.fieldbus import modbus_frame as frame
from runtime.fieldbus.modbus_errors import ERRORS, LostError, RefusedError

TCP, RTU = FramerSocket(DecodePDU(False)), FramerRTU(DecodePDU(False))
units, addresses, words = st.integers(1, 247), st.integers(0, 60000), st.integers(0, 0xFFFF)
READS = {
    "coil": (bit_message.ReadCoilsRequest, bit_message.ReadCoilsResponse),
    "discrete": (bit_message.ReadDiscreteInputsRequest, bit_message.ReadDiscreteInputsResponse),
    "holding": (register_message.ReadHoldingRegistersRequest, register_message.ReadHoldingRegistersResponse),
    "input": (register_message.ReadInputRegistersRequest, register_message.ReadInputRegistersResponse),
}


def outcome(take) -> str:
    """The kind of the error that it raises, or nothing."""
    try:
        take()
    except (LostError, RefusedError) as error:
        return error.kind
    return ""


def same_on_both_lines(ours: frame.Request, theirs, transaction: int = 7) -> None:
    theirs.dev_id, theirs.transaction_id = ours.unit, transaction
    assert frame.tcp_frame(ours, transaction) == TCP.buildFrame(theirs)
    assert frame.rtu_frame(ours) == RTU.buildFrame(theirs)


@given(st.sampled_from(sorted(READS)), units, addresses, st.integers(1, 125))
def test_read_requests_are_those_of_pymodbus(table, unit, address, count):
    same_on_both_lines(frame.read_request(unit, table, address, count), READS[table][0](address=address, count=count))


@given(units, addresses, st.lists(words, min_size=1, max_size=123))
def test_register_writes_are_those_of_pymodbus(unit, address, values):
    kind = register_message.WriteSingleRegisterRequest if len(values) == 1 else register_message.WriteMultipleRegistersRequest
    same_on_both_lines(frame.write_request(unit, "holding", address, values), kind(address=address, registers=values))


@given(units, addresses, st.lists(st.booleans(), min_size=1, max_size=1968))
def test_coil_writes_are_those_of_pymodbus(unit, address, values):
    kind = bit_message.WriteSingleCoilRequest if len(values) == 1 else bit_message.WriteMultipleCoilsRequest
    same_on_both_lines(frame.write_request(unit, "coil", address, [int(v) for v in values]), kind(address=address, bits=values))


@given(units, addresses, st.integers(1, 121), addresses, st.lists(words, min_size=1, max_size=121))
def test_read_write_requests_are_those_of_pymodbus(unit, address, count, write_address, values):
    theirs = register_message.ReadWriteMultipleRegistersRequest(
        read_address=address, read_count=count, write_address=write_address, write_registers=values
    )
    same_on_both_lines(frame.read_write_request(unit, address, count, write_address, values), theirs)


def test_the_identification_request_is_that_of_pymodbus():
    same_on_both_lines(frame.identify_request(3), ReadDeviceInformationRequest(read_code=1, object_id=0))


def taken(request: frame.Request, theirs, transaction: int = 9) -> bytes:
    """The PDU that we cut from pymodbus' frames, on both kinds of line; no prefix of them is ever taken for the whole."""
    theirs.dev_id, theirs.transaction_id = request.unit, transaction
    tcp = TCP.buildFrame(theirs)
    if isinstance(theirs, ReadDeviceInformationResponse):  # a second encoding counts on
        theirs = ReadDeviceInformationResponse(theirs.read_code, theirs.information, theirs.dev_id, theirs.transaction_id)
    rtu = RTU.buildFrame(theirs)
    for end in {0, 1, 2, 3, 4, 7, len(tcp) // 2, len(tcp) - 1}:
        assert frame.take_tcp(tcp[:end], request, transaction) is None
    for end in {0, 1, 2, 3, 4, len(rtu) // 2, len(rtu) - 1} - {len(rtu)}:
        assert frame.take_rtu(rtu[:end], request) is None
    pdu = frame.take_tcp(tcp, request, transaction)
    assert pdu == frame.take_rtu(rtu, request) and pdu is not None
    return frame.check_answer(request, pdu)


@given(st.sampled_from(["holding", "input"]), units, addresses, st.lists(words, min_size=1, max_size=125))
def test_registers_come_back_as_they_were_sent(table, unit, address, values):
    pdu = taken(frame.read_request(unit, table, address, len(values)), READS[table][1](registers=values))
    assert frame.values_of(table, len(values), pdu).tolist() == values


@given(st.sampled_from(["coil", "discrete"]), units, addresses, st.lists(st.booleans(), min_size=1, max_size=2000))
def test_bits_come_back_as_they_were_sent(table, unit, address, values):
    pdu = taken(frame.read_request(unit, table, address, len(values)), READS[table][1](bits=values))
    found = frame.values_of(table, len(values), pdu)
    assert found.dtype == np.uint16 and found.tolist() == values


@given(units, st.integers(0, 255), st.sampled_from([1, 2, 3, 4]))
def test_an_exception_is_told_by_its_code(unit, code, function):
    table = {number: name for name, number in frame.READ.items()}[function]
    with pytest.raises(RefusedError) as refused:
        taken(frame.read_request(unit, table, 0, 8), ExceptionResponse(function, code))
    assert refused.value.code == code and refused.value.kind in ERRORS


@given(units, st.dictionaries(st.integers(0, 6), st.binary(max_size=30), min_size=1))
def test_an_identification_is_read_object_by_object(unit, objects):
    pdu = taken(frame.identify_request(unit), ReadDeviceInformationResponse(read_code=1, information=objects))
    assert frame.objects_of(pdu) == (objects, 0)


@given(st.binary(max_size=300))
def test_no_bytes_make_an_identification_that_crashes(data):
    pdu = b"\x2b\x0e" + data
    kind = outcome(lambda: frame.objects_of(pdu))
    assert kind in ("", "malformed")
    if not kind:
        objects, following = frame.objects_of(pdu)
        assert 7 + sum(2 + len(value) for value in objects.values()) == len(pdu)
        assert 0 <= following <= 255


@given(units, st.integers(1, 125), st.binary(max_size=600), st.booleans())
def test_arbitrary_bytes_never_crash_and_never_give_values(unit, count, data, rtu):
    request = frame.read_request(unit, "holding", 0, count)
    kind = outcome(lambda: frame.take_rtu(data, request) if rtu else frame.take_tcp(data, request, 0x5A5A))
    assert not kind or kind in ERRORS
    if not kind:
        pdu = frame.take_rtu(data, request) if rtu else frame.take_tcp(data, request, 0x5A5A)
        believed = pdu is not None and not outcome(lambda: frame.check_answer(request, pdu))
        assert not believed or data.startswith(b"\x5a\x5a") or RTU.encode(pdu, unit, 0) in data
    assert frame.judge_rest(data, request, rtu).kind in ERRORS


@given(units, st.lists(words, min_size=1, max_size=125), st.data())
def test_a_few_wrong_bits_are_never_believed_on_rtu(unit, values, draw):
    """CRC-16/MODBUS finds every error of up to three bits in a frame of this length."""
    request = frame.read_request(unit, "holding", 0, len(values))
    sound = RTU.buildFrame(READS["holding"][1](registers=values, dev_id=unit))
    places = draw.draw(st.sets(st.integers(0, 8 * len(sound) - 1), min_size=1, max_size=3))
    damaged = bytearray(sound)
    for place in places:
        damaged[place // 8] ^= 1 << place % 8
    if not outcome(lambda: frame.take_rtu(damaged, request)):
        pdu = frame.take_rtu(damaged, request)
        assert pdu is None or outcome(lambda: frame.check_answer(request, pdu)) in ERRORS


@given(units, st.lists(words, min_size=1, max_size=60), st.binary(max_size=12))
def test_an_rtu_answer_is_found_behind_the_noise_of_a_turning_line(unit, values, noise):
    assume(unit not in noise)
    request = frame.read_request(unit, "holding", 0, len(values))
    sound = RTU.buildFrame(READS["holding"][1](registers=values, dev_id=unit))
    pdu = frame.take_rtu(noise + sound, request)
    assert pdu is not None and frame.values_of("holding", len(values), pdu).tolist() == values


def test_an_adapter_that_echoes_the_request_is_heard_through():
    request = frame.read_request(5, "holding", 0x0301, 2)
    sound = RTU.buildFrame(READS["holding"][1](registers=[8, 9], dev_id=5))
    assert frame.take_rtu(frame.rtu_frame(request), request) is None
    assert frame.take_rtu(frame.rtu_frame(request) + sound, request) == sound[1:-2]


REQUEST = frame.read_request(1, "holding", 0, 2)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("0001 0000 0007 01 03 04 0009 0009", ""),
        ("0002 0000 0007 01 03 04 0009 0009", "wrong_transaction"),
        ("0001 0001 0007 01 03 04 0009 0009", "malformed"),
        ("0001 0000 0007 02 03 04 0009 0009", "wrong_unit"),
        ("0001 0000 0007 01 04 04 0009 0009", "wrong_function"),
        ("0001 0000 0007 01 03 02 0009 0009", "malformed"),
        ("0001 0000 0005 01 03 02 0009", "short"),
        ("0001 0000 0009 01 03 06 0009 0009 0009", "malformed"),
        ("0001 0000 0001 01", "malformed"),
        ("0001 0000 FFFF 01", "malformed"),
        ("0001 0000 0007 01 03 04 0009 0009 00", "extra"),
        ("0001 0000 0002 01 83", "malformed"),
        ("0001 0000 0003 01 83 02", "exception_2"),
        ("0001 0000 0003 01 83 0B", "exception_11"),
        ("0001 0000 0003 01 83 63", "exception_other"),
    ],
)
def test_every_wrong_answer_on_tcp_has_its_own_name(answer, kind):
    assert outcome(lambda: frame.check_answer(REQUEST, frame.take_tcp(bytes.fromhex(answer), REQUEST, 1))) == kind


@pytest.mark.parametrize(
    ("table", "values", "answer", "kind"),
    [
        ("holding", [5], "06 000A 0005", ""),
        ("holding", [5], "06 000A 0004", ""),  # a device may limit the value: reading it back is another matter
        ("holding", [5], "06 000B 0005", "wrong_address"),
        ("holding", [5, 6], "10 000A 0002", ""),
        ("holding", [5, 6], "10 000A 0001", "wrong_address"),
        ("coil", [1], "05 000A FF00", ""),
        ("coil", [1, 0], "0F 000A 0002", ""),
        ("coil", [1, 0], "0F 000B 0002", "wrong_address"),
    ],
)
def test_the_answer_to_a_write_must_name_its_registers(table, values, answer, kind):
    request = frame.write_request(1, table, 10, values)
    assert outcome(lambda: frame.check_answer(request, bytes.fromhex(answer))) == kind


def test_unit_zero_on_tcp_is_whoever_answers():
    request = frame.read_request(0, "holding", 0, 1)
    assert frame.take_tcp(bytes.fromhex("0001 0000 0005 FF 03 02 0007"), request, 1) == bytes.fromhex("03 02 0007")
