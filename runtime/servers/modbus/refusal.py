"""Why a request cannot be carried out, as the Modbus exception that says so. It knows no socket and no tags."""

from __future__ import annotations

ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, DEVICE_FAILURE, BUSY, NO_SUCH_UNIT = 1, 2, 3, 4, 6, 0x0B


class RefusedError(Exception):
    """The request cannot be carried out; `code` is the Modbus exception."""

    def __init__(self, code: int):
        super().__init__(f"exception {code}")
        self.code = code
