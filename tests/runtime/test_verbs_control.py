"""The verb `control`: what a person and a script see of a plant in the test's hands, with the tags of common.yaml."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from runtime import rundir
from runtime.cli import app
from runtime.servers.records.store import Records
from tests.aids.onlooker import HeldSite
from tests.aids.scanning_site import scanning_site
from tests.aids.site_text import texts

TAGS = """
cmd.GoToMode_ChargeOnly: {type: BOOL, pulse: true, write: operator}
cmd.GoToMode_ExternalControl: {type: BOOL, pulse: true, write: operator}
cmd.GoToMode_Test: {type: BOOL, pulse: true, write: engineer}
cmd.GoToState_Running: {type: BOOL, pulse: true, write: operator}
cmd.GoToState_Idling: {type: BOOL, pulse: true, write: operator}
cmd.reset: {type: BOOL, pulse: true, write: operator}
set.soc_target: {type: LREAL, unit: "%", range: 0..100, default: 50, write: operator}
set.c_rate: {type: LREAL, unit: 1/h, range: 0..2, default: 0.2, write: operator}
set.p: {type: LREAL, unit: kW, range: -80..80, default: 0, write: operator}
set.heartbeat: {type: DINT, default: 0, write: operator}
plant.limit: {type: LREAL, unit: kW, default: -1000, write: operator}
plant.estop_ok: {type: BOOL, default: true, write: operator}
plant.remote: {type: BOOL, default: true, write: operator}
set.commissioned: {type: BOOL, default: true, write: engineer}
site.mode: {type: DINT, names: {0: PASSIVE, 3: EXTERNAL, 4: CHARGE_ONLY}}
site.ready: {type: BOOL}
site.run: {type: BOOL}
site.closed: {type: BOOL}
site.maintenance: {type: BOOL, default: false, write: engineer}
site.p_reason: {type: DINT, names: {0: REQUEST, 2: NOT_CONNECTED, 3: BATTERY}}
site.p_request: {type: LREAL, unit: kW}
site.p_allowed: {type: LREAL, unit: kW}
site.p: {type: LREAL, unit: kW}
bms.soc: {type: LREAL, unit: "%", default: 40, write: engineer}
"""
PROGRAM = """
blocks:
  ready: {type: INTERLOCK, PERMIT: [plant.estop_ok, plc.alarms_critical = 0], RESET: cmd.reset}
  charge: {type: RS, S: cmd.GoToMode_ChargeOnly, R1: cmd.GoToMode_ExternalControl}
  external: {type: RS, S: cmd.GoToMode_ExternalControl, R1: cmd.GoToMode_ChargeOnly}
  run: {type: RS, S: cmd.GoToState_Running and ready.OK, R1: cmd.GoToState_Idling or not ready.OK}
  wish: {type: SEL, G: charge.Q1, IN0: set.p, IN1: -82 kWh * set.c_rate}
  kept: {type: MAX, IN1: wish.OUT, IN2: plant.limit}
  flows: {type: SEL, G: run.Q1, IN0: 0 kW, IN1: kept.OUT}
outputs:
  site.mode: "to_dint(sel(charge.Q1, sel(external.Q1, 0, 3), 4))"
  site.ready: ready.OK
  site.run: run.Q1
  site.closed: run.Q1
  site.p_request: wish.OUT
  site.p_allowed: flows.OUT
  site.p: flows.OUT
  site.p_reason: "to_dint(sel(run.Q1, 2, sel(kept.OUT > wish.OUT, 0, 3)))"
