"""The power conversion system: takes a power command, answers it in its own time, loses a little, falls back in silence.

It follows the grid, or forms one in an island (then the island's load is its power, not the command). It must not know cells or
contactors; it sees its own DC link and its own AC side. Discharge (into the grid) is positive.
"""

from __future__ import annotations

import enum
import math
from collections import deque
from dataclasses import dataclass, field

from runtime.simulation.settings import PcsSettings

OVERLOAD = 1.2  # times the rating: what it still gives an island, and beyond which it trips


class State(enum.IntEnum):
    """What the converter is doing; the numbers stand in its registers."""

    STANDBY = 0
    READY = 1
    RUNNING = 2
    FAULT = 3


class Fault(enum.IntEnum):
    """Why the converter has stopped; the numbers stand in its registers."""

    NONE = 0
    COMM_TIMEOUT = 1
    DC_UNDER_VOLTAGE = 2
    DC_OVER_VOLTAGE = 3
    OVER_TEMPERATURE = 4
    INTERNAL = 5
    GRID_LOST = 6
    OVERLOAD = 7


@dataclass(slots=True)
class Pcs:
    """The converter's state. Commands first, then what it does with them; energies since start."""

    settings: PcsSettings
    p_cmd_kw: float = 0.0
    q_cmd_kvar: float = 0.0
    enable: bool = False
    heartbeat: int = -1
    comms_timeout_s: float = 1.0
    ramp_kw_per_s: float = 500.0
    state: State = State.STANDBY
    fault: Fault = Fault.NONE
    p_ac_kw: float = 0.0
    p_dc_kw: float = 0.0
    q_kvar: float = 0.0
    celsius: float = 25.0
    starting_s: float = 0.0
    silent_s: float = math.inf
    internal_fault: bool = False
    ac_kwh: float = 0.0
    dc_kwh: float = 0.0
    lost_kwh: float = 0.0
    forming: bool = False  # asked to form a grid where there is none
    f_set_hz: float = 0.0  # frequency that it forms without load; 0 is the nominal one
    island_kw: float | None = None  # what the island draws; None while there is a grid
    island_kvar: float = 0.0
    without_grid_s: float = 0.0
    clock_s: float = 0.0
    asked: deque[tuple[float, float, float]] = field(default_factory=deque)  # commands on their way: due, kW, kvar
    deaf: bool = False  # a fault: its control answers the bus and does what it did before
    p_heard_kw: float = 0.0
    q_heard_kvar: float = 0.0

    @property
    def forms(self) -> bool:
        """Whether it feeds an island at this moment."""
        return self.forming and self.island_kw is not None and self.state is State.RUNNING


def build_pcs(settings: PcsSettings, ambient_c: float) -> Pcs:
    return Pcs(
        settings,
        comms_timeout_s=settings.comms_timeout_s,
        ramp_kw_per_s=settings.ramp_kw_per_s,
        celsius=ambient_c,
    )


def beat(pcs: Pcs, heartbeat: int) -> None:
    """Take the master's heartbeat; only one that moved shows that the master is alive."""
    if heartbeat != pcs.heartbeat:
        pcs.silent_s = 0.0
    pcs.heartbeat = heartbeat


def losses_kw(settings: PcsSettings, p_ac_kw: float) -> float:
    """What the running converter loses at this power: a fixed part, a linear and a quadratic one."""
    return settings.loss_fixed_kw + settings.loss_per_kw * abs(p_ac_kw) + settings.loss_per_kw2 * p_ac_kw * p_ac_kw


def convert(pcs: Pcs, v_link: float, dt_s: float, listening_s: float) -> float:
    """One step of the converter: states, faults, answer; returns the power it takes from the DC link, in kW.

    A command counts after the dead time, is followed by a first order and never faster than the ramp. A fault blocks the switches
    at once: power is zero in the same step. An island takes what it takes, at once, up to the rating.
    """
    pcs.silent_s += listening_s
    _hear(pcs, dt_s)
    _watch(pcs, v_link, dt_s)
    _change_state(pcs, v_link, dt_s)
    running = pcs.state is State.RUNNING
    if pcs.state is State.FAULT:
        pcs.p_ac_kw = pcs.q_kvar = 0.0
    elif pcs.island_kw is not None:
        forms = running and pcs.forming
        most = OVERLOAD * _most(pcs, v_link)
        pcs.p_ac_kw = min(max(pcs.island_kw, -most), most) if forms else 0.0
        pcs.q_kvar = pcs.island_kvar if forms else 0.0
    else:
        step = pcs.ramp_kw_per_s * dt_s
        most = _most(pcs, v_link)
        pcs.p_ac_kw = _answer(pcs, pcs.p_ac_kw, min(max(pcs.p_heard_kw, -most), most) if running else 0.0, step, dt_s)
        room = _reactive_room(pcs)
        pcs.q_kvar = _answer(pcs, pcs.q_kvar, min(max(pcs.q_heard_kvar, -room), room) if running else 0.0, step, dt_s)
    switching = running or pcs.p_ac_kw != 0.0
    lost = losses_kw(pcs.settings, pcs.p_ac_kw) if switching else 0.0
    pcs.p_dc_kw = pcs.p_ac_kw + lost
    hours = dt_s / 3600
    pcs.ac_kwh += pcs.p_ac_kw * hours
    pcs.dc_kwh += pcs.p_dc_kw * hours
    pcs.lost_kwh += lost * hours
    return pcs.p_dc_kw


