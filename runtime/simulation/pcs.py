"""The power conversion system: takes a power command, ramps to it, loses a little, and falls back when nobody talks to it.

It must not know cells or contactors; it sees its own DC link and its own AC side. Discharge (into the grid) is positive.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

from runtime.simulation.settings import PcsSettings


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
    """One step of the converter: states, faults, ramp; returns the power it takes from the DC link, in kW.

    A fault blocks the switches at once: power is zero in the same step. Everything else ramps.
    """
    pcs.silent_s += listening_s
    _watch(pcs, v_link)
    _change_state(pcs, v_link, dt_s)
    running = pcs.state is State.RUNNING
    if pcs.state is State.FAULT:
        pcs.p_ac_kw = pcs.q_kvar = 0.0
    else:
        step = pcs.ramp_kw_per_s * dt_s
        pcs.p_ac_kw = _toward(pcs.p_ac_kw, _allowed(pcs, v_link) if running else 0.0, step)
        pcs.q_kvar = _toward(pcs.q_kvar, pcs.q_cmd_kvar if running else 0.0, step)
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


def _watch(pcs: Pcs, v_link: float) -> None:
    causes = (
        (Fault.INTERNAL, pcs.internal_fault),
        (Fault.COMM_TIMEOUT, pcs.enable and 0 < pcs.comms_timeout_s < pcs.silent_s),
        (Fault.DC_UNDER_VOLTAGE, pcs.state is State.RUNNING and v_link < pcs.settings.v_min),
        (Fault.DC_OVER_VOLTAGE, v_link > pcs.settings.v_max),
        (Fault.OVER_TEMPERATURE, pcs.celsius > pcs.settings.over_temperature_c),
    )
    found = next((fault for fault, holds in causes if holds), Fault.NONE)
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


def _allowed(pcs: Pcs, v_link: float) -> float:
    """The command inside the converter's rating and its DC current limit at this voltage."""
    most = min(pcs.settings.p_rated_kw, pcs.settings.i_max_a * v_link / 1000)
    return min(max(pcs.p_cmd_kw, -most), most)


def _toward(value: float, target: float, step: float) -> float:
    return min(max(target, value - step), value + step)
