"""The register maps of the plant's Modbus devices: converter, grid meter and panel.

It must not know sockets. The meter follows Eastron's SDM630 (input registers, big-endian float32); the others are of the kind
that converters and remote I/O modules have.
"""

from __future__ import annotations

from collections.abc import Callable

from runtime.simulation.panel import OUTPUTS, Panel, write_output
from runtime.simulation.pcs import Pcs, beat
from runtime.simulation.plant import Plant
from runtime.simulation.registers import COIL, DISCRETE, HOLDING, INPUT, Cell, Registers
from runtime.simulation.written import Written, note_write


def map_pcs(plant: Plant, written: Written) -> Registers:
    """The converter: commands in holding registers and a coil, measurements in input registers."""
    pcs, circuit, grid = plant.pcs, plant.rack.circuit, plant.grid
    most = 1.1 * pcs.settings.p_rated_kw

    def amps_ac() -> float:
        return abs(pcs.p_ac_kw) * 1000 / (3 * max(grid.voltage_v, 1.0))

    return Registers(
        (
            Cell("p_cmd", HOLDING, 100, lambda: pcs.p_cmd_kw, _set(pcs, "p_cmd_kw"), "int16", scale=0.1, low=-most, high=most),
            Cell("q_cmd", HOLDING, 101, lambda: pcs.q_cmd_kvar, _set(pcs, "q_cmd_kvar"), "int16", scale=0.1, low=-most, high=most),
            Cell("heartbeat", HOLDING, 102, lambda: max(pcs.heartbeat, 0), lambda value: beat(pcs, int(value))),
            Cell("comms_timeout", HOLDING, 110, lambda: pcs.comms_timeout_s, _set(pcs, "comms_timeout_s"), scale=0.001, high=60.0),
            Cell("ramp", HOLDING, 111, lambda: pcs.ramp_kw_per_s, _set(pcs, "ramp_kw_per_s"), low=1.0, high=5000.0),
            Cell("enable", COIL, 0, lambda: pcs.enable, lambda value: setattr(pcs, "enable", bool(value))),
            Cell("ok", DISCRETE, 0, lambda: pcs.fault == 0),
            Cell("running", DISCRETE, 1, lambda: pcs.state.name == "RUNNING"),
            Cell("state", INPUT, 0, lambda: pcs.state),
            Cell("fault", INPUT, 1, lambda: pcs.fault),
            Cell("v_dc", INPUT, 2, lambda: circuit.v_link, scale=0.1),
            Cell("i_dc", INPUT, 3, lambda: pcs.p_dc_kw * 1000 / max(circuit.v_link, 50.0), form="int16", scale=0.1),
            Cell("temperature", INPUT, 4, lambda: pcs.celsius, form="int16", scale=0.1),
            Cell("q", INPUT, 5, lambda: pcs.q_kvar, form="int16", scale=0.1),
            Cell("p", INPUT, 6, lambda: pcs.p_ac_kw, form="int32", words="little", scale=0.001),
            Cell("v_ac", INPUT, 8, lambda: grid.voltage_v, scale=0.1),
            Cell("i_ac", INPUT, 9, amps_ac, scale=0.1),
            Cell("f_ac", INPUT, 10, lambda: grid.frequency_hz, scale=0.01),
            Cell("e_discharged", INPUT, 12, lambda: max(pcs.ac_kwh, 0.0), form="uint32", scale=0.01),
        ),
        _noting(written, "pcs", without=("heartbeat",)),
    )


def map_meter(plant: Plant, written: Written) -> Registers:
    """The grid meter at the point of connection, addresses and units of the SDM630; import is positive."""
    grid = plant.grid

    def amps() -> float:
        return grid.p_kw * 1000 / (3 * max(grid.voltage_v, 1.0))

    def real(name: str, address: int, read: Callable[[], float]) -> Cell:
        return Cell(name, INPUT, address, read, form="float32")

    return Registers(
        (
            *(real(f"v_l{phase + 1}", 2 * phase, lambda: grid.voltage_v) for phase in range(3)),
            *(real(f"i_l{phase + 1}", 6 + 2 * phase, amps) for phase in range(3)),
            *(real(f"p_l{phase + 1}", 12 + 2 * phase, lambda: grid.p_kw * 1000 / 3) for phase in range(3)),
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
    """The panel's remote I/O: inputs as discrete inputs, lamps and horn as coils, its watchdog in a holding register."""
    panel = plant.panel

    def output(address: int, name: str) -> Cell:
        return Cell(name, COIL, address, lambda: panel.outputs[name], lambda value: write_output(panel, name, bool(value)))

    return Registers(
        (
            Cell("estop_ok", DISCRETE, 0, lambda: panel.estop_ok),
            *(Cell(name, DISCRETE, at, _is_pressed(panel, name)) for at, name in enumerate(("start", "stop", "reset"), start=1)),
            Cell("remote", DISCRETE, 4, lambda: panel.remote),
            *(output(at, name) for at, name in enumerate(OUTPUTS)),
            Cell("comms_timeout", HOLDING, 0, lambda: panel.settings.comms_timeout_s, scale=0.001),
        ),
        _noting(written, "panel"),
    )


def _is_pressed(panel: Panel, name: str) -> Callable[[], float]:
    return lambda: panel.pressed[name] > 0


def _set(pcs: Pcs, name: str) -> Callable[[float], None]:
    return lambda value: setattr(pcs, name, value)


def _noting(written: Written, device: str, without: tuple[str, ...] = ()) -> Callable[[str, float | bool], None]:
    def note(name: str, value: float | bool) -> None:
        if name not in without:
            note_write(written, device, name, round(value, 6) if isinstance(value, float) else value)

    return note
