"""The demo site with a plant of its own, and an engineer at its command line, of whose words a transcript may be kept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.aids.plant import RunningPlant, running_plant
from tests.aids.scada import Scada
from tests.aids.servers_proof import Transcript
from tests.aids.site import ROOT, RunningSite, copy_site, started, until

COLD_S = 240  # kernels may have to be compiled on a busy machine
RECORDS = "  records:\n"


@dataclass
class LiveDemo:
    """The running site, its plant, a SCADA on it, and the engineer's transcript."""

    site: RunningSite
    plant: RunningPlant
    scada: Scada
    transcript: Transcript | None = None

    def connect(self) -> None:
        """Let the SCADA connect anew: a server hangs up on a client that was silent for a minute."""
        self.scada.close()
        self.scada = Scada(self.site.root, self.site.modbus)

    @property
    def environment(self) -> dict[str, str]:
        folder = self.site.log_path.parent
        places = {"BESSPLC_RUN": str(self.site.run_base), "XDG_STATE_HOME": str(folder / "state")}
        return {**os.environ, **places, "PYTHONPATH": str(ROOT)}

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "runtime.cli", *words]

    def say(
        self, *words: str, code: int = 0, folder: Path | None = None, ends_by_hand_after: float = 0.0
    ) -> subprocess.CompletedProcess[str]:
        """One verb, said in the folder of the site; what it answers goes into the transcript. Some end by Ctrl-C only."""
        command = self.command(*words)
        with subprocess.Popen(
            command,
            cwd=folder or self.site.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            if ends_by_hand_after:
                time.sleep(ends_by_hand_after)
                process.send_signal(signal.SIGINT)
            try:
                done = subprocess.CompletedProcess(command, 0, *process.communicate(timeout=240))
            finally:
                process.kill()
        done.returncode = process.returncode
        if self.transcript is not None:
            line = " ".join(f"'{word}'" if set(word) & set(" *<>&();") else word for word in words)
            ended = [f"[exit {done.returncode}]"] if done.returncode else []
            self.transcript.note(f"\n$ bessplc {line}", *(text.rstrip() for text in (done.stdout, done.stderr) if text), *ended)
        assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        return done

    def edit(self, file: str, old: str, new: str) -> None:
        """An edit as in the editor."""
        path = self.site.root / file
        text = path.read_text()
        assert text.count(old) == 1, f"{file} has `{old}` {text.count(old)} times"
        path.write_text(text.replace(old, new))

    def close_contactors(self) -> None:
        """Reset the interlock and close, as an operator would; again where a busy machine made the data stale meanwhile."""

        def is_closed() -> bool:
            if self.scada.read("site.closed"):
                return True
            if not self.scada.read("site.ready"):
                self.scada.write("hmi.reset", True)
                time.sleep(1)
            self.scada.write("hmi.close", True)
            time.sleep(3)
            return bool(self.scada.read("site.closed"))

        until(is_closed, 120, "the contactors are closed")

    def follow(self, p_set: float) -> None:
        """Let the converter follow this setpoint."""
        for tag, value in (("hmi.enable", False), ("hmi.support", False), ("hmi.p_set", p_set), ("hmi.enable", True)):
            assert not self.scada.write(tag, value).isError()
        until(lambda: abs(self.scada.read("pcs.p") - p_set) < 2, 30, "the power follows")


@contextmanager
def live_demo(folder: Path, transcript: Transcript | None = None) -> Iterator[LiveDemo]:
    """A copy of the demo whose rack bears 70 °C, and whose recorder freezes 10 s before a trip and 5 s after it."""
    at = folder / "plant"
    at.mkdir()
    root, ports = copy_site(folder / "demo", can0=str(at / "can0"))
    for file, old, new in (
        ("config/plant.yaml", "rack:\n", "rack:\n  over_temperature_c: 70\n"),
        ("config/site.yaml", RECORDS, "  recorder: {before: 10 s, after: 5 s}\n" + RECORDS),
    ):
        text = (root / file).read_text()
        assert text.count(old) == 1, file
        (root / file).write_text(text.replace(old, new))
    with (
        running_plant(at, "--ports-from-config", config=root / "config/plant.yaml") as plant,
        started(root, ports, folder) as site,
    ):
        site.wait_for("running", COLD_S)
        until(lambda: site.status("modbus").get("listening") and site.status("recorder").get("listening"), 60, "the servers are up")
        scada = Scada(root, site.modbus)
        until(lambda: scada.read("bms.ok") and scada.read("panel.remote"), 60, "the rack's and the panel's data arrive")
        demo = LiveDemo(site, plant, scada, transcript)
        yield demo
        demo.scada.close()
