"""OPC UA nodes as asyncua keeps them, made directly: objects, variables, types and the references between them.

A node made here costs a tenth of one made by asyncua's AddNodes service, in time and in memory: attributes that are the same for
many nodes are one object, and so is what a folder says of its child. It knows no tag and no program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from asyncua import ua
from asyncua.server.address_space import AttributeValue, NodeData

from runtime.servers.opcua.types import NS, named, standard

_ATTRIBUTES, _IDS, _CLASS, _KINDS = ua.AttributeIds, ua.ObjectIds, ua.NodeClass, ua.VariantType
READ, WRITE = 1 << ua.AccessLevel.CurrentRead, 1 << ua.AccessLevel.CurrentWrite
HAS_TYPE, HAS_PROPERTY = standard(_IDS.HasTypeDefinition), standard(_IDS.HasProperty)
HAS_COMPONENT, ORGANIZES, HAS_SUBTYPE = standard(_IDS.HasComponent), standard(_IDS.Organizes), standard(_IDS.HasSubtype)
HAS_RULE = standard(_IDS.HasModellingRule)
HAS_NOTIFIER, HAS_EVENT_SOURCE = standard(_IDS.HasNotifier), standard(_IDS.HasEventSource)
HAS_CONDITION = standard(_IDS.HasCondition)
MANDATORY = standard(_IDS.ModellingRule_Mandatory)
FOLDER, PLAIN_OBJECT, PROPERTY = standard(_IDS.FolderType), standard(_IDS.BaseObjectType), standard(_IDS.PropertyType)
NOTHING = ua.NodeId()

Callback = Callable[..., Any]
Look = Callable[[], ua.DataValue]


class Attribute(AttributeValue):
    """One attribute of a node, without a dictionary of its own."""

    __slots__ = ("datachange_callbacks", "value", "value_callback", "value_setter")

    def __init__(self, value: ua.DataValue | None) -> None:
        self.value = value
        self.value_callback = None
        self.value_setter = None
        self.datachange_callbacks: dict[int, Callback] = {}


class LiveAttribute(Attribute):
    """A value that is looked up when somebody reads or samples it."""

    __slots__ = ("look",)

    def __init__(self, look: Look):
        super().__init__(None)
        self.turn_to(look)

    def turn_to(self, look: Look) -> None:
        """Look the value up so from now on."""
        self.look = look
        self.value_callback = lambda node, attribute: look()


def attribute(value: Any, kind: ua.VariantType, *, is_array: bool = False) -> Attribute:
    """An attribute that is this value."""
    return Attribute(ua.DataValue(ua.Variant(value, kind, is_array=is_array)))


@cache
def common(value: Any, kind: ua.VariantType) -> Attribute:
    """The one attribute that all nodes with this value share: an access level, a data type, a class."""
    return attribute(value, kind)


@cache
def _scalar_dimensions() -> Attribute:
    return attribute([], _KINDS.UInt32, is_array=True)


@dataclass(frozen=True, slots=True)
class Face:
    """What a node's neighbours know of it: its id, class, name and type definition."""

    id: ua.NodeId
    name: str
    kind: ua.NodeClass
    type: ua.NodeId = field(default=NOTHING)
    shown: str = ""
    namespace: int = NS

    @property
    def key(self) -> str:
        """Its identifier in our namespace."""
        return str(self.id.Identifier)

    @property
    def browse_name(self) -> ua.QualifiedName:
        return ua.QualifiedName(self.name, self.namespace)

    @property
    def display_name(self) -> ua.LocalizedText:
        return ua.LocalizedText(self.shown or self.name)


def object_face(identifier: str, name: str, type_: ua.NodeId = FOLDER, shown: str = "") -> Face:
    """An object of our namespace."""
    return Face(named(identifier), name, _CLASS.Object, type_, shown)


def to(reference: ua.NodeId, face: Face) -> ua.ReferenceDescription:
    """A reference to a node."""
    return _reference(reference, face, True)


def back(reference: ua.NodeId, face: Face) -> ua.ReferenceDescription:
    """The same reference seen from its target: back to where it comes from."""
    return _reference(reference, face, False)


