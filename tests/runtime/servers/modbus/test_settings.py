"""What the site may say about ports, TLS, serial lines and unit ids of its Modbus server, and what it is told about mistakes."""

from __future__ import annotations

import pytest

from runtime.language.loader import read_yaml
from runtime.servers.modbus.access import Access
from runtime.servers.modbus.settings import ModbusSettings, SerialSettings, TlsSettings, describe_modbus
from runtime.servers.users import Users
from runtime.source import Report


def described(text: str) -> tuple[ModbusSettings, list[str]]:
    report = Report()
    settings = describe_modbus(read_yaml("config/site.yaml", text, report), report)
    return settings, [f"{problem.code}: {problem.message}" for problem in report.problems]


def test_tls_stands_beside_plain_tcp_or_instead_of_it() -> None:
    assert described("tls: true\n")[0].tls == TlsSettings(802, "required")
    settings, problems = described("port: none\ntls: {port: 8802, clients: optional}\n")
    assert (settings.port, settings.tls, problems) == (None, TlsSettings(8802, "optional"), [])
    assert described("tls: false\n")[0].tls is None


def test_serial_lines_have_a_unit_and_the_speed_of_the_specification() -> None:
    settings, problems = described("serial: {port: /dev/ttyS1, unit: 5, role: operator}\n")
    assert settings.serial == (SerialSettings("/dev/ttyS1", 5, 19200, "even", 0, "operator"),)
    assert problems == []
    both, _ = described("serial:\n- {port: /dev/ttyS1, unit: 5}\n- {port: /dev/ttyS2, unit: 9, baud: 9600, parity: none}\n")
    assert [(line.port, line.unit, line.baud) for line in both.serial] == [("/dev/ttyS1", 5, 19200), ("/dev/ttyS2", 9, 9600)]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("port: none\n", "E941: the Modbus server has no port, no TLS and no serial line: nobody could reach it"),
        (
            "serial: [{port: /dev/ttyS1, unit: 5}, {port: /dev/ttyS1, unit: 6}]\n",
            "E942: the serial port /dev/ttyS1 stands in two lines of `serial:`",
        ),
        ("serial: {port: /dev/ttyS1}\n", "E902: `serial`: `unit` is missing, such as `{port: /dev/ttyS1, unit: 5}`"),
        ("serial: {port: /dev/ttyS1, unit: 0}\n", "E902: `serial`: `0` is not a whole number from 1 to 247"),
        ("serial: {port: /dev/ttyS1, unit: 5, speed: 9600}\n", "E902: `serial`: no setting named `speed`; known: port, unit, baud"),
        ("tls: {clients: some}\n", "E902: `tls`: `some` is none of none, optional, required"),
        ("units: {1: boss}\n", "E902: `units`: `boss` is none of viewer, operator, engineer, admin"),
        ("units: {256: viewer}\n", "E902: `units`: `256` is not a whole number from 0 to 255"),
    ],
)
def test_a_mistake_is_named_with_what_was_expected(text: str, problem: str) -> None:
    assert [found[: len(problem)] for found in described(text)[1]] == [problem]


@pytest.mark.parametrize(
    ("text", "host", "unit", "role"),
    [
        ("{}\n", "127.0.0.1", 1, "operator"),
        ("role: engineer\n", "127.0.0.1", 255, "engineer"),
        ("units: {1: engineer, 2: viewer}\n", "127.0.0.1", 1, "operator"),
        ("units: {1: engineer, 2: viewer}\n", "127.0.0.1", 2, "viewer"),
        ("units: {1: engineer, 2: viewer}\n", "127.0.0.1", 3, None),
        ("units: any\n", "127.0.0.1", 99, "operator"),
        ("write: [10.0.0.0/8]\n", "10.1.1.1", 1, "operator"),
        ("write: [10.0.0.0/8]\n", "::ffff:10.1.1.1", 1, "operator"),
        ("write: [10.0.0.0/8]\n", "192.168.1.1", 1, ""),
        ("write: {10.0.0.0/8: viewer, 10.1.0.0/16: engineer}\n", "10.1.1.1", 1, "engineer"),
        ("write: [10.0.0.0/8]\nunits: {1: admin}\n", "192.168.1.1", 1, ""),
    ],
)
def test_the_lowest_role_that_a_rule_names_counts(text: str, host: str, unit: int, role: str | None) -> None:
    access = Access(described(text)[0], Users(""))
    who = access.in_unit(access.who(host, f"{host}:1", None), unit)
    assert (who.role if who is not None else None) == role
