"""What an io_map says about the line to a Modbus device: transport, address, and how gently it is used. It opens nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from runtime.fieldbus import words
from runtime.fieldbus.modbus_rules import Rules
from runtime.source import Report, Section, Text

TCP, RTU, RTU_OVER_TCP, TLS = "tcp", "rtu", "rtu_over_tcp", "tls"
TRANSPORTS = (TCP, RTU, RTU_OVER_TCP, TLS)
KEEP, PER_POLL = -1, 0
LINE_WORDS: Mapping[str, str] = {
    "transport": f"{', '.join(TRANSPORTS)} (default tcp); devices with one host and port, or one serial port, share the line; "
    "RS-485 adapters with local echo are not supported on rtu: the echo of a written register looks like its answer",
    "host": "name or address of the device or of its gateway",
    "port": "TCP port (default 502, tls 802)",
    "serial": "serial port of an RTU line, for example /dev/ttyUSB0",
    "baud": "bits per second of the serial line (default 19200)",
    "parity": "none, even or odd (default even)",
    "stopbits": "1 or 2 (default 1, without parity 2)",
    "ca": "file (PEM) with the certificates that a tls device may be signed by (default: those of the system)",
    "certificate": "file (PEM) with our own certificate for tls",
    "key": "file (PEM) with the key of our certificate",
    "server_name": "the name in the device's certificate (default: host)",
    "verify": "`false` believes any certificate of a tls device (default true)",
    "connection": "`keep` (default), `idle 5 s` closes after that time without a request, `per_poll` after each round",
    "connections": "most connections to this host and port; its units are dealt out to them (default 1)",
    "request_timeout": "how long an answer may take, besides its time on the wire (default 300 ms)",
    "pause": "silence between two requests on this line, for gateways that need it (default 0)",
    "retry": "how often a request is repeated before the device is lost (default 0; RTU 1, for damaged answers only)",
}
REQUEST_TIMEOUT = 300_000_000  # ns
PORTS = {TCP: 502, RTU_OVER_TCP: 502, TLS: 802}
_ONLY = {  # words that make sense with some transports only
    **dict.fromkeys(("host", "port", "connection", "connections"), (TCP, RTU_OVER_TCP, TLS)),
    **dict.fromkeys(("serial", "baud", "parity", "stopbits"), (RTU,)),
    **dict.fromkeys(("ca", "certificate", "key", "server_name", "verify"), (TLS,)),
}
_CONNECTION = re.compile(r"idle\s+(.*)")


@dataclass(frozen=True, slots=True)
class LineSettings:
    """How a device is reached; durations are nanoseconds. Two devices share a line where all that is compared is equal.

    `idle` is the time without a request after which the connection is closed, KEEP or PER_POLL. The files are absolute.
    """

    transport: str = TCP
    host: str = ""
    port: int = 502
    serial: str = ""
    baud: int = 19200
    parity: str = "even"
    stopbits: int = 1
    ca: str = ""
    certificate: str = ""
    key: str = ""
    server_name: str = ""
    verify: bool = True
    idle: int = KEEP
    connections: int = 1
    pause: int = 0
    request_timeout: int = field(default=REQUEST_TIMEOUT, compare=False)
    retry: int = field(default=0, compare=False)

    @property
    def is_rtu(self) -> bool:
        """Whether frames end with a CRC and answers carry no transaction id."""
        return self.transport in (RTU, RTU_OVER_TCP)

    @property
    def place(self) -> str:
        """Where the line ends: what devices on it have in common."""
        return self.serial if self.transport == RTU else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class ModbusSettings:
    """What the io_map says about the device itself; durations are nanoseconds."""

    line: LineSettings
    unit: int
    poll: int
    gap: int
    max_read: int
    rules: Rules = field(default_factory=Rules)

    @property
    def host(self) -> str:
        return self.line.host or self.line.serial

    @property
    def port(self) -> int:
        return self.line.port

    @property
    def request_timeout(self) -> int:
        return self.line.request_timeout


def describe_line(device: Section, report: Report, root: Path) -> LineSettings | None:
    """The line words of an io_map, or None where the end of the line is missing; all mistakes go to the report."""
    transport = words.choice(device, "transport", TRANSPORTS, TCP, report)
    if transport == TCP and words.entry(device, "transport") is None and words.entry(device, "serial") is not None:
        transport = RTU
    _check_words(device, transport, report)
    host = serial = None
    if transport == RTU:
        serial = words.word(device, "serial", report, needed="for example `serial: /dev/ttyUSB0`")
    else:
        host = words.word(device, "host", report, needed="name or address of the device")
    parity = words.choice(device, "parity", ("none", "even", "odd"), "even", report)
    found = LineSettings(
        transport=transport,
        host=str(host or ""),
        port=words.whole(device, "port", PORTS.get(transport, 0), 1, 65535, report),
        serial=str(serial or ""),
        baud=words.whole(device, "baud", 19200, 300, 4_000_000, report),
        parity=parity,
        stopbits=words.whole(device, "stopbits", 2 if parity == "none" else 1, 1, 2, report),
        ca=_file(device, "ca", root, report),
        certificate=_file(device, "certificate", root, report),
        key=_file(device, "key", root, report),
        server_name=str(words.word(device, "server_name", report) or host or ""),
        verify=words.choice(device, "verify", ("true", "false"), "true", report) == "true",
        idle=_idle(device, report),
        connections=words.whole(device, "connections", 1, 1, 32, report),
        pause=_pause(device, report),
        request_timeout=words.duration(device, "request_timeout", REQUEST_TIMEOUT, report),
        retry=words.whole(device, "retry", int(transport in (RTU, RTU_OVER_TCP)), 0, 5, report),
    )
    _check_pair(device, report)
    unit = words.word(device, "unit", report)
    if unit == "0" and found.is_rtu:
        report.error(unit.at, "E654", "unit 0 is everybody on a serial line, and nobody answers", "`unit` is 1 to 247 there")
    return found if host or serial else None


def in_run_dir(settings: LineSettings, run_dir: Path) -> LineSettings:
    """The line with `$RUN` in its serial port replaced by the folder of this run."""
    return replace(settings, serial=settings.serial.replace("$RUN", str(run_dir)))


def _check_words(device: Section, transport: str, report: Report) -> None:
    """Refuse words of another transport: a `baud` that nothing reads would mislead."""
    for word, transports in _ONLY.items():
        if transport not in transports and words.entry(device, word) is not None:
            belongs = " and ".join(f"`{one}`" for one in transports)
            report.error(
                device.key_at(word),
                "E691",
                f"`{word}` says nothing about a line with `transport: {transport}`",
                f"it belongs to {belongs}",
            )


def _check_pair(device: Section, report: Report) -> None:
    for word, other in (("certificate", "key"), ("key", "certificate")):
        if words.entry(device, word) is not None and words.entry(device, other) is None:
            report.error(device.key_at(word), "E691", f"`{word}` needs `{other}` beside it")


def _file(device: Section, key: str, root: Path, report: Report) -> str:
    """The absolute path of a file, which must exist."""
    text = words.word(device, key, report)
    if text is None:
        return ""
    path = root / str(text)
    if not path.is_file():
        report.error(text.at, "E692", f"there is no file `{text}`", "paths are relative to the site's root")
        return ""
    return str(path.resolve())


def _idle(device: Section, report: Report) -> int:
    text = words.word(device, "connection", report)
    if text is None or text == "keep":
        return KEEP
    if text == "per_poll":
        return PER_POLL
    found = _CONNECTION.fullmatch(text)
    if found is None:
        report.error(
            text.at, "E655", f"`connection` cannot be `{text}`", "", "known: keep, idle TIME (for example `idle 5 s`), per_poll"
        )
        return KEEP
    return words.duration(Section([(Text("connection"), Text(found[1], text.at))], text.at), "connection", KEEP, report)


def _pause(device: Section, report: Report) -> int:
    text = words.word(device, "pause", report)
    return 0 if text is None or text == "0" else words.duration(device, "pause", 0, report)
