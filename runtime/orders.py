"""What a person orders of a running plant, as writes to its commands and settings; what is there already; why it is not done.

The tags are those of config/common.yaml. It must not know how anything is typed, printed or sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from runtime.model import Tag
from runtime.places_of_tags import WrongWordsError, place_of_tag, value_for
from runtime.source import did_you_mean
from runtime.status import format_value

MODES: Mapping[str, tuple[str, str]] = {  # what is typed: the name that site.mode has for it, and the command
    "passive": ("PASSIVE", "cmd.GoToMode_Passive"),
    "self-consumption": ("SELF_CONSUMPTION", "cmd.GoToMode_SelfConsumption"),
    "peak-shaving": ("PEAK_SHAVING", "cmd.GoToMode_PeakShaving"),
    "external": ("EXTERNAL", "cmd.GoToMode_ExternalControl"),
    "charge": ("CHARGE_ONLY", "cmd.GoToMode_ChargeOnly"),
    "backup": ("BACKUP", "cmd.GoToMode_GridForming"),
    "local": ("LOCAL", "cmd.GoToMode_LocalControl"),
    "load-matching": ("LOAD_MATCHING", "cmd.GoToMode_LoadMatching"),
    "cost-saving": ("COST_SAVING", "cmd.GoToMode_CostSaving"),
    "test": ("TEST", "cmd.GoToMode_Test"),
}
STATES: Mapping[str, tuple[str, str, bool, str]] = {  # what is typed: tags that show it as wanted and as done, their value, command
    "run": ("site.run", "site.closed", True, "cmd.GoToState_Running"),
    "idle": ("site.run", "site.closed", False, "cmd.GoToState_Idling"),
    "maintenance": ("site.maintenance", "site.maintenance", True, "cmd.GoToState_Maintenance"),
}
SETTINGS: Mapping[str, Mapping[str, str]] = {  # what is typed: the tag of each mode that takes it
    "rate": {"charge": "set.c_rate"},
    "target": {"charge": "set.soc_target"},
    "power": {"external": "set.p", "local": "set.p_local", "test": "set.p_test"},
    "reactive": {"external": "set.q", "local": "set.q_local"},
    "reserve": {"backup": "set.reserve", "self-consumption": "set.reserve"},
    "grid": {"self-consumption": "set.grid_target"},
}
COMMISSIONED = "set.commissioned"
RESET = "cmd.reset"
HEARTBEAT = "set.heartbeat"
NEEDS_HEARTBEAT = ("external", "local")
NEAR = 0.05  # of what is allowed: the power has arrived
_C_RATE = re.compile(r"([\d.]+) ?C\Z")


@dataclass(frozen=True, slots=True)
class Order:
    """One tag that shall have this value. `is_there` says that it has; a command's is that what it asks for holds already."""

    tag: Tag
    value: Any
    old: Any
    is_there: bool
    told: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was typed: a mode, a state, settings as text, whether the plant is commissioned, a reset; each may be left out."""

    mode: str | None = None
    state: str | None = None
    settings: Mapping[str, str] | None = None
    commission: bool | None = None
    reset: bool = False


class Plant:
    """The tags of the running site, by name. `look` takes the newest picture."""

    def __init__(self, seen: Any):
        self.seen = seen

    def look(self) -> None:
        self.seen.refresh()

    def tag(self, name: str) -> Tag:
        """The tag; raises WrongWordsError where the site has none of this name."""
        return place_of_tag(self.seen.site.schedule, name)[0]

    def get(self, name: str) -> Any:
        """The value of a scalar tag, or None where the site has no such tag."""
        try:
            tag = self.tag(name)
        except WrongWordsError:
            return None
        value = self.seen.snapshot.column(tag)[0].item()
        return bool(value) if tag.type == "BOOL" else value

    def shown(self, name: str) -> str:
        """The value with its unit, or its name."""
        return str(format_value(self.tag(name), self.get(name)))

    def name_of(self, name: str) -> str:
        """The name that a number of a DINT has, empty where the site has no such tag."""
        value = self.get(name)
        return "" if value is None else dict(self.tag(name).names).get(int(value), str(value))


def orders_of(wanted: Wanted, plant: Plant) -> list[Order]:
    """The writes that this takes, in their order: what stands before all else, settings, mode, state. Raises WrongWordsError."""
    mode = _known(wanted.mode, MODES, "--mode")
    state = _known(wanted.state, STATES, "--state")
    found = [_command(plant, RESET, False, "reset")] if wanted.reset else []
    if wanted.commission is not None:
        tag, old = plant.tag(COMMISSIONED), plant.get(COMMISSIONED)
        found.append(Order(tag, wanted.commission, old, old == wanted.commission, format_value(tag, wanted.commission)))
    found += [_setting(word, text, mode, plant) for word, text in (wanted.settings or {}).items()]
    if mode is not None:
        name, command = MODES[mode]
        found.append(_command(plant, command, plant.name_of("site.mode") == name, f"mode {name}"))
    if state is not None:
        asked, _, value, command = STATES[state]
        found.append(_command(plant, command, plant.get(asked) == value, f"state {state}"))
    return found


def _known(word: str | None, words: Mapping[str, Any], option: str) -> str | None:
    if word is None or word in words:
        return word
    raise WrongWordsError(f"{option} {word}: {did_you_mean(word, list(words)) or 'one of ' + ', '.join(words)}")


def _present_mode(plant: Plant) -> str:
    now = plant.name_of("site.mode")
    return next((word for word, (name, _) in MODES.items() if name == now), "")


def _setting(word: str, text: str, typed: str | None, plant: Plant) -> Order:
    """Where no mode is typed the present one counts; what has one tag in all modes may be set before its mode is chosen."""
    tags, mode = SETTINGS[word], typed or _present_mode(plant)
    if mode not in tags and (typed or len(set(tags.values())) > 1):
        raise WrongWordsError(f"--{word} belongs to --mode {' or '.join(tags)}, and the mode is {mode or 'another one'}")
    tag = plant.tag(tags.get(mode) or next(iter(tags.values())))
    rate = _C_RATE.match(text.strip()) if word == "rate" else None
    value = value_for(tag, f"{rate[1]} 1/h" if rate else text)
    old = plant.get(tag.name)
    return Order(tag, value, old, bool(old == value), format_value(tag, value))


def _command(plant: Plant, name: str, is_there: bool, told: str) -> Order:
    return Order(plant.tag(name), True, None, is_there, told)


# What came of it ----------------------------------------------------------------------------------------------------------


def is_reached(wanted: Wanted, plant: Plant) -> bool:
    """Whether the plant does what was ordered: mode and state are there, and the power is what its limits leave of it."""
    if wanted.mode is not None and plant.name_of("site.mode") != MODES[wanted.mode][0]:
        return False
    if wanted.state is not None:
        _, done, value, _ = STATES[wanted.state]
        if plant.get(done) != value:
            return False
    if wanted.state in ("idle", "maintenance") or (wanted.mode is None and not wanted.settings):
        return True
    asked, allowed, flows = (plant.get(name) or 0.0 for name in ("site.p_request", "site.p_allowed", "site.p"))
    if asked and not allowed:
        return False
    return bool(abs(flows - allowed) <= max(NEAR * abs(allowed), 1.0))


def reasons(wanted: Wanted, plant: Plant, open_permits: Mapping[str, list[str]]) -> Iterator[str]:
    """Why the plant does not do what was ordered, the first obstacle first, each with what to do."""
    for tag, what in (("site.refused", "the state"), ("site.mode_refused", "the mode")):
        if plant.get(tag) and (wanted.state if tag == "site.refused" else wanted.mode):
            yield f"{what} was refused: {plant.name_of(tag)}"
    if plant.get(COMMISSIONED) is False and wanted.mode != "test":
        yield "the plant is not commissioned, only mode test is allowed: `bessplc control --commission` once it is"
    if plant.get("site.ready") is False:
        for interlock, permits in open_permits.items():
            yield f"{interlock} is open: {'; '.join(permits) or 'all permits hold, a reset arms it'} (bessplc verify-interlocks)"
    if wanted.state in ("idle", "maintenance"):
        return
    if plant.get("site.maintenance"):
        yield "somebody works on the plant: `bessplc control --state idle` ends that"
    if plant.get("site.closed") is False and plant.get("site.ready") is not False and wanted.state != "run":
        yield "no rack is connected: `bessplc control --state run`"
    if plant.get("grid.in_service") is False and not plant.get("grid.island"):
        yield f"the plant is not in service at the grid (cause: {plant.name_of('grid.cause')})"
    if plant.get("site.p_reason"):
        share = f"{plant.shown('site.p_allowed')} of {plant.shown('site.p_request')}"
        yield f"the power is decided by {plant.name_of('site.p_reason')}: {share}"


def situation(plant: Plant) -> dict[str, Any]:
    """Mode, power and what decides it, of the tags that the site has."""
    names = {"mode": "site.mode", "reason": "site.p_reason"}
    numbers = ("site.p", "site.p_request", "site.p_allowed", "bms.soc")
    found: dict[str, Any] = {word: plant.name_of(tag) for word, tag in names.items()}
    return found | {name: plant.get(name) for name in numbers}
