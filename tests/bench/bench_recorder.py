"""What recording costs the scan of the demo, how much a day of it takes on the disk, and how fast it is run again."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from runtime.app import generation_of
from runtime.engine.plc import Plc
from runtime.engine.replay_run import TapeRun
from runtime.engine.tape_read import TapeReader
from runtime.servers.recorder.segments import FOLDER
from tests.aids.recorded import DemoBench, demo
from tests.aids.scada import Scada
from tests.aids.site import running_site
from tests.bench.measure import Result
from tests.bench.programs import channel_files, plc_of

SCANS, WINDOWS = 200, 31
TRAFFIC_S = 60.0
DAY_S = 86_400.0


def run() -> list[Result]:
    return [*_cost(), *_pictures(), *_volume_and_speed()]


def _window(bench: DemoBench) -> float:
    """The median time of a scan in which every input of the demo is fresh, in ns."""
    took = []
    for _ in range(SCANS):
        bench.pass_time(0)
        bench.inbox.time[:] = bench.now
        bench.inbox.changed()
        bench.inbox.publish()
        bench.now += bench.schedule.tick
        begun = time.perf_counter_ns()
        bench.plc.scan(bench.now)
        took.append(time.perf_counter_ns() - begun)
    return statistics.median(took)


def _cost() -> list[Result]:
    """Pairs of windows with and without a recorder; it takes the tape between the windows."""
    folder = Path(tempfile.mkdtemp(prefix="bessplc-bench-", dir="/dev/shm"))
    bench = DemoBench(folder, demo(folder / "site"))
    bench.pass_time(20)
    bench.reader.close()
    bench.plc.attach()
    bare, added = [], []
    for _ in range(WINDOWS):
        without = _window(bench)
        reader = TapeReader(folder, bench.plc.generation)
        bench.plc.attach()
        reader.take()
        added.append(_window(bench) - without)
        bare.append(without)
        reader.close()
        bench.plc.attach()
    bench.plc.remove()
    return [
        Result("demo, one scan with all 703 inputs fresh, not recorded", statistics.median(bare) / 1e3, "us"),
        Result("demo, recording it, added time of a scan (paired medians)", statistics.median(added) / 1e3, "us", 20.0),
    ]


def _pictures() -> list[Result]:
    """What the scan that writes a whole picture takes longer."""
    folder = Path(tempfile.mkdtemp(prefix="bessplc-bench-", dir="/dev/shm"))
    bench = DemoBench(folder, demo(folder / "site"))
    bench.pass_time(20)
    of_demo = _picture_cost(bench.reader, bench.plc)
    big = plc_of(channel_files(1000))
    reader = TapeReader(big.folder, generation_of(big.schedule))
    big.attach()
    of_big = _picture_cost(reader, big)
    size = big.schedule.initial.size
    for plc in (bench.plc, big):
        plc.remove()
    return [
        Result("demo, the scan that writes a picture, added time", of_demo / 1e3, "us"),
        Result("8,000 blocks, the scan that writes a picture, added time", of_big / 1e3, "us"),
        Result("8,000 blocks, process memory", size / 1e6, "MB"),
    ]


def _picture_cost(reader: TapeReader, plc: Plc) -> float:
    now = 10**15

    def timed(ask: Callable[[], None]) -> float:
        nonlocal now
        now += plc.schedule.tick
        ask()
        begun = time.perf_counter_ns()
        plc.scan(now)
        took = time.perf_counter_ns() - begun
        reader.take()
        return took

    return statistics.median(timed(reader.ask) - timed(lambda: None) for _ in range(WINDOWS))


def _volume_and_speed() -> list[Result]:
    """The real demo with its plant, as it stands after its start; its tape, run again."""
    folder = Path(tempfile.mkdtemp(prefix="bessplc-bench-"))
    with running_site(folder) as site:
        site.wait_for("running", 300)
        site.wait_for("listening", 60, service="recorder")
        scada = Scada(site.root, site.modbus)
        scada.write("hmi.enable", True)
        scada.close()
        time.sleep(5)
        before, begun = site.status("recorder"), time.monotonic()
        time.sleep(TRAFFIC_S)
        after, took = site.status("recorder"), time.monotonic() - begun
        written = after["written"] - before["written"]
        lost = after["lost"]
    tape = sorted(folder.glob(f"state/**/{FOLDER}/*.tape"))
    replay = TapeRun(tape)
    for _ in replay.rows():
        continue
    facts = replay.facts
    assert facts.is_equal, "the replay of the demo is not what was recorded"
    length = (facts.until - facts.since) / 1e9
    return [
        Result("demo at 10 ms, volume of the tape", written / took * DAY_S / 1e9, "GB a day", 2.0),
        Result("demo, scans that were not recorded", lost, "scans", 0.0),
        Result("demo, time of a replay / real time", facts.took / length, "x", 0.01),
        Result("demo, scans replayed bit for bit", facts.scans, "scans"),
    ]
