"""The safe sequence with a scripted fieldbus: order, bounds, and who may interrupt it."""

import asyncio
from typing import Any

import pytest

from runtime.child import FieldbusOrder
from runtime.fieldbus.safe import STEP_LIMIT, safe_steps, write_safe_values
from runtime.fieldbus.supply import GOING_SAFE, GRACE, INHIBITED, LIVE, SAFE, Supply
from runtime.model import Device, Point


def device(name: str, first: int, *after_ms: int) -> Device:
    points = tuple(Point(f"{name}.{i}", 0, "BOOL", first + i, None, 0, ms * 10**6) for i, ms in enumerate(after_ms))
    return Device(name, "scripted", None, (), points, 0, 0)


class Scripted:
    """A connection that notes what it is asked, and may hang or break."""

    def __init__(self, behaviour: str = "writes"):
        self.behaviour = behaviour
        self.writes = 0
        self.safe: list[tuple[float, tuple[int, ...]]] = []

    async def open(self) -> None:
        raise AssertionError("the safe sequence opens nothing")

    async def close(self) -> None:
        raise AssertionError("the safe sequence closes nothing")

    def status(self):
        return {"connected": self.behaviour != "lost"}

    def write(self) -> None:
        self.writes += 1

    async def write_safe(self, slots: Any) -> None:
        if self.behaviour == "hangs":
            await asyncio.sleep(60)
        if self.behaviour == "breaks":
            raise RuntimeError("a bug in a driver")
        self.safe.append((asyncio.get_running_loop().time(), tuple(slots)))


DEVICES = [device("pcs", 0, 0, 200), device("rack", 2, 200, 200, 0)]


def order(inhibit: bool = False) -> FieldbusOrder:
    return FieldbusOrder("", "", 0, tuple(DEVICES), 0, 5, -1, 10**9, inhibit)


def test_outputs_are_grouped_by_their_time_over_all_devices():
    steps = [(step.after, dict(step.slots)) for step in safe_steps(DEVICES)]
    assert steps == [(0, {"pcs": (0,), "rack": (4,)}), (200_000_000, {"pcs": (1,), "rack": (2, 3)})]


def test_the_steps_follow_each_other_at_their_times():
    async def run():
        connections = {"pcs": Scripted(), "rack": Scripted()}
        assert await write_safe_values(safe_steps(DEVICES), connections) == frozenset()
        first, second = connections["rack"].safe
        assert (first[1], second[1]) == ((4,), (2, 3))
        assert 0.19 < second[0] - first[0] < 1.0

    asyncio.run(run())


@pytest.mark.parametrize("behaviour", ["hangs", "breaks", "lost"])
def test_a_device_that_hangs_breaks_or_is_lost_holds_up_nobody_and_is_said(behaviour):
    async def run():
        connections = {"pcs": Scripted(behaviour), "rack": Scripted()}
        start = asyncio.get_running_loop().time()
        assert await write_safe_values(safe_steps(DEVICES), connections) == {"pcs"}
        assert len(connections["rack"].safe) == 2
        assert asyncio.get_running_loop().time() - start < 5 * (0.2 + 2 * STEP_LIMIT)

    asyncio.run(run())


async def settle(seconds: float = 0.0) -> None:
    await asyncio.sleep(seconds)
    await asyncio.sleep(0)


def test_it_starts_safe_and_a_running_scan_takes_over_at_once():
    async def run():
        connections = {"pcs": Scripted(), "rack": Scripted()}
        supply = Supply(order(), connections)
        supply.begin()
        await settle(GRACE + 0.05)
        assert supply.state == GOING_SAFE and connections["pcs"].safe
        supply.follow()
        assert supply.state == LIVE and connections["pcs"].writes == 1
        await settle(0.3)
        assert len(connections["rack"].safe) == 1, "the second step of the start is given up"

    asyncio.run(run())


def test_a_scan_that_is_running_already_is_taken_over_without_a_dip():
    async def run():
        connections = {"pcs": Scripted(), "rack": Scripted()}
        supply = Supply(order(), connections)
        supply.begin()
        await settle(0.02)
        supply.follow()
        await settle(GRACE + 0.3)
        assert supply.state == LIVE
        assert not connections["pcs"].safe and not connections["rack"].safe

    asyncio.run(run())


