"""The control path: what goes wrong in it costs the load, never the site; and a load that nobody watches makes nothing jump."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from runtime import control_load
from runtime.app import App
from runtime.child import SwapOrder
from runtime.control import SOCKET, Control, request_of
from runtime.control_load import Loader, Request
from runtime.engine.retain import save
from runtime.rundir import state_folder_of
from runtime.site_audit import SiteAudit
from runtime.supervisor import Supervisor
from tests.aids.site_text import load_all

SITE = "tasks: {main: {interval: 10 ms, programs: [p]}}\nio: [pcs]\ntags:\n  hmi.p: {type: LREAL, default: 3, write: operator}\n"
DEVICE = "device: pcs\ndriver: fake\ntimeout: 500 ms\noutputs:\n  pcs.p: {at: a, type: LREAL, safe: 0}\n"


def site_of(value: str) -> Any:
    texts = {"config/site.yaml": SITE, "io_maps/pcs.yaml": DEVICE}
    return load_all({**texts, "programs/p.yaml": f"program: p\noutputs:\n  pcs.p: {value}\n"})


class FakeApp:
    """A site that runs, and a scan that takes orders and says nothing by itself."""

    def __init__(self, folder: Path):
        self.folder, self.scanning, self.site = folder, True, site_of("hmi.p")
        self.options = SimpleNamespace(site=folder / "config/site.yaml", log=None)
        self.supervisor = Supervisor(lambda *_: None)
        self.audit = SiteAudit(folder / "state")
        self.listeners: list[Callable[..., None]] = []
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.orders: list[SwapOrder] = []
        self.given: list[str] = []

    def tell(self, process: str, event: str, facts: dict[str, Any]) -> None:
        self.told.append((event, facts))

    def tell_scan(self, order: SwapOrder) -> bool:
        self.orders.append(order)
        return True

    def give(self, command: str) -> None:
        self.given.append(command)

    def take_site(self, site: Any) -> None:
        self.site = site

    def hear(self, kind: str = "loaded", **facts: Any) -> None:
        plain = {
            "refused": "",
            "is_forbidden": False,
            "is_swapped": False,
            "jumps": [],
            "dropped": [],
            "lifted": [],
            "took": 0,
            "scan": 7,
        }
        for listener in self.listeners:
            listener("scan", kind, {"number": self.orders[-1].number, **plain, **facts})

    def mistakes(self) -> list[str]:
        return [facts["error"] for event, facts in self.told if event == "internal error"]


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return FakeApp(tmp_path)


@pytest.fixture
def control(app: App) -> Iterator[Control]:
    one = Control(app)
    yield one
    one.close()


def loading(app: Any, monkeypatch: pytest.MonkeyPatch, request: Request, *, value: str = "hmi.p + 1.0") -> tuple[Loader, list[Any]]:
    """A loader whose preparer has just found this program."""
    answers: list[Any] = []
    loader = Loader(app)
    monkeypatch.setattr(loader, "_prepare", lambda: loader._offer(site_of(value)))
    loader.begin(request, answers.append)
    return loader, answers


def test_a_reload_while_a_load_is_under_way_ends_nothing(app: Any, control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control.loader, "_prepare", lambda: None)
    control.loader.begin(Request("ann", "local"), lambda _: None)
    assert not control.loader.is_ready
    control.load_files("SIGHUP")


def test_a_mistake_of_ours_costs_the_load_only(app: Any, control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[Any] = []
    for place in ("child.begin", "child.give"):
        monkeypatch.setattr(f"runtime.control_load.{place}", lambda *_, **__: 1 / 0)
        control.loader.begin(Request("ann", "local"), answers.append)
        assert "refused: internal error: ZeroDivisionError" in answers[-1]["text"] and control.loader.is_ready
        monkeypatch.undo()
        monkeypatch.setenv("XDG_STATE_HOME", str(app.folder / "state"))
    control.loader.begin(Request("ann", "local", is_undo=True), answers.append)
    control.loader._before = site_of("hmi.p + 2.0")
    monkeypatch.setattr("runtime.control_load.differences", lambda *_: 1 / 0)
    control.loader.begin(Request("ann", "local", is_undo=True), answers.append)
    monkeypatch.setattr(control.loader, "attend", lambda: 1 / 0)
    control.attend()
    control.attend()
    assert len(app.mistakes()) == 4, "the same one in every look is told once"


def test_hostile_requests_and_a_client_that_went_end_nothing(app: Any, control: Control) -> None:
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.connect(str(app.folder / SOCKET))
    client.sendall(b"[" * 50_000 + b"\n")
    app.supervisor.attend(0.2)
    assert "internal error: RecursionError" in json.loads(client.recv(4096))["text"]
    [held] = control._clients
    control._drop(held)
    control._hear(held, 0)
    client.close()


def test_a_load_that_is_with_the_scan_is_not_given_up(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    loader, answers = loading(app, monkeypatch, Request("ann", "local"))
    monkeypatch.setattr(control_load, "PATIENCE_S", -1.0)
    loader.attend()
    assert not answers
    app.hear(is_swapped=True)
    assert answers[0]["swapped"] and app.site.schedule.digest == answers[0]["digest"]


def test_a_swap_is_followed_though_it_cannot_be_told(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _, answers = loading(app, monkeypatch, Request("ann", "local"))
    app.hear(is_swapped=True, jumps=[{"point": 99, "before": 0.0, "after": 1.0}])
    assert "internal error" in answers[0]["text"] and app.site.schedule.digest == answers[0]["digest"]


def test_what_nobody_watches_is_loaded_where_nothing_jumps_or_is_lost(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _, answers = loading(app, monkeypatch, Request("SIGHUP", "local", is_unattended=True))
    app.hear()
    assert [(o.is_trial, o.limits) for o in app.orders] == [(True, ()), (False, (0.0,))]
    app.hear(is_swapped=True)
    assert answers[0]["swapped"]


@pytest.mark.parametrize("facts", [{"jumps": [{"point": 0, "before": 3.0, "after": 4.0}]}, {"dropped": ["p.ton: TON becomes TOF"]}])
def test_what_nobody_watches_is_refused_where_somebody_must_confirm(app: Any, monkeypatch: pytest.MonkeyPatch, facts: Any) -> None:
    _, answers = loading(app, monkeypatch, Request("SIGHUP", "local", is_unattended=True))
    app.hear(**facts)
    assert not answers[0]["ok"] and "nobody is there to confirm it: `bessplc load` shows it" in answers[0]["text"]
    [line] = [told for event, told in app.told if event == "load"]
    assert line.get("jumps", []) + line.get("dropped", []) in (["pcs.p: 3 -> 4"], ["p.ton: TON becomes TOF"])


UNDER_LOAD = """
  site.change_ok: {type: BOOL, text: Programs may be changed now}
  set.refused: {type: BOOL, pulse: true, write: engineer}
