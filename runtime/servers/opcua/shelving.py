"""An alarm on the shelf as OPC UA shows it (part 9, 5.8.17): the state machine ShelvingState, in events and as nodes.

The records decide what is shelved and for how long. It knows no session and no file.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from asyncua import ua

from runtime.servers.opcua.types import at, standard, text, variant
from runtime.servers.records.states import ONE_SHOT, TIMED, AlarmState

SHELVING = "ShelvingState"
_IDS, _TYPES = ua.ObjectIds, ua.VariantType
_STATES = {
    "": ("Unshelved", _IDS.ShelvedStateMachineType_Unshelved),
    TIMED: ("TimedShelved", _IDS.ShelvedStateMachineType_TimedShelved),
    ONE_SHOT: ("OneShotShelved", _IDS.ShelvedStateMachineType_OneShotShelved),
}


@dataclass(frozen=True, slots=True)
class Move:
    """An alarm went from one of the records' words for its shelving to another, at a time (ns since 1970 UTC, 0: not known)."""

    before: str
    after: str
    time: int


def moved(before: AlarmState | None, after: AlarmState, time: int) -> Move | None:
    """The move between two states, None where there is none."""
    was = before.shelved if before is not None else ""
    return Move(was, after.shelved, time) if was != after.shelved else None


def shelving_of(state: AlarmState, most: int, last: Move | None) -> dict[str, ua.Variant]:
    """The fields of an alarm that may be shelved for `most` ns; `last` is its last move, None where it is not known."""
    found = {"MaxTimeShelved": variant(most / 1e6, _TYPES.Double)} if most else {}
    name, number = _STATES[state.shelved]
    found |= _finite("CurrentState", name, standard(number))
    if last is None:
        found |= _finite("LastTransition", "", ua.NodeId())
    else:
        name = f"{_STATES[last.before][0]}To{_STATES[last.after][0]}"
        found |= _finite("LastTransition", name, standard(getattr(_IDS, f"ShelvedStateMachineType_{name}")))
        if last.time:
            found[f"{SHELVING}/LastTransition/TransitionTime"] = variant(at(last.time), _TYPES.DateTime)
    left = max(state.shelved_until - time.time_ns(), 0) if state.shelved else 0
    return found | {f"{SHELVING}/UnshelveTime": variant(left / 1e6, _TYPES.Double)}


def _finite(what: str, name: str, number: ua.NodeId) -> dict[str, ua.Variant]:
    """A state or a transition of the machine, by its name and its node in the machine's type."""
    return {f"{SHELVING}/{what}": text(name), f"{SHELVING}/{what}/Id": variant(number, _TYPES.NodeId)}
