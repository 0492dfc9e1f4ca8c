"""A correct little site into which the tests of messages put one mistake each."""

from __future__ import annotations

from tests.aids.site_text import texts

RACK = """device: rack
driver: fake
stale: 300 ms
timeout: 500 ms
inputs:
  bms.soc: {at: 1, known: LREAL, measured: "%", initial: 50 %, bad: hold}
  bms.t_cell_max: {at: 2, known: LREAL, measured: °C, initial: 20 °C, bad: hold}
  bms.cell_v: {at: 3, count: 4, known: LREAL, measured: V, bad: hold}
  bms.ok: {at: 4, known: BOOL, bad: false}
outputs:
  bms.main: {at: 5, known: BOOL, safe: {value: false, after: 1 s}}
  pcs.p_cmd: {at: 6, known: LREAL, measured: kW, safe: 0 kW}
"""
TAGS = """hmi.p_set: {type: LREAL, unit: kW, range: -500..500, write: operator}
hmi.n: {type: DINT, write: operator}
hmi.big: {type: LINT, write: operator}
hmi.x: {type: LREAL, write: operator}
hmi.t: {type: TIME, write: operator}
"""
OUTPUTS = "outputs: {bms.main: bms.ok, pcs.p_cmd: hmi.p_set}\n"
DOUBLER = """function_block: DBL
inputs: {IN: {type: LREAL, unit: kW}}
blocks: {a: {type: ADD, A: IN, B: IN}}
outputs: {OUT: a.OUT}
"""


def program(text: str, **more: str) -> dict[str, str]:
    """The site with this program."""
    return texts(text, TAGS, io={"rack": RACK}, **more)


def block(line: str, **more: str) -> dict[str, str]:
    """The site with this one line under `blocks:`, or several."""
    return program(f"blocks:\n  {line}\n{OUTPUTS}", **more)


def rack(old: str, new: str) -> dict[str, str]:
    """The site with one change in its io_map."""
    assert old in RACK
    return texts(OUTPUTS, TAGS, io={"rack": RACK.replace(old, new)})


def site(text: str, **more: str) -> dict[str, str]:
    """A site file and program files, nothing else."""
    return {"config/site.yaml": text, **{f"programs/{name}.yaml": body for name, body in more.items()}}
