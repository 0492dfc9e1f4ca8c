"""Where compiled code is kept, and how it is named so that a stale kernel can never be loaded.

The folder is private (0700) under XDG_CACHE_HOME. Every entry is keyed by a digest of the sources it was made from, of
numba, LLVM and NumPy, of the flags, and of the processor: numba itself would not notice a callee changed in another file.
"""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

# LLVM gives up vectorising above ~128 alias checks; a block with many pins needs more (FINDINGS.md).
LLVM_FLAGS = ("", "-vectorize-memory-check-threshold=8192")


class CacheError(Exception):
    """The cache folder cannot be trusted: it is not ours, or others may write to it."""


@functools.cache
def folder() -> Path:
    """The cache folder, made private. Raises CacheError where somebody else owns or may write it."""
    chosen = os.environ.get("BESSPLC_CACHE")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    path = Path(chosen) if chosen else base / "bessplc"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.stat()
    if found.st_uid != os.geteuid():
        raise CacheError(
            f"{path} belongs to user {found.st_uid}: compiled kernels in it cannot be trusted; remove it or set BESSPLC_CACHE"
        )
    if stat.S_IMODE(found.st_mode) != 0o700:
        path.chmod(0o700)
    return path


@functools.cache
def toolchain() -> str:
    """What compiled code depends on besides its source: compiler versions, flags and the processor."""
    from llvmlite import binding

    features = binding.get_host_cpu_features().flatten()
    parts = [
        platform.python_version(),
        version("numba"),
        version("llvmlite"),
        version("numpy"),
        *LLVM_FLAGS,
        platform.machine(),
        binding.get_host_cpu_name(),
        features,
    ]
    return "\n".join(parts)


def digest(*texts: str) -> str:
    """The key of code made from these texts with this toolchain."""
    return hashlib.sha256("\n\0".join((*texts, toolchain())).encode()).hexdigest()[:24]


def write_aside(path: Path, text: str) -> None:
    """Write a file so that a reader sees all of it or none: aside, then renamed."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        aside.write_text(text, encoding="utf-8")
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def place_of(*sources: Path) -> str:
    """The folder for the compiled functions of these source files, named by their digest."""
    place = folder() / f"loop-{digest(*(p.read_text(encoding='utf-8') for p in sources))}"
    place.mkdir(mode=0o700, exist_ok=True)
    return str(place)


def use_for_numba(*sources: Path) -> None:
    """Let numba keep the compiled functions of these source files in their folder. Call before they are imported."""
    from numba import config

    config.CACHE_DIR = place_of(*sources)
    set_flags()


BESIDE_THE_SOURCE = ""


@contextmanager
def kept_in(place: str) -> Iterator[None]:
    """Within it numba keeps what it compiles in this folder, whichever the process uses else."""
    from numba import config

    set_flags()
    before, config.CACHE_DIR = config.CACHE_DIR, place
    try:
        yield
    finally:
        config.CACHE_DIR = before


@functools.cache
def set_flags() -> None:
    """Give LLVM the flags that all compiled code of bessplc is made with; once a process."""
    from llvmlite import binding
    from numba.core.cpu import CPUTargetOptions
    from numba.core.options import _mapping

    binding.set_option(*LLVM_FLAGS)
    CPUTargetOptions.noalias = _mapping("noalias")  # numba has the flag and offers no option for it
