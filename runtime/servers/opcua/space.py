"""The OPC UA address space: a folder for each area and a variable for each tag. It knows no session and no scan.

Objects/bessplc/<site>/<area>/<name>; the node id of a tag is `ns=2;s=bms.soc`. A folder never holds more than 200 children:
asyncua has no BrowseNext, and its cost of adding a child grows with the number of children.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from asyncua import ua
from asyncua.server.internal_server import InternalServer

from runtime.model import Tag
from runtime.quality import BAD_WAITING_FOR_INITIAL_DATA
from runtime.servers.opcua.types import NS, named, null, stamped, standard
from runtime.servers.opcua.units import engineering_unit

MOST_CHILDREN = 200
TYPES = {
    "BOOL": ua.VariantType.Boolean,
    "DINT": ua.VariantType.Int32,
    "LINT": ua.VariantType.Int64,
    "TIME": ua.VariantType.Int64,
    "LREAL": ua.VariantType.Double,
}
_READ, _WRITE = 1 << ua.AccessLevel.CurrentRead, 1 << ua.AccessLevel.CurrentWrite
_IDS = ua.ObjectIds


def node_id(tag: Tag) -> ua.NodeId:
    return named(tag.name)


def build(server: InternalServer, site: str, tags: Sequence[Tag]) -> None:
    """Add the folders and variables of these tags. Raises RuntimeError where asyncua refuses a node."""
    objects = standard(_IDS.ObjectsFolder)
    top = _add(server, _folder("/bessplc", "bessplc", objects))
    root = _add(server, _folder(f"/bessplc/{site}", site, top))
    _fill(server, root, f"/bessplc/{site}", [(tag.name.split("."), tag) for tag in tags])


def _fill(server: InternalServer, parent: ua.NodeId, path: str, tags: list[tuple[list[str], Tag]]) -> None:
    """Hang tags below a folder: those with one part left as variables, the others in folders by their next part."""
    areas: dict[str, list[tuple[list[str], Tag]]] = defaultdict(list)
    leaves = []
    for parts, tag in tags:
        if len(parts) > 1:
            areas[parts[0]].append((parts[1:], tag))
        else:
            leaves.append((parts[0], tag))
    children: list[tuple[str, Any]] = sorted([*areas.items(), *leaves], key=lambda child: child[0].lower())
    for folder, some in _in_portions(server, parent, path, children):
        for name, child in some:
            if isinstance(child, Tag):
                _add_variable(server, folder, name, child)
            else:
                _fill(server, _add(server, _folder(f"{path}/{name}", name, folder)), f"{path}/{name}", child)


def _in_portions(
    server: InternalServer, parent: ua.NodeId, path: str, children: list[tuple[str, Any]]
) -> Iterator[tuple[ua.NodeId, list[tuple[str, Any]]]]:
    """The children with their folder: the parent itself, or where there are too many a folder for each 200 of them."""
    if len(children) <= MOST_CHILDREN:
        yield parent, children
        return
    for start in range(0, len(children), MOST_CHILDREN):
        some = children[start : start + MOST_CHILDREN]
        name = f"{some[0][0]} to {some[-1][0]}"
        yield _add(server, _folder(f"{path}/{name}", name, parent)), some


def _folder(identifier: str, name: str, parent: ua.NodeId) -> ua.AddNodesItem:
    attributes = ua.ObjectAttributes(DisplayName=ua.LocalizedText(name), Description=ua.LocalizedText(name), EventNotifier=0)
    return ua.AddNodesItem(
        ParentNodeId=parent,
        ReferenceTypeId=standard(_IDS.Organizes),
        RequestedNewNodeId=named(identifier),
        BrowseName=ua.QualifiedName(name, NS),
        NodeClass=ua.NodeClass.Object,
        NodeAttributes=attributes,
        TypeDefinition=standard(_IDS.FolderType),
    )


def _add_variable(server: InternalServer, parent: ua.NodeId, name: str, tag: Tag) -> None:
    properties = list(_properties(tag))
    known = {name for name, _ in properties}
    kind = _IDS.BaseDataVariableType
    if "EURange" in known:
        kind = _IDS.AnalogItemType
    elif "EngineeringUnits" in known:
        kind = _IDS.AnalogUnitType
    access = _READ | (_WRITE if tag.write else 0)
    attributes = ua.VariableAttributes(
        DisplayName=ua.LocalizedText(name),
        Description=ua.LocalizedText(describe(tag)),
        Value=empty(tag),
        DataType=standard(TYPES[tag.type].value),
        ValueRank=1 if tag.length else -1,
        ArrayDimensions=[ua.UInt32(tag.length)] if tag.length else [],
        AccessLevel=access,
        UserAccessLevel=access,
        MinimumSamplingInterval=0.0,
        Historizing=False,
    )
    variable = _add(
        server,
        ua.AddNodesItem(
            ParentNodeId=parent,
            ReferenceTypeId=standard(_IDS.Organizes),
            RequestedNewNodeId=node_id(tag),
            BrowseName=ua.QualifiedName(name, NS),
            NodeClass=ua.NodeClass.Variable,
            NodeAttributes=attributes,
            TypeDefinition=standard(kind),
        ),
    )
    for name, value in properties:
        _add_property(server, variable, f"{tag.name}/{name}", name, value)
    waiting = stamped(null(), BAD_WAITING_FOR_INITIAL_DATA)
    server.aspace[variable].attributes[ua.AttributeIds.Value].value = waiting


def describe(tag: Tag) -> str:
    """The tag's text, and for a TIME how it is counted."""
    parts = [tag.text] if tag.text else []
    if tag.type == "TIME":
        parts.append("(nanoseconds)")
    return " ".join(parts)


