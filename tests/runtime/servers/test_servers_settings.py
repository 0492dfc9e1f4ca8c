"""What `servers:` in the site may say, and what each mistake is told."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from runtime.language.loader import read_yaml
from runtime.servers.describe import describe_servers
from runtime.servers.modbus.settings import describe_modbus
from runtime.servers.opcua.settings import describe_opcua
from runtime.source import Report
from tests.aids.servers_scan import TAGS
from tests.aids.servers_users import write_users


def read(text: str) -> Any:
    report = Report()
    section = read_yaml("config/site.yaml", text, report)
    assert section is not None
    return section


def test_modbus_listens_on_loopback_and_admits_loopback_only_where_the_site_says_nothing() -> None:
    settings = describe_modbus({}, Report())
    assert (settings.host, settings.port, settings.role, settings.clients, settings.idle) == ("127.0.0.1", 5020, "operator", 64, 60)
    assert settings.allow == (ip_network("127.0.0.0/8"), ip_network("::1/128"))
    assert settings.units == {0: "", 1: "", 255: ""}


def test_modbus_reads_every_word() -> None:
    report = Report()
    settings = describe_modbus(
        read("""
        host: 0.0.0.0
        port: 502
        map: io_maps/scada.yaml
        units: [1, 7]
        role: engineer
        allow: [192.168.10.0/24, 10.0.0.5]
        write: {10.0.0.5: engineer, 192.168.10.0/24: operator}
        clients: 8
        idle: 5 min
        gaps: zero
    """),
        report,
    )
    assert not report.problems
    assert settings.units == {1: "", 7: ""} and settings.idle == 300 and settings.gaps == "zero"
    assert settings.write == ((ip_network("10.0.0.5/32"), "engineer"), (ip_network("192.168.10.0/24"), "operator"))


def test_opcua_lets_nameless_clients_only_look_where_the_site_says_nothing() -> None:
    settings = describe_opcua({}, Report())
    assert (settings.host, settings.port, settings.anonymous, settings.every) == ("127.0.0.1", 4840, "viewer", 0.1)


@pytest.mark.parametrize(
    ("server", "text", "code", "says"),
    [
        ("modbus", "prot: 502", "E901", "prot"),
        ("modbus", "port: 70000", "E902", "65535"),
        ("modbus", "port: -1", "E902", "65535"),
        ("modbus", "units: [1, 256]", "E902", "255"),
        ("modbus", "role: boss", "E902", "viewer"),
        ("modbus", "allow: [10.0.0.1/24]", "E902", "host bits"),
        ("modbus", "allow: [plant]", "E902", "192.168.10.0/24"),
        ("modbus", "idle: 60 x", "E902", "60 s"),
        ("modbus", "idle: 0 s", "E902", "outside"),
        ("modbus", "clients: 0", "E902", "4096"),
        ("modbus", "gaps: maybe", "E902", "refuse"),
        ("opcua", "anonymous: anyone", "E902", "none"),
        ("opcua", "certificate: a.pem", "E903", "go together"),
        ("opcua", "users: {eva: {role: operator}}", "E902", "bessplc user add"),
        ("opcua", "security: sing", "E902", "sign"),
        ("opcua", "{host: 0.0.0.0, security: none, anonymous: operator}", "E922", "anybody on the network"),
        ("opcua", "every: 1 ms", "E902", "outside"),
    ],
)
def test_a_wrong_setting_is_told_with_its_place(server: str, text: str, code: str, says: str) -> None:
    report = Report()
    (describe_modbus if server == "modbus" else describe_opcua)(read(text), report)
    (problem,) = report.errors
    assert problem.code == code
    assert says in problem.message + problem.hint
    assert problem.at.file == "config/site.yaml"


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("{anonymous: operator}", []),
        ("{host: localhost, anonymous: admin}", []),
        ("{host: 10.0.0.5}", []),
        ("{host: 10.0.0.5, security: none}", ["W922"]),
        ("{host: 10.0.0.5, anonymous: operator}", ["W924"]),
        ("{host: '::', trust: any, security: encrypt}", ["W923"]),
    ],
)
def test_what_a_network_may_do_without_names_or_certificates_is_a_warning_at_its_word(text: str, codes: list[str]) -> None:
    report = Report()
    describe_opcua(read(text), report)
    assert [p.code for p in report.problems] == codes and not report.errors
    assert all(p.at.line == 1 and p.at.column > 1 for p in report.problems)


def test_a_session_needs_signatures_wherever_a_network_is_unless_the_site_says_otherwise() -> None:
    def takes(text: str) -> bool:
        return describe_opcua(read(text), Report()).takes_unsecured

    assert takes("{port: 1}") and takes("{host: '::1'}") and takes("{host: 10.0.0.5, security: none}")
    assert not takes("{host: 10.0.0.5}") and not takes("{host: plc.example}") and not takes("{security: sign}")


def test_a_server_to_which_nobody_could_connect_is_told_until_there_is_a_user(tmp_path: Path) -> None:
    def codes() -> list[str]:
        report = Report()
        describe_servers(read("opcua: {anonymous: none}\n"), TAGS, tmp_path, report)
        return [p.code for p in report.problems]

    assert codes() == ["E904"]
    (tmp_path / "config").mkdir()
    write_users(tmp_path / "config", eva=("operator", "volt-ampere"))
    assert codes() == []
    (tmp_path / "config" / "users.yaml").write_text("eva: {role: boss}\n")
    assert "E921" in codes()


def test_the_check_of_a_site_reads_the_register_map_too(tmp_path: Path) -> None:
    (tmp_path / "scada.yaml").write_text("bms.sok: input 0\n")
    report = Report()
    describe_servers(read("modbus: {map: scada.yaml}\nopcua:\nmodbuss: {}\n"), TAGS, tmp_path, report)
    assert [(p.code, p.at.file) for p in report.errors] == [("E101", "scada.yaml"), ("E901", "config/site.yaml")]
    assert "modbus" in report.errors[1].hint


def test_a_map_that_is_not_there_is_told_where_it_is_named(tmp_path: Path) -> None:
    report = Report()
    describe_servers(read("modbus: {map: scada.yaml}\n"), TAGS, tmp_path, report)
    (problem,) = report.errors
    assert (problem.code, problem.at.line, problem.at.column) == ("E004", 1, 15)
