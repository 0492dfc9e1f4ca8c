"""What error frames say of a CAN controller: the frames as linux/can/error.h lays them out, in any order, and broken ones."""

from hypothesis import given
from hypothesis import strategies as st

from runtime.fieldbus.can_fault import Fault

# linux/can/error.h
CAN_ERR_CRTL, CAN_ERR_PROT, CAN_ERR_BUSOFF, CAN_ERR_RESTARTED, CAN_ERR_CNT = 0x4, 0x8, 0x40, 0x100, 0x200
RX_OVERFLOW, RX_WARNING, TX_WARNING, RX_PASSIVE, TX_PASSIVE, ACTIVE = 0x01, 0x04, 0x08, 0x10, 0x20, 0x40


def controller(about: int) -> bytes:
    return bytes([0, about, 0, 0, 0, 0, 0, 0])


def test_a_controller_gets_worse_and_better():
    fault = Fault()
    told = []
    for identifier, data in [
        (CAN_ERR_CRTL, controller(TX_WARNING)),
        (CAN_ERR_CRTL, controller(TX_PASSIVE)),
        (CAN_ERR_CRTL, controller(RX_PASSIVE)),
        (CAN_ERR_BUSOFF, bytes(8)),
        (CAN_ERR_RESTARTED, bytes(8)),
        (CAN_ERR_CRTL, controller(RX_WARNING)),
        (CAN_ERR_CRTL, controller(ACTIVE)),
    ]:
        fault.take(identifier, data)
        told.append(fault.state)
    assert told == ["warning", "passive", "passive", "bus_off", "active", "warning", "active"]
    assert fault.counts == {
        "error_frames": 7,
        "error_warning": 2,
        "error_passive": 1,
        "bus_off": 1,
        "restarts": 1,
        "overflow": 0,
        "not_sent": 0,
    }


def test_counters_tell_the_state_where_nothing_else_does():
    """CAN_ERR_CNT: data[6] and data[7] are the transmit and receive error counters; 96 warns, 128 is passive (ISO 11898-1)."""
    fault = Fault()
    told = []
    for transmit, receive in [(95, 0), (96, 0), (0, 127), (128, 0), (3, 200), (12, 12)]:
        fault.take(CAN_ERR_PROT | CAN_ERR_CNT, bytes([0, 0, 0, 0, 0, 0, transmit, receive]))
        told.append(fault.state)
    assert told == ["active", "warning", "warning", "passive", "passive", "active"]


def test_counters_do_not_bring_back_a_controller_that_is_off():
    fault = Fault()
    fault.take(CAN_ERR_BUSOFF, bytes(8))
    fault.take(CAN_ERR_PROT | CAN_ERR_CNT, bytes(8))
    assert fault.state == "bus_off"
    fault.hear()
    assert fault.state == "active" and fault.counts["restarts"] == 1


def test_an_overrun_of_the_controller_is_lost_frames_not_a_state():
    fault = Fault()
    fault.take(CAN_ERR_CRTL, controller(RX_OVERFLOW))
    assert fault.state == "active" and fault.counts["overflow"] == 1


@given(st.lists(st.tuples(st.integers(0, 0x1FFFFFFF), st.binary(max_size=8)), max_size=40))
def test_no_error_frame_breaks_the_count(frames):
    fault = Fault()
    for identifier, data in frames:
        fault.take(identifier, data)
    assert fault.counts["error_frames"] == len(frames)
    assert fault.state in ("active", "warning", "passive", "bus_off")
    assert 0 <= fault.counts["restarts"] <= fault.counts["bus_off"]
