"""A site with records that scans every few milliseconds in a thread of the test: what verbs and clients find of a running one."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from runtime import rundir
from runtime.language import load_site
from runtime.servers.records.store import Records
from tests.aids.onlooker import HeldSite
from tests.aids.site_text import DRIVERS

BETWEEN_S = 0.003


@contextmanager
def scanning_site(folder: Path, texts: Mapping[str, str]) -> Iterator[HeldSite]:
    """Write the files under `folder`, hold the site there, with its run and state folders beside them, and scan until the end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BESSPLC_RUN", str(folder / "run"))
        patch.setenv("XDG_STATE_HOME", str(folder / "state"))
        patch.delenv("STATE_DIRECTORY", raising=False)
        for name, text in texts.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)
        file = folder / "config/site.yaml"
        site = HeldSite(file, load_site(file, DRIVERS)[0])
        Records(rundir.state_folder_of(file)).declare([], confirm=False)
        done = threading.Event()

        def scan() -> None:
            while not done.is_set():
                site.plc.attach()
                site.scan()
                time.sleep(BETWEEN_S)

        scanner = threading.Thread(target=scan)
        scanner.start()
        try:
            yield site
        finally:
            done.set()
            scanner.join()
            site.close()
