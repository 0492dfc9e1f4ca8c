"""The register maps of the plant's Modbus devices: converter, grid meter and panel.

It must not know sockets. The meter follows Eastron's SDM630 (input registers, big-endian float32); the others are of the kind
that converters and remote I/O modules have.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from runtime.simulation.grid import close_breaker, open_breaker
from runtime.simulation.panel import INPUTS, OUTPUTS, read_input, write_output
from runtime.simulation.pcs import Pcs, beat
from runtime.simulation.plant import Plant
from runtime.simulation.registers import COIL, DISCRETE, HOLDING, INPUT, Cell, Registers
from runtime.simulation.written import Written, note_write


def map_pcs(plant: Plant, written: Written, at: int = 0) -> Registers:
    """One converter, counted from 0: commands in holding registers and coils, measurements in input registers.

    Coil 2 works the breaker at the point of connection; `f_grid`, `angle` and `v_grid` are measured across it.
    """
    pcs, circuit, grid = plant.converters[at], plant.racks_of(at)[0].circuit, plant.grid
    most, step = 1.1 * pcs.settings.p_rated_kw, pcs.settings.power_step_kw
    least_v = 0.1 * pcs.settings.v_min  # below it the link is empty and nothing flows

    def amps_ac() -> float:
        return abs(pcs.p_ac_kw) * 1000 / (3 * max(grid.voltage_v, 1.0))

    return Registers(
        (
            Cell("p_cmd", HOLDING, 100, lambda: pcs.p_cmd_kw, _set(pcs, "p_cmd_kw"), "int16", scale=step, low=-most, high=most),
            Cell("q_cmd", HOLDING, 101, lambda: pcs.q_cmd_kvar, _set(pcs, "q_cmd_kvar"), "int16", scale=step, low=-most, high=most),
            Cell("heartbeat", HOLDING, 102, lambda: max(pcs.heartbeat, 0), lambda value: beat(pcs, int(value))),
            Cell("f_set", HOLDING, 103, lambda: pcs.f_set_hz, _set(pcs, "f_set_hz"), scale=0.01, high=70.0),
            Cell("comms_timeout", HOLDING, 110, lambda: pcs.comms_timeout_s, _set(pcs, "comms_timeout_s"), scale=0.001, high=60.0),
            Cell("ramp", HOLDING, 111, lambda: pcs.ramp_kw_per_s, _set(pcs, "ramp_kw_per_s"), low=1.0, high=5000.0),
            Cell("enable", COIL, 0, lambda: pcs.enable, lambda value: setattr(pcs, "enable", bool(value))),
            Cell("forming", COIL, 1, lambda: pcs.forming, lambda value: setattr(pcs, "forming", bool(value))),
            Cell("breaker", COIL, 2, lambda: grid.breaker_closed, lambda value: _work_breaker(plant, bool(value))),
            Cell("ok", DISCRETE, 0, lambda: pcs.fault == 0),
            Cell("running", DISCRETE, 1, lambda: pcs.state.name == "RUNNING"),
            Cell("grid_alive", DISCRETE, 2, lambda: not grid.lost),
            Cell("breaker_fb", DISCRETE, 3, lambda: grid.breaker_closed),
            Cell("state", INPUT, 0, lambda: pcs.state),
            Cell("fault", INPUT, 1, lambda: pcs.fault),
            Cell("v_dc", INPUT, 2, lambda: circuit.v_link, scale=0.1),
            Cell("i_dc", INPUT, 3, lambda: pcs.p_dc_kw * 1000 / max(circuit.v_link, least_v), form="int16", scale=0.1),
            Cell("temperature", INPUT, 4, lambda: pcs.celsius, form="int16", scale=0.1),
            Cell("q", INPUT, 5, lambda: pcs.q_kvar, form="int16", scale=step),
            Cell("p", INPUT, 6, lambda: pcs.p_ac_kw, form="int32", words="little", scale=0.001),
            Cell("v_ac", INPUT, 8, lambda: grid.voltage_v, scale=0.1),
            Cell("i_ac", INPUT, 9, amps_ac, scale=0.1),
            Cell("f_ac", INPUT, 10, lambda: grid.frequency_hz, scale=0.01),
            Cell("e_discharged", INPUT, 12, lambda: max(pcs.ac_kwh, 0.0), form="uint32", scale=0.01),
            Cell("f_grid", INPUT, 14, lambda: grid.upstream_hz, scale=0.01),
            Cell("angle", INPUT, 15, lambda: grid.angle_deg, form="int16", scale=0.1),
            Cell("v_grid", INPUT, 16, lambda: grid.upstream_v, scale=0.1),
        ),
        _noting(written, f"pcs{at + 1}" if at else "pcs", without=("heartbeat",)),
    )


def map_meter(plant: Plant, written: Written) -> Registers:
    """The grid meter at the point of connection, addresses and units of the SDM630; import is positive, currents have no sign."""
    grid = plant.grid

    def volts(above: int) -> Callable[[], float]:
        return lambda: grid.voltage_v * (1.0 + above * grid.settings.unbalance)

    def amps(above: int) -> Callable[[], float]:
        volts_of = volts(above)
        return lambda: (grid.p_kw**2 + grid.q_kvar**2) ** 0.5 * 1000 / (3 * max(volts_of(), 1.0))

    def real(name: str, address: int, read: Callable[[], float]) -> Cell:
        return Cell(name, INPUT, address, read, form="float32")

    return Registers(
        (
            *(real(f"v_l{phase + 1}", 2 * phase, volts(1 - phase)) for phase in range(3)),
            *(real(f"i_l{phase + 1}", 6 + 2 * phase, amps(1 - phase)) for phase in range(3)),
            *(real(f"p_l{phase + 1}", 12 + 2 * phase, lambda: grid.p_kw * 1000 / 3) for phase in range(3)),
            *(real(f"q_l{phase + 1}", 24 + 2 * phase, lambda: grid.q_kvar * 1000 / 3) for phase in range(3)),
            real("v_mean", 42, lambda: grid.voltage_v),
            real("p", 52, lambda: grid.p_kw * 1000),
            real("s", 56, lambda: (grid.p_kw**2 + grid.q_kvar**2) ** 0.5 * 1000),
            real("q", 60, lambda: grid.q_kvar * 1000),
            real("frequency", 70, lambda: grid.frequency_hz),
            real("import", 72, lambda: grid.import_kwh),
            real("export", 74, lambda: grid.export_kwh),
        ),
        _noting(written, "meter"),
    )


def map_panel(plant: Plant, written: Written) -> Registers:
    """The panel's remote I/O: inputs as discrete inputs, lamps, horn and relays as coils, its watchdog in a holding register."""
    panel = plant.panel

    def output(address: int, name: str) -> Cell:
        return Cell(name, COIL, address, lambda: panel.outputs[name], lambda value: write_output(panel, name, bool(value)))

    return Registers(
        (
            *(Cell(name, DISCRETE, at, partial(read_input, panel, name)) for at, name in enumerate(INPUTS)),
            *(output(at, name) for at, name in enumerate(OUTPUTS)),
            Cell("comms_timeout", HOLDING, 0, lambda: panel.settings.comms_timeout_s, scale=0.001),
        ),
        _noting(written, "panel"),
    )


def _work_breaker(plant: Plant, close: bool) -> None:
    if close != plant.grid.breaker_closed:
        (close_breaker if close else open_breaker)(plant.grid)


def _set(pcs: Pcs, name: str) -> Callable[[float], None]:
    return lambda value: setattr(pcs, name, value)


def _noting(written: Written, device: str, without: tuple[str, ...] = ()) -> Callable[[str, float | bool], None]:
    def note(name: str, value: float | bool) -> None:
        if name not in without:
            note_write(written, device, name, round(value, 6) if isinstance(value, float) else value)

    return note
