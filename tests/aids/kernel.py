"""What the kernel under a test must have: virtual CAN buses and a simulated GPIO chip; tests skip, saying why, without them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

BUSES = ("vcan0", "vcan1")
CHIP_LABEL = "lab"
NET, GPIO_SIM = Path("/sys/class/net"), Path("/sys/devices/platform")
HINT = "run under ../shared/lab/lab"


def lacks_vcan() -> str:
    """Why there is no SocketCAN to test against, or empty."""
    missing = [bus for bus in BUSES if not (NET / bus).exists()]
    return f"the kernel has no {', '.join(missing)}: modprobe vcan, or {HINT}" if missing else ""


def lacks_gpio_sim() -> str:
    """Why there is no simulated GPIO chip to test against, or empty."""
    if sim_lines() is None:
        return f"the kernel has no gpio-sim chip: modprobe gpio-sim and label its bank `{CHIP_LABEL}`, or {HINT}"
    return ""


def sim_lines() -> Path | None:
    """The folder of the simulated chip with one `sim_gpioN` a line, or None."""
    return next((path.parent for path in sorted(GPIO_SIM.glob("gpio-sim.*/gpiochip*/sim_gpio0"))), None)


needs_vcan = pytest.mark.skipif(bool(lacks_vcan()), reason=lacks_vcan())
needs_gpio_sim = pytest.mark.skipif(bool(lacks_gpio_sim()), reason=lacks_gpio_sim())


class SimChip:
    """The far side of the simulated chip: what the field wiring does to its inputs, and what its outputs drive."""

    def __init__(self) -> None:
        folder = sim_lines()
        assert folder is not None, lacks_gpio_sim()
        self.folder = folder

    def pull(self, line: int, high: bool) -> None:
        """Put an input line high or low, as a closing or opening contact does."""
        (self.folder / f"sim_gpio{line}" / "pull").write_text("pull-up" if high else "pull-down")

    def level(self, line: int) -> bool:
        """What the line carries now; for an output, what it drives."""
        return (self.folder / f"sim_gpio{line}" / "value").read_text().strip() == "1"

    def press_and_release(self, line: int, held_s: float = 0.02) -> None:
        """Low for a moment: the simulated chip reports edges with its next tick, so shorter pulses merge."""
        self.pull(line, False)
        time.sleep(held_s)
        self.pull(line, True)
