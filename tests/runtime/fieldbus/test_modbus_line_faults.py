"""Every fault of a Modbus line as the tags show it: BAD or stale in time, never GOOD with a wrong value, and good again."""

import random
import time
from collections import Counter

import pytest

from runtime.fieldbus import driver, modbus_turns
from runtime.fieldbus.modbus_client import ModbusConnection
from runtime.quality import GOOD, is_bad
from runtime.system_tags import DEVICE_STATES
from tests.aids.fieldbus import Cells, mapped
from tests.aids.fieldbus_child import device_process
from tests.aids.modbus_lines import Far, reads, run, until

VALUES = {"d.a": 1000, "d.b": 2000, "d.c": 3000}
REQUEST_TIMEOUT, STALE = 0.15, 300_000_000  # s, ns
TO_BAD = 5 * (2 * REQUEST_TIMEOUT + 0.1)  # s: a poll and a request time-out, with a margin for a loaded machine
TO_GOOD = 5 * 2.0  # s: a pause and the wait for late answers on RTU, with the same margin

COMMON = [
    ("timeout", "timeout"),
    ("wrong_unit", "wrong_unit"),
    ("wrong_function", "wrong_function"),
    ("short", "short"),
    ("few", "short"),
    ("many", "malformed"),
    ("slow", "timeout"),
    *[("exception", f"exception_{code}") for code in (1, 2, 3, 4, 6, 10, 11)],
]
TCP = [
    *COMMON,
    ("reset", "reset"),
    ("close", "closed"),
    ("half_close", "short"),
    ("wrong_transaction", "wrong_transaction"),
    ("protocol", "malformed"),
    ("garbage", "malformed"),
    ("extra", "extra"),
    ("twice", "extra"),
    ("unplug", "refused"),
]
RTU = [*COMMON, ("crc", "crc"), ("bit", "crc"), ("garbage", "crc"), ("unplug", "serial")]


@pytest.fixture
def far(tmp_path):
    with device_process("modbus_faults") as process:
        yield lambda kind: Far(process, tmp_path, kind)


class Watched(Cells):
    """The inputs, and every tag that was GOOD with a value it never had."""

    def __init__(self, expected: list[int]):
        super().__init__(len(expected))
        self.expected, self.wrong = expected, []

    def changed(self) -> None:
        for slot, value in enumerate(self.expected):
            if self.quality[slot] == GOOD and self.integer[slot] != value:
                self.wrong.append((slot, int(self.integer[slot])))

    def all_good(self) -> bool:
        """GOOD, and read a moment ago."""
        return bool((self.quality == GOOD).all() and (self.time > time.monotonic_ns() - STALE).all())

    def all_gone(self) -> bool:
        """BAD, or so old that the scan takes them for stale (a device that is busy keeps its last values until then)."""
        limit = time.monotonic_ns() - STALE
        return all(is_bad(int(quality)) or at < limit for quality, at in zip(self.quality, self.time))


def connection_of(device: Far, poll: str = "30 ms") -> tuple[ModbusConnection, Watched]:
    """Three registers far apart, so that three requests are under way one after another."""
    where = (
        f"serial: {device.words['serial']}\nparity: none\nbaud: 115200"
        if device.kind == "rtu"
        else f"host: 127.0.0.1\nport: {device.words['port']}"
    )
    ca = f"ca: {device.words['ca']}\nserver_name: localhost\n" if device.kind == "tls" else ""
    points = "".join(f"  {tag}: {{register: holding {300 * n}}}\n" for n, tag in enumerate(VALUES))
    head = f"device: d\ndriver: modbus\ntransport: {device.kind}\n{where}\n{ca}poll: {poll}\nrequest_timeout: 150 ms"
    text = f"{head}\ninputs:\n{points}"
    for number, value in enumerate(VALUES.values()):
        device.ask("set", table="holding", address=300 * number, values=[value])
    described = mapped(text)
    inputs = Watched(list(VALUES.values()))
    return ModbusConnection(described.device, inputs, Cells(0)), inputs


def state_of(connection: ModbusConnection) -> str:
    return DEVICE_STATES[connection.health().state]


