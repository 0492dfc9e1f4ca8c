"""The folder where a running site keeps its shared files and sockets, and the lock that says who holds it."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

from runtime.site_files import root_of

PATIENCE_S = 10  # the children of a killed supervisor hold the lock until their safe values are written


class SiteHeldError(Exception):
    """Another `run` of the same site is alive."""


def base() -> Path:
    """Where run folders live: $BESSPLC_RUN, the systemd RuntimeDirectory, $XDG_RUNTIME_DIR, or /dev/shm for this user."""
    for variable in ("BESSPLC_RUN", "RUNTIME_DIRECTORY"):
        if os.environ.get(variable):
            return Path(os.environ[variable])
    if os.environ.get("XDG_RUNTIME_DIR"):
        return Path(os.environ["XDG_RUNTIME_DIR"]) / "bessplc"
    return Path(f"/dev/shm/bessplc-{os.geteuid()}")


def folder_of(site: Path) -> Path:
    """The run folder of a site file: readable name, and a digest of its full path."""
    full = site.resolve()
    return base() / f"{root_of(full).name}-{full.stem}-{hashlib.sha256(str(full).encode()).hexdigest()[:8]}"


def state_folder_of(site: Path) -> Path:
    """Where a site keeps what outlives a restart: the systemd StateDirectory or $XDG_STATE_HOME."""
    place = os.environ.get("STATE_DIRECTORY")
    home = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state")
    return (Path(place) if place else home / "bessplc") / folder_of(site).name


@dataclass
class Hold:
    """A run folder that is ours until `release`."""

    folder: Path
    handle: int

    def release(self) -> None:
        """Take everything out of the folder and let it go."""
        clean(self.folder)
        os.close(self.handle)


def hold(site: Path) -> Hold:
    """Take the run folder of a site, and clear what a crash left in it.

    Where the supervisor that held it is dead, its fieldbus may still be writing safe values: that is waited for.

    Raises SiteHeldError, naming process and start time, where another run of the same site is alive.
    """
    folder = folder_of(site)
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.geteuid():
        raise SiteHeldError(f"{folder} belongs to user {folder.stat().st_uid}")
    folder.chmod(0o700)
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    patience = time.monotonic() + PATIENCE_S
    while not _locked(handle):
        said = _read_holder(handle)
        if _is_alive(said.get("pid")) or time.monotonic() > patience:
            os.close(handle)
            raise SiteHeldError(
                f"{site} is already running: process {said.get('pid', 'unknown')} since {said.get('since', 'unknown')}; "
                f"stop that one first (kill {said.get('pid', 'PID')}), or copy the site to run a second one"
            )
        time.sleep(0.1)
    clean(folder)
    os.ftruncate(handle, 0)
    os.pwrite(handle, json.dumps({"pid": os.getpid(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}).encode(), 0)
    return Hold(folder, handle)


def holder(site: Path) -> int | None:
    """The process that runs this site now, None where none does. It looks only, and takes nothing."""
    try:
        handle = os.open(folder_of(site) / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        pid = _read_holder(handle).get("pid")
    finally:
        os.close(handle)
    return pid if isinstance(pid, int) and _is_alive(pid) else None


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_alive(pid: object) -> bool:
    return isinstance(pid, int) and Path(f"/proc/{pid}").exists()


def _read_holder(handle: int) -> dict[str, object]:
    try:
        found = json.loads(os.pread(handle, 4096, 0))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def clean(folder: Path) -> None:
    """Remove every file of the folder but the lock."""
    for path in folder.iterdir():
        if path.name != "lock" and not path.is_dir():
            path.unlink(missing_ok=True)
