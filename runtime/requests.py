"""What the programs of a site and the runtime that runs them ask of each other, by names of tags. It must not know a section."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Requests:
    """The tags by which the programs and the runtime that runs them talk to each other; empty where the site names none.

    `changes` permits loads that are not bumpless, `refused` is the command that tells the programs of a refused one; `restart` and
    `reboot` ask for a new start of the application, or of the machine, when they turn true.
    """

    changes: str = ""
    refused: str = ""
    restart: str = ""
    reboot: str = ""
