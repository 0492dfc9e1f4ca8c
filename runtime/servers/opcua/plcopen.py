"""The types that our picture of the PLC is made of, with their official node ids. It knows no tag and no program.

From OPC 10000-100 (Devices, DI 1.05) and the PLCopen companion specification "OPC UA Information Model for IEC 61131-3" 1.02: only
what we use, so both namespaces are marked as subsets. Importing the two whole nodesets would take asyncua longer than everything
else of the start.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from asyncua import ua
from asyncua.server.address_space import AddressSpace, NodeData

from runtime.servers.opcua.nodes import (
    HAS_COMPONENT,
    HAS_PROPERTY,
    HAS_RULE,
    HAS_SUBTYPE,
    MANDATORY,
    ORGANIZES,
    PLAIN_OBJECT,
    PROPERTY,
    Face,
    attribute,
    back,
    common,
    is_of,
    make_object,
    make_type,
    make_variable,
    to,
)
from runtime.servers.opcua.types import NS, standard

DI_URI, PLCOPEN_URI = "http://opcfoundation.org/UA/DI/", "http://PLCopen.org/OpcUa/IEC61131-3/"
DI, PLC = 3, 4  # their namespace indices here: always registered after ours
_OBJECT_TYPE, _REFERENCE_TYPE, _KINDS = ua.NodeClass.ObjectType, ua.NodeClass.ReferenceType, ua.VariantType
_IDS = ua.ObjectIds
OPTIONAL = standard(_IDS.ModellingRule_Optional)


def di(number: int) -> ua.NodeId:
    """A node of the DI namespace."""
    return ua.NodeId(number, DI)  # type: ignore[arg-type]


def plc(number: int) -> ua.NodeId:
    """A node of the PLCopen namespace."""
    return ua.NodeId(number, PLC)  # type: ignore[arg-type]


TOPOLOGY_ELEMENT, DEVICE, BLOCK, CONFIGURABLE, GROUP = di(1001), di(1002), di(1003), di(1004), di(1005)
COMPONENT, DEVICE_SET = di(15063), di(5001)
CONFIGURATION, RESOURCE, ORGANIZATION_UNIT, PROGRAM, FUNCTION_BLOCK, TASK, SFC = (plc(1001 + n) for n in range(7))
HAS_INPUT, HAS_OUTPUT, HAS_IN_OUT, HAS_LOCAL, HAS_EXTERNAL, WITH = (plc(4001 + n) for n in range(6))
# Object types: id, browse name, supertype, abstract.
OBJECT_TYPES: tuple[tuple[ua.NodeId, str, ua.NodeId, bool], ...] = (
    (TOPOLOGY_ELEMENT, "TopologyElementType", PLAIN_OBJECT, True),
    (COMPONENT, "ComponentType", TOPOLOGY_ELEMENT, True),
    (DEVICE, "DeviceType", COMPONENT, True),
    (BLOCK, "BlockType", TOPOLOGY_ELEMENT, True),
    (CONFIGURABLE, "ConfigurableObjectType", PLAIN_OBJECT, False),
    (GROUP, "FunctionalGroupType", standard(_IDS.FolderType), False),
    (CONFIGURATION, "CtrlConfigurationType", TOPOLOGY_ELEMENT, False),
    (RESOURCE, "CtrlResourceType", DEVICE, False),
    (ORGANIZATION_UNIT, "CtrlProgramOrganizationUnitType", BLOCK, True),
    (PROGRAM, "CtrlProgramType", ORGANIZATION_UNIT, True),
    (FUNCTION_BLOCK, "CtrlFunctionBlockType", ORGANIZATION_UNIT, True),
    (TASK, "CtrlTaskType", PLAIN_OBJECT, False),
    (SFC, "SFCType", PLAIN_OBJECT, False),
)
TYPE_NAMES = {number: name for number, name, *_ in OBJECT_TYPES}
# Reference types: id, browse name, inverse name, supertype.
REFERENCE_TYPES: tuple[tuple[ua.NodeId, str, str, ua.NodeId], ...] = (
    (HAS_INPUT, "HasInputVar", "InputVarOf", HAS_COMPONENT),
    (HAS_OUTPUT, "HasOutputVar", "OutputVarOf", HAS_COMPONENT),
    (HAS_IN_OUT, "HasInOutVar", "InOutVarOf", HAS_COMPONENT),
    (HAS_LOCAL, "HasLocalVar", "LocalVarOf", HAS_COMPONENT),
    (HAS_EXTERNAL, "HasExternalVar", "ExternalVarOf", ORGANIZES),
    (WITH, "With", "Executes", standard(_IDS.NonHierarchicalReferences)),
)
# What the types declare and our objects have: id, owner, browse name, type definition, modelling rule.
OBJECT_PARTS: tuple[tuple[ua.NodeId, ua.NodeId, str, ua.NodeId, ua.NodeId], ...] = (
    (di(5004), CONFIGURABLE, "SupportedTypes", standard(_IDS.FolderType), MANDATORY),
    (plc(5004), CONFIGURATION, "Resources", CONFIGURABLE, MANDATORY),
    (plc(5014), RESOURCE, "Tasks", CONFIGURABLE, MANDATORY),
    (plc(5016), RESOURCE, "Programs", CONFIGURABLE, MANDATORY),
    (plc(5018), RESOURCE, "GlobalVars", GROUP, OPTIONAL),
)
# Properties: id, owner, browse name, data type, modelling rule.
PROPERTY_PARTS: tuple[tuple[ua.NodeId, ua.NodeId, str, int, ua.NodeId], ...] = (
    (di(6003), DEVICE, "Manufacturer", _IDS.LocalizedText, MANDATORY),
    (di(6004), DEVICE, "Model", _IDS.LocalizedText, MANDATORY),
    (di(6008), DEVICE, "HardwareRevision", _IDS.String, MANDATORY),
    (di(6007), DEVICE, "SoftwareRevision", _IDS.String, MANDATORY),
    (di(6006), DEVICE, "DeviceRevision", _IDS.String, MANDATORY),
    (di(6005), DEVICE, "DeviceManual", _IDS.String, MANDATORY),
    (di(6001), DEVICE, "SerialNumber", _IDS.String, MANDATORY),
    (di(6002), DEVICE, "RevisionCounter", _IDS.Int32, MANDATORY),
    (plc(6004), TASK, "Priority", _IDS.UInt32, MANDATORY),
    (plc(6005), TASK, "Interval", _IDS.String, OPTIONAL),
)
# What NamespaceMetadataType demands (part 5, 6.3.13), in the order of the official ids 15002 to 15008 of both namespaces.
_METADATA: tuple[tuple[str, int, ua.VariantType, Any], ...] = (
    ("NamespaceUri", _IDS.String, _KINDS.String, None),
    ("NamespaceVersion", _IDS.String, _KINDS.String, None),
    ("NamespacePublicationDate", _IDS.DateTime, _KINDS.DateTime, None),
    ("IsNamespaceSubset", _IDS.Boolean, _KINDS.Boolean, True),
    ("StaticNodeIdTypes", _IDS.IdType, _KINDS.Int32, [0]),
    ("StaticNumericNodeIdRange", _IDS.NumericRange, _KINDS.String, ["1:65535"]),
    ("StaticStringNodeIdPattern", _IDS.String, _KINDS.String, ""),
)
_RULES = {MANDATORY: "Mandatory", OPTIONAL: "Optional"}


def type_face(number: ua.NodeId, name: str) -> Face:
    """An object type of one of the two specifications."""
    return Face(number, name, _OBJECT_TYPE, namespace=number.NamespaceIndex)


def is_a(type_: ua.NodeId) -> ua.ReferenceDescription:
    """The type definition reference to one of the types here."""
    return is_of(type_, TYPE_NAMES[type_], _OBJECT_TYPE, type_.NamespaceIndex)


def add_types(aspace: AddressSpace) -> None:
    """Put the types and the DeviceSet into the address space."""
    for number, name, parent, is_abstract in OBJECT_TYPES:
        _add(aspace, make_type(type_face(number, name), (), is_abstract=is_abstract), type_face(number, name), parent, HAS_SUBTYPE)
    for number, name, inverse, parent in REFERENCE_TYPES:
        face = Face(number, name, _REFERENCE_TYPE, namespace=PLC)
        made = make_type(face, (), is_abstract=False)
        made.attributes[ua.AttributeIds.Symmetric] = common(False, _KINDS.Boolean)
        made.attributes[ua.AttributeIds.InverseName] = attribute(ua.LocalizedText(inverse), _KINDS.LocalizedText)
        _add(aspace, made, face, parent, HAS_SUBTYPE)
    for number, owner, name, type_, rule in OBJECT_PARTS:
        face = Face(number, name, ua.NodeClass.Object, type_, namespace=number.NamespaceIndex)
        kind = is_a(type_) if type_ in TYPE_NAMES else is_of(type_, "FolderType", _OBJECT_TYPE, 0)
        _add(aspace, make_object(face, [kind, _rule(rule)]), face, owner, HAS_COMPONENT)
    for number, owner, name, data_type, rule in PROPERTY_PARTS:
        face = Face(number, name, ua.NodeClass.Variable, PROPERTY, namespace=number.NamespaceIndex)
        what = [is_of(PROPERTY, "PropertyType", ua.NodeClass.VariableType, 0), _rule(rule)]
        _add(aspace, make_variable(face, attribute(None, _KINDS.Null), standard(data_type), what), face, owner, HAS_PROPERTY)
    _describe(aspace, DI, DI_URI, "1.05.0", datetime(2025, 11, 15, tzinfo=UTC))
    _describe(aspace, PLC, PLCOPEN_URI, "1.02", datetime(2020, 11, 25, tzinfo=UTC))
    ours = aspace[standard(_IDS.Server_NamespaceArray)].attributes[ua.AttributeIds.Value].value.Value.Value[NS]  # type: ignore[union-attr]
    _describe(aspace, NS, ours, None, None, IsNamespaceSubset=False, StaticNodeIdTypes=[], StaticNumericNodeIdRange=[])
    devices = Face(DEVICE_SET, "DeviceSet", ua.NodeClass.Object, PLAIN_OBJECT, namespace=DI)
    what = [is_of(PLAIN_OBJECT, "BaseObjectType", _OBJECT_TYPE, 0)]
    text = "Every instance of a device (OPC 10000-100)"
    _add(aspace, make_object(devices, what, text), devices, standard(_IDS.ObjectsFolder), ORGANIZES)


def _describe(
    aspace: AddressSpace, namespace: int, uri: str, version: str | None, published: datetime | None, **otherwise: Any
) -> None:
    """Say in Server/Namespaces which part of a specification is here; ours is of no specification, and has no version."""
    type_ = standard(_IDS.NamespaceMetadataType)
    face = Face(ua.NodeId(15001, namespace), uri, ua.NodeClass.Object, type_, namespace=namespace)  # type: ignore[arg-type]
    made = make_object(face, [is_of(type_, "NamespaceMetadataType", _OBJECT_TYPE, 0)])
    _add(aspace, made, face, standard(_IDS.Server_Namespaces), HAS_COMPONENT)
    known = {"NamespaceUri": uri, "NamespaceVersion": version, "NamespacePublicationDate": published, **otherwise}
    for number, (name, data_type, kind, value) in enumerate(_METADATA, 15002):
        is_list = isinstance(value, list)
        of = Face(ua.NodeId(number, namespace), name, ua.NodeClass.Variable, PROPERTY, namespace=0)  # type: ignore[arg-type]
        what = [is_of(PROPERTY, "PropertyType", ua.NodeClass.VariableType, 0)]
        said = attribute(known.get(name, value), kind, is_array=is_list)
        _add(aspace, make_variable(of, said, standard(data_type), what, length=-1 if is_list else 0), of, face.id, HAS_PROPERTY)


def hang(aspace: AddressSpace, face: Face, parent: ua.NodeId, reference: ua.NodeId) -> ua.ReferenceDescription:
    """Have a node of the address space refer to this one; the reference back is for the node itself."""
    owner = aspace[parent]
    owner.references.append(to(reference, face))
    name = owner.attributes[ua.AttributeIds.BrowseName].value.Value.Value  # type: ignore[union-attr]
    kind = owner.attributes[ua.AttributeIds.NodeClass].value.Value.Value  # type: ignore[union-attr]
    return back(reference, Face(parent, name.Name, ua.NodeClass(kind), namespace=name.NamespaceIndex))


def _add(aspace: AddressSpace, made: NodeData, face: Face, parent: ua.NodeId, reference: ua.NodeId) -> None:
    made.references.append(hang(aspace, face, parent, reference))
    aspace[face.id] = made


def _rule(rule: ua.NodeId) -> ua.ReferenceDescription:
    return to(HAS_RULE, Face(rule, _RULES[rule], ua.NodeClass.Object, standard(_IDS.ModellingRuleType), namespace=0))
