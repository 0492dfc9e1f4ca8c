"""`bessplc load` on the running demo: swapped between two scans, taken back, refused with carets; everybody else goes on."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from asyncua import Client

from runtime.control import Files, limit_of, request_of
from tests.aids.places import DEMO_SITE
from tests.aids.site import ROOT, RunningSite, running_site, until

EXTRA = "  extra: {type: ADD, A: bms.soc, B: 1 %}\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    with running_site(tmp_path_factory.mktemp("load")) as running:
        running.wait_for("running", 240)
        running.wait_for("outputs follow the scan", 60)
        running.wait_for("listening", 120, service="opcua")
        yield running


def load(site: RunningSite, *words: str) -> tuple[int, dict[str, Any]]:
    done = bessplc(site, "load", "--json", *words)
    return done.returncode, json.loads(done.stdout)


def bessplc(site: RunningSite, *words: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "BESSPLC_RUN": str(site.run_base), "XDG_STATE_HOME": str(site.run_base.parent / "state"), "NO_COLOR": "1"}
    command = [sys.executable, "-m", "runtime.cli", *words, "--site", str(site.root / "config/site.yaml")]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120)


def edit(site: RunningSite, name: str, old: str, new: str) -> None:
    path = site.root / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_an_edited_program_goes_live_while_everybody_goes_on(site: RunningSite) -> None:
    """A subscription of OPC UA lives on and sees new values, the fieldbus notices nothing; after a kill the new program runs."""
    asyncio.run(_load_under_a_subscription(site))
    events = [e["event"] for e in site.log()]
    assert "died" not in events and events.count("outputs follow the scan") == 1, "the fieldbus went on without a gap"
    os.kill(site.pid_of("runtime.engine.scan"), signal.SIGKILL)
    until(lambda: [e["event"] for e in site.log()].count("scanning") == 2, 120, "the scan was restarted")
    code, answer = load(site)
    assert code == 0 and "runs already" in answer["text"], "the restarted scan has the new program"


async def _load_under_a_subscription(site: RunningSite) -> None:
    seen: list[Any] = []
    client = Client(f"opc.tcp://127.0.0.1:{site.opcua}")
    async with client:
        node = _tag(client, "plc.scan")
        handler = SimpleNamespace(datachange_notification=lambda node, value, data: seen.append(value))
        subscription = await client.create_subscription(100, handler)
        await subscription.subscribe_data_change(node)
        edit(site, "programs/dispatch.yaml", "blocks:\n", f"blocks:\n{EXTRA}")
        edit(site, "config/site.yaml", "tags:\n", "tags:\n  site.extra: {type: LREAL, unit: '%', default: 0, text: One more}\n")
        edit(site, "programs/dispatch.yaml", "outputs:\n", "outputs:\n  site.extra: extra.OUT\n")
        code, answer = await asyncio.to_thread(load, site)
        assert code == 0 and answer["swapped"], answer
        assert "+ block dispatch.extra: ADD of LREAL" in answer["differences"] and answer["dropped"] == []
        count = len(seen)
        for _ in range(200):
            await asyncio.sleep(0.05)
            if len(seen) > count + 2:
                break
        assert len(seen) > count + 2 and seen[-1] > answer["scan"], "the subscription goes on"
        extra = _tag(client, "site.extra")
        assert await extra.read_value() == pytest.approx(await _tag(client, "bms.soc").read_value() + 1.0, abs=0.5)


def _tag(client: Client, name: str) -> Any:
    return client.get_node(f"ns=2;s={name}")


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_mistakes_are_shown_with_carets_and_the_old_program_runs_on(site: RunningSite) -> None:
    path = site.root / "programs/dispatch.yaml"
    before = path.read_text()
    path.write_text(before.replace("SOC: bms.soc", "SOC: bms.sock", 1))
    done = bessplc(site, "load")
    path.write_text(before)
    assert done.returncode == 1
    assert "error[E101]: no tag named `bms.sock`" in done.stderr and "^^^^^^^^ did you mean `bms.soc`?" in done.stderr
    assert "refused: the files have mistakes" in done.stderr
    scan = site.pid_of("runtime.engine.scan")
    assert scan and "runs already" in load(site)[1]["text"]


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_dry_run_loads_nothing_undo_goes_back_and_both_are_audited(site: RunningSite) -> None:
    path = site.root / "programs/dispatch.yaml"
    before = path.read_text()
    path.write_text(before.replace("HIGH: 8 %", "HIGH: 9 %", 1))
    code, tried = load(site, "--dry-run")
    assert code == 0 and not tried["swapped"] and tried["differences"] == ["~ parameter dispatch.soc_low.HIGH: 8 % -> 9 %"]
    assert load(site)[1]["swapped"]
    code, undone = load(site, "--undo")
    assert code == 0 and undone["swapped"] and undone["differences"] == ["~ parameter dispatch.soc_low.HIGH: 9 % -> 8 %"]
    assert undone["text"].startswith("undone: the program before runs again") and "--undo once more goes forward" in undone["text"]
    path.write_text(before)
    deeds = json.loads(bessplc(site, "audit", "--json").stdout)
    assert [d["action"] for d in deeds if d["action"] in ("load", "undo")][-2:] == ["load", "undo"]


def test_without_a_run_it_says_so(tmp_path: Path) -> None:
    env = {**os.environ, "BESSPLC_RUN": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "runtime.cli", "load", "--site", str(DEMO_SITE)],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 75 and "`bessplc run` starts it" in done.stderr


def test_a_limit_needs_a_unit() -> None:
    assert limit_of("5 kW").number == 5
    for text in ("5", "much", "5 kX"):
        with pytest.raises(ValueError):
            limit_of(text)


def test_a_request_that_is_none_is_refused() -> None:
    assert request_of({"verb": "load", "trial": True}, "ann").is_trial
    with pytest.raises(ValueError, match="no request 'stop'"):
        request_of({"verb": "stop"}, "ann")


def test_a_saved_file_counts_once_it_has_come_to_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("runtime.control.time", SimpleNamespace(monotonic=lambda: now[0]))
    path, files = tmp_path / "p.yaml", Files(read_at=1 << 62)
    running = SimpleNamespace(root=str(tmp_path), files=("p.yaml",))
    path.write_text("a")
    assert not files.are_new(running)
    path.write_text("ab")
    assert not files.are_new(running), "it may be only half of what the editor saves"
    now[0] += 0.3
    path.write_text("abc")
    assert not files.are_new(running)
    now[0] += 0.6
    assert files.are_new(running) and not files.are_new(running)


def test_a_file_that_was_saved_while_the_site_started_is_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("runtime.control.time", SimpleNamespace(monotonic=lambda: now[0]))
    path, running = tmp_path / "p.yaml", SimpleNamespace(root=str(tmp_path), files=("p.yaml",))
    path.write_text("a")
    files = Files(read_at=path.stat().st_mtime_ns - 1)
    assert not files.are_new(running), "it has not come to rest"
    now[0] += 0.6
    assert files.are_new(running) and not files.are_new(running)
