"""One device on its line: every transport reads and writes, every fault has its name, and no answer is taken for another's."""

import asyncio
import math
import socket
import threading

import numpy as np
import pytest

from runtime.fieldbus import modbus_line, modbus_transport, modbus_turns
from runtime.fieldbus.modbus_errors import ERRORS, LostError, RefusedError
from runtime.fieldbus.modbus_link import Link
from runtime.fieldbus.modbus_settings import LineSettings, ModbusSettings
from runtime.fieldbus.modbus_writes import WriteRun
from tests.aids.fieldbus_child import device_process
from tests.aids.modbus_lines import MS, TRANSPORTS, Far, certify, reads, run, until

VALUES = [17, 0, 65535]
STREAMS, LINES = ("tcp", "tls", "rtu_over_tcp"), ("rtu_over_tcp", "rtu")


@pytest.fixture(scope="module")
def process():
    with device_process("modbus_faults") as device:
        yield device


@pytest.fixture(autouse=True)
def shorter_waits(monkeypatch):
    """No answer of these tests comes later than a quarter of a second after its request."""
    monkeypatch.setattr(modbus_turns, "LATE", 0.3)


@pytest.fixture
def far(process, tmp_path):
    """`far("tcp")`: a device of its own, with VALUES in its first registers."""

    def make(kind: str = "tcp", **listen) -> Far:
        made = Far(process, tmp_path, kind, **listen)
        made.ask("set", table="holding", address=0, values=VALUES)
        made.ask("set", table="holding", address=100, values=[100, 101, 102])
        return made

    return make


def write(table: str, address: int, values: list[int]) -> WriteRun:
    return WriteRun(table, address, 0, np.array(values, np.uint16))


@pytest.mark.parametrize("kind", TRANSPORTS)
def test_every_transport_reads_writes_and_identifies(far, kind):
    device = far(kind)
    device.ask("set", table="input", address=5, values=[9])
    device.ask("set", table="discrete", address=3, values=[1, 0, 1])

    async def talk():
        with device.link() as link:
            assert math.isnan(link.round_trip)
            assert await reads(link) == VALUES
            assert 0 < link.round_trip < 1
            assert await reads(link, 5, 1, "input") == [9]
            assert await reads(link, 3, 3, "discrete") == [1, 0, 1]
            await link.write(write("holding", 50, [1]))
            await link.write(write("holding", 51, [2, 3]))
            await link.write(write("coil", 20, [1]))
            await link.write(write("coil", 21, [0, 1, 1]))
            assert await reads(link, 50, 3) == [1, 2, 3]
            assert await reads(link, 20, 4, "coil") == [1, 0, 1, 1]
            span = type("Span", (), {"table": "holding", "address": 60, "count": 2})
            assert (await link.read_write(span, write("holding", 60, [7, 8]))).tolist() == [7, 8]
            assert await link.identify() == {0: b"Maker", 1: b"Code", 2: b"1.0"}

    run(talk())
    functions = [request[1] for request in device.ask("requests")]
    assert functions == [3, 4, 2, 6, 16, 5, 15, 3, 1, 23, 43]


KINDS = [
    *[(kind, "timeout", "timeout") for kind in TRANSPORTS],
    *[(kind, "wrong_unit", "wrong_unit") for kind in TRANSPORTS],
    *[(kind, "wrong_function", "wrong_function") for kind in TRANSPORTS],
    *[(kind, "short", "short") for kind in TRANSPORTS],
    *[(kind, "few", "short") for kind in TRANSPORTS],
    *[(kind, "many", "malformed") for kind in TRANSPORTS],
    *[(kind, "half_close", "short") for kind in STREAMS],
    *[(kind, "close", "closed") for kind in STREAMS],
    *[(kind, "reset", "reset") for kind in ("tcp", "rtu_over_tcp")],
    *[(kind, "wrong_transaction", "wrong_transaction") for kind in ("tcp", "tls")],
    *[(kind, "protocol", "malformed") for kind in ("tcp", "tls")],
    *[(kind, "garbage", "malformed") for kind in ("tcp", "tls")],
    *[(kind, "extra", "extra") for kind in ("tcp", "tls")],
    *[(kind, "twice", "extra") for kind in ("tcp", "tls")],
    *[(kind, "crc", "crc") for kind in LINES],
    *[(kind, "bit", "crc") for kind in LINES],
    *[(kind, "garbage", "crc") for kind in LINES],
]


