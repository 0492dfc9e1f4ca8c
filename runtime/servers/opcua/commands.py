"""The object `Commands`: a method for each pulse tag (`hmi.reset`), one for each enumeration (`Set pcs.mode`), ResetStatistics.

Each is a write to a tag, or a word to the scan, whose answer is the method's status code. It knows no session beyond its user.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from asyncua import ua

from runtime.model import Tag
from runtime.servers.door import Door, Outcome
from runtime.servers.opcua.methods import Act, Methods
from runtime.servers.opcua.nodes import (
    HAS_COMPONENT,
    HAS_PROPERTY,
    PLAIN_OBJECT,
    Face,
    attribute,
    back,
    common,
    is_of,
    make_object,
    make_property,
    node,
    object_face,
    property_face,
    to,
)
from runtime.servers.opcua.publish import Publisher
from runtime.servers.opcua.types import named, standard, status
from runtime.servers.opcua.write import STATUS, who_of

_CODES, _ATTRIBUTES, _TYPES = ua.StatusCodes, ua.AttributeIds, ua.VariantType
_PATH = "/commands"


class Commands:
    """The commands of one program; `follow` makes them those of another."""

    def __init__(self, aspace: Any, methods: Methods, door: Door, publisher: Publisher, parent: Face):
        self._aspace, self._methods, self._door, self._publisher = aspace, methods, door, publisher
        self._face = object_face(_PATH, "Commands", PLAIN_OBJECT)
        self._made: list[ua.NodeId] = []
        kind = is_of(PLAIN_OBJECT, "BaseObjectType", ua.NodeClass.ObjectType, 0)
        self._object = make_object(self._face, [back(HAS_COMPONENT, parent), kind], "What can be commanded without a value")
        self._fixed = list(self._object.references)
        aspace[self._face.id] = self._object
        aspace[parent.id].references.append(to(HAS_COMPONENT, self._face))

    def follow(self, tags: Sequence[Tag]) -> None:
        """Have the commands of these tags, and no others."""
        for made in self._made:
            self._methods.take_away(made)
            del self._aspace[made]
        self._made, self._object.references[:] = [], self._fixed
        for tag in sorted(tags, key=lambda tag: tag.name.lower()):
            if tag.write and tag.pulse:
                self._add(tag.name, tag.name, tag.text, self._pulse(tag), tag.write)
            elif tag.write and tag.names and not tag.length:
                self._add(tag.name, f"Set {tag.name}", tag.text, self._choice(tag), tag.write, _argument(tag))
        about = "Start the scan's maxima, counters and histograms afresh"
        self._add("ResetStatistics", "ResetStatistics", about, self._reset_statistics, "engineer")

    def _add(self, key: str, name: str, text: str, act: Act, least: str, *arguments: ua.Argument) -> None:
        identifier = f"{_PATH}/{key}"
        face = Face(named(identifier), name, ua.NodeClass.Method)
        method = node(face, text, [back(HAS_COMPONENT, self._face)])
        method.attributes[_ATTRIBUTES.Executable] = common(True, _TYPES.Boolean)
        method.attributes[_ATTRIBUTES.UserExecutable] = common(True, _TYPES.Boolean)
        self._put(face.id, method)
        if arguments:
            value = attribute(list(arguments), _TYPES.ExtensionObject, is_array=True)
            inputs = f"{identifier}/InputArguments"
            described = make_property(inputs, "InputArguments", value, ua.ObjectIds.Argument, face, length=len(arguments))
            method.references.append(to(HAS_PROPERTY, property_face(inputs, "InputArguments")))
            self._put(named(inputs), described)
        self._object.references.append(to(HAS_COMPONENT, face))
        self._methods.add(face.id, act, [None] * len(arguments), least=least, serves=self._serves)

    def _put(self, identifier: ua.NodeId, made: Any) -> None:
        self._aspace[identifier] = made
        self._made.append(identifier)

    def _serves(self, object_: ua.NodeId) -> int:
        if object_ == self._face.id:
            return 0
        return int(_CODES.BadMethodInvalid if object_ in self._aspace else _CODES.BadNodeIdUnknown)

    def _pulse(self, tag: Tag) -> Act:
        async def act(session: Any, object_: ua.NodeId, arguments: list[Any]) -> int:
            return await self._told(await self._door.write(tag, True, who_of(session.user)))

        return act

    def _choice(self, tag: Tag) -> Act:
        async def act(session: Any, object_: ua.NodeId, arguments: list[Any]) -> int:
            number = number_of(tag, arguments[0])
            if number is None:
                refused = status(_CODES.BadOutOfRange)
                self._door.refuse(tag, arguments[0], who_of(session.user), refused.name)
                return int(refused.value)
            return await self._told(await self._door.write(tag, number, who_of(session.user)))

        return act

    async def _reset_statistics(self, session: Any, object_: ua.NodeId, arguments: list[Any]) -> int:
        return await self._told(await self._door.reset_statistics(who_of(session.user)))

    async def _told(self, outcome: Outcome) -> int:
        if outcome.is_taken:
            await self._publisher.publish()  # so that a read that follows sees what was commanded
        return int(STATUS.get(outcome.answer, _CODES.BadUnexpectedError))


def number_of(tag: Tag, wanted: Any) -> int | None:
    """The number of one of the tag's texts, given as that text (in any case) or as the number; None for anything else."""
    words = str(wanted.Text if isinstance(wanted, ua.LocalizedText) else wanted).strip().lower()
    if isinstance(wanted, (bool, float)):
        return None
    return next((number for number, text in tag.names if words in (text.lower(), str(number))), None)


def _argument(tag: Tag) -> ua.Argument:
    choices = ", ".join(f"{number} {text}" for number, text in tag.names)
    about = ua.LocalizedText(f"the number or the text: {choices}")
    return ua.Argument(Name="value", DataType=standard(ua.ObjectIds.BaseDataType), ValueRank=-1, Description=about)  # type: ignore[arg-type]
