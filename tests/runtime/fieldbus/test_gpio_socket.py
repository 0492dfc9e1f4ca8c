"""The socket of a simulated panel: orders and answers, hostile clients, and a twin that never drives what nobody wanted."""

from __future__ import annotations

import asyncio
import json
import stat
import time
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.fieldbus.gpio_lines import LineError
from runtime.fieldbus.gpio_socket import LONGEST_LINE, MOST_CLIENTS, TwinSocket
from runtime.fieldbus.gpio_twin import TwinLines
from runtime.fieldbus.gpio_words import InputLine, OutputLine
from tests.aids.gpio_bench import Client, TwinBench

PANEL = """
    poll: 20 ms
    inputs:
      p.a: {line: 0}
      p.estop: {line: ESTOP, active: low}
    outputs:
      p.lamp: {line: 7, safe: false}
      p.horn: {line: 9, active: low, safe: false}
"""


def run(folder, test, io_map: str = PANEL) -> None:
    async def within() -> None:
        async with TwinBench(folder, io_map) as bench:
            await bench.online()
            await test(bench)

    asyncio.run(within())


def test_wires_are_moved_and_read_by_number_and_name(tmp_path):
    async def test(b):
        assert await b.client.ask({"set": {"0": 1, "ESTOP": 1}}) == {"ok": True}
        assert await b.client.ask({"get": [0, "ESTOP", "7"]}) == {"values": {"0": 1, "ESTOP": 1, "7": 0}}
        assert (await b.client.ask({"get": "all"}))["values"].keys() == {"0", "ESTOP", "7", "9"}
        assert await b.client.ask({"set": {"0": 0}, "get": ["0"]}) == {"values": {"0": 0}}
        await b.until(lambda: (b.value("p.a"), b.value("p.estop")) == (0, 0), "the driver sees the wires' levels")
        assert await b.client.ask({"set": {"ESTOP": None}, "get": ["ESTOP"]}) == {"values": {"ESTOP": 0}}
        await b.until(lambda: b.value("p.estop") == 1, "an open wire is low here")

    run(tmp_path, test)


def test_who_watches_is_told_of_every_change_of_an_output_in_order(tmp_path):
    async def test(b):
        b.want(lamp=True, horn=True)
        told = [await b.watcher.hear() for _ in range(2)]
        assert {line: level for entry in told for line, level in entry["changed"].items()} == {"7": 1, "9": 0}, (
            "the horn is active low"
        )
        assert all(abs(entry["at"] - time.monotonic_ns()) < 10e9 for entry in told)
        for level in (False, True, False):
            b.want(lamp=level, horn=True)
            assert (await b.watcher.hear())["changed"] == {"7": int(level)}
        assert await b.watcher.ask({"watch": False}) == {"ok": True}
        b.want(lamp=True, horn=True)
        assert await b.watcher.ask({"get": ["9"]}) == {"values": {"9": 0}}, "and no word of the lamp"

    run(tmp_path, test)


def test_two_orders_in_one_breath_are_two_edges(tmp_path):
    async def test(b):
        b.client.writer.write(b'{"set": {"0": 1}}\n{"set": {"0": 0}}\n{"set": {"0": 1}}\n{"set": {"0": 1}}\n')
        assert [await b.client.hear() for _ in range(4)] == [{"ok": True}] * 4
        assert b.value("p.n") == 2

    run(tmp_path, test, "poll: 30 s\ninputs:\n  p.n: {line: 0, count: true}\n")


@pytest.mark.parametrize(
    ("order", "says"),
    [
        ([], "one JSON object a line"),
        ({}, "one JSON object a line"),
        ({"sett": {"0": 1}}, "did you mean `set`?"),
        ({"set": {"ESTOPP": 1}}, "did you mean `ESTOP`?"),
        ({"set": {"lamp": 1}}, "the io_map names 0, ESTOP, 7, 9"),
        ({"set": {"0": 2}}, "0, 1 or null"),
        ({"set": {"0": "1"}}, "0, 1 or null"),
        ({"set": {"0": 1.0}}, "0, 1 or null"),
        ({"set": [0]}, "0, 1 or null"),
        ({"get": 4}, "a list of lines"),
        ({"get": [None]}, "no line `None`"),
        ({"get": [True]}, "no line `True`"),
        ({"live": 1}, "`live` is true or false"),
        ({"busy": {"0": 1}}, "or null"),
        ({"busy": {"x": "y"}}, "no line `x`"),
        ({"interrupts": None}, "`interrupts` is true or false"),
        ({"watch": 1}, "`watch` is true or false"),
    ],
)
def test_a_wrong_order_is_explained_and_changes_nothing(tmp_path, order, says):
    async def test(b):
        before = await b.client.ask({"get": "all"})
        assert says in (await b.client.ask(order))["error"]
        assert await b.client.ask({"get": "all"}) == before

    run(tmp_path, test)


