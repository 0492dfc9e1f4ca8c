"""`bessplc devices` and `bessplc io`: what a person and a script see of a running site, read from another process' place."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runtime import columns, devices_view, io_view, rundir
from runtime.columns import Cell
from runtime.contract import Description
from runtime.language import load_site
from runtime.onlooker import NotRunningError, Onlooker
from runtime.quality import BAD_NO_COMMUNICATION
from runtime.system_tags import DEVICE_STATES
from tests.aids.onlooker import HeldSite
from tests.aids.site_text import FakeDriver, texts

RACKS = """for: rack in 1..2
device: rack{rack}
driver: fake
text: Rack {rack}
stale: 1 s
timeout: 1 s
inputs:
  rack[{rack}].soc: {at: soc, type: LREAL, unit: "%", initial: 50 %, bad: hold}
  rack[{rack}].cell_v: {at: cell, count: 2, type: LREAL, unit: V, initial: 3.2 V, bad: hold}
  rack[{rack}].state: {at: state, type: DINT, bad: 0, names: ["off", ready]}
outputs:
  rack[{rack}].p: {at: p, type: LREAL, unit: kW, safe: -2 kW}
"""
PROGRAM = "outputs: {'rack[*].p': hmi.p}"
TAGS = "hmi.p: {type: LREAL, unit: kW, default: 12 kW, write: operator}"
ONLINE, DEGRADED, LOST = (DEVICE_STATES.index(word) for word in ("online", "degraded", "lost"))


class Wire(str):
    """An address that can say what stands on the wire."""

    def __str__(self) -> str:
        return f"register {str.__str__(self)}"

    def raw(self, value: float) -> int:
        return round(value * 10)


class WireDriver(FakeDriver):
    """A driver whose addresses can."""

    def describe(self, *arguments: Any) -> Description:
        found = super().describe(*arguments)
        return Description(
            found.settings,
            {tag: replace(point, addresses=tuple(map(Wire, point.addresses))) for tag, point in found.points.items()},
        )


DRIVERS = {"fake": WireDriver()}


@pytest.fixture
def held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HeldSite]:
    monkeypatch.setenv("BESSPLC_RUN", str(tmp_path / "run"))
    for name, text in texts(PROGRAM, TAGS, io={"racks": RACKS}).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    file = tmp_path / "config/site.yaml"
    site = HeldSite(file, load_site(file, DRIVERS)[0])
    yield site
    site.close()


def health(name: str, **values: Any) -> dict[str, Any]:
    """A device's tags, all of them, as the fieldbus writes them."""
    words = {"state": ONLINE, "lost": 0, "round_trip": 0.0, "exchanges": 0, "errors": 0, "last_good": 0}
    words |= {"errors_timeout": 0, "errors_refused": 0, "suspended": 0}
    return {f"device.{name}.{word}": values.get(word, usual) for word, usual in words.items()}


def shown(site: Onlooker) -> dict[str, dict[str, str]]:
    """The table as a person reads it: device -> column -> text."""
    rows = [[cell.text for cell in row] for row in devices_view.as_rows(site)]
    return {row[0]: dict(zip(devices_view.HEADS, row)) for row in rows}


def test_a_device_is_shown_with_everything_its_tags_and_its_driver_say(held: HeldSite) -> None:
    wall = time.time_ns() - 2_000_000_000
    held.feed(
        health(
            "rack1",
            state=DEGRADED,
            round_trip=4.25,
            exchanges=1234,
            errors=7,
            errors_timeout=6,
            errors_refused=1,
            suspended=1,
            last_good=wall,
        )
    )
    held.feed(health("rack2", state=LOST, lost=1))
    held.say(rack1={"host": "10.0.0.1:502", "last_error": "exception 2"}, rack2={"channel": "can0"})
    held.scan()
    rows = shown(held.seen())
    ago = rows["rack1"].pop("last good")
    assert rows["rack1"] == {
        "device": "rack1",
        "driver": "fake",
        "address": "10.0.0.1:502",
        "state": "degraded",
        "round-trip": "4.2 ms",
        "exchanges": "1234",
        "errors": "7 (timeout 6, refused 1)",
        "conditions": "suspended",
        "last error": "exception 2",
    }
    assert 1.9 < float(ago.removesuffix(" s ago")) < 20
    assert {k: rows["rack2"][k] for k in ("address", "state", "round-trip", "errors", "last good", "conditions", "last error")} == {
        "address": "can0",
        "state": "lost",
        "round-trip": "-",
        "errors": "0",
        "last good": "never",
        "conditions": "-",
        "last error": "-",
    }


