"""What can go wrong between a request and its answer, told apart, with one sentence each. It knows no line and no tag."""

from __future__ import annotations

from collections.abc import Mapping

ERRORS: Mapping[str, str] = {
    "timeout": "No answer within the request's time",
    "refused": "The device or gateway refused the connection (nothing listens there, or all its sockets are taken)",
    "unreachable": "No way to the host, or no answer to the attempt to connect",
    "unresolved": "The host's name could not be turned into an address",
    "reset": "The device or gateway broke the connection off",
    "closed": "The device or gateway closed the connection",
    "serial": "The serial port cannot be opened or has failed",
    "tls": "The TLS handshake failed, or the device's certificate is not trusted",
    "conflict": "Another device describes the shared line with other words",
    "exception_1": "Illegal function: the device does not know this kind of request",
    "exception_2": "Illegal address: the device has no such register",
    "exception_3": "Illegal value: the device refuses the value or the number of registers",
    "exception_4": "Device failure while it worked on the request",
    "exception_5": "Acknowledge: the device has begun but needs longer",
    "exception_6": "The device is busy",
    "exception_8": "The device found its memory damaged",
    "exception_10": "The gateway has no path to the device",
    "exception_11": "The gateway got no answer from the device",
    "exception_other": "An exception code that the protocol does not define",
    "wrong_unit": "The answer came from another unit id than was asked",
    "wrong_function": "The answer is to another function than was asked",
    "wrong_transaction": "The answer belongs to another request",
    "wrong_address": "The answer to a write names other registers or values than were sent",
    "short": "The answer ended before it was complete",
    "malformed": "The answer is no Modbus frame, or its length is not what was asked for",
    "crc": "The answer's checksum is wrong",
    "extra": "Bytes arrived that nobody had asked for",
}
GATEWAY_CODES = (10, 11)  # a gateway speaks for a device that it cannot reach
_KNOWN_CODES = (1, 2, 3, 4, 5, 6, 8, 10, 11)


def exception_kind(code: int) -> str:
    """The counter of a protocol exception."""
    return f"exception_{code}" if code in _KNOWN_CODES else "exception_other"


class LostError(Exception):
    """The device does not answer properly any more; `kind` is the counter that it belongs to, the text says why.

    `is_overdue` says that the request's time was up: its answer may still come.
    """

    def __init__(self, kind: str, reason: str, *, is_overdue: bool = False):
        super().__init__(reason)
        self.kind = kind
        self.is_overdue = is_overdue


class RefusedError(Exception):
    """The device answered with an exception; `code` is the protocol's, `kind` the counter that it belongs to."""

    def __init__(self, code: int):
        super().__init__(f"exception {code}")
        self.code = code
        self.kind = exception_kind(code)
