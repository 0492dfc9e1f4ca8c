"""The fault confinement of a CAN controller, as its error frames tell it: active, warning, passive or bus-off. It opens no bus.

Source: ISO 11898-1 (error counters), linux/can/error.h (what the bits of an error frame mean).
"""

from __future__ import annotations

ACTIVE, WARNING, PASSIVE, BUS_OFF = "active", "warning", "passive", "bus_off"
# Classes of an error frame: bits of its identifier.
ERR_CRTL, ERR_BUSOFF, ERR_RESTARTED, ERR_CNT = 0x04, 0x40, 0x100, 0x200
ERR_ALL = 0x3FD  # every class but lost arbitration (0x02), which is how a CAN bus works
# What became of the controller: data[1] of ERR_CRTL.
CRTL_OVERFLOW, CRTL_WARNING, CRTL_PASSIVE, CRTL_ACTIVE = 0x01, 0x04 | 0x08, 0x10 | 0x20, 0x40
WARNING_AT, PASSIVE_AT = 96, 128  # error counts at which a controller warns, and becomes passive
COUNTS = ("error_frames", "error_warning", "error_passive", "bus_off", "restarts", "overflow", "not_sent")


class Fault:
    """The state of one controller and how often it got into each; `counts` are those of its wire."""

    def __init__(self) -> None:
        self.state = ACTIVE
        self.counts = dict.fromkeys(COUNTS, 0)

    def enter(self, state: str) -> None:
        """The controller is in this state now; getting worse is counted."""
        if state == self.state:
            return
        if state == BUS_OFF:
            self.counts["bus_off"] += 1
        elif self.state == BUS_OFF:
            self.counts["restarts"] += 1
        if state == PASSIVE:
            self.counts["error_passive"] += 1
        elif state == WARNING and self.state == ACTIVE:
            self.counts["error_warning"] += 1
        self.state = state

    def take(self, identifier: int, data: bytes) -> None:
        """An error frame has come. One that is too short says only what its identifier does."""
        self.counts["error_frames"] += 1
        about = data[1] if len(data) > 1 else 0
        if identifier & ERR_CRTL and about & CRTL_OVERFLOW:
            self.counts["overflow"] += 1
        if identifier & ERR_BUSOFF:
            self.enter(BUS_OFF)
        elif identifier & ERR_RESTARTED:
            self.enter(ACTIVE)
        elif identifier & ERR_CRTL and about & (CRTL_PASSIVE | CRTL_WARNING | CRTL_ACTIVE):
            self.enter(PASSIVE if about & CRTL_PASSIVE else WARNING if about & CRTL_WARNING else ACTIVE)
        elif identifier & ERR_CNT and len(data) > 7 and self.state != BUS_OFF:
            worst = max(data[6], data[7])
            self.enter(PASSIVE if worst >= PASSIVE_AT else WARNING if worst >= WARNING_AT else ACTIVE)

    def hear(self) -> None:
        """A frame was received: a controller that is off the bus cannot, so it has come back unseen."""
        if self.state == BUS_OFF:
            self.enter(ACTIVE)