def empty(tag: Tag) -> ua.Variant:
    """A value of the tag's type, so that the node's type is known before the first scan."""
    zero = False if tag.type == "BOOL" else 0.0 if tag.type == "LREAL" else 0
    return ua.Variant([zero] * tag.length, TYPES[tag.type], is_array=True) if tag.length else ua.Variant(zero, TYPES[tag.type])


def _properties(tag: Tag) -> Iterator[tuple[str, ua.Variant]]:
    unit = tag.unit or ("ns" if tag.type == "TIME" else "")
    if unit:
        yield "EngineeringUnits", ua.Variant(engineering_unit(unit), ua.VariantType.ExtensionObject)
    if tag.type != "BOOL" and tag.minimum is not None and tag.maximum is not None:
        limits = ua.Range(Low=float(tag.minimum), High=float(tag.maximum))
        yield "EURange", ua.Variant(limits, ua.VariantType.ExtensionObject)
    if tag.names and [number for number, _ in tag.names] == list(range(len(tag.names))):
        yield "EnumStrings", ua.Variant([ua.LocalizedText(text) for _, text in tag.names], ua.VariantType.LocalizedText)
    elif tag.names:
        values = [ua.EnumValueType(Value=n, DisplayName=ua.LocalizedText(t), Description=ua.LocalizedText(t)) for n, t in tag.names]
        yield "EnumValues", ua.Variant(values, ua.VariantType.ExtensionObject)


_PROPERTY_TYPES = {
    "EngineeringUnits": _IDS.EUInformation,
    "EURange": _IDS.Range,
    "EnumStrings": _IDS.LocalizedText,
    "EnumValues": _IDS.EnumValueType,
}


def _add_property(server: InternalServer, parent: ua.NodeId, identifier: str, name: str, value: ua.Variant) -> None:
    attributes = ua.VariableAttributes(
        DisplayName=ua.LocalizedText(name),
        Description=ua.LocalizedText(""),
        Value=value,
        DataType=standard(_PROPERTY_TYPES[name]),
        ValueRank=1 if value.is_array else -1,
        ArrayDimensions=[],
        AccessLevel=_READ,
        UserAccessLevel=_READ,
        MinimumSamplingInterval=0.0,
        Historizing=False,
    )
    _add(
        server,
        ua.AddNodesItem(
            ParentNodeId=parent,
            ReferenceTypeId=standard(_IDS.HasProperty),
            RequestedNewNodeId=named(identifier),
            BrowseName=ua.QualifiedName(name, 0),
            NodeClass=ua.NodeClass.Variable,
            NodeAttributes=attributes,
            TypeDefinition=standard(_IDS.PropertyType),
        ),
    )


def _add(server: InternalServer, item: ua.AddNodesItem) -> ua.NodeId:
    results: Iterable[Any] = server.node_mgt_service.add_nodes([item])
    for result in results:
        if not result.StatusCode.is_good():
            raise RuntimeError(f"node {item.RequestedNewNodeId} was refused: {result.StatusCode.name}")
    return item.RequestedNewNodeId
