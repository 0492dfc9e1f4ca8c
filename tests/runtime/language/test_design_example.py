"""The program, io_map and site of DESIGN.md, section 5, as they stand there: they load, and they do what they say."""

from __future__ import annotations

import pytest

from runtime.model import Site
from tests.aids.site_text import PlainScan, load_all

DISPATCH = """
program: dispatch
description: Follow the site setpoint inside every battery limit. Discharge is positive.

blocks:                                # run in data-flow order; a loop needs an explicit `last`
  ready:
    type: INTERLOCK
    PERMIT: [bms.ok, pcs.ok, panel.estop_ok, bms.soc.good]     # estop_ok is normally closed: a cut wire is a stop
    RESET: hmi.reset

  charge_cap:
    type: CHARGE_LIMITER
    SOC: bms.soc
    V_CELL: bms.v_cell_max
    V_FULL: 3.55 V
    P_RATED: 500 kW

  discharge_cap: {type: DISCHARGE_LIMITER, SOC: bms.soc, V_CELL: bms.v_cell_min, P_RATED: 500 kW}
  soc_low: {type: HYSTERESIS, IN: bms.soc, LOW: 5 %, HIGH: 8 %}
  droop: {type: FREQ_DROOP, F: grid.frequency, P_SET: modes.P, P_RATED: 500 kW, DEADBAND: 20 mHz}
  clamp: {type: LIMIT, MN: charge_cap.P_MIN, IN: droop.P, MX: discharge_cap.P_MAX}
  drive: {type: GATE, IN: clamp.OUT, EN: ready.OK and contactors.closed.X}        # the last word on power
  dv: {type: SUB, A: bms.v_pack, B: pcs.v_dc}

  cells:                               # 256 instances, one line
    type: CELL_EKF
    count: 256
    V: bms.cell_v[*]
    I: bms.current

modes:                                 # the first row whose `when` holds is the mode; the last has none
  FAULT:   {when: not ready.OK, P: 0 kW}
  FOLLOW:  {when: hmi.enable and not soc_low.Q, P: hmi.p_set}
  STANDBY: {P: 0 kW}

sequences:                             # IEC SFC in words: `do` is true while its step is active (.X, time in it .T);
  contactors:                          # the first true goto wins, one move a scan
    open:      {goto: {precharge: ready.OK and rise(hmi.close)}}
    precharge:
      {do: [bms.precharge], goto: {fault: not ready.OK or after 2 s, closing: abs(dv.OUT) < 1 V and abs(bms.current) < 0.05 A}}
    closing:   {do: [bms.precharge, bms.main], goto: {fault: not ready.OK or after 1 s, closed: bms.main_fb}}
    closed:    {do: [bms.main], goto: {unload: not ready.OK or hmi.open or not bms.main_fb}}
    unload:    {do: [bms.main], goto: {open: abs(bms.current) < 2 A or after 5 s}}     # never open under load
    fault:     {goto: {open: rise(hmi.reset)}}

outputs:
  pcs.p_cmd: drive.OUT

alarms:
  cell_hot: {of: bms.t_cell_max, H: 45 °C, HH: 55 °C, deadband: 1 °C, delay: 2 s, severity: critical, text: Cell too hot}
"""
RACK = """
device: rack1
driver: fake
host: can0
stale: 300 ms
timeout: 500 ms                        # the device's own: without our frames it opens by itself
inputs:
  bms.soc:        {at: 1, known: LREAL, measured: "%", initial: 50 %, bad: hold, text: State of charge}
  bms.ok:         {at: 2, known: BOOL, bad: false}
  bms.v_cell_max: {at: 3, known: LREAL, measured: V, initial: 3.3 V, bad: hold}
  bms.v_cell_min: {at: 4, known: LREAL, measured: V, initial: 3.3 V, bad: hold}
  bms.v_pack:     {at: 5, known: LREAL, measured: V, bad: hold}
  bms.current:    {at: 6, known: LREAL, measured: A, bad: hold}
  bms.t_cell_max: {at: 7, known: LREAL, measured: °C, initial: 25 °C, bad: hold}
  bms.cell_v:     {at: 8, count: 256, known: LREAL, measured: V, initial: 3.3 V, bad: hold}
  bms.main_fb:    {at: 9, known: BOOL, bad: hold}
  pcs.ok:         {at: 10, known: BOOL, bad: false}
  pcs.v_dc:       {at: 11, known: LREAL, measured: V, bad: hold}
  panel.estop_ok: {at: 12, known: BOOL, bad: false}
  grid.frequency: {at: 13, known: LREAL, measured: Hz, initial: 50 Hz, bad: hold}
outputs:
  bms.main:      {at: 20, known: BOOL, safe: {value: false, after: 1 s}, text: Close main contactors}
  bms.precharge: {at: 21, known: BOOL, safe: {value: false, after: 1 s}}
  pcs.p_cmd:     {at: 22, known: LREAL, measured: W, safe: 0 W}
"""
SITE = """
tasks:                                 # one clock; due tasks run in this order
  control:    {interval: 50 ms, programs: [dispatch]}
io: [rack1]
tags:
  hmi.p_set: {type: LREAL, unit: kW, range: -500..500, default: 0, retain: true, write: operator, text: Power setpoint}
  hmi.close: {type: BOOL, pulse: true, write: operator, text: Close contactors}
  hmi.open: {type: BOOL, pulse: true, write: operator}
  hmi.reset: {type: BOOL, pulse: true, write: operator}
  hmi.enable: {type: BOOL, write: operator}
watchdog: {overruns: 3, then: safe}
servers: {opcua: {port: 4840}, modbus: {port: 5020, map: io_maps/scada.yaml}}
"""


