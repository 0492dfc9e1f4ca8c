"""Device processes for the fieldbus tests: started, asked in JSON lines, and ended by their pid."""

from __future__ import annotations

import json
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


class DeviceError(Exception):
    """The device process did not answer, or answered with an error."""


class DeviceProcess:
    """`python -m tests.aids.NAME ARGUMENTS`, which prints a JSON line when it is up and answers one for each it reads."""

    def __init__(self, module: str, *arguments: str, pass_fds: tuple[int, ...] = ()):
        self.process = subprocess.Popen(
            [sys.executable, "-m", f"tests.aids.{module}", *arguments],
            cwd=ROOT,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=pass_fds,
        )
        self.ready = self._read(30.0)

    @property
    def pid(self) -> int:
        return self.process.pid

    def _read(self, seconds: float) -> Any:
        assert self.process.stdout is not None
        readable, _, _ = select.select([self.process.stdout], [], [], seconds)
        line = self.process.stdout.readline() if readable else ""
        if not line:
            raise DeviceError(f"no answer (exit status {self.process.poll()})")
        return json.loads(line)

    def ask(self, do: str, **details: Any) -> Any:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": do, **details}) + "\n")
        self.process.stdin.flush()
        answer = self._read(10.0)
        if isinstance(answer, dict) and "error" in answer:
            raise DeviceError(answer["error"])
        return answer

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5.0)
            except subprocess.TimeoutExpired:
                self.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


@contextmanager
def device_process(module: str, *arguments: str) -> Iterator[DeviceProcess]:
    device = DeviceProcess(module, *arguments)
    try:
        yield device
    finally:
        device.close()


def until(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    """Wait until the condition gives something true, and return it."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.005)


def answer(value: Any) -> None:
    """One line of a device process to its test."""
    print(json.dumps(value), flush=True)
