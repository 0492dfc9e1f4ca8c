"""Counts the alarms that stand, compiled: how many of each severity, and which of the grave ones came first.

It reads the alarms' tags at the end of a scan and writes the four system tags that programs may read in the next one. It must not
know who is told of an alarm, acknowledged or shelved: none of that changes the process.
"""

from __future__ import annotations

from runtime.engine.atomics import load_i4, load_u1, scan_path, store_i4
from runtime.engine.plan import L_ACTIVE, L_KEY, L_SEVERITY, S_FIRST_OUT, SYSTEM, Plan
from runtime.model import SEVERITIES

WARNING, ERROR, CRITICAL = range(len(SEVERITIES))
P_WARNING, P_ERROR, P_CRITICAL = (SYSTEM[f"plc.alarms_{severity}"] for severity in SEVERITIES)
P_FIRST_OUT = SYSTEM["plc.first_out"]


@scan_path
def count_alarms(plan: Plan) -> None:
    """One pass over the alarms. `plc.first_out` is the first row that stands after a scan in which no error or critical one did."""
    alarms, system = plan.alarms, plan.system
    warning, error, critical, first = 0, 0, 0, 0
    for row in range(alarms.shape[0]):
        if load_u1(alarms[row, L_ACTIVE]) != 0:
            severity = alarms[row, L_SEVERITY]
            if severity == CRITICAL:
                critical += 1
            elif severity == ERROR:
                error += 1
            else:
                warning += 1
            if first == 0 and severity != WARNING:
                first = row + 1
    if first != 0 and load_i4(system[P_ERROR]) + load_i4(system[P_CRITICAL]) == 0:
        store_i4(system[P_FIRST_OUT], first)
        plan.state[S_FIRST_OUT] = alarms[first - 1, L_KEY]
    store_i4(system[P_WARNING], warning)
    store_i4(system[P_ERROR], error)
    store_i4(system[P_CRITICAL], critical)


@scan_path
def keep_first_out(plan: Plan) -> None:
    """Another program numbers its alarms otherwise: what it took over is found again by its key, or is no more."""
    key = plan.state[S_FIRST_OUT]
    if key == _key_of(plan, load_i4(plan.system[P_FIRST_OUT])):
        return
    alarms, found = plan.alarms, 0
    for row in range(alarms.shape[0]):
        if alarms[row, L_KEY] == key:
            found = row + 1
    store_i4(plan.system[P_FIRST_OUT], found)
    plan.state[S_FIRST_OUT] = key if found != 0 else 0


@scan_path
def _key_of(plan: Plan, number: int) -> int:
    if 0 < number <= plan.alarms.shape[0]:
        return plan.alarms[number - 1, L_KEY]
    return 0


@scan_path
def learn_first_out(plan: Plan) -> None:
    """Memory was filled from a picture: what its number means is this program's own."""
    plan.state[S_FIRST_OUT] = _key_of(plan, load_i4(plan.system[P_FIRST_OUT]))