@pytest.fixture(scope="module")
def site() -> Site:
    return load_all({"config/site.yaml": SITE, "io_maps/rack1.yaml": RACK, "programs/dispatch.yaml": DISPATCH})


def healthy(site: Site) -> PlainScan:
    run = PlainScan(site.schedule)
    for name in ("bms.ok", "pcs.ok", "panel.estop_ok"):
        run[name] = 1
    for tag in site.schedule.tags:
        run[f"{tag.name}.good"] = 1
    return run


def test_the_contactors_close_in_order_and_power_follows_the_setpoint(site: Site) -> None:
    run = healthy(site)
    run.scan()
    run.press("hmi.reset")
    run.scan()
    assert run["dispatch.ready.OK"] is True
    assert run["dispatch.contactors"] == 0
    run["bms.v_pack"], run["pcs.v_dc"] = 800.0, 700.0
    run.press("hmi.close")
    run.scan()
    assert (run["dispatch.contactors"], run["bms.precharge"], run["bms.main"]) == (1, True, False)
    run["pcs.v_dc"] = 799.5
    run.scan()
    assert (run["dispatch.contactors"], run["bms.precharge"], run["bms.main"]) == (2, True, True)
    run["bms.main_fb"] = 1
    run["hmi.enable"], run["hmi.p_set"] = 1, 120.0
    run.scan()
    assert (run["dispatch.contactors"], run["bms.precharge"], run["bms.main"]) == (3, False, True)
    for _ in range(400):  # the limiters open at their own rate
        run.scan()
        if run["pcs.p_cmd"] == 120_000.0:
            break
    assert run["pcs.p_cmd"] == 120_000.0, "the tag of the device is in W"
    assert run["dispatch.mode"] == 1


def test_a_pressed_estop_takes_the_power_away_in_the_same_scan_and_the_contactors_when_unloaded(site: Site) -> None:
    run = healthy(site)
    run.scan()
    run.press("hmi.reset")
    run.scan()
    run.press("hmi.close")
    for _ in range(3):
        run["bms.main_fb"] = 1
        run.scan()
    assert run["dispatch.contactors"] == 3
    run["bms.current"] = 100.0
    run["panel.estop_ok"] = 0
    run.scan()
    assert (run["pcs.p_cmd"], run["dispatch.mode"], run["dispatch.contactors"], run["bms.main"]) == (0.0, 0, 4, True)
    run["bms.current"] = 1.0
    run.scan()
    assert (run["dispatch.contactors"], run["bms.main"]) == (0, False)


def test_precharge_that_takes_too_long_is_a_fault(site: Site) -> None:
    run = healthy(site)
    run.scan()
    run.press("hmi.reset")
    run.scan()
    run["bms.v_pack"] = 800.0
    run.press("hmi.close")
    scans = 0
    while run["dispatch.contactors"] != 5:
        run.scan()
        scans += 1
        assert scans < 100
    assert scans == 1 + 40, "2 s at 50 ms after the scan that entered the step"


def test_the_cells_are_one_group_on_the_tags_own_column(site: Site) -> None:
    (group,) = [g for g in site.schedule.groups if g.block == "CELL_EKF"]
    assert group.rows == 256
    assert group.columns[0] == site.schedule.tag("bms.cell_v").offset
