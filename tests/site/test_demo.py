"""The demo site as a newcomer meets it: real PLC, real plant, real servers, watched with tools that we did not write."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from asyncua import Client, ua

from tests.aids.plant import RunningPlant
from tests.aids.scada import Scada
from tests.aids.site import ROOT, RunningSite, copy_site, running_beside, started, until

pytestmark = [pytest.mark.site, pytest.mark.slow, pytest.mark.timeout(400)]

COLD_S = 180  # kernels may have to be compiled on a busy machine


Stand = Callable[[], tuple[RunningSite, RunningPlant]]


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """The running demo that the tests share: a start takes ten seconds of two cores. Whoever ends it leaves the next a new one."""
    with ExitStack() as running:
        shared: list[tuple[RunningSite, RunningPlant]] = []

        def standing() -> tuple[RunningSite, RunningPlant]:
            if not shared or shared[-1][0].process.poll() is not None:
                running.close()
                shared.append(running.enter_context(running_beside(tmp_path_factory.mktemp("demo"))))
            return shared[-1]

        yield standing


@pytest.fixture
def demo(stand: Stand) -> Iterator[tuple[RunningSite, RunningPlant, Scada]]:
    """The demo at rest: in remote, no E-stop, nothing to follow."""
    site, plant = stand()
    site.wait_for("running", COLD_S)
    until(lambda: site.status("modbus").get("listening") and site.status("opcua").get("listening"), 60, "both servers listen")
    plant.ask("estop", pressed=False)
    scada = Scada(site.root, site.modbus)
    until(lambda: scada.read("bms.ok") and scada.read("panel.remote"), 30, "the rack's and the panel's data arrive")
    until(lambda: not scada.write("hmi.enable", False).isError(), 10, "the site follows no setpoint")
    yield site, plant, scada
    scada.close()


def close_contactors(plant: RunningPlant, scada: Scada) -> None:
    """Reset the interlock and close, as an operator would from the SCADA."""
    until(lambda: plant.truth()["pcs"]["fault"] in (0, "NONE"), 20, "the PCS has no fault")
    assert not scada.write("hmi.reset", True).isError()
    until(lambda: scada.read("site.ready"), 10, "the interlock is armed")
    assert not scada.write("hmi.close", True).isError()
    try:
        until(lambda: scada.read("bms.main_fb"), 20, "the main contactors are closed")
    except AssertionError as error:
        seen = {
            tag: scada.read(tag)
            for tag in ("protection.contactors", "site.ready", "site.first_permit", "plc.overruns", "plc.state")
        }
        commands = [(w["t"] // 1_000_000, w["what"], w["value"]) for w in plant.written() if "Balance" not in w["what"]]
        events = [(e["t"] // 1_000_000, e["what"], e["value"]) for e in plant.events()]
        raise AssertionError(f"{error}: {seen}, {commands}, {events}, {plant.ask('counters')}") from None
    until(lambda: scada.read("site.closed"), 5, "the sequence says closed")


def follow(scada: Scada, p_set: float) -> None:
    assert not scada.write("hmi.p_set", p_set).isError()
    assert not scada.write("hmi.support", False).isError()
    assert not scada.write("hmi.enable", True).isError()


def order_of(plant: RunningPlant, since: int) -> dict[str, int]:
    """When each output was last changed since then, by device and output."""
    return {f"{w['device']}.{w['what']}": w["t"] for w in plant.written(since)}


def test_a_day_at_the_demo_site(demo: tuple[RunningSite, RunningPlant, Scada]) -> None:
    _, plant, scada = demo
    close_contactors(plant, scada)

    follow(scada, 100.0)
    until(lambda: abs(scada.read("pcs.p") - 100) < 2, 20, "power follows the setpoint")
    before = scada.read("bms.soc")
    until(lambda: scada.read("bms.soc") < before, 30, "discharging moves the state of charge down")

    assert scada.write("hmi.p_set", 900.0).isError(), "beyond the tag's range"
    assert abs(scada.read("hmi.p_set") - 100) < 0.1

    plant.ask("set", what="soc_percent", value=99.0)
    follow(scada, -200.0)
    until(lambda: -40 < scada.read("site.p_min") <= 0, 20, "the charge limiter bites near full")
    until(lambda: scada.read("pcs.p") < -1, 20, "charging what the limit allows")
    assert scada.read("pcs.p") > -40

    since = time.monotonic_ns()
    plant.ask("estop", pressed=True)
    until(lambda: not scada.read("bms.main_fb"), 20, "the E-stop opens the contactors")
    changes = [(w["t"], w["device"], w["what"], w["value"]) for w in plant.written(since)]
    zero = min(t for t, device, what, to in changes if (device, what) == ("pcs", "p_cmd") and to == 0)
    opened = min(t for t, device, what, to in changes if (device, what) == ("rack", "Stack_Cmd.CloseReq") and not to)
    assert zero < opened, "current to zero before opening"
    assert not scada.read("site.ready")
    assert scada.read("site.first_permit") == 1


def test_an_opcua_client_browses_subscribes_and_writes(demo: tuple[RunningSite, RunningPlant, Scada]) -> None:
    site, _, scada = demo

    async def look() -> list[float]:
        seen: list[float] = []

        class Listener:
            def datachange_notification(self, node: object, value: float, data: object) -> None:
                seen.append(value)

        async with Client(f"opc.tcp://127.0.0.1:{site.opcua}/bessplc") as client:
            names = {(await node.read_browse_name()).Name for node in await client.nodes.objects.get_children()}
            assert "bessplc" in names
            node = client.get_node("ns=2;s=hmi.p_set")
            subscription = await client.create_subscription(100, Listener())
            await subscription.subscribe_data_change(node)
            await node.write_value(ua.Variant(42.0, ua.VariantType.Double))
            for _ in range(100):
                if 42.0 in seen:
                    return seen
                await asyncio.sleep(0.05)
        return seen

    assert 42.0 in asyncio.run(look())
    assert abs(scada.read("hmi.p_set") - 42) < 0.1


def _reads(scada: Scada, tag: str) -> object:
    try:
        return scada.read(tag)
    except AssertionError:
        return None


def test_kill_nine_of_the_fieldbus_makes_inputs_stale_then_good_again(demo: tuple[RunningSite, RunningPlant, Scada]) -> None:
    site, _, scada = demo
    overruns = scada.read("plc.overruns")
    before = site.pid_of("runtime.fieldbus.process")
    os.kill(before, signal.SIGSTOP)  # hold it, so that the staleness can be seen however fast the restart is
    until(lambda: not scada.read("bms.ok"), 10, "a stale input takes its bad value")
    os.kill(before, signal.SIGKILL)
    until(lambda: site.pid_of("runtime.fieldbus.process") not in (0, before), 20, "restarted")
    until(lambda: scada.read("bms.ok"), 30, "good again")
    assert scada.read("plc.overruns") - overruns <= 3


@pytest.mark.parametrize("server", ["modbus", "opcua"])
def test_kill_nine_of_a_server_is_mended_and_no_scan_is_late(demo: tuple[RunningSite, RunningPlant, Scada], server: str) -> None:
    site, _, scada = demo
    before, scan = site.pid_of(f"runtime.servers.{server}"), scada.read("plc.scan")
    os.kill(before, signal.SIGKILL)
    site.wait_for("restarted", 20, process=server)
    until(lambda: site.pid_of(f"runtime.servers.{server}") not in (0, before), 20, "a new process")
    scada.close()
    again = until(lambda: _connected(site), 30, "a client can connect again")
    until(lambda: _reads(again, "plc.scan") is not None, 20, "and reads")
    assert again.read("plc.scan") > scan, "the scan went on"
    again.close()


def _connected(site: RunningSite) -> Scada | None:
    try:
        return Scada(site.root, site.modbus)
    except AssertionError:
        return None


def test_a_second_run_says_who_holds_the_site(demo: tuple[RunningSite, RunningPlant, Scada]) -> None:
    site, _, _ = demo
    command = [sys.executable, "-m", "runtime.cli", "run", "--site", str(site.root / "config/site.yaml")]
    second = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "BESSPLC_RUN": str(site.run_base)}, capture_output=True, text=True, timeout=60
    )
    assert second.returncode == 75
    assert f"already running: process {site.process.pid}" in second.stderr
    assert site.process.poll() is None


def assert_safe_in_order(plant: RunningPlant, since: int, within_s: float = 30.0) -> None:
    """Power was commanded to zero first, contactors were opened after."""
    plant.wait(lambda truth: not truth["rack"]["main"], within_s, "the contactors are open")
    changes = [(w["t"], w["device"], w["what"], w["value"]) for w in plant.written(since)]
    zero = [t for t, device, what, to in changes if (device, what) == ("pcs", "p_cmd") and to == 0]
    opened = [t for t, device, what, to in changes if (device, what) == ("rack", "Stack_Cmd.CloseReq") and not to]
    assert zero, changes
    assert opened, changes
    assert min(zero) < min(opened)
    assert (min(zero) - since) / 1e9 < 2.5, "zero power within 500 ms, asserted with five times the margin"


@pytest.mark.parametrize("victim", ["runtime.engine.scan", "supervisor"])
def test_kill_nine_of_scan_or_supervisor_leaves_safe_values(demo: tuple[RunningSite, RunningPlant, Scada], victim: str) -> None:
    site, plant, scada = demo
    close_contactors(plant, scada)
    follow(scada, 50.0)
    until(lambda: abs(scada.read("pcs.p") - 50) < 2, 20, "power follows")
    since = time.monotonic_ns()
    pid = site.process.pid if victim == "supervisor" else site.pid_of(victim)
    children = [
        site.pid_of(m)
        for m in ("runtime.engine.scan", "runtime.fieldbus.process", "runtime.servers.opcua", "runtime.servers.modbus")
    ]
    os.kill(pid, signal.SIGKILL)
    assert_safe_in_order(plant, since)
    if victim == "supervisor":
        site.process.wait()
        until(lambda: not any(Path(f"/proc/{child}").exists() for child in children), 30, "all processes of the site end")
    else:
        site.wait_for("restarted", 30, process="scan")
        again = until(lambda: Scada(site.root, site.modbus), 10, "the Modbus server is still there")
        until(lambda: _reads(again, "plc.state") == 1, 60, "the scan runs again")
        assert not again.read("site.ready"), "restarted in a safe state: the interlock wants a reset"
        assert not plant.truth()["rack"]["main"]
        again.close()


def test_ctrl_c_stops_with_power_before_contactors(demo: tuple[RunningSite, RunningPlant, Scada]) -> None:
    site, plant, scada = demo
    close_contactors(plant, scada)
    follow(scada, 50.0)
    until(lambda: abs(scada.read("pcs.p") - 50) < 2, 20, "power follows")
    since = time.monotonic_ns()
    assert site.stop() == 0
    assert_safe_in_order(plant, since)
    assert [p for p in site.run_base.rglob("*") if p.is_file() and p.name != "lock"] == [], "nothing is left behind"


def test_a_retained_setpoint_and_block_survive_a_restart_and_a_cold_start_forgets_them(tmp_path: Path) -> None:
    root, ports = copy_site(tmp_path / "demo", without=("opcua", "rest"))
    hours = []
    for arguments, expected in ((("--sim",), 0.0), (("--sim",), 33.0), (("--sim", "--cold"), 0.0)):
        with started(root, ports, tmp_path, *arguments) as site:
            until(lambda site=site: site.status("modbus").get("listening"), COLD_S, "the Modbus server listens")
            scada = until(lambda site=site: _connected(site), 20, "connected")
            assert scada.read("hmi.p_set") == expected
            hours.append(scada.read("cells.hours"))
            until(lambda scada=scada: not scada.write("hmi.p_set", 33.0).isError(), 20, "taken, once the key switch is known")
            until(lambda scada=scada: scada.read("cells.hours") * 3600 > hours[-1] * 3600 + 3, 30, "three seconds of operation")
            scada.close()
            assert site.stop() == 0
    assert hours[1] * 3600 >= 3 > hours[2] * 3600, "the hour meter went on, and began anew after the cold start"
