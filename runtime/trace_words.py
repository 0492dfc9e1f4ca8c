"""What a person says of a trace: channels by name, the trigger, the share before it. It knows names and units, and no scan."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from blocks import catalogue
from runtime.engine.trace import MOST_CHANNELS
from runtime.engine.trace_view import Channel, Trigger, channels_of
from runtime.language.quantities import QuantityError, in_unit, quantity
from runtime.language.units import unit
from runtime.model import Schedule
from runtime.places_of_tags import WrongWordsError
from runtime.source import did_you_mean
from runtime.watch_units import Units
from runtime.watch_view import names_like

_EDGE = re.compile(r"(?P<edge>rise|fall)\s*\((?P<inner>.+)\)\Z", re.IGNORECASE)
_COMPARISON = re.compile(r"(?P<channel>[^<>=]+?)\s*(?P<sign><>|>=|<=|>|<|=)\s*(?P<level>[^<>=]+)\Z")
WAYS = "bms.current > 100, rise(bms.ok), fall(bms.soc < 20 %)"


def channels_named(schedule: Schedule, names: Sequence[str]) -> list[Channel]:
    """The channels that these names mean, each once, in their order. Raises WrongWordsError."""
    found: dict[str, Channel] = {}
    for name in names:
        for channel in _channels(schedule, name):
            found.setdefault(channel.name, channel)
    if len(found) > MOST_CHANNELS:
        raise WrongWordsError(f"{len(found)} channels: a trace has {MOST_CHANNELS} at most; name elements, as bms.cell_v[3]")
    return list(found.values())


def _channels(schedule: Schedule, name: str) -> tuple[Channel, ...]:
    try:
        found = channels_of(name, schedule.tags, schedule.region, schedule.pins)
        pin = found[0].name.split("[")[0]
        if pin not in schedule.pins:
            return found
        unit_of_pin = Units(schedule, catalogue()).as_tag(pin).unit
        return tuple(replace(channel, unit=unit_of_pin) for channel in found)
    except KeyError as error:
        if " has " in str(error.args[0]):
            raise WrongWordsError(str(error.args[0])) from None
    if "*" in name:
        fitting = [channel for one in names_like(schedule, name) for channel in _channels(schedule, one)]
        if fitting:
            return tuple(fitting)
    known = [tag.name for tag in schedule.tags] + list(schedule.pins)
    raise WrongWordsError(f"no tag or pin named {name}: {did_you_mean(name, known) or '`bessplc show --json` lists them'}")


def trigger_of(schedule: Schedule, text: str, channels: list[Channel], hysteresis: str = "") -> Trigger:
    """The trigger that is meant; its channel joins the others where it is none of them. Raises WrongWordsError."""
    found = _EDGE.match(text.strip())
    edge, inner = (found["edge"].lower(), found["inner"].strip()) if found else ("", text.strip())
    compared = _COMPARISON.match(inner)
    name, sign, level = (compared["channel"], compared["sign"], compared["level"].strip()) if compared else (inner, "=", "true")
    meant = _channels(schedule, name.strip())
    if len(meant) != 1:
        raise WrongWordsError(f"the trigger `{text}` needs one element, as {meant[0].name}")
    channel = meant[0]
    if not compared and channel.type != "BOOL":
        raise WrongWordsError(f"the trigger `{text}`: {channel.name} is no BOOL; compare it, as {WAYS}")
    if channel.name not in {one.name for one in channels}:
        if len(channels) == MOST_CHANNELS:
            raise WrongWordsError(f"the trigger's {channel.name} would be channel {MOST_CHANNELS + 1}: {MOST_CHANNELS} is all")
        channels.append(channel)
    place = [one.name for one in channels].index(channel.name)
    slack = abs(_number(channel, hysteresis, is_difference=True)) if hysteresis else 0.0
    return Trigger(place, sign, _level(schedule, channel, level), edge, slack)


def _level(schedule: Schedule, channel: Channel, text: str) -> float:
    if channel.type == "BOOL":
        if text.lower() not in ("true", "false", "0", "1"):
            raise WrongWordsError(f"{channel.name} is a BOOL: compare it with true or false, not `{text}`")
        return float(text.lower() in ("true", "1"))
    tag = next((tag for tag in schedule.tags if tag.offset == channel.offset), None)
    for number, name in tag.names if tag is not None else ():
        if name.lower() == text.lower():
            return float(number)
    return _number(channel, text)


def _number(channel: Channel, text: str, *, is_difference: bool = False) -> float:
    """The number in the channel's unit."""
    try:
        said = quantity(text)
    except QuantityError as error:
        raise WrongWordsError(f"`{text}`: {error}") from None
    own = unit("ns") if channel.type == "TIME" else unit(channel.unit) if channel.unit else None
    if said is None or (said.unit is not None and own is None):
        raise WrongWordsError(
            f"`{text}` is no number{f' in {channel.unit}' if channel.unit else ''} to compare {channel.name} with"
        )
    number = said.number if own is None or (is_difference and said.unit is own) else in_unit(said, own)
    if number is None:
        raise WrongWordsError(f"{channel.name} is in {channel.unit}, and `{text}` is not")
    return float(number)


def share_of(text: str) -> float:
    """`30%` or `0.3` as 0.3. Raises WrongWordsError."""
    try:
        share = float(text.strip().removesuffix("%")) / (100.0 if text.strip().endswith("%") else 1.0)
    except ValueError:
        share = -1.0
    if not 0 <= share < 1:
        raise WrongWordsError(f"`{text}` is no share before the trigger: write 0% to 99%")
    return share