def _reference(reference: ua.NodeId, face: Face, is_forward: bool) -> ua.ReferenceDescription:
    return ua.ReferenceDescription(
        ReferenceTypeId=reference,
        IsForward=is_forward,
        NodeId=face.id,  # type: ignore[arg-type]
        BrowseName=face.browse_name,
        DisplayName=face.display_name,
        NodeClass=face.kind,
        TypeDefinition=face.type,  # type: ignore[arg-type]
    )


@cache
def is_of(type_: ua.NodeId, name: str, kind: ua.NodeClass, namespace: int) -> ua.ReferenceDescription:
    """The reference to a type definition, shared by all its instances."""
    return to(HAS_TYPE, Face(type_, name, kind, namespace=namespace))


def node(face: Face, description: str, references: Iterable[ua.ReferenceDescription]) -> NodeData:
    """A node with what every class of nodes has."""
    made = NodeData(face.id)
    made.attributes = {
        _ATTRIBUTES.NodeId: attribute(face.id, _KINDS.NodeId),
        _ATTRIBUTES.NodeClass: common(face.kind, _KINDS.Int32),
        _ATTRIBUTES.BrowseName: attribute(face.browse_name, _KINDS.QualifiedName),
        _ATTRIBUTES.DisplayName: attribute(face.display_name, _KINDS.LocalizedText),
        _ATTRIBUTES.Description: attribute(ua.LocalizedText(description), _KINDS.LocalizedText),
        _ATTRIBUTES.WriteMask: common(0, _KINDS.UInt32),
        _ATTRIBUTES.UserWriteMask: common(0, _KINDS.UInt32),
    }
    made.references = list(references)
    return made


def make_object(
    face: Face, references: Iterable[ua.ReferenceDescription], description: str = "", *, notifies: bool = False
) -> NodeData:
    """An object; its references say what it is and where it hangs. `notifies`: clients may subscribe to its events."""
    made = node(face, description, references)
    made.attributes[_ATTRIBUTES.EventNotifier] = common(int(notifies), _KINDS.Byte)
    return made


def make_type(face: Face, references: Iterable[ua.ReferenceDescription], *, is_abstract: bool, description: str = "") -> NodeData:
    """A type of objects, or of references (`InverseName` is for the caller to add)."""
    made = node(face, description, references)
    made.attributes[_ATTRIBUTES.IsAbstract] = common(is_abstract, _KINDS.Boolean)
    return made


def make_variable(
    face: Face,
    value: Attribute,
    data_type: ua.NodeId,
    references: Iterable[ua.ReferenceDescription],
    *,
    description: str = "",
    length: int = 0,
    access: int = READ,
    interval: float = 0.0,
) -> NodeData:
    """A variable or a property around its value; `length` is that of an array, -1 where it is not fixed."""
    made = node(face, description, references)
    rank = attribute([ua.UInt32(length)], _KINDS.UInt32, is_array=True) if length > 0 else _scalar_dimensions()
    made.attributes |= {
        _ATTRIBUTES.Value: value,
        _ATTRIBUTES.DataType: _data_type(data_type.Identifier, data_type.NamespaceIndex),  # type: ignore[arg-type]
        _ATTRIBUTES.ValueRank: common(1 if length else -1, _KINDS.Int32),
        _ATTRIBUTES.ArrayDimensions: rank,
        _ATTRIBUTES.AccessLevel: common(access, _KINDS.Byte),
        _ATTRIBUTES.UserAccessLevel: common(access, _KINDS.Byte),
        _ATTRIBUTES.MinimumSamplingInterval: common(interval, _KINDS.Double),
        _ATTRIBUTES.Historizing: common(False, _KINDS.Boolean),
    }
    return made


@cache
def _data_type(identifier: int, namespace: int) -> Attribute:
    return attribute(ua.NodeId(identifier, namespace), _KINDS.NodeId)  # type: ignore[arg-type]


def make_property(
    identifier: str, name: str, value: Attribute, data_type: int, owner: Face, namespace: int = 0, length: int = 0
) -> NodeData:
    """A property of that node, read-only."""
    face = property_face(identifier, name, namespace)
    references = [back(HAS_PROPERTY, owner), is_of(PROPERTY, "PropertyType", _CLASS.VariableType, 0)]
    return make_variable(face, value, standard(data_type), references, length=length)


def property_face(identifier: str, name: str, namespace: int = 0) -> Face:
    """What the owner of a property knows of it."""
    return Face(named(identifier), name, _CLASS.Variable, PROPERTY, namespace=namespace)