runtime: {changes: site.change_ok, refused: set.refused}
"""


def under_load(app: Any, more: str = UNDER_LOAD) -> None:
    texts = {"config/site.yaml": SITE + more.lstrip("\n"), "io_maps/pcs.yaml": DEVICE}
    app.site = load_all({**texts, "programs/p.yaml": "program: p\noutputs:\n  pcs.p: hmi.p\n  site.change_ok: hmi.p = 0\n"})


@pytest.mark.parametrize("is_undo", [False, True])
def test_a_load_and_an_undo_carry_the_places_of_the_permit(app: Any, monkeypatch: pytest.MonkeyPatch, is_undo: bool) -> None:
    under_load(app)
    schedule = app.site.schedule
    tag = schedule.tag("site.change_ok")
    loader = Loader(app)
    loader._before = site_of("hmi.p + 1.0")
    monkeypatch.setattr(loader, "_prepare", lambda: loader._offer(site_of("hmi.p + 1.0")))
    loader.begin(Request("ann", "local", is_undo=is_undo), lambda _: None)
    [order] = app.orders
    assert order.permit == (tag.offset, schedule.region.good + tag.index)
    assert order.is_grave, "the program without a permit of its own is none that is taken under load"


def test_a_refusal_under_load_names_what_stands_in_the_way_is_an_alarm_and_is_in_the_audit_log(
    app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    under_load(app)
    deeds: list[Any] = []
    monkeypatch.setattr(app.audit, "keep", deeds.append)
    _, answers = loading(app, monkeypatch, Request("ann", "local"))
    app.hear(
        is_forbidden=True, refused="...", jumps=[{"point": 0, "before": 3.0, "after": 4.0}], dropped=["p.ton: TON becomes TOF"]
    )
    [answer] = answers
    assert not answer["ok"] and answer["permit"] == "site.change_ok"
    assert answer["text"] == (
        "refused: outputs would jump (pcs.p: 3 -> 4) and values would not be carried over (p.ton: TON becomes TOF), and "
        "`site.change_ok` (Programs may be changed now) is not true: bring the plant there first, "
        "or load only what moves no output and loses nothing"
    )
    assert app.given == ["set.refused"]
    [deed] = deeds
    assert (deed.action, deed.subject, deed.taken, deed.who.user) == ("load", "program", False, "ann")
    assert "site.change_ok" in deed.answer


@pytest.mark.parametrize(("is_meant", "told"), [(False, 0), (True, 1)])
def test_a_look_is_no_attempt_but_the_look_before_a_load_is(
    app: Any, monkeypatch: pytest.MonkeyPatch, is_meant: bool, told: int
) -> None:
    under_load(app)
    deeds: list[Any] = []
    monkeypatch.setattr(app.audit, "keep", deeds.append)
    request = request_of({"verb": "load", "trial": True, "meant": is_meant}, "ann")
    _, answers = loading(app, monkeypatch, request)
    app.hear(is_forbidden=True, refused="...")
    assert not answers[0]["ok"] and len(app.given) == len(deeds) == told


def test_what_nobody_watches_is_refused_under_load_in_the_same_words(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    under_load(app)
    _, answers = loading(app, monkeypatch, Request("SIGHUP", "local", is_unattended=True))
    app.hear(is_forbidden=True, refused="...", dropped=["p.ton: TON becomes TOF"])
    assert "`site.change_ok`" in answers[0]["text"] and app.given == ["set.refused"]


def test_a_site_that_names_no_permit_is_changed_as_before(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    loading(app, monkeypatch, Request("ann", "local"))
    assert app.orders[0].permit == () and not app.orders[0].is_grave


def test_what_was_confirmed_is_what_is_loaded(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = site_of("hmi.p + 1.0").schedule.digest
    request = request_of({"verb": "load", "expect": digest}, "ann")
    assert loading(app, monkeypatch, request)[1] == [] and len(app.orders) == 1
    [answer] = loading(app, monkeypatch, request, value="hmi.p + 9.0")[1]
    assert answer["text"] == "refused: the files have changed since they were shown" and len(app.orders) == 1


def test_a_preparer_that_does_not_end_is_waited_for_a_second_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_load, "ENDING_S", 0.1)
    begun = time.monotonic()
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], stdout=subprocess.PIPE)
    assert control_load._ended(sleeper) == -9 and time.monotonic() - begun < 10


def test_a_retained_value_that_a_load_took_away_is_back_when_it_is_undone(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The counter is kept on disk while another program runs, and the order to go back carries it."""
    kept = load_all(
        {
            "config/site.yaml": SITE.replace(
                "write: operator}", "write: operator}\n  x.hours: {type: LREAL, write: operator, retain: true}"
            ),
            "io_maps/pcs.yaml": DEVICE,
            "programs/p.yaml": "program: p\noutputs:\n  pcs.p: hmi.p\n",
        }
    )
    tag, folder = kept.schedule.tag("x.hours"), state_folder_of(app.options.site)
    save(folder, [tag], {"x.hours": 1234.5})
    loading(app, monkeypatch, Request("ann", "local"))
    save(folder, [], {})
    app.hear(is_swapped=True)
    loader = Loader(app)
    loader._before = kept
    loader.begin(Request("ann", "local", is_undo=True), lambda _: None)
    assert app.orders[-1].schedule.initial[tag.offset :][:8].view(np.float64)[0] == 1234.5
