"""A cell gets hot and the interlock trips: the incident file replays to the trip, and with a higher limit it does not trip.

The witness is `bessplc trace`, which saw the same scans live and knows nothing of the recorder. All tests share one demo site.
"""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from runtime.cli import app
from tests.aids.live_demo import LiveDemo, live_demo
from tests.aids.site import until

pytestmark = [pytest.mark.site, pytest.mark.slow, pytest.mark.timeout(600)]

READY, HOT, DRIVE = "protection.ready.OK", "bms.t_cell_max", "dispatch.drive.OUT"
NAMES = (READY, HOT, DRIVE)
LIMIT, ALARM = "bms.t_cell_max < 55 °C", "HH: 52 °C"  # the alarm is critical, and so a permit of its own


@dataclass
class Incident:
    """The tape of the trip; the scan in which the interlock fell and the values around it, by the oscilloscope; and the log."""

    demo: LiveDemo
    tape: Path
    live: dict[int, dict[str, str]]
    tripped: int
    log: dict[str, Any]


@pytest.fixture(scope="module")
def incident(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Incident]:
    folder = tmp_path_factory.mktemp("incident")
    with live_demo(folder) as demo:
        demo.close_contactors()
        demo.follow(80.0)
        seen = folder / "live.csv"
        scope = subprocess.Popen(
            demo.command("trace", *NAMES, "-t", f"fall({READY})", "--for", "2s", "--pre", "50%", "--csv", str(seen), "--json"),
            cwd=demo.site.root,
            env=demo.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            until(lambda: (demo.site.run_dir / "cli.samples").exists(), 60, "the oscilloscope runs")
            time.sleep(3)  # it arms, and half of its window lies before the trigger
            demo.plant.fault("over_heat_cell", cell=100, celsius=57.0)
            window = json.loads(scope.communicate(timeout=60)[0])
        finally:
            scope.kill()
            scope.wait()
        assert window["missing"] == 0
        recorded = demo.site.wait_for("incident recorded", 60)
        trip = demo.site.wait_for("trip", 10, interlock="protection.ready", permit=9)
        yield Incident(demo, Path(recorded["file"]), by_scan(seen), int(window["trigger_scan"]), trip)


@pytest.fixture(scope="module")
def again(incident: Incident) -> tuple[dict[str, Any], dict[int, dict[str, str]]]:
    """The replay with the program that ran: what it says, and the values by scan."""
    values = incident.tape.with_suffix(".csv")
    return replay(incident, "--show", ",".join(NAMES), "--csv", str(values), "--limit", "100000"), by_scan(values)


def replay(incident: Incident, *words: str) -> dict[str, Any]:
    done = CliRunner().invoke(app, ["replay", str(incident.tape), *words, "--json"])
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def by_scan(path: Path) -> dict[int, dict[str, str]]:
    """A CSV of trace or replay: the names' values by scan, without the units that trace writes behind a name."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {int(row["scan"]): {name.split(" [")[0]: value for name, value in row.items() if name} for row in rows}


def falls(found: dict[str, Any], name: str) -> list[int]:
    """The scans in which it turned false."""
    return [one["scan"] for one in found["shown"] if one["name"] == name and one["was"] is True and one["value"] is False]


def test_the_replay_is_bit_for_bit_what_was_recorded(again: tuple[dict[str, Any], Any]) -> None:
    found, _ = again
    assert (found["wrong_pictures"], found["wrong_outputs"], found["gaps"]) == ([], 0, [])
    assert found["pictures"] >= 1, "all memory at the end is as recorded"


def test_the_replay_trips_in_the_scan_in_which_the_site_did(incident: Incident, again: tuple[dict[str, Any], Any]) -> None:
    found, _ = again
    assert falls(found, READY)[-1] == incident.tripped
    assert found["first_scan"] < incident.tripped < found["last_scan"]
    [made] = found["incidents"]
    assert made["why"] == "protection.ready", "the interlock made the file: the critical alarm comes after its delay"
    assert 0 <= made["scan"] - incident.tripped < 500, "it looks a few times a second"


def test_the_log_names_the_permit_and_the_tag_behind_it(incident: Incident) -> None:
    assert incident.log["because"] == [HOT]
    assert 0 <= incident.log["scan"] - incident.tripped < 500, "it looks a few times a second"


def test_every_scan_around_the_trip_has_the_values_that_the_oscilloscope_saw(
    incident: Incident, again: tuple[Any, dict[int, dict[str, str]]]
) -> None:
    _, replayed = again
    assert len(incident.live) == 200
    for scan, live in incident.live.items():
        assert [number(replayed[scan][name]) for name in NAMES] == [number(live[name]) for name in NAMES], scan


def test_with_a_higher_limit_it_does_not_trip_and_the_trip_is_the_first_difference(incident: Incident) -> None:
    edited = incident.demo.site.root.with_name("edited")
    shutil.copytree(incident.demo.site.root, edited)
    program = edited / "programs/protection.yaml"
    assert program.read_text().count(LIMIT) == 1
    text = program.read_text().replace(LIMIT, "bms.t_cell_max < 60 °C")
    program.write_text(text.replace("HH: 52 °C", "HH: 62 °C"))  # the critical alarm stops the plant too, after its delay
    found = replay(incident, "--program", str(edited / "config/site.yaml"), "--show", READY)
    assert [scan for scan in falls(found, READY) if scan >= incident.tripped] == []
    first = found["diff"]["first"]
    assert first["scan"] == incident.tripped
    assert {"name": READY, "one": False, "other": True} in first["cells"]


def test_the_site_goes_on_and_is_closed_again_once_the_cell_is_cool(incident: Incident) -> None:
    demo = incident.demo
    demo.connect()
    scan = demo.scada.read("plc.scan")
    demo.plant.clear("over_heat_cell", cell=100)
    until(lambda: demo.scada.read(HOT) < 40, 30, "the cell is cool")
    demo.close_contactors()
    assert demo.scada.read("plc.scan") > scan > incident.tripped


def number(text: str) -> float:
    """trace writes BOOLs as numbers, and replay as words."""
    return float({"True": "1", "False": "0"}.get(text, text))
