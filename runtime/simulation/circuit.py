"""The DC circuit: contactors, the precharge resistor, and the capacitor of the converter's DC link.

It must not know why a contactor is asked to close. Discharge current (out of the rack) is positive.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from runtime.simulation.settings import PcsSettings, RackSettings


@dataclass(slots=True)
class Contactor:
    """One contactor: it follows its coil after its pull-in or drop-out time, unless it is welded or stuck."""

    pull_in_s: float
    drop_out_s: float
    coil: bool = False
    closed: bool = False
    moving_s: float = 0.0
    welded: bool = False
    wont_close: bool = False


def move(contactor: Contactor, dt_s: float) -> None:
    """Let the contacts follow the coil."""
    if contactor.coil == contactor.closed:
        contactor.moving_s = 0.0
        return
    contactor.moving_s += dt_s
    needed = contactor.pull_in_s if contactor.coil else contactor.drop_out_s
    blocked = contactor.wont_close if contactor.coil else contactor.welded
    # A nanosecond of grace: ten steps of 0.01 s add up to a little less than 0.1 s.
    if contactor.moving_s >= needed - 1e-9 and not blocked:
        contactor.closed = contactor.coil
        contactor.moving_s = 0.0


@dataclass(slots=True)
class Circuit:
    """The state of the DC side. `current_a` is the rack's current now, `mean_a` its mean over the last step."""

    main: Contactor
    precharge: Contactor
    v_link: float = 0.0
    current_a: float = 0.0
    mean_a: float = 0.0
    inrush_a: float = 0.0  # largest current that a closing main contactor has seen
    opened_under_load: int = 0
    happened: list[tuple[str, float]] = field(default_factory=list)


def build_circuit(rack: RackSettings) -> Circuit:
    return Circuit(
        main=Contactor(rack.main_pull_in_s, rack.main_drop_out_s),
        precharge=Contactor(rack.precharge_pull_in_s, rack.precharge_drop_out_s),
    )


def switch(circuit: Circuit, rack: RackSettings, v_open: float, r_rack: float, dt_s: float) -> None:
    """Move the contactors; closing onto an empty link welds the main one, opening under load wears it."""
    main_was, precharge_was = circuit.main.closed, circuit.precharge.closed
    move(circuit.main, dt_s)
    move(circuit.precharge, dt_s)
    if circuit.main.closed and not main_was:
        dv = v_open - circuit.v_link
        circuit.inrush_a = max(circuit.inrush_a, abs(dv) / r_rack)
        circuit.happened.append(("main_closed", round(dv, 3)))
        if abs(dv) > rack.weld_above_v:
            circuit.main.welded = True
            circuit.happened.append(("main_welded", round(dv, 3)))
    elif main_was and not circuit.main.closed:
        circuit.happened.append(("main_opened", round(circuit.current_a, 3)))
        if abs(circuit.current_a) > rack.under_load_a:
            circuit.opened_under_load += 1
            circuit.happened.append(("main_opened_under_load", round(circuit.current_a, 3)))
    if circuit.precharge.closed != precharge_was:
        circuit.happened.append(("precharge_closed" if circuit.precharge.closed else "precharge_opened", round(circuit.v_link, 3)))


def flow(circuit: Circuit, rack: RackSettings, pcs: PcsSettings, v_open: float, r_rack: float, p_dc_kw: float, dt_s: float) -> None:
    """Let current flow for one step: sets the link's voltage, the rack's current at the step's end and its mean.

    Law: with the main contactor closed the link follows the rack at once, and the power P fixes the current by
    P = I (V - I R). Otherwise the capacitor moves exponentially through the precharge resistor and its own bleeder.
    """
    if circuit.main.closed:
        _flow_closed(circuit, pcs, v_open, r_rack, p_dc_kw, dt_s)
    else:
        resistance = rack.precharge_ohm + r_rack if circuit.precharge.closed else math.inf
        _flow_open(circuit, pcs, v_open, resistance, p_dc_kw, dt_s)


def _flow_closed(circuit: Circuit, pcs: PcsSettings, v_open: float, r_rack: float, p_dc_kw: float, dt_s: float) -> None:
    watts = p_dc_kw * 1000.0 + circuit.v_link**2 / pcs.link_bleed_ohm
    inside = v_open * v_open - 4.0 * r_rack * watts
    current = (v_open - math.sqrt(max(inside, 0.0))) / (2.0 * r_rack)
    before = circuit.v_link
    circuit.v_link = v_open - current * r_rack
    circuit.mean_a = current + pcs.link_farad * (circuit.v_link - before) / dt_s
    circuit.current_a = current


def _flow_open(circuit: Circuit, pcs: PcsSettings, v_open: float, resistance: float, p_dc_kw: float, dt_s: float) -> None:
    drawn = p_dc_kw * 1000.0 / max(circuit.v_link, 50.0)
    conductance = 1.0 / resistance + 1.0 / pcs.link_bleed_ohm
    settled = (v_open / resistance - drawn) / conductance
    x = conductance * dt_s / pcs.link_farad
    mean = settled + (circuit.v_link - settled) * -math.expm1(-x) / x
    after = settled + (circuit.v_link - settled) * math.exp(-x)
    # The converter's own chopper and diodes hold the link inside what its parts survive.
    circuit.v_link = min(max(after, 0.0), pcs.v_max + 20.0)
    circuit.current_a = (v_open - circuit.v_link) / resistance
    circuit.mean_a = (v_open - mean) / resistance
