"""`python -m tests.aids.live_verbs`: every verb of live engineering, at the running demo site, into build/transcripts/live.txt.

It asserts the exit codes; what the answers mean is asserted by tests/runtime and tests/site. It takes about two minutes.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from tests.aids.live_demo import LiveDemo, live_demo
from tests.aids.servers_proof import Transcript

PROGRAM = "programs/dispatch.yaml"
RATE, FAST = "IN1: 100 kW/s}", "IN1: 100 MW/s}"
CLAMP, RAISED = "IN0: modes.P, IN1: droop.P}", "IN0: modes.P + 40 kW, IN1: droop.P}"
CHANNELS = [*(f"bms.cell_v[{n}]" for n in range(1, 25)), "bms.current", "bms.v_pack", "pcs.p", "dispatch.clamp.OUT"]
FIGURES = [*CHANNELS, "dispatch.ramp.OUT", "dispatch.drive.OUT", "protection.ready.OK", "plc.scan_us"]
LIMIT = "bms.t_cell_max < 55 °C"


def watch_and_force(demo: LiveDemo) -> None:
    demo.say("watch", "bms.soc", "bms.current", "protection.ready.OK", "dispatch.clamp.OUT", "dispatch.mode", "--once")
    demo.say("watch", "bms.current", "dispatch.mode", "--json", "--count", "2")
    demo.say("force", "bms.soc=80 %", "--for", "10 min", "--reason", "test of the charge limit")
    demo.say("force", "bms.soc=300 kW", "--reason", "a slip", code=2)
    demo.say("forces")
    demo.say("watch", "bms.soc", "--once")
    demo.say("unforce", "bms.soc")
    demo.say("forces")


def trace(demo: LiveDemo) -> None:
    names = ("bms.current", "pcs.p", "dispatch.ramp.OUT")
    demo.say("trace", *names, "--for", "2s", "--csv", "step.csv", "--svg", "step.svg", "--png", "step.png")
    demo.say("trace", *names, "--trigger", "dispatch.ramp.OUT > 200 kW", "--timeout", "1s", code=1)
    demo.say("trace", *FIGURES, "--for", "30s")


def load(demo: LiveDemo) -> None:
    demo.edit(PROGRAM, RATE, "IN1: 50 kW/s}")
    demo.say("load", "--dry-run")
    demo.say("load")
    demo.edit(PROGRAM, "IN1: 50 kW/s}", FAST)
    demo.edit(PROGRAM, CLAMP, RAISED)
    demo.say("load", "--no-jump", "5 kW", code=1)
    demo.edit(PROGRAM, RAISED, CLAMP.replace("modes.P", "modes.Q"))
    demo.say("load", code=1)
    demo.edit(PROGRAM, CLAMP.replace("modes.P", "modes.Q"), CLAMP)
    demo.edit(PROGRAM, FAST, "IN1: 50 kW/s}")
    demo.say("load", "--undo")
    for rate in (60, 70, 80, 90, 100):
        demo.edit(PROGRAM, f"IN1: {50 if rate == 60 else rate - 10} kW/s}}", f"IN1: {rate} kW/s}}")
        demo.say("load")


def write(demo: LiveDemo, folder: Path) -> None:
    demo.say("check")
    demo.say("test", "--cover")
    demo.say("schema")
    demo.say("fmt", "--check")
    demo.say("graph", "dispatch", "--live", ends_by_hand_after=4.0)
    demo.say("new", "myplant", "--template", "rack", folder=folder)
    for verb in ("check", "test"):
        demo.say(verb, folder=folder / "myplant")


def incident(demo: LiveDemo) -> None:
    demo.plant.fault("over_heat_cell", cell=100, celsius=57.0)
    file = str(demo.site.wait_for("incident recorded", 60)["file"])
    demo.say("log", "--since", "1min", "--tag", "bms")
    demo.say("log", "--since", "30s", "--level", "warning")
    demo.say("replay", file, "--show", "protection.ready.OK", "--since", "20s")
    demo.edit("programs/protection.yaml", LIMIT, LIMIT.replace("55", "60"))
    demo.say("replay", file, "--program", "config/site.yaml", "--show", "protection.ready.OK", "--since", "30s")


def main() -> None:
    """Say them all."""
    transcript = Transcript("live", "the verbs of live engineering at the running demo site")
    with tempfile.TemporaryDirectory() as text, live_demo(Path(text), transcript) as demo:
        demo.close_contactors()
        demo.follow(80.0)
        watch_and_force(demo)
        trace(demo)
        load(demo)
        write(demo, Path(text))
        demo.connect()
        demo.close_contactors()
        demo.follow(80.0)
        time.sleep(1)
        incident(demo)


if __name__ == "__main__":
    main()
