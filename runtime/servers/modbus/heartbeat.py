"""The register that SCADA must keep changing: what it holds, and when it last changed. It knows no socket and no tags."""

from __future__ import annotations

import time


class Beat:
    """SCADA's sign of life. It counts as alive from its first change on, until none has come for `within` seconds."""

    def __init__(self, within: float):
        self.within = within
        self.value = 0
        self.is_alive = False
        self.changed = time.monotonic()

    def take(self, value: int) -> None:
        """SCADA has written the register; the same number again is no sign of life."""
        if value != self.value:
            self.value, self.changed, self.is_alive = value, time.monotonic(), True

    def is_overdue(self) -> bool:
        """Whether the last change, or the start where none has come yet, is too long ago."""
        return time.monotonic() - self.changed > self.within

    def go_on_from(self, other: Beat) -> None:
        """Take over what another map's register has seen."""
        self.value, self.is_alive, self.changed = other.value, other.is_alive, other.changed
