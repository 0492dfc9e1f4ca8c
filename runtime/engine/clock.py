"""The clocks of the compiled loop: read, and sleep to an absolute deadline, without Python and without the GIL."""

from __future__ import annotations

from numba import types

from runtime.engine.atomics import load_i8, scan_path, store_i8

CLOCK_REALTIME, CLOCK_MONOTONIC, TIMER_ABSTIME = 0, 1, 1

_clock_gettime = types.ExternalFunction("clock_gettime", types.int32(types.int32, types.intp))
_clock_nanosleep = types.ExternalFunction("clock_nanosleep", types.int32(types.int32, types.int32, types.intp, types.intp))
_read = types.ExternalFunction("read", types.intp(types.int32, types.intp, types.intp))
_write = types.ExternalFunction("write", types.intp(types.int32, types.intp, types.intp))


@scan_path
def read_clock(clock: int, scratch: int) -> int:
    """The clock in nanoseconds; `scratch` is the address of two spare words."""
    _clock_gettime(clock, scratch)
    return load_i8(scratch) * 1_000_000_000 + load_i8(scratch + 8)


@scan_path
def sleep_until(deadline: int, scratch: int) -> None:
    """Sleep until CLOCK_MONOTONIC shows `deadline`; a signal that wakes the thread sends it back to sleep."""
    store_i8(scratch, deadline // 1_000_000_000)
    store_i8(scratch + 8, deadline % 1_000_000_000)
    while _clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, scratch, 0) == 4:  # EINTR
        continue


@scan_path
def wake(eventfd: int, scratch: int) -> None:
    """Count the eventfd up by one, so that whoever watches it wakes; it is non-blocking, so this never waits."""
    store_i8(scratch, 1)
    _write(eventfd, scratch, 8)


@scan_path
def hear(eventfd: int, scratch: int) -> None:
    """Wait until somebody counts the eventfd up; a signal may end the wait early."""
    _read(eventfd, scratch, 8)
