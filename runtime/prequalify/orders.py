"""What a service asks of a site: the tags that are written to sell it, and what must be so before a test may begin.

The tags are those of config/common.yaml. A site may leave some of them out; which it cannot do without is said here. It must not
know how tags are written, nor a plant.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from runtime.prequalify.programme import Terms

SOLD = {"fcr-n": "set.fcr_n", "fcr-d-up": "set.fcr_d_up", "fcr-d-down": "set.fcr_d_down", "ffr": "set.ffr"}
RUN, RESET = "cmd.GoToState_Running", "cmd.reset"
HEARTBEAT = "set.heartbeat"  # mode external wants to hear that the energy management lives
PASSIVE, EXTERNAL, VOLT_VAR = 0, 3, 1
# energy management of a limited reservoir: the word in the operator's file, the tags, and NEM's part of the capacity
MANAGED = {
    "fcr-n": ("Fcrn", "services.nem_fcr_n", "services.aem_fcr_n", 0.34),
    "fcr-d-up": ("FcrdUp", "services.nem_fcr_d_up", "services.aem_fcr_d_up", 0.20),
    "fcr-d-down": ("FcrdDo", "services.nem_fcr_d_down", "services.aem_fcr_d_down", 0.20),
}
START_SOC = {"fcr-n": 50.0, "fcr-d-up": 60.0, "fcr-d-down": 40.0, "ffr": 60.0, "ieee1547": 60.0}
CONNECTED, CHARGE, BASELINE, LOAD = "site.closed", "bms.soc", "services.nem", "site.p_load"
GIVES, TAKES = "site.p_max", "site.p_min"
READY: Mapping[str, tuple[str, Callable[[float], bool]]] = {
    CONNECTED: ("the racks are not connected", bool),
    "grid.in_service": ("the plant has not entered service at the grid", bool),
    "grid.share": ("the power after entering service is still ramped up", lambda share: share >= 100.0),
    "services.possible": ("power or energy do not suffice for what is sold", bool),
}


class NotOfferedError(Exception):
    """The site has no tags for this service; the text says which it would need."""


@dataclass(frozen=True)
class Order:
    """One tag to write, with what, and in whose role."""

    tag: str
    value: float | bool
    role: str = "operator"


def settings_for(service: str, terms: Terms, tags: Collection[str]) -> list[Order]:
    """What is written before the site is started: this service and no other is sold; IEEE 1547 runs at a power of its own.

    Raises NotOfferedError where the site cannot do it.
    """
    of_1547 = service == "ieee1547"
    wanted = [Order("set.commissioned", True, "engineer"), Order("set.mode", EXTERNAL if of_1547 else PASSIVE)]
    wanted += [Order("set.lfsm", False, "engineer")]  # its power beyond the reserve's band would pass for the reserve's
    wanted += [Order(tag, terms.capacity if name == service else 0.0) for name, tag in SOLD.items()]
    wanted += [Order("set.ffr_option", terms.option), Order("set.droop", False), Order("set.q_mode", 0)]
    if of_1547:
        wanted += [Order("set.p", terms.before * terms.rated)]
    needed = {RUN, CONNECTED} | ({"set.mode", "set.p", "set.droop", "set.q_mode"} if of_1547 else {SOLD[service]})
    if missing := sorted(needed - set(tags)):
        raise NotOfferedError(f"the site has no {', '.join(missing)}: {service} cannot be tested on it")
    return [order for order in wanted if order.tag in tags]


def functions_for(service: str, kind: str, tags: Collection[str]) -> list[Order]:
    """What is switched for one test of IEEE 1547: only the function that it looks at works, as IEEE 1547.1 asks for trips."""
    if service != "ieee1547":
        return []
    wanted = [Order("set.droop", kind == "Droop"), Order("set.q_mode", VOLT_VAR if kind == "VoltVar" else 0)]
    return [order for order in wanted if order.tag in tags]


def missing_conditions(value: Callable[[str], float], tags: Collection[str]) -> list[str]:
    """What is not yet as a test needs it, in words, with the tag that says so."""
    return [f"{words} ({name})" for name, (words, holds) in READY.items() if name in tags and not holds(value(name))]
