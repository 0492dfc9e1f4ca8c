"""The operator's panel: buttons, key switch, lamps, horn, the E-stop with its safety relay, door and smoke contacts, relays.

It must not know what its buttons mean to the program behind them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from runtime.simulation.settings import PanelSettings

BUTTONS = ("start", "stop", "reset")
FEEDERS = ("feeder_1", "feeder_2", "feeder_3")  # from the loads that matter least to those that matter most
OUTPUTS = ("lamp_run", "lamp_fault", "horn", "bms_sleep", *FEEDERS)

INPUTS = ("estop_ok", *BUTTONS, "remote", "tamper_ok", "smoke_ok")
# As it is wired to a GPIO chip: inputs from line 0, outputs from line 8.
INPUT_LINES = dict(enumerate(INPUTS))
OUTPUT_LINES = dict(enumerate(OUTPUTS, start=8))


@dataclass(slots=True)
class Panel:
    """The panel's state. E-stop, tamper and smoke are normally closed: what happened and a cut wire both read as not OK."""

    settings: PanelSettings
    pressed: dict[str, float] = field(default_factory=lambda: dict.fromkeys(BUTTONS, 0.0))  # seconds still held
    remote: bool = True
    estop_pressed: bool = False
    wire_cut: bool = False
    tampered: bool = False
    smoke: bool = False
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

    @property
    def bms_has_supply(self) -> bool:
        """Whether the relay leaves the battery management its supply."""
        return not self.outputs["bms_sleep"]

    @property
    def load_on(self) -> float:
        """The part of the site's load that the feeders leave on: each drops a third."""
        return 1.0 - sum(self.outputs[name] for name in FEEDERS) / len(FEEDERS)


def read_input(panel: Panel, name: str) -> bool:
    """Whether this input's contact is closed."""
    if name in BUTTONS:
        return panel.pressed[name] > 0
    return {"estop_ok": panel.estop_ok, "remote": panel.remote, "tamper_ok": not panel.tampered, "smoke_ok": not panel.smoke}[name]


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
