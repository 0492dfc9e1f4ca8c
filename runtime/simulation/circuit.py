"""The DC circuit: contactors, fuses, precharge resistors, and the capacitor of the converter's DC link.

Racks on one converter stand in parallel on its DC bus. It must not know why a contactor is asked to close. Discharge current (out
of the rack) is positive.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
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
    fuse_blown: bool = False
    fuse_heat_a2s: float = 0.0
    happened: deque[tuple[str, float]] = field(default_factory=lambda: deque(maxlen=1000))

    @property
    def stands_on_bus(self) -> bool:
        """Whether the main contactor and the fuse connect the rack to its bus."""
        return self.main.closed and not self.fuse_blown


def build_circuit(rack: RackSettings) -> Circuit:
    return Circuit(
        main=Contactor(rack.main_pull_in_s, rack.main_drop_out_s),
        precharge=Contactor(rack.precharge_pull_in_s, rack.precharge_drop_out_s),
    )


def switch(circuit: Circuit, rack: RackSettings, v_open: float, r_rack: float, dt_s: float) -> None:
    """Move the contactors; closing onto an empty link welds the main one, opening under load wears it."""
    main_was, precharge_was = circuit.main.closed, circuit.precharge.closed
    if circuit.main.coil == main_was and circuit.precharge.coil == precharge_was:
        circuit.main.moving_s = circuit.precharge.moving_s = 0.0
        return
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
    """Let current flow for one step through one rack that has the converter for itself; see `flow_bus`."""
    flow_bus((circuit,), ((v_open, r_rack),), rack, pcs, p_dc_kw, dt_s)


# A rack behind more than this (an open cell) cannot hold the link up: then the capacitor decides.
STIFF_SIEMENS = 0.5


def flow_bus(
    circuits: Sequence[Circuit],
    racks: Sequence[tuple[float, float]],
    rack: RackSettings,
    pcs: PcsSettings,
    p_dc_kw: float,
    dt_s: float,
) -> None:
    """Let current flow for one step between racks in parallel (each its voltage and resistance) and their converter.

    Millman's theorem: connected racks are one source of V = sum(V G) / sum(G) behind R = 1 / sum(G), and each carries
    (V_rack - V_link) G, so a fuller rack also feeds an emptier one. With a main contactor closed the link follows at once, and the
    power P fixes the current by P = I (V - I R). Otherwise the capacitor moves exponentially through the precharge resistors and
    its own bleeder.
    """
    total = weighted = 0.0
    conductances = []
    stiff = False
    for circuit, (v_open, r_rack) in zip(circuits, racks, strict=True):
        siemens = _conductance(circuit, rack, r_rack)
        stiff |= circuit.main.closed and siemens > STIFF_SIEMENS
        conductances.append(siemens)
        total += siemens
        weighted += siemens * v_open
    v_link = circuits[0].v_link
    if stiff:
        after, mean, charging = _follow(pcs, weighted / total, 1.0 / total, v_link, p_dc_kw, dt_s)
    else:
        after, mean, charging = _swing(pcs, weighted, total, v_link, p_dc_kw, dt_s)
    for circuit, (v_open, _), siemens in zip(circuits, racks, conductances, strict=True):
        circuit.v_link = after
        circuit.current_a = (v_open - after) * siemens
        circuit.mean_a = (v_open - mean) * siemens + (charging * siemens / total if charging else 0.0)
        _heat_fuse(circuit, rack, dt_s)


def _conductance(circuit: Circuit, rack: RackSettings, r_rack: float) -> float:
    if circuit.fuse_blown:
        return 0.0
    if circuit.main.closed:
        return 1.0 / r_rack
    return 1.0 / (rack.precharge_ohm + r_rack) if circuit.precharge.closed else 0.0


def _follow(pcs: PcsSettings, v_open: float, ohms: float, v_link: float, p_dc_kw: float, dt_s: float) -> tuple[float, float, float]:
    """The link's voltage at the end and in the mean, and the current that charges it, where the racks hold it."""
    watts = p_dc_kw * 1000.0 + v_link**2 / pcs.link_bleed_ohm
    inside = v_open * v_open - 4.0 * ohms * watts
    current = (v_open - math.sqrt(max(inside, 0.0))) / (2.0 * ohms)
    after = v_open - current * ohms
    return after, after, pcs.link_farad * (after - v_link) / dt_s


def _swing(
    pcs: PcsSettings, amperes: float, siemens: float, v_link: float, p_dc_kw: float, dt_s: float
) -> tuple[float, float, float]:
    """The same where only the capacitor holds it. `amperes` is what all racks would feed into a short."""
    drawn = p_dc_kw * 1000.0 / max(v_link, 0.1 * pcs.v_min)
    conductance = siemens + 1.0 / pcs.link_bleed_ohm
    settled = (amperes - drawn) / conductance
    x = conductance * dt_s / pcs.link_farad
    mean = settled + (v_link - settled) * -math.expm1(-x) / x
    after = settled + (v_link - settled) * math.exp(-x)
    # The converter's own chopper and diodes hold the link inside what its parts survive.
    after = min(max(after, 0.0), pcs.v_max + 20.0)
    return after, mean, 0.0


def _heat_fuse(circuit: Circuit, rack: RackSettings, dt_s: float) -> None:
    """The fuse's wire: adiabatic at high current (its melting I²t), endless at up to 1.6 times its rating (IEC 60269-1)."""
    squared = circuit.mean_a * circuit.mean_a
    if squared < 1.0 and not circuit.fuse_heat_a2s:
        return
    tau = rack.fuse_melting_a2s / (1.6 * rack.fuse_a) ** 2
    settled = squared * tau
    circuit.fuse_heat_a2s = settled + (circuit.fuse_heat_a2s - settled) * math.exp(-dt_s / tau)
    if circuit.fuse_heat_a2s >= rack.fuse_melting_a2s and not circuit.fuse_blown:
        circuit.fuse_blown = True
        circuit.happened.append(("fuse_blown", round(circuit.mean_a, 3)))
        circuit.current_a = 0.0