async def suffer(device: Far, connection: ModbusConnection, inputs: Watched, fault: str, kind: str) -> tuple[float, float]:
    """Inject the fault until all tags are BAD, clear it until all are GOOD: the seconds of both."""
    before = connection.health().errors.get(kind, 0)
    value = int(kind.rpartition("_")[2]) if fault == "exception" else 400
    began = time.monotonic()
    device.ask("unplug") if fault == "unplug" else device.ask("fault", name=fault, value=value)
    await until(inputs.all_gone, f"{fault}: BAD", TO_BAD)
    to_bad = time.monotonic() - began
    await until(
        lambda: connection.health().errors.get(kind, 0) > before, f"{fault}: counted as {kind}, {connection.status()}", TO_BAD
    )
    if kind != "exception_6":  # busy for a moment is no state of its own
        await until(lambda: state_of(connection) in ("lost", "degraded", "connecting"), f"{fault}: {connection.status()}", TO_BAD)
    began = time.monotonic()
    device.ask("plug") if fault == "unplug" else device.ask("clear")
    await until(inputs.all_good, f"{fault}: GOOD again, {connection.status()}", TO_GOOD)
    assert state_of(connection) == "online"
    return to_bad, time.monotonic() - began


@pytest.mark.parametrize(("do", "kind"), [("say", "extra"), ("unplug", "reset")])
def test_what_happens_between_two_requests_is_counted_as_what_it_is(far, do, kind):
    device = far("tcp")

    async def talk():
        connection, inputs = connection_of(device, poll="1 h")
        await connection.open()
        await until(inputs.all_good, f"the device is read, {connection.status()}")
        device.ask(do, data="0102030405")
        await until(lambda: connection.health().errors, "counted")
        errors = dict(connection.health().errors)
        await connection.close()
        assert errors.get(kind) == 1 and "closed" not in errors

    run(talk())


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "faults"), [("tcp", TCP), ("rtu", RTU)])
def test_every_fault_is_bad_in_time_never_wrong_and_heals(far, kind, faults):
    device = far(kind)

    async def talk():
        connection, inputs = connection_of(device)
        await connection.open()
        await until(inputs.all_good, f"the device is read, {connection.status()}")
        for fault, counted in faults:
            await suffer(device, connection, inputs, fault, counted)
        await connection.close()
        assert inputs.wrong == []

    run(talk(), 100.0)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["tcp", "rtu_over_tcp", "rtu"])
@pytest.mark.parametrize("seed", [1])
def test_faults_at_random_never_make_a_wrong_value(far, kind, seed, monkeypatch):
    """Three registers with three values and one length: an answer that is taken for another's would show."""
    monkeypatch.setattr(modbus_turns, "LATE", 0.2)  # no answer here comes later than 150 ms
    device, dice, errors = far(kind), random.Random(f"{kind} {seed}"), Counter()
    names = {name for name, _ in (RTU if kind == "rtu" else TCP)} - {"unplug", "exception", "slow", "timeout"}
    names -= set() if kind == "tcp" else {"wrong_transaction", "protocol"}
    often = [*sorted(names), "glitch", "echo", "dribble"] if kind != "tcp" else [*sorted(names), "dribble"]
    for number, value in enumerate(VALUES.values()):
        device.ask("set", table="holding", address=300 * number, values=[value])

    async def talk():
        with device.link(request_timeout=50_000_000) as link:
            for number in range(120):
                if dice.random() < 0.6:
                    name = "slow" if number % 10 == 0 else dice.choice(often)
                    device.ask("fault", name=name, value=dice.choice([60, 150]) if name == "slow" else 1, times=1)
                which = dice.randrange(3)
                found = await reads(link, 300 * which, 1)
                if isinstance(found, str):
                    errors[found] += 1
                else:
                    assert found == [list(VALUES.values())[which]]
            device.ask("clear")
            await until(lambda: well(link), "it is well in the end")

    async def well(link):
        return await reads(link, 300, 1) == [2000]

    run(talk(), 100.0)
    assert sum(errors.values()) >= 25 and len(errors) >= 4, errors


def test_the_driver_names_every_kind_that_a_line_counts():
    assert {counted for _, counted in (*TCP, *RTU)} <= set(driver("modbus").ERRORS)
