"""Publish: the outbox carries every output or its safe value, and a snapshot is exactly one scan's picture."""

from __future__ import annotations

import math
import pickle
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.engine.image import ImageError
from runtime.engine.north import Snapshot
from runtime.engine.plan import INHIBITED, RUNNING, S_STATE, SAFE
from runtime.engine.south import Outbox
from runtime.model import Site
from runtime.system_tags import STATES
from tests.aids.engine import GENERATION, Bench, looping
from tests.aids.site_text import load, load_all

ROOT = Path(__file__).parents[3]
PCS = """
device: pcs
driver: fake
timeout: 500 ms
outputs:
  pcs.p: {at: a, type: LREAL, safe: 5}
  pcs.on: {at: b, type: BOOL, safe: {value: true, after: 1 s}}
  pcs.mode: {at: c, type: DINT, safe: -3}
  pcs.limits: {at: d, count: 2, type: LREAL, safe: 1.5}
"""
PROGRAM = """
outputs:
  pcs.p: hmi.a / hmi.b
  pcs.on: hmi.on
  pcs.mode: hmi.mode
  pcs.limits: hmi.limits[*]
"""
TAGS = """
hmi.a: {type: LREAL, default: 6, write: operator}
hmi.b: {type: LREAL, default: 2, write: operator}
hmi.on: {type: BOOL, write: operator}
hmi.mode: {type: DINT, default: 7, write: operator}
hmi.limits: {type: "LREAL[2]", default: [30, 40], write: operator}
"""


def site() -> Site:
    return load(PROGRAM, TAGS, io={"pcs": PCS})


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, site())


def written(bench: Bench) -> dict[str, float | int | list[float]]:
    """The outbox by tag."""
    box = bench.outbox()
    return {
        "pcs.p": float(box.lreal[bench.slot("pcs.p")]),
        "pcs.on": int(box.integer[bench.slot("pcs.on")]),
        "pcs.mode": int(box.integer[bench.slot("pcs.mode")]),
        "pcs.limits": [float(box.lreal[bench.slot("pcs.limits", i)]) for i in range(2)],
    }


SAFE_VALUES = {"pcs.p": 5.0, "pcs.on": 1, "pcs.mode": -3, "pcs.limits": [1.5, 1.5]}


def test_the_outbox_carries_what_the_program_says(bench: Bench) -> None:
    bench.scan(3)
    assert written(bench) == {"pcs.p": 3.0, "pcs.on": 0, "pcs.mode": 7, "pcs.limits": [30.0, 40.0]}
    box = bench.outbox()
    assert (box.scan, box.state, box.stamp) == (3, RUNNING, bench.now)
    assert box.session == bench.plc.image.session


@pytest.mark.parametrize(("a", "b"), [(0.0, 0.0), (1.0, 0.0), (-1.0, 0.0), (math.nan, 1.0)])
def test_what_is_no_number_is_replaced_by_the_safe_value_and_counted(bench: Bench, a: float, b: float) -> None:
    bench.plc.set("hmi.a", a)
    bench.plc.set("hmi.b", b)
    bench.scan(2)
    assert written(bench)["pcs.p"] == 5.0
    assert written(bench)["pcs.mode"] == 7, "the other outputs go on"
    assert bench.value("plc.not_finite") == 2, "one in each scan"
    assert not math.isfinite(bench.snapshot().value(bench.schedule.tag("pcs.p"))), "people see what the program said"
    bench.plc.set("hmi.a", 6.0)
    bench.plc.set("hmi.b", 2.0)
    bench.scan()
    assert (written(bench)["pcs.p"], bench.value("plc.not_finite")) == (3.0, 2)


def test_one_element_of_an_array_is_made_safe_alone(bench: Bench) -> None:
    bench.plc.set("hmi.limits", [math.nan, 40.0])
    bench.scan()
    assert written(bench)["pcs.limits"] == [1.5, 40.0]
    assert bench.value("plc.not_finite") == 1


def test_an_integer_that_looks_like_nan_is_not_one(bench: Bench) -> None:
    bench.plc.set("hmi.mode", -1)
    bench.scan()
    assert (written(bench)["pcs.mode"], bench.value("plc.not_finite")) == (-1, 0)


def test_in_the_state_safe_every_output_is_safe_and_the_program_stands(bench: Bench) -> None:
    bench.scan()
    bench.plc.plan.state[S_STATE] = SAFE
    bench.plc.set("hmi.mode", 9)
    bench.scan(2)
    assert written(bench) == SAFE_VALUES
    assert bench.outbox().state == SAFE
    assert bench.value("pcs.mode") == 7, "no task ran"
    assert STATES[bench.value("plc.state")] == "safe"
    assert bench.snapshot().scan == 3, "people still see a live picture"


def test_inhibited_outputs_are_computed_and_shown_as_inhibited(tmp_path: Path) -> None:
    bench = Bench(tmp_path, site(), inhibit=True)
    bench.scan()
    assert STATES[bench.value("plc.state")] == "inhibited"
    assert bench.outbox().state == bench.snapshot().state == INHIBITED
    assert written(bench)["pcs.p"] == 3.0