@pytest.mark.parametrize(("kind", "fault", "expected"), KINDS)
def test_every_fault_has_its_name_and_heals(far, kind, fault, expected):
    assert expected in ERRORS
    device = far(kind)

    async def talk():
        with device.link(request_timeout=150 * MS, retry=0) as link:
            assert await reads(link) == VALUES
            device.ask("fault", name=fault)
            assert await reads(link) == expected
        device.ask("clear")
        with device.link() as link:
            assert await reads(link) == VALUES

    run(talk())


SOUND = [
    *[(kind, "slow", 60) for kind in TRANSPORTS],
    *[(kind, "dribble", 2) for kind in TRANSPORTS],
    *[(kind, fault, 0) for kind in LINES for fault in ("glitch", "echo", "extra", "twice")],
]


@pytest.mark.parametrize(("kind", "fault", "value"), SOUND)
def test_an_answer_that_is_slow_or_comes_with_noise_is_still_an_answer(far, kind, fault, value):
    device = far(kind)
    device.ask("fault", name=fault, value=value)

    async def talk():
        with device.link(request_timeout=3000 * MS) as link:
            assert await reads(link) == VALUES
            assert await reads(link, 100) == [100, 101, 102]

    run(talk())


@pytest.mark.parametrize("kind", TRANSPORTS)
def test_an_exception_is_an_answer_and_the_line_stays(far, kind):
    device = far(kind)

    async def talk():
        with device.link() as link:
            await link.connect()
            for code in (1, 2, 3, 4, 5, 6, 8, 10, 11, 77):
                device.ask("fault", name="exception", value=code)
                for _ in range(3):
                    with pytest.raises(RefusedError) as refused:
                        await link.read_table("holding", 0, 3)
                    assert refused.value.code == code
                    assert refused.value.kind == (f"exception_{code}" if code != 77 else "exception_other")
                assert link.is_up
            device.ask("clear")
            assert await reads(link) == VALUES

    run(talk())


@pytest.mark.parametrize("kind", TRANSPORTS)
def test_a_late_answer_is_never_taken_for_that_of_another_request(far, kind):
    """The device answers 250 ms late, the request time-out is 100 ms: what comes then belongs to nobody."""
    device = far(kind)

    async def talk():
        found = []
        device.ask("fault", name="slow", value=250)
        for address in (0, 100, 0):
            with device.link(request_timeout=100 * MS) as link:
                found.append(await reads(link, address))
        device.ask("clear")
        with device.link() as link:
            assert await reads(link, 100) == [100, 101, 102]
        assert found == ["timeout"] * 3

    run(talk())


@pytest.mark.parametrize("kind", TRANSPORTS)
def test_the_answer_to_a_request_that_was_given_up_belongs_to_nobody(far, kind):
    device = far(kind)

    async def talk():
        device.ask("fault", name="slow", value=200, times=1)
        with device.link() as link:
            await link.connect()
            given_up = asyncio.create_task(link.read_table("holding", 0, 3))
            await until(lambda: len(device.ask("requests")) > 0, "the request has arrived")
            given_up.cancel()
            await asyncio.wait([given_up])
        with device.link() as link:
            assert await reads(link, 100) == [100, 101, 102]

    run(talk())


@pytest.mark.parametrize("noise", ["ff" * 8, "09030200019845"], ids=["crc", "wrong_unit"])
@pytest.mark.parametrize("retry", [0, 1])
def test_after_noise_the_late_answer_is_not_taken_for_that_of_the_next_request(far, noise, retry):
    """The device answers 200 ms after each request; before that the line brings noise, or another unit's late answer."""
    device = far("rtu")

    async def talk():
        with device.link(request_timeout=400 * MS, retry=retry) as link:
            assert await reads(link) == VALUES
            device.ask("fault", name="slow", value=200)
            device.ask("requests")
            asking = asyncio.create_task(reads(link))
            await until(lambda: len(device.ask("requests")) > 0, "the request has arrived")
            device.ask("say", data=noise)
            assert await asking in ((VALUES,) if retry else ("crc", "wrong_unit"))
            assert [await reads(link, address) for address in (100, 0, 100)] == [[100, 101, 102], VALUES, [100, 101, 102]]

    run(talk())


