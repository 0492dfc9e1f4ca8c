"""A tag as an OPC UA variable: type definition, unit, range, texts, who wrote it last. It knows no session and no scan.

A node is made when somebody first asks for it, and so is each of its properties (`bms.soc/EURange`); the value is there from the
start. Types of part 8: numbers with a range are AnalogItemType, with a unit alone AnalogUnitType, enumerations
MultiStateValueDiscreteType (MultiStateDiscreteType demands an unsigned number, and ours may be negative), a BOOL whose two texts
are known TwoStateDiscreteType. Other BOOLs are plain DataItemType: "true" and "false" would be texts without a meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from asyncua import ua
from asyncua.server.address_space import NodeData

from runtime.model import Tag
from runtime.quality import BAD_WAITING_FOR_INITIAL_DATA
from runtime.servers.opcua.nodes import (
    HAS_PROPERTY,
    READ,
    WRITE,
    Attribute,
    Face,
    LiveAttribute,
    attribute,
    is_of,
    make_property,
    make_variable,
    property_face,
    to,
)
from runtime.servers.opcua.types import NS, named, null, stamped, standard, variant
from runtime.servers.opcua.units import engineering_unit

TYPES = {
    "BOOL": ua.VariantType.Boolean,
    "DINT": ua.VariantType.Int32,
    "LINT": ua.VariantType.Int64,
    "TIME": ua.VariantType.Int64,
    "LREAL": ua.VariantType.Double,
}
_IDS, _KINDS = ua.ObjectIds, ua.VariantType
_HISTORY = 1 << ua.AccessLevel.HistoryRead
_NAMES = {
    _IDS.DataItemType: "DataItemType",
    _IDS.AnalogItemType: "AnalogItemType",
    _IDS.AnalogUnitType: "AnalogUnitType",
    _IDS.TwoStateDiscreteType: "TwoStateDiscreteType",
    _IDS.MultiStateValueDiscreteType: "MultiStateValueDiscreteType",
}
_STANDARD = ("Definition", "EngineeringUnits", "EURange", "FalseState", "TrueState", "EnumValues", "EnumStrings", "ValueAsText")
PARTS = (*_STANDARD, "LastWriter", "LastWriteTime")
Writer = tuple[str, datetime]


def node_id(tag: Tag) -> ua.NodeId:
    """The node of a tag, for ever: `ns=2;s=bms.soc`."""
    return named(tag.name)


def leaf(tag: Tag) -> str:
    """The last part of a tag's name, which is its browse name."""
    return tag.name.rpartition(".")[2]


def type_of(tag: Tag) -> int:
    """The type definition of a tag's variable."""
    if tag.names:
        is_two = tag.type == "BOOL" and {number for number, _ in tag.names} == {0, 1}
        if is_two or tag.type != "BOOL":
            return _IDS.TwoStateDiscreteType if is_two else _IDS.MultiStateValueDiscreteType
    if tag.type != "BOOL" and tag.minimum is not None and tag.maximum is not None:
        return _IDS.AnalogItemType
    return _IDS.AnalogUnitType if unit_of(tag) else _IDS.DataItemType


def unit_of(tag: Tag) -> str:
    """The unit that a client is told; a TIME counts nanoseconds."""
    return tag.unit or ("ns" if tag.type == "TIME" else "")


def access_of(tag: Tag, *, is_recorded: bool) -> int:
    """What can be done with a tag at all; what this client may is its role's."""
    return READ | (WRITE if tag.write else 0) | (_HISTORY if is_recorded else 0)


def describe(tag: Tag) -> str:
    """The tag's text, and for a TIME how it is counted."""
    parts = [tag.text] if tag.text else []
    if tag.type == "TIME":
        parts.append("(nanoseconds)")
    return " ".join(parts)


def face_of(tag: Tag) -> Face:
    """What the folders know of a tag: the last part of its name to browse by, the whole of it to show."""
    return Face(node_id(tag), leaf(tag), ua.NodeClass.Variable, standard(type_of(tag)), tag.name.rpartition("/")[2])


def _constants(tag: Tag) -> Iterator[tuple[str, Any, ua.VariantType, int]]:
    """The properties that stay: name, value, kind, data type."""
    structure = _KINDS.ExtensionObject
    if tag.owner:
        yield "Definition", definition(tag), _KINDS.String, _IDS.String
    if unit_of(tag):
        yield "EngineeringUnits", engineering_unit(unit_of(tag)), structure, _IDS.EUInformation
    if type_of(tag) == _IDS.AnalogItemType or (tag.type != "BOOL" and tag.minimum is not None and tag.maximum is not None):
        yield "EURange", ua.Range(Low=float(tag.minimum or 0), High=float(tag.maximum or 0)), structure, _IDS.Range
    if type_of(tag) == _IDS.TwoStateDiscreteType:
        texts = dict(tag.names)
        for name, number in (("FalseState", 0), ("TrueState", 1)):
            yield name, ua.LocalizedText(texts[number]), _KINDS.LocalizedText, _IDS.LocalizedText
    elif type_of(tag) == _IDS.MultiStateValueDiscreteType:
        values = [ua.EnumValueType(Value=n, DisplayName=ua.LocalizedText(t), Description=ua.LocalizedText(t)) for n, t in tag.names]
        yield "EnumValues", values, structure, _IDS.EnumValueType
        if [number for number, _ in tag.names] == list(range(len(tag.names))):  # for clients that know only these
            yield "EnumStrings", [ua.LocalizedText(text) for _, text in tag.names], _KINDS.LocalizedText, _IDS.LocalizedText


