"""What the standard's object Server says of this server (part 5, 6.3): its limits, its state, and no more than it can do.

asyncua shows the whole standard nodeset with its values left out, and methods behind which there is nothing: a client that asks
for a limit gets null, and one that looks for PubSub or roles finds them. It knows no tag and no session.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from asyncua import ua
from asyncua.server.address_space import AddressSpace

from runtime.servers.door import Door
from runtime.servers.opcua.filters import MOST_ELEMENTS, MOST_FIELDS
from runtime.servers.opcua.limits import TOLD
from runtime.servers.opcua.methods import MOST_CALLS
from runtime.servers.opcua.nodes import HAS_COMPONENT, HAS_PROPERTY, ORGANIZES, LiveAttribute
from runtime.servers.opcua.settings import OpcuaSettings
from runtime.servers.opcua.types import null, stamped, standard, variant
from runtime.servers.opcua.wire_items import DEEPEST

HEALTHY, NO_DATA = 255, 1  # the service level (part 4, 6.6.2.4.2)
_KINDS, _VALUE, _IDS = ua.VariantType, ua.AttributeIds.Value, ua.ObjectIds
_CAPABILITIES, _LIMITS = "ServerCapabilities_", "ServerCapabilities_OperationLimits_"
# What nobody has built, below the Server: optional in the standard, and better not shown than shown empty.
_ABSENT = (
    "EstimatedReturnTime",
    "UrisVersion",
    "SetSubscriptionDurable",
    "RequestServerStateChange",
    f"{_CAPABILITIES}RoleSet",
    f"{_CAPABILITIES}ConformanceUnits",
    f"{_CAPABILITIES}MaxArrayLength",
    f"{_CAPABILITIES}MaxStringLength",
    f"{_CAPABILITIES}MaxByteStringLength",
    *(
        f"{_LIMITS}MaxNodesPer{what}"
        for what in ("HistoryReadEvents", "HistoryUpdateData", "HistoryUpdateEvents", "NodeManagement")
    ),
    *(f"ServerRedundancy_{what}" for what in ("CurrentServerId", "RedundantServerArray", "ServerUriArray", "ServerNetworkGroups")),
)
_ABSENT_FACTS = (
    "StaticStringNodeIdPattern",
    *(f"Default{what}" for what in ("RolePermissions", "UserRolePermissions", "AccessRestrictions")),
)
_ABSENT_OBJECTS = (
    *("ServerConfiguration", "PublishSubscribe", "Dictionaries", "Resources", "ServerLog", "DefaultHEConfiguration", "Quantities"),
    *("Locations", "Aliases"),
)
_INSIDE = (HAS_COMPONENT, HAS_PROPERTY, ORGANIZES)


def introduce(server: Any, settings: OpcuaSettings, door: Door) -> None:
    """Have the object Server say how this server is."""
    aspace: AddressSpace = server.aspace
    for name in _ABSENT:
        _take_away(aspace, standard(getattr(_IDS, f"Server_{name}")))
    for name in (*_ABSENT_OBJECTS, *(f"OPCUANamespaceMetadata_{fact}" for fact in _ABSENT_FACTS)):
        _take_away(aspace, standard(getattr(_IDS, name)))
    for name, value in _facts(server, settings).items():
        aspace[_node(name)].attributes[_VALUE].value = ua.DataValue(value)
    lives: dict[str, Callable[[], ua.DataValue]] = {"ServiceLevel": lambda: _level(door), "LocalTime": _local_time}
    for name, look in lives.items():
        aspace[_node(name)].attributes[_VALUE] = LiveAttribute(look)
    off = stamped(null(), int(ua.StatusCodes.BadOutOfService))
    for number in _below(aspace, standard(_IDS.Server_ServerDiagnostics)):
        attribute = aspace[number].attributes.get(_VALUE)
        if attribute is not None and number != _node("ServerDiagnostics_EnabledFlag"):
            attribute.value = off


def _facts(server: Any, settings: OpcuaSettings) -> dict[str, ua.Variant]:
    """What stays as it is, by the name of its node below the Server; limits are those that are enforced."""
    numbers = {
        "MaxSessions": settings.clients,
        "MaxMonitoredItemsQueueSize": DEEPEST,
        "MaxSelectClauseParameters": MOST_FIELDS,
        "MaxWhereClauseParameters": MOST_ELEMENTS,
        "OperationLimits_MaxNodesPerMethodCall": MOST_CALLS,
        **TOLD,
    }
    found = {f"{_CAPABILITIES}{name}": variant(number, _KINDS.UInt32) for name, number in numbers.items()}
    for name in ("MaxBrowseContinuationPoints", "MaxQueryContinuationPoints", "MaxHistoryContinuationPoints"):
        found[f"{_CAPABILITIES}{name}"] = variant(0, _KINDS.UInt16)  # nothing is held for a continuation point: no limit
    return found | {
        f"{_CAPABILITIES}LocaleIdArray": variant(["en"], _KINDS.String, is_array=True),
        f"{_CAPABILITIES}ServerProfileArray": variant([], _KINDS.String, is_array=True),  # none was certified
        f"{_CAPABILITIES}SoftwareCertificates": variant([], _KINDS.ExtensionObject, is_array=True),
        f"{_CAPABILITIES}MinSupportedSampleRate": variant(settings.every * 1000, _KINDS.Double),
        "Auditing": variant(False, _KINDS.Boolean),  # the audit log is the site's, and sends no events
        "ServerDiagnostics_EnabledFlag": variant(False, _KINDS.Boolean),
        "ServerRedundancy_RedundancySupport": variant(0, _KINDS.Int32),
        "ServerStatus_SecondsTillShutdown": variant(0, _KINDS.UInt32),
        "ServerStatus_ShutdownReason": variant(ua.LocalizedText(""), _KINDS.LocalizedText),
    }


def _level(door: Door) -> ua.DataValue:
    """How good the values are: of two redundant controllers a client takes the one that tells more."""
    now = datetime.now(UTC)
    return stamped(variant(NO_DATA if door.is_stale() else HEALTHY, _KINDS.Byte), 0, now, now)


def _local_time() -> ua.DataValue:
    """This machine's time zone (part 5, 12.2.12.12)."""
    now = time.localtime()
    zone = ua.TimeZoneDataType(Offset=now.tm_gmtoff // 60, DaylightSavingInOffset=now.tm_isdst > 0)
    return ua.DataValue(variant(zone, _KINDS.ExtensionObject))


def _node(name: str) -> ua.NodeId:
    return standard(getattr(_IDS, f"Server_{name}"))


def _take_away(aspace: AddressSpace, number: ua.NodeId) -> None:
    """Take a node and all that it is made of out of the address space."""
    node = aspace.get(number)
    if node is None:
        return
    for owner in [reference.NodeId for reference in node.references if not reference.IsForward]:
        if owner in aspace:
            aspace[owner].references = [reference for reference in aspace[owner].references if reference.NodeId != number]
    for inside in _below(aspace, number):
        del aspace[inside]
    del aspace[number]


def _below(aspace: AddressSpace, number: ua.NodeId) -> list[ua.NodeId]:
    """All nodes that this one is made of, each once."""
    found: dict[ua.NodeId, None] = {}
    todo = [number]
    while todo:
        for reference in aspace[todo.pop()].references:
            is_part = reference.IsForward and reference.ReferenceTypeId in _INSIDE and reference.NodeId in aspace
            if is_part and reference.NodeId not in found and reference.NodeId != number:
                found[reference.NodeId] = None
                todo.append(reference.NodeId)
    return list(found)
