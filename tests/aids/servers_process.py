"""Starts a server process as the supervisor does, and waits until it says that it listens."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from runtime import child
from runtime.child import ServiceOrder
from runtime.servers.describe import module_of


def telling_why_it_aborts() -> dict[str, str]:
    """The environment of a process that names its threads on stderr where it dies of a signal such as SIGABRT."""
    return {**os.environ, "PYTHONFAULTHANDLER": "1"}


class ServerProcess:
    """A running server; `log` is what it has said so far."""

    def __init__(self, order: ServiceOrder, *, more_later: bool = False):
        self.order = order
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - read as long as the process is spoken of
        started = time.monotonic()
        module = module_of(order.service)
        self.process = child.start(
            module, order, more_later=more_later, stderr=self._stderr, stdout=subprocess.PIPE, env=telling_why_it_aborts()
        )
        self._started = started

    def log(self) -> str:
        descriptor = self._stderr.fileno()  # the process writes at the same offset: read without moving it
        return os.pread(descriptor, os.fstat(descriptor).st_size, 0).decode()

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log().splitlines()]

    def status(self) -> dict[str, Any]:
        return json.loads((Path(self.order.run_dir) / f"{self.order.service}.json").read_text())

    def wait_until_listening(self, timeout: float = 30) -> int:
        """Returns the port."""
        path = Path(self.order.run_dir) / f"{self.order.service}.json"
        while not path.exists() or self.status()["pid"] != self.process.pid:
            assert self.process.poll() is None, f"the server ended with {self.process.returncode}:\n{self.log()}"
            assert time.monotonic() < self._started + timeout, f"not listening after {timeout} s:\n{self.log()}"
            time.sleep(0.01)
        self.seconds_to_listen = time.monotonic() - self._started
        return int(self.status()["listening"].split("//")[1].partition("/")[0].rpartition(":")[2])

    def end(self) -> int:
        if self.process.poll() is None:
            self.process.terminate()
        code = self.process.wait(10)
        if self.process.stdout is not None and not self.process.stdout.closed:
            assert self.process.stdout.read() == b"", "a server prints nothing"
            self.process.stdout.close()
        return code


@contextlib.contextmanager
def serving(order: ServiceOrder, *, more_later: bool = False) -> Iterator[tuple[ServerProcess, int]]:
    """A server process and its port, ended on the way out; `more_later`: it is given other orders while it runs."""
    server = ServerProcess(order, more_later=more_later)
    try:
        yield server, server.wait_until_listening()
    finally:
        server.end()


def eventually(condition: Callable[[], Any], timeout: float = 5.0) -> Any:
    """The first true result of `condition`, asked again and again; fails after `timeout` seconds."""
    until = time.monotonic() + timeout
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < until, f"still not so after {timeout} s"
        time.sleep(0.01)