def test_devices_as_json_have_numbers_and_utc(held: HeldSite) -> None:
    held.feed(health("rack1", round_trip=4.25, errors=6, errors_timeout=6, last_good=1_700_000_000_250_000_000))
    held.say("safe", rack1={})
    held.scan()
    found = json.loads(json.dumps(devices_view.as_json(held.seen())))
    assert (found["state"], found["scan"], found["outputs"]) == ("running", 1, "safe")
    assert found["devices"][0] == {
        "device": "rack1",
        "driver": "fake",
        "address": "",
        "state": "online",
        "good": True,
        "round_trip_ms": 4.25,
        "exchanges": 0,
        "errors": 6,
        "errors_by_kind": {"timeout": 6},
        "last_good": "2023-11-14T22:13:20.250+00:00",
        "conditions": [],
        "last_error": "",
        "inputs": 4,
        "outputs": 1,
    }


def test_a_fieldbus_that_died_makes_every_device_lost_and_says_that_it_is_the_fieldbus(held: HeldSite) -> None:
    held.feed(health("rack1", exchanges=5))
    held.scan()
    held.feed(health("rack1", exchanges=5), ago=1.5)
    held.scan()
    line = devices_view.device_lines(held.seen())[0]
    assert (line.state, line.is_sure, line.exchanges) == ("lost", False, 5)
    assert shown(held.seen())["rack1"]["state"] == "lost (fieldbus silent)"


def test_before_the_fieldbus_speaks_a_device_is_connecting_and_that_is_not_sure(held: HeldSite) -> None:
    held.scan()
    line = devices_view.device_lines(held.seen())[0]
    assert (line.state, line.is_sure) == ("connecting", False)


