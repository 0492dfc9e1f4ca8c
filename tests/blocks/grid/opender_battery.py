"""EPRI's OpenDER as a 100 kW battery, and our kernels beside it: both are driven with the same series."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import opender

from blocks.declare import BlockType
from tests.aids.scan_table import SIGNATURE, Twin

RATED = {
    "NP_P_MAX": 100e3,
    "NP_VA_MAX": 100e3,
    "NP_P_MAX_CHARGE": 100e3,
    "NP_APPARENT_POWER_CHARGE_MAX": 100e3,
    "NP_BESS_CAPACITY": 1e9,
    "NP_EFFICIENCY": 1.0,
    "NP_AC_V_NOM": 480.0,
    "NP_V_MEAS_UNBALANCE": "AVG",
    "NP_INV_DELAY": 0.0,  # their converter lags the functions that are compared here
}
NS = 1_000_000_000


def battery(**settings: Any) -> opender.DER_BESS:
    """A 100 kW, 100 kVA battery of category B and III that loses nothing."""
    return opender.DER_BESS(**(RATED | {"NP_NORMAL_OP_CAT": "CAT_B", "NP_ABNORMAL_OP_CAT": "CAT_III"} | settings))


def their_run(der: opender.DER_BESS, dt: float, series: list[dict[str, Any]]) -> list[tuple[float, float, str]]:
    """P in kW, Q in kvar and the status, for each of the inputs (`p_dem_kw`, `v_pu`, `f`)."""
    opender.DER.t_s = dt
    seen = []
    for given in series:
        der.update_der_input(**given)
        der.run()
        seen.append((float(der.p_out_kw), float(der.q_out_kvar), str(der.der_status)))
    return seen


def our_run(
    block: BlockType,
    params: Mapping[str, Any],
    dt: float,
    series: Mapping[str, Any],
    wanted: str | tuple[str, ...],
    length: int = 0,
) -> Any:
    """The pins `wanted` after each scan of the compiled block; `series` holds one value a scan for each pin that changes."""
    twin = Twin(block, None, length)
    for name, value in params.items():
        twin.set(name, value)
    names = (wanted,) if isinstance(wanted, str) else wanted
    call = SIGNATURE(twin.kernel.address)
    scans = len(next(iter(series.values())))
    seen: dict[str, list[Any]] = {name: [] for name in names}
    for i in range(scans):
        for name, values in series.items():
            column = twin.columns[name]
            column[:] = np.tile(values[i], len(column) // np.size(values[i]))
        call(twin._addresses.ctypes.data, 1, length, round(dt * NS))
        for name in names:
            seen[name].append(twin.columns[name][0])
    return np.array(seen[wanted]) if isinstance(wanted, str) else {name: np.array(values) for name, values in seen.items()}


def steps(*levels: tuple[int, float]) -> np.ndarray:
    """A series of levels, each for so many scans."""
    return np.concatenate([np.full(count, float(level)) for count, level in levels])
