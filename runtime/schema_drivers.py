"""The shapes of the drivers' words: the sentence is the driver's own, the shape what its reader takes. It opens no device.

A word that a driver adds and that has no shape here takes any value: its sentence is shown all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runtime.fieldbus.can_messages import ALIVE_WORDS, BOTH_WORDS, CRC_WORDS, RECEIVED_WORDS, SENT_WORDS
from runtime.fieldbus.can_rules import LAWS, SENDS
from runtime.fieldbus.gpio_words import BIASES, CHIP_KEYS, DRIVES
from runtime.fieldbus.modbus_register import FORMATS, TABLES, WRITABLE
from runtime.fieldbus.modbus_rules import HEARTBEAT_WORDS, QUESTION_WORDS, SUNSPEC_WORDS
from runtime.fieldbus.modbus_settings import TRANSPORTS
from runtime.fieldbus.modbus_sunspec_points import POINT_WORDS
from runtime.fieldbus.words import NS
from runtime.schema_values import ANY, Shape, choice, described, duration, list_of, named, section, text, truth, whole

BRACES = r"\{"
NUMBER: Shape = {"type": ["string", "number"], "pattern": BRACES, "patternErrorMessage": "a number"}
RAW: Shape = {
    "type": ["integer", "string"],
    "pattern": r"^\s*-?(?:0[xX][0-9a-fA-F]+|\d+)\s*(?:\.\.\s*-?(?:0[xX][0-9a-fA-F]+|\d+)\s*)?$|^none$|\{",
    "patternErrorMessage": "raw values such as 0xFFFF, and for CAN ranges of them",
}


def register(tables: tuple[str, ...]) -> Shape:
    """A table and a wire address: `holding 100`."""
    return {
        "type": "string",
        "pattern": rf"^\s*(?:{'|'.join(tables)})\s+(?:\d{{1,5}}|.*\{{.*)\s*$",
        "patternErrorMessage": f"a table ({', '.join(tables)}) and a wire address from 0: 40001 is `holding 0`",
        "defaultSnippets": [{"label": f"{table} ...", "body": f"{table} ${{1:0}}"} for table in tables],
    }


def _time() -> Shape:
    return duration(units=tuple(NS), zero=False)


def _span(low: int, high: int) -> Shape:
    return whole(low, high, braces=True)


FORMAT = choice(FORMATS)
ORDER = choice(("big", "little"))
BIT: Shape = {"type": ["integer", "string"], "minimum": 0, "maximum": 63}  # a SunSpec bit field has names for its bits
BITS: Shape = {"type": "string", "pattern": r"^\s*\d+\s*\.\.\s*\d+\s*$|\{", "patternErrorMessage": "a field of bits: `4..7`"}
SIGNAL: Shape = {"type": "string", "pattern": r"^[^.\s]+\.[^\s]+$", "patternErrorMessage": "Message.Signal of the DBC"}
LINE: Shape = {"type": ["integer", "string"], "minimum": 0}


def _of(words: tuple[str, ...], shapes: Mapping[str, Shape], required: tuple[str, ...] = ()) -> Shape:
    return section({word: shapes.get(word, {}) for word in words}, required=required)


QUESTION = _of(
    QUESTION_WORDS,
    {
        "register": register(TABLES),
        "as": FORMAT,
        "bit": BIT,
        "bits": BITS,
        "words": ORDER,
        "bytes": ORDER,
        "equals": RAW,
        "in": list_of(RAW),
        "text": text(),
    },
    ("register",),
)
SUNSPEC_POINT = _of(
    POINT_WORDS,
    {"model": _span(1, 65534), "point": text(), "instance": _span(1, 65535), "group": text(), "index": _span(1, 65535)},
    ("model", "point"),
)
CRC = _of(
    CRC_WORDS,
    {
        "signal": text(),
        "kind": choice(LAWS),
        "width": _span(4, 32),
        "reflect": truth(),
        "data_id": {"type": ["integer", "string", "array"]},
        "data_id_at": choice(("start", "end")),
        **dict.fromkeys(("polynomial", "init", "xor"), RAW),
    },
    ("signal",),
)
ALIVE: Shape = {
    "anyOf": [
        text(),
        _of(ALIVE_WORDS, {"signal": text(), "modulus": _span(2, 2**32), "step": _span(1, 2**32 - 1)}, ("signal",)),
    ]
}
MESSAGES = named(
    _of(
        (*RECEIVED_WORDS, *SENT_WORDS, *BOTH_WORDS),
        {
            **dict.fromkeys(("cycle", "timeout", "every"), _time()),
            "window": text(),
            "phase": text(),
            "send": choice(SENDS),
            "alive": ALIVE,
            "crc": CRC,
        },
    ),
    names=r"\S",
)
CHIP: Shape = {
    "anyOf": [text(), section({key: text() for key in CHIP_KEYS}, minProperties=1, maxProperties=1)],
    "defaultSnippets": [{"label": "{label: ...}", "body": {"label": "${1:panel}"}}],
}
DEVICE: Mapping[str, Mapping[str, Shape]] = {
    "modbus": {
        "transport": choice(TRANSPORTS),
        "host": text(),
        "port": _span(1, 65535),
        **dict.fromkeys(("serial", "ca", "certificate", "key", "server_name", "connection", "pause"), text()),
        "baud": _span(300, 4_000_000),
        "parity": choice(("none", "even", "odd")),
        "stopbits": _span(1, 2),
        "verify": truth(),
        "connections": _span(1, 32),
        "request_timeout": _time(),
        "retry": _span(0, 5),
        "unit": _span(0, 255),
        "poll": _time(),
        "gap": _span(0, 125),
        "max_read": _span(4, 125),
        "suspend": _time(),
        "read_write": truth(),
        "handshake": {"type": "array", "items": QUESTION},
        "heartbeat": _of(
            HEARTBEAT_WORDS, {"register": register(("holding",)), "every": _time(), "limit": _span(1, 65535)}, ("register",)
        ),
        "sunspec": _of(SUNSPEC_WORDS, {"base": {"type": ["integer", "string"]}, "models": text()}),
    },
    "can": {
        "channel": text(),
        "dbc": text(),
        "messages": MESSAGES,
        "id_offset": {"type": ["integer", "string"]},
        "min_gap": _time(),
    },
    "gpio": {"chip": CHIP, "poll": _time()},
}
_MODBUS_POINT: Mapping[str, Shape] = {
    "sunspec": SUNSPEC_POINT,
    "as": FORMAT,
    "bit": BIT,
    "bits": BITS,
    "words": ORDER,
    "bytes": ORDER,
    "scale": NUMBER,
    "offset": NUMBER,
    "scale_from": register(TABLES),
    "invalid": list_of(RAW),
    "count": _span(1, 65536),
}
_GPIO_POINT: Mapping[str, Shape] = {"line": LINE, "active": choice(("low", "high")), "bias": choice(BIASES)}
INPUT: Mapping[str, Mapping[str, Shape]] = {
    "modbus": {**_MODBUS_POINT, "register": register(TABLES), "poll": _time()},
    "can": {"signal": SIGNAL, "invalid": list_of(RAW)},
    "gpio": {**_GPIO_POINT, "debounce": _time(), "edges": choice(("both", "none", "rising", "falling")), "count": truth()},
}
OUTPUT: Mapping[str, Mapping[str, Shape]] = {
    "modbus": {**_MODBUS_POINT, "register": register(WRITABLE), "every": _time(), "verify": truth(), "order": _span(0, 1000)},
    "can": {"signal": SIGNAL, "every": _time()},
    "gpio": {**_GPIO_POINT, "drive": choice(DRIVES)},
}
SAME_WORDS = {"simulated": "gpio"}  # it reads the words of a panel, and touches none
NEEDED: Mapping[str, tuple[str, ...]] = {"can": ("channel", "dbc"), "gpio": ("chip",)}
NEEDED_OF_A_POINT: Mapping[str, tuple[str, ...]] = {"can": ("signal",), "gpio": ("line",), "simulated": ("line",)}


def shapes(driver: str, words: Mapping[str, str], table: Mapping[str, Mapping[str, Shape]]) -> dict[str, Shape]:
    """Every word of one of a driver's lists: its sentence and its shape."""
    known: Any = table.get(SAME_WORDS.get(driver, driver), {})
    return {word: described(known.get(word, ANY), sentence) for word, sentence in words.items()}
