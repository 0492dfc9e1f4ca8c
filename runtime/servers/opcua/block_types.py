"""The function-block types and program types of a site as OPC UA object types, with their pins. It knows no instance."""

from __future__ import annotations

from collections.abc import Mapping

from asyncua import ua
from asyncua.server.address_space import AddressSpace, NodeData

from blocks.declare import AnyType, BlockType, Pin
from runtime.model import Group
from runtime.servers.opcua.nodes import (
    HAS_RULE,
    HAS_SUBTYPE,
    MANDATORY,
    Face,
    attribute,
    back,
    is_of,
    make_type,
    make_variable,
    to,
)
from runtime.servers.opcua.pins import BLOCK_TYPES, HOW
from runtime.servers.opcua.plcopen import FUNCTION_BLOCK, PROGRAM, TYPE_NAMES, type_face
from runtime.servers.opcua.tags import TYPES
from runtime.servers.opcua.types import named, standard

PROGRAM_TYPES = "/types/programs/"
_TYPE, _VARIABLE = ua.NodeClass.ObjectType, ua.NodeClass.Variable
_PLAIN = standard(ua.ObjectIds.BaseDataVariableType)


def _face(identifier: str) -> Face:
    return Face(named(identifier), identifier.rpartition("/")[2], _TYPE)


class TypeNodes:
    """A type for each block that the site uses and for each of its programs, made when it is looked at."""

    def __init__(self, catalogue: Mapping[str, BlockType]):
        self._catalogue = catalogue
        self._used: dict[ua.NodeId, list[str]] = {FUNCTION_BLOCK: [], PROGRAM: []}

    def follow(self, aspace: AddressSpace, groups: tuple[Group, ...], programs: tuple[str, ...]) -> list[str]:
        """Know the types of these blocks and programs only; returns the identifiers of those that are no more."""
        before = {identifier for known in self._used.values() for identifier in known}
        self._used = {
            FUNCTION_BLOCK: [BLOCK_TYPES + block for block in sorted({group.block for group in groups})],
            PROGRAM: [PROGRAM_TYPES + name for name in programs],
        }
        for parent, identifiers in self._used.items():
            owner = aspace[parent]
            others = [r for r in owner.references if not (r.IsForward and r.ReferenceTypeId == HAS_SUBTYPE)]
            owner.references = [*others, *(to(HAS_SUBTYPE, _face(identifier)) for identifier in identifiers)]
        return sorted(before - {identifier for known in self._used.values() for identifier in known})

    def make(self, identifier: str) -> NodeData | None:
        """The node of a type, or of a pin that a block type declares."""
        for parent, known in self._used.items():
            if identifier in known:
                return self._type(identifier, parent)
        owner, _, name = identifier.rpartition("/")
        block = self._catalogue.get(owner.removeprefix(BLOCK_TYPES)) if owner in self._used[FUNCTION_BLOCK] else None
        pin = block.pin(name) if block is not None else None
        return self._pin(owner, pin) if pin is not None else None

    def _type(self, identifier: str, parent: ua.NodeId) -> NodeData:
        block = self._catalogue.get(identifier.removeprefix(BLOCK_TYPES)) if parent == FUNCTION_BLOCK else None
        references = [back(HAS_SUBTYPE, type_face(parent, TYPE_NAMES[parent]))]
        if block is None:
            return make_type(_face(identifier), references, is_abstract=False)
        references += [to(HOW[pin.kind], _pin_face(identifier, pin)) for pin in block.pins]
        text = f"{block.doc} ({block.source})" if block.source else block.doc
        return make_type(_face(identifier), references, is_abstract=False, description=text)

    def _pin(self, owner: str, pin: Pin) -> NodeData:
        references = [
            back(HOW[pin.kind], _face(owner)),
            is_of(_PLAIN, "BaseDataVariableType", ua.NodeClass.VariableType, 0),
            to(HAS_RULE, Face(MANDATORY, "Mandatory", ua.NodeClass.Object, namespace=0)),
        ]
        element = pin.element
        any_number = ua.ObjectIds.BaseDataType if isinstance(element, AnyType) and element.name == "ANY" else ua.ObjectIds.Number
        data_type = any_number if isinstance(element, AnyType) else TYPES[element.name].value
        length = pin.length if isinstance(pin.length, int) else -1
        value = attribute(None, ua.VariantType.Null)
        return make_variable(_pin_face(owner, pin), value, standard(data_type), references, description=pin.doc, length=length)


def _pin_face(owner: str, pin: Pin) -> Face:
    return Face(named(f"{owner}/{pin.name}"), pin.name, _VARIABLE, _PLAIN)