def warm(pcs: Pcs, ambient_c: float, dt_s: float) -> None:
    """Let the losses heat the converter; its temperature follows the exact exponential."""
    settings = pcs.settings
    settled = ambient_c + (pcs.p_dc_kw - pcs.p_ac_kw) * 1000 / settings.cooling_w_per_k
    pcs.celsius = settled + (pcs.celsius - settled) * math.exp(-dt_s * settings.cooling_w_per_k / settings.heat_capacity_j_per_k)


def _hear(pcs: Pcs, dt_s: float) -> None:
    """Commands travel through the converter's own control for the dead time before they count."""
    if pcs.deaf:
        return
    if not pcs.settings.dead_time_s:
        pcs.p_heard_kw, pcs.q_heard_kvar = pcs.p_cmd_kw, pcs.q_cmd_kvar
        return
    pcs.clock_s += dt_s
    last = pcs.asked[-1] if pcs.asked else (0.0, pcs.p_heard_kw, pcs.q_heard_kvar)
    if last[1:] != (pcs.p_cmd_kw, pcs.q_cmd_kvar):
        pcs.asked.append((pcs.clock_s + pcs.settings.dead_time_s, pcs.p_cmd_kw, pcs.q_cmd_kvar))
    while pcs.asked and pcs.asked[0][0] <= pcs.clock_s + 1e-9:
        _, pcs.p_heard_kw, pcs.q_heard_kvar = pcs.asked.popleft()


def _watch(pcs: Pcs, v_link: float, dt_s: float) -> None:
    settings = pcs.settings
    pcs.without_grid_s = pcs.without_grid_s + dt_s if pcs.island_kw is not None and not pcs.forming else 0.0
    found = Fault.NONE
    if pcs.internal_fault:
        found = Fault.INTERNAL
    elif pcs.enable and 0 < pcs.comms_timeout_s < pcs.silent_s:
        found = Fault.COMM_TIMEOUT
    elif pcs.state is State.RUNNING and v_link < settings.v_min:
        found = Fault.DC_UNDER_VOLTAGE
    elif v_link > settings.v_max:
        found = Fault.DC_OVER_VOLTAGE
    elif pcs.celsius > settings.over_temperature_c:
        found = Fault.OVER_TEMPERATURE
    elif pcs.without_grid_s > settings.grid_lost_s and pcs.enable:
        found = Fault.GRID_LOST
    elif pcs.forms and abs(pcs.island_kw or 0.0) > OVERLOAD * _most(pcs, v_link):
        found = Fault.OVERLOAD  # its voltage would collapse
    if pcs.fault is Fault.NONE and found is not Fault.NONE:
        pcs.fault = found
    elif pcs.fault is not Fault.NONE and found is Fault.NONE and not pcs.enable:
        pcs.fault = Fault.NONE  # cause gone and enable withdrawn: ready for another try


def _change_state(pcs: Pcs, v_link: float, dt_s: float) -> None:
    if pcs.fault is not Fault.NONE:
        pcs.state, pcs.starting_s = State.FAULT, 0.0
    elif v_link < pcs.settings.v_min:
        pcs.state, pcs.starting_s = State.STANDBY, 0.0
    elif not pcs.enable:
        pcs.state, pcs.starting_s = State.READY, 0.0
    elif pcs.state is not State.RUNNING:
        pcs.state = State.READY
        pcs.starting_s += dt_s
        if pcs.starting_s >= pcs.settings.start_s - 1e-9:
            pcs.state = State.RUNNING


def _most(pcs: Pcs, v_link: float) -> float:
    """The power inside the converter's rating, its DC current limit at this voltage, and what its temperature leaves, in kW.

    From `derate_from_c` on the rating falls in a straight line to zero at the temperature of the fault.
    """
    settings = pcs.settings
    amperes = settings.i_max_a
    if settings.v_derate > settings.v_min:
        amperes *= min(max((v_link - settings.v_min) / (settings.v_derate - settings.v_min), 0.0), 1.0)
    most = min(settings.p_rated_kw, amperes * v_link / 1000)
    if pcs.celsius > settings.derate_from_c:
        span = settings.over_temperature_c - settings.derate_from_c
        most = min(most, settings.p_rated_kw * max((settings.over_temperature_c - pcs.celsius) / span, 0.0))
    return most


def _reactive_room(pcs: Pcs) -> float:
    """What the apparent power leaves beside the active power, which goes first, in kvar."""
    rated = pcs.settings.s_rated_kva or 1.1 * pcs.settings.p_rated_kw
    return math.sqrt(max(rated * rated - pcs.p_ac_kw * pcs.p_ac_kw, 0.0))


def _answer(pcs: Pcs, value: float, target: float, step: float, dt_s: float) -> float:
    """Toward the target by the first order, never faster than the ramp; the last ten watts at once."""
    if pcs.settings.response_s and abs(target - value) > 0.01:
        target = value + (target - value) * -math.expm1(-dt_s / pcs.settings.response_s)
    return min(max(target, value - step), value + step)