def test_an_end_right_after_the_start_writes_the_safe_values_all_the_same():
    async def run():
        connections = {"pcs": Scripted(), "rack": Scripted()}
        supply = Supply(order(), connections)
        supply.begin()
        await supply.stop()
        assert len(connections["rack"].safe) == 2

    asyncio.run(run())


def test_a_scan_that_only_stalled_takes_over_in_the_middle():
    async def run():
        connections = {"pcs": Scripted(), "rack": Scripted()}
        supply = Supply(order(), connections)
        supply.follow()
        supply.go_safe("no outbox", must_finish=False)
        await settle(0.05)
        supply.follow()
        await settle(0.3)
        assert supply.state == LIVE and len(connections["rack"].safe) == 1

    asyncio.run(run())


def test_a_scan_that_ended_waits_until_the_sequence_is_done():
    """A restarted scan knows nothing of the contactors: they finish opening before it speaks."""

    async def run():
        connections = {"pcs": Scripted(), "rack": Scripted()}
        supply = Supply(order(), connections)
        supply.follow()
        supply.go_safe("no outbox", must_finish=False)
        supply.go_safe("the scan process ended", must_finish=True)
        await settle(0.05)
        supply.follow()
        assert supply.state == GOING_SAFE and connections["pcs"].writes == 1
        await settle(0.3)
        assert supply.state == SAFE and len(connections["rack"].safe) == 2
        supply.follow()
        assert supply.state == LIVE

    asyncio.run(run())


def test_the_end_finishes_a_sequence_that_runs_and_starts_no_second():
    async def run():
        connections = {"pcs": Scripted(), "rack": Scripted()}
        supply = Supply(order(), connections)
        supply.follow()
        supply.go_safe("no outbox", must_finish=False)
        await settle(0.05)
        await supply.stop()
        assert supply.state == SAFE and supply.sequences == 1
        assert [slots for _, slots in connections["rack"].safe] == [(4,), (2, 3)]
        await supply.stop()
        assert supply.sequences == 1

    asyncio.run(run())


def test_inhibited_outputs_are_never_written():
    async def run():
        connections = {"pcs": Scripted(), "rack": Scripted()}
        supply = Supply(order(inhibit=True), connections)
        supply.begin()
        supply.follow()
        supply.go_safe("the scan process ended", must_finish=True)
        await supply.stop()
        assert supply.state == INHIBITED
        assert not any(c.safe or c.writes for c in connections.values())

    asyncio.run(run())


def test_the_end_asks_a_device_that_missed_its_part_once_more_and_only_that_one():
    async def run():
        connections = {"pcs": Scripted("hangs"), "rack": Scripted()}
        supply = Supply(order(), connections)
        supply.follow()
        supply.go_safe("the scan is stopped", must_finish=True)
        await settle(0.2 + 2 * STEP_LIMIT + 0.3)
        assert supply.state == SAFE and supply.status()["missed"] == ["pcs"]
        connections["pcs"].behaviour = "writes"
        await supply.stop()
        assert supply.missed == frozenset()
        assert [slots for _, slots in connections["pcs"].safe] == [(0,), (1,)], "in its order"
        assert len(connections["rack"].safe) == 2

    asyncio.run(run())


def test_a_device_that_is_missed_to_the_end_is_named():
    async def run():
        connections = {"pcs": Scripted(), "rack": Scripted("lost")}
        supply = Supply(order(), connections)
        supply.follow()
        await supply.stop()
        assert supply.missed == {"rack"} and supply.status()["missed"] == ["rack"]

    asyncio.run(run())


def test_outputs_that_follow_again_have_missed_nothing():
    async def run():
        connections = {"pcs": Scripted("lost"), "rack": Scripted()}
        supply = Supply(order(), connections)
        supply.follow()
        supply.go_safe("the scan is stopped", must_finish=True)
        await settle(0.5)
        assert supply.missed == {"pcs"}
        supply.follow()
        assert supply.missed == frozenset()

    asyncio.run(run())