def test_a_damaged_answer_on_a_serial_line_is_asked_for_again(far):
    device, healed = far("rtu"), []

    async def talk():
        with device.link(count=healed.append, retry=1) as link:
            for fault, kind in (("crc", "crc"), ("bit", "crc"), ("wrong_unit", "wrong_unit")):
                device.ask("fault", name=fault, times=1)
                assert await reads(link) == VALUES
                assert healed[-1] == kind
            device.ask("requests")
            device.ask("fault", name="timeout", times=1)
            assert await reads(link) == "timeout"
            assert len(device.ask("requests")) == 1, "its answer may still come: it is not repeated"

    run(talk())
    assert len(healed) == 3


def test_on_tcp_a_repeated_request_uses_another_connection(far):
    device, healed = far("tcp"), []

    async def talk():
        with device.link(count=healed.append, retry=1, request_timeout=100 * MS) as link:
            device.ask("fault", name="timeout", times=1)
            assert await reads(link) == VALUES

    run(talk())
    assert healed == ["timeout"]
    assert device.ask("connections")["accepted"] == 2


def test_a_device_that_breaks_off_while_nobody_asks_is_lost_at_once(far):
    device = far("tcp")

    async def talk():
        with device.link() as link:
            assert await reads(link) == VALUES
            device.ask("unplug")
            await until(lambda: not link.is_up, "the link is lost")
            assert link.lost.kind == "reset"
        with device.link() as link:
            assert await reads(link) == "refused"
        device.ask("plug")
        with device.link() as link:
            assert await reads(link) == VALUES

    run(talk())


def test_bytes_that_nobody_asked_for_end_a_tcp_connection_and_are_dropped_on_a_serial_line(far):
    stream, line = far("tcp"), far("rtu")

    async def talk():
        with stream.link() as link:
            assert await reads(link) == VALUES
            stream.ask("say", data="000100000005010302beef")
            await until(lambda: not link.is_up, "the link is lost")
            assert link.lost.kind == "extra"
        with line.link() as link:
            assert await reads(link) == VALUES
            line.ask("say", data="010306beef")
            assert await reads(link) == VALUES

    run(talk())


def test_a_serial_port_that_is_pulled_out_and_put_back(far, tmp_path):
    device = far("rtu")

    async def talk():
        with device.link() as link:
            assert await reads(link) == VALUES
            device.ask("unplug")
            await until(lambda: not link.is_up, "the link is lost")
            assert link.lost.kind == "serial"
        with device.link() as link:
            assert await reads(link) == "serial"
        device.ask("plug")
        with device.link() as link:
            assert await reads(link) == VALUES

    run(talk())


def test_a_pseudo_terminal_is_opened_again_and_again_whatever_its_parity(far):
    device = far("rtu")

    async def talk():
        for parity in ("even", "even", "none", "odd", "odd"):
            with device.link(parity=parity) as link:
                assert await reads(link) == VALUES

    run(talk())


def test_a_slow_serial_line_has_time_for_its_bytes(far):
    """At 1,200 baud 125 registers are 2.3 s on the wire: the request time-out counts what is beyond."""
    device = far("rtu")
    device.ask("fault", name="slow", value=1000)

    async def talk():
        with device.link(baud=1200, request_timeout=50 * MS) as link:
            assert len(await reads(link, 0, 125)) == 125

    run(talk())


def test_tls_believes_only_a_certificate_of_the_right_authority_and_name(far, tmp_path):
    device = far("tls")
    other = certify(tmp_path, "other", issuer="stranger")

    async def talk():
        with device.link(ca=other["ca"]) as link:
            assert await reads(link) == "tls"
        with device.link(ca="") as link:
            assert await reads(link) == "tls", "a private authority is not among those of the system"
        with device.link(server_name="pcs.example") as link:
            assert await reads(link) == "tls"
        with device.link(ca="", server_name="pcs.example", verify=False) as link:
            assert await reads(link) == VALUES
        with device.link(certificate=other["key"], key=other["key"]) as link:
            assert await reads(link) == "tls"

    run(talk())


def test_tls_shows_our_certificate_to_a_device_that_asks_for_it(far, tmp_path):
    own = certify(tmp_path, "own")
    device = far("tls", ca=own["ca"])

    async def talk():
        with device.link(certificate=own["certificate"], key=own["key"]) as link:
            assert await reads(link) == VALUES
        with device.link() as link:
            assert await reads(link) in ("tls", "reset", "closed")

    run(talk())


