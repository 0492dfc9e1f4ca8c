"""Records that cannot be read: a client is told so, where an empty answer would say that nothing had happened."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asyncua import Client, ua

from tests.aids.servers_alarms import AlarmSite, Watch, act, becomes, call
from tests.aids.servers_process import serving

IDS = ua.ObjectIds
Plant = tuple[AlarmSite, int, contextlib.ExitStack]
WRITER = "hmi.p_set/LastWriter"
ACKNOWLEDGE = IDS.AcknowledgeableConditionType_Acknowledge
SAID = ua.Variant(b"\0" * 7 + b"\1", ua.VariantType.ByteString), ua.Variant(ua.LocalizedText("x"), ua.VariantType.LocalizedText)


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """A site of its own, which loses its records; the server is started while it cannot read them."""
    site = AlarmSite(tmp_path_factory.mktemp("unreadable"), roles=())
    site.record("bms.soc", [1_700_000_000 * 10**9], [50.0])
    with contextlib.ExitStack() as newer:
        newer.enter_context(of_a_newer_version(site.scan.folder / "records.sqlite"))
        newer.enter_context(of_a_newer_version(site.scan.folder / "history.sqlite"))
        with serving(site.order()) as (_, port):
            yield site, port, newer
    site.end()


@contextlib.contextmanager
def of_a_newer_version(path: Path) -> Iterator[None]:
    """In the place of this file one that this version cannot read; afterwards the old one again."""
    with _moved(path), contextlib.closing(sqlite3.connect(path)) as newer:
        newer.execute("CREATE TABLE later (x)")
        newer.execute("PRAGMA user_version = 99")
        yield


@contextlib.contextmanager
def _moved(path: Path) -> Iterator[None]:
    """This file is not there: neither it nor what SQLite keeps beside it."""
    aside = path.parent / f"aside of {path.stem}"
    aside.mkdir()
    for file in path.parent.glob(f"{path.name}*"):
        file.rename(aside / file.name)
    yield
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()
    for file in aside.iterdir():
        file.rename(path.parent / file.name)
    aside.rmdir()


async def history(client: Client) -> tuple[str, int]:
    details = ua.ReadRawModifiedDetails(False, ua.win_epoch_to_datetime(130_000_000_000_000_000), ua.get_win_epoch(), 10, False)
    wanted = [ua.HistoryReadValueId(NodeId=ua.NodeId("bms.soc", 2))]
    params = ua.HistoryReadParameters(details, ua.TimestampsToReturn.Both, False, wanted)
    (found,) = await client.uaclient.history_read(params)
    return found.StatusCode.name, len(getattr(found.HistoryData, "DataValues", ()))


async def state(client: Client, node: str = "/alarms/door/ActiveState/Id") -> str:
    value = await client.get_node(f"ns=2;s={node}").read_data_value(raise_on_bad_status=False)
    return value.StatusCode.name


async def refresh(client: Client, watch: Watch) -> str:
    number = ua.Variant(watch.subscription.subscription_id, ua.VariantType.UInt32)
    return await call(client, IDS.ConditionType, IDS.ConditionType_ConditionRefresh, number)


def test_a_server_that_starts_without_readable_records_says_so_and_finds_them_later(plant: Plant) -> None:
    _, port, newer = plant

    async def do(client: Client) -> Any:
        found = await call(client, "/alarms/door", ACKNOWLEDGE, *SAID), await history(client), await state(client, WRITER)
        newer.close()
        await becomes(lambda: state(client), "Good")
        await becomes(lambda: history(client), ("Good", 1))
        await becomes(lambda: state(client, WRITER), "GoodNoData")
        return found

    assert act(port, do) == ("BadResourceUnavailable", ("BadDataUnavailable", 0), "BadResourceUnavailable")


def test_history_that_cannot_be_read_is_bad_and_not_empty(plant: Plant) -> None:
    site, port, _ = plant

    async def do(client: Client) -> Any:
        with of_a_newer_version(site.scan.folder / "history.sqlite"):
            without = await history(client)
        return without, await history(client)

    assert act(port, do) == (("BadDataUnavailable", 0), ("Good", 1))


def test_alarms_that_cannot_be_read_are_bad_and_come_back_with_the_word_that_clients_refresh(plant: Plant) -> None:
    site, port, _ = plant

    async def do(client: Client) -> Any:
        watch = await Watch(site).start(client)
        with of_a_newer_version(site.scan.folder / "records.sqlite"):
            await becomes(lambda: state(client), "BadResourceUnavailable")
            refused = await call(client, "/alarms/door", ACKNOWLEDGE, *SAID), await refresh(client, watch)
        await watch.until(lambda: IDS.RefreshRequiredEventType in watch.types())
        site.set("door", active=True)
        await watch.until(lambda: watch.told("door"))
        return refused, await state(client), await refresh(client, watch)

    assert act(port, do) == (("BadResourceUnavailable", "BadResourceUnavailable"), "Good", "Good")


def test_records_that_were_lost_and_begun_anew_leave_no_alarm_standing_for_ever(plant: Plant) -> None:
    """A broken file is set aside and a new one begun, whose numbers are greater than all before: only the file tells."""
    site, port, _ = plant

    async def do(client: Client) -> Any:
        watch = await Watch(site).start(client)
        active = client.get_node("ns=2;s=/alarms/door/ActiveState/Id").read_value
        site.set("door", active=True)
        await becomes(active, True)
        with _moved(site.scan.folder / "records.sqlite"):
            site.declare()
            await watch.until(lambda: IDS.RefreshRequiredEventType in watch.types())
            await becomes(active, False)

    act(port, do)
