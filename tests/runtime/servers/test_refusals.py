"""A flood of refused writes is counted and not told one by one: it must not push the deeds of others out of the audit log."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.servers import refusals
from runtime.servers.audit import Deed, Who
from runtime.servers.door import Door
from runtime.servers.peers import host_of, peer_of
from runtime.servers.refusals import MOST_NOTED, Refusals
from tests.aids.servers_process import eventually
from tests.aids.servers_scan import TestScan

VIEWER, OPERATOR = Who("", "viewer", "10.0.0.9:4711"), Who("eva", "operator", "10.0.0.8:4712")


@pytest.fixture
def scan(tmp_path: Path) -> Iterator[TestScan]:
    scan = TestScan(tmp_path)
    yield scan
    scan.stop()


@pytest.fixture
def door(scan: TestScan) -> Iterator[Door]:
    door = Door(scan.order("modbus"))
    yield door
    door.close()


def kept(door: Door) -> list[Deed]:
    deeds: list[Deed] = []
    door.keep[:] = [deeds.append]
    return deeds


def test_each_host_has_an_account_and_many_hosts_share_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "MOST_HOSTS", 3)
    accounts = Refusals()
    noted = [accounts.may_note(Who("", "viewer", f"10.0.0.{n % 5}:{n}")) for n in range(2000)]
    assert sum(noted) == 4 * MOST_NOTED
    assert accounts.sums() == []
    accounts._until = 0.0
    assert {who.peer: count for who, count in accounts.sums()} == {**{f"10.0.0.{n}": 300 for n in range(3)}, "others": 700}
    assert accounts.may_note(VIEWER)


def test_what_was_not_noted_one_by_one_is_noted_as_a_sum_and_what_is_taken_always(scan: TestScan, door: Door) -> None:
    deeds, tag = kept(door), scan.by_name["hmi.p_set"]

    async def story() -> None:
        for _ in range(MOST_NOTED + 50):
            door.refuse(tag, 1.0, VIEWER, "refused")
        await door.write(tag, 7.0, VIEWER)
        for _ in range(3):
            await door.write(tag, 7.0, OPERATOR)

    eventually(door.refresh)
    asyncio.run(story())
    assert [deed.taken for deed in deeds] == [False] * MOST_NOTED + [True] * 3
    door._refusals._until = 0.0
    door.tick()
    assert (deeds[-1].answer, deeds[-1].who.peer) == ("refused: 51 more within 60 s", "10.0.0.9")


def test_whatever_is_refused_counts_and_what_is_taken_is_always_noted(door: Door) -> None:
    """A role too low, an acknowledgement, a reset: a client that tries them again and again fills the log as well as writes do."""
    deeds = kept(door)
    for n in range(MOST_NOTED + 50):
        action = ("write", "acknowledge", "reset statistics")[n % 3]
        door.note(VIEWER, action, "door", "refused: the role is too low", False)
    assert len(deeds) == MOST_NOTED
    for _ in range(3):
        door.note(VIEWER, "login", "max", "let in by token", True)
    assert [deed.action for deed in deeds[MOST_NOTED:]] == ["login"] * 3
    door.note(OPERATOR, "acknowledge", "door", "refused: it does not stand", False)
    assert deeds[-1].who == OPERATOR, "another host has an account of its own"
    door._refusals._until = 0.0
    door.tick()
    assert [(deed.action, deed.answer) for deed in deeds[MOST_NOTED + 4 :]] == [("refusals", "refused: 50 more within 60 s")]


@pytest.mark.parametrize(
    ("address", "shown", "host"),
    [
        ("10.0.0.9", "10.0.0.9:4711", "10.0.0.9"),
        ("::ffff:10.0.0.9", "[::ffff:10.0.0.9]:4711", "10.0.0.9"),
        ("2001:db8:1:2:3:4:5:6", "[2001:db8:1:2:3:4:5:6]:4711", "2001:db8:1:2::/64"),
        ("2001:db8::6", "[2001:db8::6]:4711", "2001:db8::/64"),
        ("fe80::1%eth0", "[fe80::1%eth0]:4711", "fe80::/64"),
        ("::1", "[::1]:4711", "::1"),
    ],
)
def test_one_host_has_many_ports_and_an_ipv6_one_many_addresses(address: str, shown: str, host: str) -> None:
    """RFC 3986, 3.2.2: an IPv6 address stands in brackets before a port. RFC 6177: a site is given a /64 or more."""
    assert (peer_of(address, 4711), host_of(shown), host_of(address)) == (shown, host, host)


def test_a_host_that_changes_its_ipv6_address_has_one_account() -> None:
    accounts = Refusals()
    noted = [accounts.may_note(Who("", "viewer", peer_of(f"2001:db8::{n:x}", n))) for n in range(2 * MOST_NOTED)]
    assert sum(noted) == MOST_NOTED
    assert accounts.may_note(Who("", "viewer", peer_of("2001:db8:0:1::1", 1)))


@pytest.mark.parametrize("count", [1, 3])
def test_a_write_whose_client_hangs_up_is_noted_all_the_same(scan: TestScan, door: Door, count: int) -> None:
    deeds, tag = kept(door), scan.by_name["hmi.p_set"]

    async def story() -> None:
        wanted = [(tag, 7.0 + n, 0) for n in range(count)]
        asked = asyncio.ensure_future(door.write(tag, 7.0, OPERATOR) if count == 1 else door.write_all(wanted, OPERATOR))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        asked.cancel()
        async with asyncio.timeout(10):
            while len(deeds) < count:
                await asyncio.sleep(0.01)

    eventually(door.refresh)
    asyncio.run(story())
    assert [(deed.new, deed.taken) for deed in deeds] == [(7.0 + n, True) for n in range(count)]