def definition(tag: Tag) -> str:
    """Where the value comes from (part 8, 5.3.2.1): the owner, and the line that says so."""
    return f"{tag.owner} ({tag.at})" if tag.at.file else tag.owner


class TagNodes:
    """The variables of the tags, made on demand; `values` are their value attributes, which are there from the start.

    `parents` are the references back from a tag to the folders that it hangs in. `writers` says who wrote a tag last and when;
    None: that cannot be known.
    """

    def __init__(self, parents: Callable[[Tag], list[ua.ReferenceDescription]], interval: float):
        self._parents, self._interval = parents, interval
        self.tags: dict[str, Tag] = {}
        self.values: dict[str, Attribute] = {}
        self.writers: Mapping[str, Writer] | None = {}
        self.recorded: frozenset[str] = frozenset()
        self.also: Callable[[Tag], list[ua.ReferenceDescription]] = lambda tag: []  # what others say of a tag: its alarms
        self._waiting = stamped(null(), BAD_WAITING_FOR_INITIAL_DATA)

    def add(self, tag: Tag) -> None:
        """Know a tag, or know it otherwise; its value attribute stays the same, with whoever monitors it."""
        self.tags[tag.name] = tag
        if tag.name not in self.values:
            self.values[tag.name] = Attribute(self._waiting)

    def remove(self, name: str) -> None:
        """Forget a tag."""
        del self.tags[name], self.values[name]

    def make(self, identifier: str) -> NodeData | None:
        """The node with this identifier: a tag, or a property of one."""
        tag = self.tags.get(identifier)
        if tag is not None:
            return self._variable(tag)
        owner, slash, name = identifier.rpartition("/")
        tag = self.tags.get(owner) if slash else None
        return self._property(tag, name) if tag is not None else None

    def property_names(self, tag: Tag) -> list[str]:
        """The properties of a tag's variable."""
        names = [name for name, *_ in _constants(tag)]
        if type_of(tag) == _IDS.MultiStateValueDiscreteType:
            names.append("ValueAsText")
        return names + (["LastWriter", "LastWriteTime"] if tag.write else [])

    def _variable(self, tag: Tag) -> NodeData:
        references = [
            *self._parents(tag),
            is_of(standard(type_of(tag)), _NAMES[type_of(tag)], ua.NodeClass.VariableType, 0),
            *(to(HAS_PROPERTY, property_face(f"{tag.name}/{name}", name, _namespace(name))) for name in self.property_names(tag)),
            *self.also(tag),
        ]
        is_recorded = tag.name in self.recorded
        made = make_variable(
            face_of(tag),
            self.values[tag.name],
            standard(TYPES[tag.type].value),
            references,
            description=describe(tag),
            length=tag.length,
            access=access_of(tag, is_recorded=is_recorded),
            interval=self._interval,
        )
        if is_recorded:
            made.attributes[ua.AttributeIds.Historizing] = attribute(True, _KINDS.Boolean)
        return made

    def _property(self, tag: Tag, name: str) -> NodeData | None:
        identifier, owner = f"{tag.name}/{name}", face_of(tag)
        live = {
            "ValueAsText": (self._text_of, _IDS.LocalizedText),
            "LastWriter": (self._writer_of, _IDS.String),
            "LastWriteTime": (self._written_at, _IDS.DateTime),
        }
        if name in live and name in self.property_names(tag):
            look, data_type = live[name]
            value = LiveAttribute(lambda: look(tag.name))
            return make_property(identifier, name, value, data_type, owner, _namespace(name))
        for known, constant, kind, data_type in _constants(tag):
            if known == name:
                is_list = isinstance(constant, list)
                value_of = attribute(constant, kind, is_array=is_list)
                return make_property(identifier, name, value_of, data_type, owner, length=-1 if is_list else 0)
        return None

    def _text_of(self, name: str) -> ua.DataValue:
        """The text of the value as it stands, empty where there is none for it (part 8, 5.3.3.4)."""
        value = self.values.get(name)
        if value is None:  # the tag is gone, its node not yet
            return stamped(null(), ua.StatusCodes.BadNodeIdUnknown)
        now = value.value_callback(named(name), ua.AttributeIds.Value) if value.value_callback is not None else value.value
        if now is None or now.Value is None or now.Value.Value is None:
            return now or self._waiting
        text = dict(self.tags[name].names).get(now.Value.Value, "") if not isinstance(now.Value.Value, list) else ""
        kind = ua.VariantType.LocalizedText
        code = int(now.StatusCode.value) if now.StatusCode is not None else 0
        return stamped(variant(ua.LocalizedText(text), kind), code, now.SourceTimestamp, now.ServerTimestamp)

    def _writer_of(self, name: str) -> ua.DataValue:
        return self._last(name, 0, _KINDS.String)

    def _written_at(self, name: str) -> ua.DataValue:
        return self._last(name, 1, _KINDS.DateTime)

    def _last(self, name: str, which: int, kind: ua.VariantType) -> ua.DataValue:
        now = datetime.now(UTC)
        if self.writers is None:
            return stamped(null(), ua.StatusCodes.BadResourceUnavailable, now, now)
        known = self.writers.get(name)
        if known is None:
            return stamped(null(), ua.StatusCodes.GoodNoData, now, now)
        return stamped(variant(known[which], kind), 0, known[1], now)


def _namespace(name: str) -> int:
    """LastWriter and LastWriteTime are ours, the other properties are the standard's."""
    return NS if name.startswith("Last") else 0