def points(site: Onlooker, devices: tuple[str, ...] = (), tags: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    return json.loads(json.dumps(io_view.as_json(site, io_view.choose(site, devices, tags))))["points"]  # type: ignore[no-any-return]


def test_every_point_is_shown_with_value_raw_quality_age_and_address(held: HeldSite) -> None:
    held.feed({"rack[1].soc": 42.5, "rack[1].state": 1}, ago=0.2)
    held.feed({"rack[1].cell_v": [3.1, 3.2]}, quality=BAD_NO_COMMUNICATION)
    held.scan()
    found = {p["tag"]: p for p in points(held.seen(), ("RACK1",))}
    assert list(found) == ["rack[1].soc", "rack[1].cell_v[1]", "rack[1].cell_v[2]", "rack[1].state", "rack[1].p"]
    age = found["rack[1].soc"].pop("age_s")
    assert 0.2 <= age < 20
    assert found["rack[1].soc"] == {
        "tag": "rack[1].soc",
        "direction": "in",
        "value": 42.5,
        "unit": "%",
        "raw": 425,
        "quality": "Good",
        "good": True,
        "device": "rack1",
        "address": "register soc+0",
    }
    assert (found["rack[1].cell_v[2]"]["value"], found["rack[1].cell_v[2]"]["quality"]) == (3.2, "Bad_NoCommunication")
    bad = found["rack[1].cell_v[2]"]
    assert (bad["age_s"], bad["good"], bad["raw"]) == (None, False, None), "what is held is not what stands on the wire"
    output = found["rack[1].p"]
    assert (output["direction"], output["value"], output["raw"], output["age_s"]) == ("out", 12.0, 120, None)


def test_the_table_of_points_reads_values_with_units_and_names(held: HeldSite) -> None:
    held.feed({"rack[2].soc": 42.5, "rack[2].state": 1})
    held.scan()
    seen = held.seen()
    rows = [[cell.text for cell in row] for row in io_view.as_rows(seen, io_view.choose(seen, ["rack2"], []))]
    by_tag = {row[0]: dict(zip(io_view.HEADS, row)) for row in rows}
    assert by_tag["rack[2].soc"]["value"] == "42.5 %" and by_tag["rack[2].soc"]["age"].endswith(" ms")
    assert by_tag["rack[2].state"]["value"] == "ready"
    assert by_tag["rack[2].p"][""] == "out" and by_tag["rack[2].p"]["age"] == "-"


@pytest.mark.parametrize(
    ("named", "found"),
    [
        (("rack[2].soc",), ["rack[2].soc"]),
        (("RACK[*].SOC",), ["rack[1].soc", "rack[2].soc"]),
        (("rack[1].cell_v",), ["rack[1].cell_v[1]", "rack[1].cell_v[2]"]),
        (("rack[1].cell_v[2]",), ["rack[1].cell_v[2]"]),
        (("*.p", "rack[1].soc"), ["rack[1].soc", "rack[1].p", "rack[2].p"]),
    ],
)
def test_points_are_picked_by_tag(held: HeldSite, named: tuple[str, ...], found: list[str]) -> None:
    held.scan()
    assert [p["tag"] for p in points(held.seen(), (), named)] == found


@pytest.mark.parametrize(
    ("devices", "tags", "message"),
    [
        (("rack3",), (), r"no device named rack3: did you mean `rack"),
        ((), ("rack[1].sock",), r"no point of a tag named rack\[1\].sock: did you mean `rack\[1\].soc`"),
        (("rack1",), ("rack[2].soc",), r"no point of a tag named rack\[2\].soc"),
        ((), ("hmi.p",), r"no point of a tag named hmi.p"),
    ],
)
def test_a_name_that_fits_nothing_is_refused_with_a_hint(
    held: HeldSite, devices: tuple[str, ...], tags: tuple[str, ...], message: str
) -> None:
    held.scan()
    with pytest.raises(io_view.UnknownNameError, match=message):
        io_view.choose(held.seen(), devices, tags)


def test_a_silent_scan_is_said_and_nothing_is_good(held: HeldSite, monkeypatch: pytest.MonkeyPatch) -> None:
    held.feed({"rack[1].soc": 42.5})
    held.scan()
    seen = held.seen()
    monkeypatch.setattr("runtime.onlooker.STALE_S", 0.0)
    assert seen.state == "no scan"
    assert not points(seen, ("rack1",))[0]["good"]


def test_a_site_that_nobody_runs_is_said(held: HeldSite) -> None:
    held.close()
    (held.folder / "lock").write_text(json.dumps({"pid": 2**22 + 1}))
    with pytest.raises(NotRunningError, match="is not running: `bessplc run --site"):
        Onlooker(held.site, held.file).attach()
    held.hold = rundir.hold(held.file)


def test_a_site_edited_since_it_was_started_is_said(held: HeldSite) -> None:
    held.scan()
    program = held.file.parents[1] / "programs/p.yaml"
    program.write_text(program.read_text() + "# edited\n")
    with pytest.raises(NotRunningError, match="is not that of the files"):
        Onlooker(load_site(held.file, DRIVERS)[0], held.file).attach(patience=0.05)


def test_a_site_that_does_not_scan_yet_is_waited_for_and_then_said(held: HeldSite) -> None:
    with pytest.raises(NotRunningError, match="publishes nothing"):
        Onlooker(held.site, held.file).attach(patience=0.05)


def test_a_broken_status_file_costs_only_the_words(held: HeldSite) -> None:
    held.feed(health("rack1"))
    held.scan()
    for text in ("", "{", "[]", '{"devices": {"rack1": 7}}'):
        (held.folder / "fieldbus.json").write_text(text)
        seen = held.seen()
        assert devices_view.device_lines(seen)[0].state == "online" and seen.outputs == "not known"


def test_a_plain_table_is_aligned_and_never_cut() -> None:
    long = "x" * 300
    text = columns.plain(("tag", "value", "address"), [(Cell("a"), Cell("1"), Cell(long)), (Cell("bbbb"), Cell("22.5"), Cell(""))])
    assert text.splitlines() == ["tag   value  address", f"a         1  {long}", "bbbb   22.5"]


def test_the_table_for_a_terminal_holds_the_same_texts(held: HeldSite) -> None:
    from rich.console import Console

    held.feed(health("rack1", state=LOST, lost=1))
    held.scan()
    console = Console(width=200, force_terminal=True, color_system="standard", record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(columns.rich_table(devices_view.HEADS, devices_view.as_rows(held.seen())))
    text = console.export_text(styles=True)
    assert "rack1" in text and "\x1b[1;31mlost" in text
