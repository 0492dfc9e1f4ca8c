"""The smallest real site, of the template `minimal`, in a folder of its own and on free ports; and what its processes have open."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runtime.scaffold import PORTS, scaffold
from tests.aids.site import RunningSite, free_ports, started


@contextmanager
def running_small_site(folder: Path, *arguments: str) -> Iterator[RunningSite]:
    """Run it with its plant until the block ends."""
    made = scaffold(folder / "north", "minimal")
    new = {str(made.ports[name]): str(port) for name, port in zip(PORTS, free_ports(len(PORTS)), strict=True)}
    for path in [*made.root.glob("config/*.yaml"), *made.root.glob("io_maps/*.yaml")]:
        path.write_text(re.sub("|".join(map(re.escape, new)), lambda m: new[m.group()], path.read_text()))
    with started(made.root, [0, 0], folder, "--sim", *arguments) as site:
        site.wait_for("running", 200)
        yield site


def descriptors(pid: int) -> int:
    """Files, sockets and pipes that a process has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))