def test_inhibited_and_stopped_is_safe(tmp_path: Path) -> None:
    bench = Bench(tmp_path, site(), inhibit=True)
    bench.scan()
    bench.plc.plan.state[S_STATE] = SAFE
    bench.scan()
    assert bench.outbox().state == SAFE


def test_an_output_stands_at_its_safe_value_before_the_first_scan(bench: Bench) -> None:
    assert (bench.value("pcs.p"), bench.value("pcs.on"), bench.value("pcs.mode"), bench.value("pcs.limits")) == (
        5,
        True,
        -3,
        [1.5, 1.5],
    )


def test_the_snapshot_says_which_scan_it_is_and_when_it_began(bench: Bench) -> None:
    bench.plc.scan(123_456_789, wall=1_700_000_000_000_000_000)
    picture = bench.snapshot()
    assert (picture.scan, picture.monotonic, picture.wall) == (1, 123_456_789, 1_700_000_000_000_000_000)
    assert picture.value(bench.schedule.tag("plc.time")) == 1_700_000_000_000_000_000
    assert picture.scan_process() == bench.plc.image.pid


def test_a_reader_keeps_its_picture_while_scans_go_on(bench: Bench) -> None:
    bench.scan()
    picture = bench.snapshot()
    bench.scan(10)
    assert picture.scan == 1
    assert picture.refresh() and picture.scan == 11
    assert not picture.refresh(), "nothing newer"


def test_a_reader_finds_a_restarted_scan(tmp_path: Path) -> None:
    first = Bench(tmp_path, site())
    first.scan(20)
    picture, box = first.snapshot(), first.outbox()
    second = Bench(tmp_path, site())
    assert not box.is_current(), "the fieldbus sees that its scan is gone"
    second.scan(2)
    assert not picture.refresh(), "it lets go of the file that nobody writes any more"
    assert picture.refresh() and picture.scan == 2
    box.attach()
    assert box.take() and box.scan == 2 and box.session == second.plc.image.session


def test_a_reader_of_another_program_sees_nothing(bench: Bench) -> None:
    bench.scan()
    schedule = bench.schedule
    foreign = Snapshot(bench.folder, schedule.region, GENERATION + 1)
    assert not foreign.refresh() and not foreign.is_attached
    with pytest.raises(ImageError, match="another program"):
        Outbox(bench.folder, len(schedule.outputs.source), GENERATION + 1).attach()


WATCHER = """
import pickle, sys, time
from pathlib import Path
from runtime.engine.north import Snapshot
folder, generation, region, names, tags = pickle.load(sys.stdin.buffer)
picture = Snapshot(Path(folder), region, generation)
pictures, last, wrong, until = 0, 0, [], time.monotonic() + 20
while pictures < 1500 and time.monotonic() < until:
    if not picture.refresh():
        continue
    values = {picture.value(tag) for tag in tags}
    scan = picture.value(names["plc.scan"])
    if len(values) != 1 or scan != picture.scan or picture.scan <= last:
        wrong.append((sorted(values), scan, picture.scan, last))
    pictures, last = pictures + 1, picture.scan
sys.stdout.buffer.write(pickle.dumps((pictures, wrong[:5])))
"""


@pytest.mark.slow
def test_a_snapshot_read_by_another_process_is_never_of_two_scans(tmp_path: Path) -> None:
    """One counter is written to tags at both ends of the region; the real loop runs at 500 us."""
    count, blocks = 400, "blocks:\n  n: {type: ADD, A: last n.OUT, B: 1.0}\n"
    program = f"program: p\n{blocks}outputs:\n" + "".join(f"  x.t{i}: n.OUT\n" for i in range(count))
    site = "tasks:\n  t: {interval: 500 us, programs: [p]}\ntags:\n" + "".join(f"  x.t{i}: {{type: LREAL}}\n" for i in range(count))
    schedule = load_all({"config/site.yaml": site, "programs/p.yaml": program}).schedule
    bench = Bench(tmp_path, load_all({"config/site.yaml": site, "programs/p.yaml": program}))
    tags = [t for t in schedule.tags if t.name.startswith("x.t")]
    order = (str(tmp_path), GENERATION, schedule.region, {"plc.scan": schedule.tag("plc.scan")}, tags)
    with looping(bench.plc):
        done = subprocess.run([sys.executable, "-c", WATCHER], input=pickle.dumps(order), capture_output=True, cwd=ROOT, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    pictures, wrong = pickle.loads(done.stdout)
    assert wrong == []
    assert pictures > 100


def test_a_safe_value_travels_as_the_bits_of_its_type(bench: Bench) -> None:
    bench.scan()
    bench.plc.plan.state[S_STATE] = SAFE
    bench.scan()
    raw = bench.outbox().integer
    assert struct.pack("<q", int(raw[bench.slot("pcs.p")])) == struct.pack("<d", 5.0)
    assert int(raw[bench.slot("pcs.mode")]) == -3
