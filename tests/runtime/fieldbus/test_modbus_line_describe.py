"""The words of an io_map about the line to a Modbus device, and how mistakes in them are explained."""

from pathlib import Path

import pytest

from runtime.fieldbus.modbus_settings import KEEP, PER_POLL, LineSettings, describe_line, in_run_dir
from runtime.source import Report, render
from tests.aids.fieldbus import section


def line(text: str, root: Path = Path("/")) -> tuple[LineSettings | None, list[str]]:
    report = Report()
    found = describe_line(section(text), report, root)
    return found, [problem.message for problem in report.problems]


def sound(text: str, root: Path = Path("/")) -> LineSettings:
    found, problems = line(text, root)
    assert not problems and found is not None
    return found


def test_a_host_is_enough():
    found = sound("host: pcs.site\n")
    assert (found.transport, found.host, found.port, found.idle, found.retry) == ("tcp", "pcs.site", 502, KEEP, 0)
    assert found.place == "pcs.site:502" and not found.is_rtu


def test_a_serial_port_is_enough_and_has_the_defaults_of_the_standard():
    """MODBUS over Serial Line V1.02, 2.5.1: 19,200 baud, even parity, one stop bit; two where there is no parity."""
    found = sound("serial: /dev/ttyUSB0\n")
    assert (found.transport, found.baud, found.parity, found.stopbits, found.retry) == ("rtu", 19200, "even", 1, 1)
    assert found.place == "/dev/ttyUSB0" and found.is_rtu
    assert sound("serial: /dev/ttyS1\nparity: none\n").stopbits == 2
    assert sound("serial: /dev/ttyS1\nparity: none\nstopbits: 1\nbaud: 9600\n").stopbits == 1


def test_tls_has_its_own_port_and_checks_the_name_of_the_host():
    found = sound("transport: tls\nhost: pcs.site\n")
    assert (found.port, found.server_name, found.verify) == (802, "pcs.site", True)
    assert not sound("transport: tls\nhost: 10.0.0.7\nverify: false\n").verify


def test_files_are_found_from_the_root_of_the_site(tmp_path):
    (tmp_path / "own.pem").write_text("")
    (tmp_path / "own.key").write_text("")
    found = sound("transport: tls\nhost: a\nca: own.pem\ncertificate: own.pem\nkey: own.key\n", tmp_path)
    assert (found.ca, found.key) == (str(tmp_path / "own.pem"), str(tmp_path / "own.key"))
    assert line("transport: tls\nhost: a\nca: no.pem\n", tmp_path)[1] == ["there is no file `no.pem`"]
    assert line("transport: tls\nhost: a\ncertificate: own.pem\n", tmp_path)[1] == ["`certificate` needs `key` beside it"]


@pytest.mark.parametrize(
    ("text", "idle"),
    [("keep", KEEP), ("per_poll", PER_POLL), ("idle 5 s", 5_000_000_000), ("idle 250 ms", 250_000_000)],
)
def test_a_connection_is_kept_or_let_go(text, idle):
    assert sound(f"host: a\nconnection: {text}\n").idle == idle


def test_times_and_counts():
    found = sound("host: a\nrequest_timeout: 2 s\npause: 20 ms\nretry: 2\nconnections: 4\n")
    assert (found.request_timeout, found.pause, found.retry, found.connections) == (2_000_000_000, 20_000_000, 2, 4)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("transport: tcp\n", "`host` is missing: name or address of the device"),
        ("transport: rtu\n", "`serial` is missing: for example `serial: /dev/ttyUSB0`"),
        ("transport: udp\nhost: a\n", "`transport` cannot be `udp`"),
        ("host: a\nbaud: 9600\n", "`baud` says nothing about a line with `transport: tcp`"),
        ("host: a\nca: x.pem\n", "`ca` says nothing about a line with `transport: tcp`"),
        ("serial: /dev/ttyS0\nport: 502\n", "`port` says nothing about a line with `transport: rtu`"),
        ("serial: /dev/ttyS0\nbaud: fast\n", "`baud` is a whole number, not `fast`"),
        ("serial: /dev/ttyS0\nparity: mark\n", "`parity` cannot be `mark`"),
        ("serial: /dev/ttyS0\nstopbits: 3\n", "`stopbits` is 1 to 2, not 3"),
        ("serial: /dev/ttyS0\nunit: 0\n", "unit 0 is everybody on a serial line, and nobody answers"),
        ("host: a\nconnection: sometimes\n", "`connection` cannot be `sometimes`"),
        ("host: a\nconnection: idle soon\n", "`soon` is no duration"),
        ("host: a\nretry: 9\n", "`retry` is 0 to 5, not 9"),
        ("host: a\nconnections: 0\n", "`connections` is 1 to 32, not 0"),
        ("host: a\nrequest_timeout: 0 ms\n", "`0 ms` is no duration"),
    ],
)
def test_mistakes_are_told(text, said):
    assert said in line(text)[1]


def test_all_mistakes_are_told_at_once_with_their_places(tmp_path):
    report = Report()
    text = "host: a\nbaud: 9600\nretry: many\nconnection: idle\n"
    (tmp_path / "io_maps").mkdir()
    (tmp_path / "io_maps/device.yaml").write_text(text)
    describe_line(section(text), report, tmp_path)
    shown = render(report.problems, tmp_path)
    for place in ("device.yaml:2:1", "device.yaml:3:8", "device.yaml:4:13"):
        assert place in shown


def test_two_devices_share_a_line_whatever_their_own_patience():
    one = sound("host: a\nrequest_timeout: 1 s\nretry: 1\n")
    assert one == sound("host: a\n")
    assert one != sound("host: a\npause: 5 ms\n")


def test_the_folder_of_the_run_stands_for_run_in_a_serial_port(tmp_path):
    assert in_run_dir(sound("serial: $RUN/tty\n"), tmp_path).serial == f"{tmp_path}/tty"
