"""The programs that are measured, as YAML text: channels of eight blocks, and racks of cells."""

from __future__ import annotations

import tempfile
from pathlib import Path

from blocks import catalogue
from runtime.app import generation_of
from runtime.engine.plc import Plc
from runtime.language import load_text
from runtime.model import Site

CHANNEL = """
  lag{i}: {{type: LAG, IN: plant.pv, T: 0.5 s}}
  pid{i}: {{type: PID, SP: plant.sp, PV: lag{i}.OUT, KP: 2, TI: 1 s, TD: 0.1 s, OUT_MIN: -100, OUT_MAX: 100}}
  ramp{i}: {{type: RAMP, IN: pid{i}.OUT, UP: 50, DOWN: 50}}
  hyst{i}: {{type: HYSTERESIS, IN: ramp{i}.OUT, LOW: 20, HIGH: 60}}
  ton{i}: {{type: TON, IN: hyst{i}.Q, PT: 100 ms}}
  sr{i}: {{type: SR, S1: ton{i}.Q, R: plant.reset}}
  and{i}: {{type: AND, IN1: sr{i}.Q1, IN2: plant.run}}
  or{i}: {{type: OR, IN1: and{i}.OUT, IN2: plant.reset}}"""
BLOCKS_A_CHANNEL = 8

CHANNEL_SITE = """
site: channels
tasks: {fast: {interval: 10 ms, programs: [channels]}}
tags:
  plant.pv: {type: LREAL, default: 0, write: operator, text: Process value}
  plant.sp: {type: LREAL, default: 50, write: operator, text: Setpoint}
  plant.reset: {type: BOOL, default: false, write: operator, text: Reset}
  plant.run: {type: BOOL, default: true, write: operator, text: Run}
"""

CELL_SITE = """
site: cells
tasks: {{cells: {{interval: 100 ms, programs: [cells]}}}}
tags:
  bms.cell_v: {{type: "LREAL[{n}]", unit: V, default: 3.3, write: operator, text: Cell voltages}}
  bms.cell_t: {{type: "LREAL[{n}]", unit: °C, default: 25, write: operator, text: Cell temperatures}}
  bms.current: {{type: LREAL, unit: A, default: 100, write: operator, text: Pack current}}
  bms.soc: {{type: LREAL, unit: "%", default: 50, write: operator, text: State of charge}}
  bms.bleed: {{type: "BOOL[{n}]", default: false, text: Bleeding}}
  site.p_min: {{type: LREAL, unit: kW, default: 0, text: Charging limit}}
  site.p_max: {{type: LREAL, unit: kW, default: 0, text: Discharging limit}}
"""

CELLS = """
program: cells
blocks:
  estimate: {{type: CELL_EKF, count: {n}, V: "bms.cell_v[*]", I: bms.current}}
  voltages: {{type: CELL_STATS, V: "bms.cell_v[*]"}}
  temperatures: {{type: CELL_STATS, V: "bms.cell_t[*]"}}
  balance: {{type: CELL_BALANCING, V: "bms.cell_v[*]", I: bms.current, T: temperatures.MAX}}
  charge: {{type: CHARGE_LIMITER, SOC: bms.soc, V_CELL: voltages.MAX, T_MIN: temperatures.MIN, T_MAX: temperatures.MAX,
           P_RATED: 230 kW}}
  discharge: {{type: DISCHARGE_LIMITER, SOC: bms.soc, V_CELL: voltages.MIN, T_MIN: temperatures.MIN, T_MAX: temperatures.MAX,
           P_RATED: 230 kW}}
outputs:
  bms.bleed: balance.BLEED
  site.p_min: charge.P_MIN
  site.p_max: discharge.P_MAX
"""


def channel_text(channels: int) -> str:
    """The program of that many channels."""
    return "program: channels\nblocks:" + "".join(CHANNEL.format(i=i) for i in range(channels)) + "\n"


def channel_files(channels: int) -> dict[str, str]:
    return {"config/site.yaml": CHANNEL_SITE, "programs/channels.yaml": channel_text(channels)}


def cell_files(cells: int) -> dict[str, str]:
    return {"config/site.yaml": CELL_SITE.format(n=cells), "programs/cells.yaml": CELLS.format(n=cells)}


def load(files: dict[str, str]) -> Site:
    site, _ = load_text(files, {}, catalogue())
    return site


def plc_of(files: dict[str, str]) -> Plc:
    """A laid-out PLC of these files, in a folder of its own."""
    site = load(files)
    folder = Path(tempfile.mkdtemp(prefix="bessplc-bench-", dir="/dev/shm"))
    return Plc(site.schedule, folder, generation_of(site.schedule))
