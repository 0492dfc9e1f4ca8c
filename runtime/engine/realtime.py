"""Asks the kernel for what a scan thread needs: its priority, its memory kept resident, a processor that does not doze.

Each request that is refused comes back as a sentence for the operator: the scan runs without it, only less evenly.
"""

from __future__ import annotations

import ctypes
import gc
import os
import resource

MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT = 1, 2, 4
PR_SET_TIMERSLACK = 29
_held: list[int] = []


def take_priority(priority: int) -> str:
    """Run this thread under SCHED_FIFO (children do not inherit it); empty, or why not and what to do."""
    if priority <= 0:
        return ""
    try:
        policy = os.SCHED_FIFO | os.SCHED_RESET_ON_FORK
        os.sched_setscheduler(0, policy, os.sched_param(priority))
    except PermissionError:
        return (
            "no real-time priority: scans may start late under load; "
            "give the user an rtprio limit (LimitRTPRIO= in systemd, /etc/security/limits.d) or CAP_SYS_NICE"
        )
    return ""


def lock_memory() -> str:
    """Keep what the process has touched in memory; empty, or why not and what to do.

    ONFAULT keeps untouched pages out: locking everything would more than double the process. With a finite limit a later
    allocation would fail outright, so nothing is locked then.
    """
    if os.geteuid() != 0 and resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] != resource.RLIM_INFINITY:
        return "memory is not locked: a page may have to be read from disk in a scan; set LimitMEMLOCK=infinity"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0:
        return f"memory is not locked: {os.strerror(ctypes.get_errno())}"
    return ""


def stay_awake() -> str:
    """Forbid deep processor sleep while the process lives, and timer slack for this thread; empty, or why not."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0)
    if _held:
        return ""  # an earlier thread of this process has asked
    try:
        handle = os.open("/dev/cpu_dma_latency", os.O_WRONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return ""  # this kernel has no such states to forbid
    except PermissionError:
        return "the processor may doze between scans: no right to write /dev/cpu_dma_latency"
    os.write(handle, (0).to_bytes(4, "little"))
    _held.append(handle)
    return ""


def settle() -> None:
    """Put all that Python holds now out of the garbage collector's sight."""
    gc.collect()
    gc.freeze()
