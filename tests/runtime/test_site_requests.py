"""What a running site and its runtime ask of each other, with real processes: loads under load, a new start, a reboot."""

from __future__ import annotations

import json
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from runtime.cli import app
from runtime.scaffold import PORTS, scaffold
from tests.aids.site import RunningSite, free_ports, started, until
from tests.aids.small_site import descriptors

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
TAGS = """
  hmi.load: {type: BOOL, default: true, write: operator, text: The plant is under load}
  set.refused: {type: BOOL, pulse: true, write: engineer, text: A change was refused}
  site.change_ok: {type: BOOL, text: Programs may be changed now}
  site.restart: {type: BOOL, default: false, text: Start anew}
  site.reboot: {type: BOOL, default: false, text: Reboot}
"""
RUNTIME = "runtime: {changes: site.change_ok, refused: set.refused, restart: site.restart, reboot: site.reboot}\n"
ALARM = "  change_refused: {when: refused.Q, severity: warning, text: No change now}\n"
PROGRAM = "programs/peak.yaml"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """The smallest site, which permits changes while it is not under load, on a machine that it may reboot."""
    folder = tmp_path_factory.mktemp("asks")
    made = scaffold(folder / "north", "minimal")
    new = {str(made.ports[name]): str(port) for name, port in zip(PORTS, free_ports(len(PORTS)), strict=True)}
    for path in [*made.root.glob("config/*.yaml"), *made.root.glob("io_maps/*.yaml")]:
        path.write_text(re.sub("|".join(map(re.escape, new)), lambda m: new[m.group()], path.read_text()))
    config, program = made.root / "config/site.yaml", made.root / PROGRAM
    config.write_text(config.read_text().replace("\ntags:", f"\n{RUNTIME}\ntags:").replace("\n\noverview", f"{TAGS}\noverview"))
    text = re.sub(
        r"^blocks:.*\n", lambda m: m[0] + "  refused: {type: TP, IN: set.refused, PT: 30 s}\n", program.read_text(), flags=re.M
    )
    text = text.replace("  site.peak: high.Q\n", "  site.peak: high.Q\n  site.change_ok: not hmi.load\n")
    program.write_text(text.replace("\nalarms:\n", f"\nalarms:\n{ALARM}"))
    command = f'{sys.executable} -c \'open("{folder}/rebooted", "w")\''
    with started(made.root, [0, 0], folder, "--sim", "--cold", "--reboot-command", command) as running:
        running.wait_for("running", 200)
        yield running


def say(site: RunningSite, *words: str) -> Result:
    """A verb, in this process: the interpreter's start would be most of the time."""
    env = {"BESSPLC_RUN": str(site.run_base), "XDG_STATE_HOME": str(site.run_base.parent / "state"), "NO_COLOR": "1"}
    return CliRunner().invoke(app, [*words, "--site", str(site.root / "config/site.yaml")], env=env)


def force(site: RunningSite, what: str) -> None:
    done = say(site, "force", what, "--reason", "a test")
    assert done.exit_code == 0, done.output


def load(site: RunningSite, *words: str) -> tuple[int, dict[str, Any]]:
    done = say(site, "load", "--json", *words)
    return done.exit_code, json.loads(done.stdout)


def events(site: RunningSite, name: str) -> list[dict[str, Any]]:
    return [line for line in site.log() if line.get("event") == name]


def test_under_load_what_loses_a_value_is_neither_loaded_nor_undone_and_at_rest_it_is(site: RunningSite) -> None:
    program = site.root / PROGRAM
    before = program.read_text()
    program.write_text(before.replace("high: {type: TON,", "high: {type: TOF,"))
    code, answer = load(site)
    assert code == 1 and not answer["swapped"] and answer["permit"] == "site.change_ok"
    assert "peak.high" in answer["text"] and "`site.change_ok` (Programs may be changed now) is not true" in answer["text"]
    until(lambda: "No change now" in str(events(site, "status")[-1]["alarms"]), 30, "the programs were told")
    [deed] = [d for d in json.loads(say(site, "audit", "--json").stdout) if d["action"] == "load"]
    assert not deed["taken"] and "site.change_ok" in deed["answer"]
    force(site, "hmi.load=false")
    assert load(site)[1]["swapped"]
    force(site, "hmi.load=true")
    assert "`site.change_ok`" in load(site, "--undo")[1]["text"]


def test_a_restart_is_a_new_start_in_the_same_process_and_the_request_does_not_come_again(site: RunningSite) -> None:
    scan, files = site.pid_of("runtime.engine.scan"), descriptors(site.process.pid)
    force(site, "site.restart=true")
    until(lambda: len(events(site, "running")) == 2, 120, "it runs again")
    assert site.process.poll() is None and site.pid_of("runtime.engine.scan") not in (0, scan)
    assert descriptors(site.process.pid) <= files + 2, "the first start left nothing open"
    [stopping], [anew] = events(site, "stopping"), events(site, "starting anew")
    assert stopping["why"] == "the site asks for a restart" and "--cold" not in anew["command"]
    assert [e["outputs"] for e in events(site, "stopped") if "outputs" in e] == ["safe"]
    assert "hmi.p_high" in events(site, "warm start")[-1]["restored"]
    until(lambda: "status" in [e.get("event") for e in site.log()[site.log().index(anew) :]], 30, "it is looked at")
    force(site, "site.restart=true")
    refused = until(lambda: [e for e in events(site, "restart") if not e["ok"]], 30, "it is refused so soon")
    assert "not again before 60 s" in refused[0]["text"] and len(events(site, "running")) == 2
    deeds = [(d["action"], d["taken"]) for d in json.loads(say(site, "audit", "--json").stdout) if d["action"] == "restart"]
    assert deeds == [("restart", True), ("restart", False)]


def test_a_reboot_stops_the_site_first_and_the_machine_then_ends_it(site: RunningSite) -> None:
    force(site, "site.reboot=true")
    until(Path(site.run_base.parent / "rebooted").exists, 60, "the machine's command was run")
    assert [e["outputs"] for e in events(site, "stopped") if "outputs" in e] == ["safe", "safe"] and site.process.poll() is None
    site.process.send_signal(signal.SIGTERM)
    assert site.process.wait(30) == 0
