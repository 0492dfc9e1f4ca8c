"""The operator's panel: buttons, key switch, lamps, horn, and the E-stop with its safety relay.

It must not know what its buttons mean to the program behind them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from runtime.simulation.settings import PanelSettings

BUTTONS = ("start", "stop", "reset")
OUTPUTS = ("lamp_run", "lamp_fault", "horn")


@dataclass(slots=True)
class Panel:
    """The panel's state. The E-stop chain is normally closed: pressed button or cut wire both read as not OK."""

    settings: PanelSettings
    pressed: dict[str, float] = field(default_factory=lambda: dict.fromkeys(BUTTONS, 0.0))  # seconds still held
    remote: bool = True
    estop_pressed: bool = False
    wire_cut: bool = False
    open_s: float = 0.0
    outputs: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(OUTPUTS, False))
    silent_s: float = math.inf

    @property
    def estop_ok(self) -> bool:
        return not (self.estop_pressed or self.wire_cut)

    @property
    def power_to_coils(self) -> bool:
        """Whether the safety relay still feeds the contactors' coils."""
        return self.open_s < self.settings.estop_opens_after_s


def write_output(panel: Panel, name: str, value: bool) -> None:
    """Take one output from the master; any write shows that the master is alive."""
    panel.outputs[name] = value
    panel.silent_s = 0.0


def press(panel: Panel, button: str, held_s: float = math.inf) -> None:
    """Press a button and hold it for this long, or until it is released."""
    panel.pressed[button] = held_s


def release(panel: Panel, button: str) -> None:
    panel.pressed[button] = 0.0


def watch(panel: Panel, dt_s: float, listening_s: float) -> None:
    """One step: fingers leave their buttons, the safety relay counts, outputs fall off when nobody writes any more."""
    for name, left in panel.pressed.items():
        panel.pressed[name] = max(left - dt_s, 0.0)
    panel.open_s = 0.0 if panel.estop_ok else panel.open_s + dt_s
    panel.silent_s += listening_s
    if panel.silent_s > panel.settings.comms_timeout_s:
        for name in panel.outputs:
            panel.outputs[name] = False
