"""Many racks of one io_map through the real CAN driver: 16 racks with 4,096 cells, 64 with 16,384, read by one program."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from runtime.fieldbus import drivers
from runtime.fieldbus.can_tables import EXTENDED
from runtime.language import load_text
from runtime.model import Site
from runtime.source import SiteError, render
from tests.aids.places import DEMO

ROOT = Path(__file__).parents[2]
CELLS = 256  # in dbc/rack.dbc: 16 modules of 16
DEADLINE_S = 20  # 64 racks take 1.2 s on the machine of the first measurement
SITE = """tasks:
  main: {interval: 100 ms, programs: [p]}
io: [racks]
channels: {can0: {interface: virtual}}
tags:
  site.soc: {type: "LREAL[RACKS]", unit: "%"}
  site.ok: {type: "BOOL[RACKS]"}
  site.lost: {type: BOOL}
"""
HEAD = """for: rack in 1..COUNT
device: rack{rack}
text: Rack {rack}
driver: can
channel: can0
dbc: rack.dbc
id_offset: "{(rack - 1) * 0x1000}"
"""
PROGRAM = """program: p
blocks:
  cells: {type: CELL_EKF, count: ALL, V: "rack[*].cell_v", I: "rack[1].current"}
outputs:
  site.soc: rack[*].soc
  site.ok: rack[*].soc.good
  site.lost: device.rack1.lost or device.rackLAST.lost
  rack[*].main: "rack[LAST].ok"
"""


def write_extended(folder: Path) -> None:
    """The demo's DBC with 29-bit identifiers, so that 64 racks have room for their 66 messages each."""
    text = (ROOT / "dbc/rack.dbc").read_text()
    text = re.sub(r"^BO_ (\d+)", lambda m: f"BO_ {int(m[1]) | EXTENDED}", text, flags=re.M)
    text = re.sub(
        r"^((?:BA_ \"\w+\" BO_|CM_ BO_|CM_ SG_|VAL_|BA_ \"\w+\" SG_) )(\d+)",
        lambda m: f"{m[1]}{int(m[2]) | EXTENDED}",
        text,
        flags=re.M,
    )
    (folder / "rack.dbc").write_text(text)


def racks(count: int, folder: Path, change: tuple[str, str] = ("", "")) -> Site:
    """A site of so many of the demo's racks on one bus; a mistake fails the test with its text."""
    write_extended(folder)
    demo = (DEMO / "io_maps/rack1.yaml").read_text()
    body = re.sub(r"^  bms\.", "  rack[{rack}].", demo[demo.index("stale:") :], flags=re.M)
    head = HEAD.replace("COUNT", str(count))
    program = PROGRAM.replace("ALL", str(CELLS * count)).replace("LAST", str(count))
    files = {
        "config/site.yaml": SITE.replace("RACKS", str(count)),
        "programs/p.yaml": program,
        "io_maps/racks.yaml": (head + body).replace(*change),
    }
    try:
        return load_text(files, drivers(), root=folder)[0]
    except SiteError as error:
        raise AssertionError(render(error.problems[:5], folder)) from None


@pytest.mark.parametrize("count", [16, pytest.param(64, marks=pytest.mark.slow)])
def test_racks_of_one_map_load_with_all_their_cells(count: int, tmp_path: Path) -> None:
    start = time.process_time()
    site = racks(count, tmp_path)
    seconds = time.process_time() - start
    assert seconds < DEADLINE_S, f"{count} racks, {CELLS * count} cells: {seconds:.2f} s of CPU from text to Schedule"
    cells = [p for d in site.devices for p in d.inputs if p.tag.endswith(".cell_v")]
    assert len(cells) == CELLS * count
    assert site.schedule.tag(f"rack[{count}].cell_v").length == CELLS
    assert next(g.rows for g in site.schedule.groups if g.block == "CELL_EKF") == CELLS * count
    assert sum(a.name.endswith(".lost") for a in site.schedule.alarms) == count


def test_each_rack_has_its_own_identifiers(tmp_path: Path) -> None:
    site = racks(3, tmp_path)
    keys = [{p.address.key for p in device.inputs} for device in site.devices]
    assert keys[1] == {key + 0x1000 for key in keys[0]} and keys[2] == {key + 0x2000 for key in keys[0]}
    assert not keys[0] & keys[1]


def test_a_rack_whose_identifiers_leave_the_bus_is_said_with_its_number(tmp_path: Path) -> None:
    with pytest.raises(AssertionError) as caught:
        racks(4, tmp_path, ("(rack - 1) * 0x1000", "(rack - 1) // 3 * 0x1FFFFFFF"))
    assert "io_maps/racks.yaml:7:12: error[E654]" in str(caught.value) and "for rack = 4" in str(caught.value)