def test_a_plain_device_behind_a_tls_line_is_never_connected(far, tmp_path, monkeypatch):
    monkeypatch.setattr(modbus_line, "CONNECT_LIMIT", 0.3)
    device = far("tcp")
    chain = certify(tmp_path, "device")

    async def talk():
        with device.link(transport="tls", ca=chain["ca"]) as link:
            assert await reads(link) == "unreachable", "it waits for a request, and we for its part of the handshake"

    run(talk())


def test_a_host_that_takes_no_connection_is_unreachable(monkeypatch):
    monkeypatch.setattr(modbus_line, "CONNECT_LIMIT", 0.3)
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for one in (first, second):  # Linux takes one more than it was told, and drops the rest
            one.setblocking(False)
            one.connect_ex(full.getsockname())

        async def talk():
            settings = ModbusSettings(LineSettings(host="127.0.0.1", port=full.getsockname()[1]), 1, 0, 0, 0)
            link = Link(settings)
            assert await reads(link) == "unreachable"
            link.close()

        run(talk())


def test_localhost_is_looked_up_and_found(far):
    device = far("tcp")

    async def talk():
        with device.link(host="localhost") as link:
            assert await reads(link) == VALUES

    run(talk())


def test_a_host_with_a_dead_address_is_reached_by_its_other_one(far, monkeypatch):
    monkeypatch.setattr(modbus_line, "CONNECT_LIMIT", 1.0)
    device = far()
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.2", device.words["port"]))
        full.listen(0)
        for one in (first, second):
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        found = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (host, 0)) for host in ("127.0.0.2", "127.0.0.1")]
        monkeypatch.setattr(modbus_transport.socket, "getaddrinfo", lambda *_, **__: found)

        async def talk():
            with device.link(host="pcs.site") as link:
                assert await reads(link) == VALUES

        run(talk())


def test_a_device_without_a_free_socket_says_so(far):
    device = far(sockets=1)

    async def talk():
        _, writer = await asyncio.open_connection("127.0.0.1", device.words["port"])
        await until(lambda: device.ask("connections")["open"] == 1, "somebody else holds the socket")
        for _ in range(3):
            with device.link() as link:
                assert await reads(link) in ("reset", "closed")
        writer.close()
        await until(lambda: device.ask("connections")["open"] == 0, "the socket is free")
        with device.link() as link:
            assert await reads(link) == VALUES

    run(talk())


def test_a_name_that_nobody_knows_is_unresolved(far, monkeypatch):
    def unknown(*_, **__):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(modbus_transport.socket, "getaddrinfo", unknown)

    async def talk():
        with far().link(host="pcs.site") as link:
            assert await reads(link) == "unresolved"

    run(talk())


def test_a_name_server_that_hangs_stops_nobody_and_is_asked_once(far, monkeypatch):
    """Eight devices with names that never resolve, more than the threads of the loop: another device reads meanwhile."""
    answer, asked = threading.Event(), []

    def hang(host, port, **_):
        asked.append(host)
        answer.wait(20.0)
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port))]

    monkeypatch.setattr(modbus_transport.socket, "getaddrinfo", hang)
    monkeypatch.setattr(modbus_line, "CONNECT_LIMIT", 0.1)
    monkeypatch.setattr(modbus_line, "LOOK_UP_LIMIT", 0.1)
    device = far()

    async def talk():
        links = [Link(device.settings(host=f"pcs{n}.site")) for n in range(8)]
        for _ in range(3):
            attempts = [asyncio.create_task(reads(link)) for link in links]
            with device.link() as good:
                assert await reads(good) == VALUES
            assert await asyncio.gather(*attempts) == ["unresolved"] * 8
        assert sorted(asked) == sorted(f"pcs{n}.site" for n in range(8))
        answer.set()
        await until(lambda: reads_all(links), "they are found in the end")
        for link in links:
            link.close()

    async def reads_all(links):
        return [await reads(link) for link in links] == [VALUES] * 8

    run(talk())


def test_lost_errors_name_the_place():
    settings = ModbusSettings(LineSettings(transport="rtu", serial="/dev/no-such-port"), 1, 0, 0, 0)

    async def talk():
        link = Link(settings)
        with pytest.raises(LostError, match="/dev/no-such-port"):
            await link.connect()
        link.close()

    run(talk())