"""
SITE = "tasks:\n  main: {interval: 10 ms, programs: [p]}\nauthority: plant.remote\n"
Run = Callable[..., Result]


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HeldSite]:
    """The plant scans every few milliseconds, with records."""
    with scanning_site(tmp_path_factory.mktemp("site"), texts(PROGRAM, TAGS, site=SITE)) as site:
        yield site


@pytest.fixture
def run(held: HeldSite) -> Run:
    """`bessplc control WORDS` for this site."""
    return lambda *words: CliRunner().invoke(app, ["control", "--site", str(held.file), *words])


def set_tag(held: HeldSite, name: str, value: float | bool) -> None:
    """Somebody at the plant writes a tag; the scans go on."""
    from runtime.engine.north import Commands

    hmi = Commands(held.folder, "hmi", held.schedule.region.size, held.generation)
    hmi.write(held.schedule.tag(name), value, "engineer")
    time.sleep(0.15)
    hmi.close()


def test_an_open_interlock_is_the_first_thing_that_is_told(held: HeldSite, run: Run) -> None:
    done = run("--state", "run", "--wait", "200 ms")
    assert done.exit_code == 1
    assert "p.ready is open: all permits hold, a reset arms it" in done.output
    set_tag(held, "plant.estop_ok", False)
    assert "p.ready is open: 1 (plant.estop_ok) (bessplc verify-interlocks)" in run("--state", "run").output
    set_tag(held, "plant.estop_ok", True)


def test_a_plant_that_is_not_commissioned_says_so_until_somebody_commissions_it(held: HeldSite, run: Run) -> None:
    assert "set.commissioned = false: taken" in run("--no-commission").output
    assert "only mode test is allowed: `bessplc control --commission`" in run("--state", "run").output
    done = run("--commission", "--reset")
    assert done.exit_code == 0 and "cmd.reset = reset: taken" in done.output and "set.commissioned = true: taken" in done.output
    assert "not commissioned" not in done.output and "p.ready is open" not in done.output


def test_a_charge_is_ordered_waited_for_and_not_ordered_twice(held: HeldSite, run: Run) -> None:
    done = run("--state", "run", "--mode", "charge", "--rate", "0.5C", "--target", "80%", "--wait", "5 s")
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert lines[0].startswith("set.c_rate = 0.5 1/h: taken") and lines[1].startswith("set.soc_target = 80 %: taken")
    assert lines[2].startswith("cmd.GoToMode_ChargeOnly = mode CHARGE_ONLY: taken")
    assert lines[-1] == "mode CHARGE_ONLY, power -41.0 kW, state of charge 40.0 %"
    again = run("--state", "run", "--mode", "charge", "--ramp", "0.5C", "--target", "80%", "--wait", "5 s")
    assert again.exit_code == 0
    assert again.output.count("was there already") == 4 and "nothing to do" in again.output


def test_every_write_is_in_the_audit_log_once(held: HeldSite, run: Run) -> None:
    run("--mode", "charge", "--target", "70%")
    run("--mode", "charge", "--target", "70%")
    deeds = Records(rundir.state_folder_of(held.file)).deeds(subject="set.soc_target")
    assert [(deed.action, deed.new, deed.taken) for deed in deeds if deed.new == 70] == [("write", 70.0, True)]


def test_what_limits_the_power_is_named(held: HeldSite, run: Run) -> None:
    set_tag(held, "plant.limit", -20)
    done = run("--mode", "charge", "--rate", "0.5C", "--wait", "2 s")
    assert done.exit_code == 0 and "the power is decided by BATTERY: -20 kW of -41 kW" in done.output
    set_tag(held, "plant.limit", -1000)


def test_without_a_connected_rack_the_way_is_told_and_the_effect_does_not_come(run: Run) -> None:
    assert run("--mode", "idle", "--wait", "2 s").exit_code == 0
    done = run("--mode", "charge", "--wait", "100 ms")
    assert done.exit_code == 1
    assert "no rack is connected: `bessplc control --state run`" in done.output and "the effect did not come in time" in done.output


def test_external_power_keeps_its_heartbeat_while_it_is_held(held: HeldSite, run: Run) -> None:
    run("--state", "run")
    told = run("--mode", "external", "--power", "30 kW", "--wait", "2 s")
    assert told.exit_code == 0 and "--hold '10 min' keeps it" in told.output
    before = held.seen().snapshot.column(held.schedule.tag("set.heartbeat"))[0]
    assert run("--mode", "external", "--power", "30 kW", "--hold", "100 ms").exit_code == 0
    assert held.seen().snapshot.column(held.schedule.tag("set.heartbeat"))[0] > before


def test_a_script_reads_json(run: Run) -> None:
    facts = json.loads(run("--mode", "external", "--power", "12 kW", "--wait", "2 s", "--json").output)
    assert facts["reached"] is True and facts["now"]["mode"] == "EXTERNAL" and facts["now"]["site.p"] == 12.0
    assert [(one["tag"], one["written"]) for one in facts["orders"]] == [("cmd.GoToMode_ExternalControl", False), ("set.p", True)]


def test_in_local_control_nothing_is_written_and_the_refusal_is_told(held: HeldSite, run: Run) -> None:
    set_tag(held, "plant.remote", False)
    done = run("--mode", "external", "--power", "5 kW")
    assert done.exit_code == 1 and "set.p = 5 kW: refused: " in done.output and "local control" in done.output
    set_tag(held, "plant.remote", True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "nothing is ordered"),
        (("--mode", "chrage"), "did you mean `charge`?"),
        (("--state", "stop"), "--state stop: one of run, idle, maintenance"),
        (("--mode", "charge", "--power", "10 kW"), "--power belongs to --mode external or local or test, and the mode is charge"),
        (("--mode", "charge", "--rate", "3C"), "3 is outside the range of set.c_rate: 0..2 in 1/h"),
        (("--mode", "charge", "--rate", "fast"), "`fast` is no value for set.c_rate"),
        (("--mode", "external", "--power", "5 V"), "set.p is in kW, and `5 V` is not"),
        (("--mode", "charge", "--hold", "5 s"), "--hold belongs to --mode external or local"),
        (("--mode", "backup"), "no tag named cmd.GoToMode_GridForming"),
        (("--mode", "charge", "--wait", "soon"), "`soon` is no time for --wait"),
    ],
)
def test_wrong_words_write_nothing_and_say_what_was_meant(held: HeldSite, run: Run, words: tuple[str, ...], said: str) -> None:
    before = held.seen().snapshot.column(held.schedule.tag("set.p"))[0]
    done = run(*words)
    assert done.exit_code == 2 and said in done.output
    assert held.seen().snapshot.column(held.schedule.tag("set.p"))[0] == before


def test_a_site_that_does_not_run_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BESSPLC_RUN", str(tmp_path / "run"))
    for name, text in texts(PROGRAM, TAGS, site=SITE).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    done = CliRunner().invoke(app, ["control", "--site", str(tmp_path / "config/site.yaml"), "--mode", "charge"])
    assert done.exit_code == 75 and "is not running" in done.output
