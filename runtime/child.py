"""How the processes of one site start each other and notice each other's end: the hall's part of supervision.

An order is pickled to the child's standard input by the supervisor that started it; nothing is ever unpickled from a file.
"""

from __future__ import annotations

import contextlib
import functools
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from weakref import WeakKeyDictionary

from runtime.model import Alarm, Device, Group, Schedule, Tag, TagRegion, Task

ROOT = Path(__file__).parents[1]
SUPERVISOR = "BESSPLC_SUPERVISOR"
EXIT_MISSED = 3  # how the fieldbus ends where a device did not take its safe values
FIELDBUS_STATUS = "fieldbus.json"  # in the run folder: the state of all devices, always whole


@dataclass(frozen=True)
class ServiceOrder:
    """What a server process is told: the tags, where the shared files are, and its own settings from the site.

    `generation` is the layout that all shared files must have. `state_dir` keeps what outlives a restart (records, certificates),
    `users` is the file of the site's users; both empty: there are none.
    The program's picture is `tick` (ns), `tasks`, `groups` and `pins` as in Schedule.
    """

    service: str
    site: str
    run_dir: str
    root: str
    generation: int
    tags: tuple[Tag, ...]
    region: TagRegion
    alarms: tuple[Alarm, ...]
    settings: dict[str, Any]
    state_dir: str = ""
    users: str = ""
    tick: int = 10_000_000
    tasks: tuple[Task, ...] = ()
    groups: tuple[Group, ...] = ()
    pins: dict[str, tuple[str, int, int]] = field(default_factory=dict)
    schedule: Schedule | None = None  # the whole program: for the recorder, which keeps it beside the tape
    constants: dict[str, str] = field(default_factory=dict)  # of the site: a register map may use them
    authority: str = ""  # the BOOL that is true in remote control; empty where the site names none


@dataclass(frozen=True)
class FieldbusOrder:
    """What the fieldbus process is told. `wake` is the eventfd that the scan writes after every new outbox.

    `generation` is that of inputs, outputs and devices: it outlives a program that is loaded into the running scan.
    `scan_timeout` is how long (ns) no new outbox may come before the safe values are written; `inhibit` writes nothing.
    """

    run_dir: str
    root: str
    generation: int
    devices: tuple[Device, ...]
    inputs: int
    outputs: int
    wake: int
    scan_timeout: int
    inhibit: bool


@dataclass(frozen=True)
class ScanOrder:
    """What the scan process is told. `priority` is its SCHED_FIFO priority; `wake` the eventfd that it writes after each outbox.

    `io_generation` is the fieldbus's generation; None: the program's.
    """

    run_dir: str
    schedule: Schedule
    generation: int
    wake: int
    inhibit: bool
    priority: int
    io_generation: int | None = None


@dataclass(frozen=True)
class SwapOrder:
    """What a running scan process is told later: try this program beside the one that runs, or swap to it between two scans.

    `limits` are the largest steps that an output may make, by its point (empty: any). `number` is repeated in the answer.
    `permit` are the places in the running program's memory of BOOLs that must all be true for a change that is not bumpless;
    `is_grave` counts as such a one whatever it does to the outputs.
    """

    number: int
    schedule: Schedule
    generation: int
    is_trial: bool = False
    limits: tuple[float, ...] = ()
    permit: tuple[int, ...] = ()
    is_grave: bool = False


def start(
    module: str, order: Any, pass_fds: Sequence[int] = (), *, more_later: bool = False, **options: Any
) -> subprocess.Popen[bytes]:
    """Start `python -m module` and give it its order."""
    child = begin(module, pass_fds, **options)
    give(child, order, more_later=more_later)
    return child


def begin(module: str, pass_fds: Sequence[int] = (), **options: Any) -> subprocess.Popen[bytes]:
    """Start `python -m module`, which imports what it needs while its order is still being made.

    It gets a process group of its own: the terminal's Ctrl-C and hang-up are the supervisor's to answer, in order.
    """
    environment = {**(options.pop("env", None) or os.environ), SUPERVISOR: str(os.getpid())}
    command = [sys.executable, "-m", module]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, cwd=ROOT, pass_fds=pass_fds, env=environment, process_group=0, **options
    )


_givers: WeakKeyDictionary[subprocess.Popen[bytes], threading.Thread] = WeakKeyDictionary()  # the last one of each child


def give(child: subprocess.Popen[bytes], order: Any, *, more_later: bool = False) -> None:
    """Send an order, in a thread: it is larger than a pipe, and a child may never read it. It is closed unless more follow.

    Orders arrive in the order in which they are given.
    """
    assert child.stdin is not None
    arguments = (_givers.get(child), child.stdin, pickle.dumps(order, pickle.HIGHEST_PROTOCOL), more_later)
    _givers[child] = threading.Thread(target=_give, args=arguments, daemon=True)
    _givers[child].start()


def _give(before: threading.Thread | None, pipe: IO[bytes], order: bytes, more_later: bool) -> None:
    if before is not None:
        before.join()
    try:
        with contextlib.nullcontext() if more_later else pipe:
            pipe.write(order)
            pipe.flush()
    except BrokenPipeError:
        return  # the child has died, which whoever waits for it notices


def receive() -> Any:
    """The next order from the process that started us. Raises EOFError where it gave up, or has no more."""
    return pickle.load(_orders())


@functools.cache
def _orders() -> IO[bytes]:
    """Our standard input, but not `sys.stdin`: a thread that waits in that one makes the interpreter abort at its end."""
    return open(0, "rb", closefd=False)


def supervisor_pid() -> int:
    """Who started us. The parent's id alone would be another's, had the supervisor died before we could ask."""
    return int(os.environ.get(SUPERVISOR) or os.getppid())


def watch(pid: int) -> int:
    """A file descriptor that becomes readable when that process ends. Raises ProcessLookupError where it already has."""
    return os.pidfd_open(pid)