@pytest.mark.parametrize("line", [b"hello\n", b"\xff\xfe\x00\n", b"{\n", b"\n", b"[" * 50_000 + b"\n", b'{"set": {"0": 1e999}}\n'])
def test_what_is_no_json_is_said_and_the_next_line_is_served(tmp_path, line):
    async def test(b):
        b.client.writer.write(line)
        assert "error" in await b.client.hear()
        assert "values" in await b.client.ask({"get": ["0"]})

    run(tmp_path, test)


def test_a_line_without_an_end_is_cut_off(tmp_path):
    async def test(b):
        b.client.writer.write(b"x" * (3 * LONGEST_LINE))
        assert "bytes at most" in (await b.client.hear())["error"]
        other = await Client.connect(tmp_path / "panel.lines")
        assert "values" in await other.ask({"get": ["0"]})
        await other.close()

    run(tmp_path, test)


def test_clients_that_leave_in_the_middle_harm_nobody(tmp_path):
    async def test(b):
        for _ in range(3 * MOST_CLIENTS):
            client = await Client.connect(tmp_path / "panel.lines")
            client.writer.write(b'{"set": {"0"')
            client.writer.transport.abort()
        assert "values" in await b.client.ask({"get": ["0"]})

    run(tmp_path, test)


def test_one_client_too_many_is_sent_away(tmp_path):
    async def test(b):
        clients = [await Client.connect(tmp_path / "panel.lines") for _ in range(MOST_CLIENTS - 2)]
        for client in clients:
            assert "values" in await client.ask({"get": ["0"]})
        extra = await Client.connect(tmp_path / "panel.lines")
        assert "clients are connected already" in (await extra.hear())["error"]
        for client in [*clients, extra]:
            await client.close()

    run(tmp_path, test)


def test_one_who_watches_and_does_not_read_is_let_go(tmp_path, monkeypatch):
    monkeypatch.setattr("runtime.fieldbus.gpio_socket.MOST_UNREAD", 20_000)

    async def test(b):
        door = b.connection._lines._door
        assert len(door._clients) == 2
        for number in range(60_000):
            door.tell({"changed": {"7": number % 2}, "at": number})
            if number % 1000 == 0:
                await asyncio.sleep(0)
            if len(door._clients) == 1:
                break
        await b.until(lambda: len(door._clients) == 1, "let go")
        assert "values" in await b.client.ask({"get": ["7"]}), "the other one is served"

    run(tmp_path, test)


def test_the_socket_is_ours_alone_replaces_a_dead_one_and_goes_with_us(tmp_path):
    path = tmp_path / "a folder whose name is much longer than the address of a socket may be in any unix" / "panel.lines"
    path.parent.mkdir()
    path.write_text("left by a crash")

    async def test() -> None:
        async def nothing() -> None: ...

        door = TwinSocket(path)
        await door.open(lambda order: {"echo": order})
        mode = path.stat().st_mode
        assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600
        client = await Client.connect(path)
        assert await client.ask([1]) == {"echo": [1]}
        await door.close()
        assert not path.exists()
        assert await client.reader.read() == b""

    asyncio.run(test())


class Ear:
    """A door that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[Mapping[str, Any]] = []

    async def open(self, obey: Any) -> None: ...

    def tell(self, change: Mapping[str, Any]) -> None:
        self.told.append(change)

    async def close(self) -> None: ...


def test_an_output_drives_nothing_but_what_was_wanted_over_release_and_request():
    async def test() -> None:
        ear = Ear()
        lines = TwinLines([OutputLine(7), OutputLine(8, active_low=True)], ear)
        await lines.start()
        for _ in range(3):
            held = [lines.hold_output(OutputLine(7), True), lines.hold_output(OutputLine(8, active_low=True), True)]
            assert lines.obey({"get": "all"}) == {"values": {"7": 1, "8": 0}}
            for line in held:
                line.release()
            assert lines.obey({"get": "all"}) == {"values": {"7": 1, "8": 0}}, "a released line keeps its level, as most chips do"
        await asyncio.sleep(0)
        assert {json.dumps(entry["changed"]) for entry in ear.told} == {'{"7": 1}', '{"8": 0}'}

    asyncio.run(test())


TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda t: st.lists(t) | st.dictionaries(st.text(), t)
)
WORDS = st.sampled_from(["set", "get", "live", "busy", "interrupts", "watch", "", "SET"])


@given(TREES | st.dictionaries(WORDS, TREES | st.dictionaries(st.sampled_from(["0", "ESTOP", "1"]), TREES)))
def test_no_order_whatever_breaks_the_twin(order):
    lines = TwinLines([InputLine(0), InputLine("ESTOP", active_low=True)], Ear())
    answer = lines.obey(order)
    assert answer and (set(answer) <= {"ok", "values"} or set(answer) == {"error"})
    json.dumps(answer)
    lines.obey({"live": True, "busy": {"0": None}})
    assert lines.hold_input(InputLine(0)).read() in (True, False)


def test_a_chip_that_was_taken_away_answers_nothing():
    lines = TwinLines([InputLine(0)], Ear())
    held = lines.hold_input(InputLine(0))
    lines.obey({"live": False})
    for use in (held.read, lines.open, lambda: lines.hold_input(InputLine(0))):
        with pytest.raises(LineError) as caught:
            use()
        assert caught.value.is_of_the_chip
