"""The quality of a tag: why its value may or may not be trusted, as OPC UA status codes.

The top two bits are the severity (good, uncertain, bad), the rest is the reason (OPC UA part 4, 7.39, and part 6, annex A.2).
"""

from __future__ import annotations

GOOD = 0x00000000
GOOD_LOCAL_OVERRIDE = 0x00960000
UNCERTAIN_LAST_USABLE = 0x40900000
UNCERTAIN_SUBSTITUTE = 0x40910000
BAD_WAITING_FOR_INITIAL_DATA = 0x80320000
BAD_NO_COMMUNICATION = 0x80310000
BAD_CONFIGURATION_ERROR = 0x80890000
BAD_NOT_CONNECTED = 0x808A0000
BAD_DEVICE_FAILURE = 0x808B0000
BAD_SENSOR_FAILURE = 0x808C0000
BAD_OUT_OF_RANGE = 0x803C0000

NAMES = {
    GOOD: "Good",
    GOOD_LOCAL_OVERRIDE: "Good_LocalOverride",
    UNCERTAIN_LAST_USABLE: "Uncertain_LastUsableValue",
    UNCERTAIN_SUBSTITUTE: "Uncertain_SubstituteValue",
    BAD_WAITING_FOR_INITIAL_DATA: "Bad_WaitingForInitialData",
    BAD_NO_COMMUNICATION: "Bad_NoCommunication",
    BAD_CONFIGURATION_ERROR: "Bad_ConfigurationError",
    BAD_NOT_CONNECTED: "Bad_NotConnected",
    BAD_DEVICE_FAILURE: "Bad_DeviceFailure",
    BAD_SENSOR_FAILURE: "Bad_SensorFailure",
    BAD_OUT_OF_RANGE: "Bad_OutOfRange",
}


def is_good(quality: int) -> bool:
    return quality >> 30 == 0


def is_bad(quality: int) -> bool:
    return quality >> 31 == 1


def name(quality: int) -> str:
    """The quality in words, or its number where it has none."""
    return NAMES.get(quality, f"0x{quality:08X}")
