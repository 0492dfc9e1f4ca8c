"""What is otherwise when another program runs, and the events that tell clients so (part 3, 9.32 and 9.33). It knows no value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from asyncua import ua
from asyncua.server.address_space import AddressSpace, AttributeValue

from runtime.model import Tag
from runtime.servers.opcua.conditions import system_notice
from runtime.servers.opcua.tags import node_id, type_of
from runtime.servers.opcua.types import NS, null, stamped, standard, variant

MOST_TOLD = 1000  # changes in one event; of more than that a client hears only that the folders have other children
_VERBS = ua.ModelChangeStructureVerbMask
_FOLDER = standard(ua.ObjectIds.FolderType)


@dataclass(frozen=True, slots=True)
class Changes:
    """Tags by name: new, gone, with another type (`altered`), and with another unit, range, text or set of names (`otherwise`)."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    altered: tuple[str, ...]
    retyped: frozenset[str]
    meanings: frozenset[str]
    tags: Mapping[str, Tag]


def compare(before: Mapping[str, Tag], now: Mapping[str, Tag]) -> Changes:
    """What of the tags is otherwise."""
    both = [name for name in now if name in before]
    retyped = frozenset(name for name in both if _nature(before[name]) != _nature(now[name]))
    meanings = frozenset(name for name in both if name not in retyped and _meaning(before[name]) != _meaning(now[name]))
    altered = tuple(name for name in both if name in retyped or name in meanings or _looks(before[name]) != _looks(now[name]))
    added, removed = tuple(name for name in now if name not in before), tuple(name for name in before if name not in now)
    return Changes(added, removed, altered, retyped, meanings, {**before, **now})


def _nature(tag: Tag) -> tuple[Any, ...]:
    return tag.type, tag.length, type_of(tag), bool(tag.write)


def _meaning(tag: Tag) -> tuple[Any, ...]:
    return tag.unit, tag.minimum, tag.maximum, tag.names


def _looks(tag: Tag) -> tuple[Any, ...]:
    return tag.text, tag.owner, tag.at, tag.write


@dataclass(frozen=True, slots=True)
class Held:
    """An attribute of a node of ours that a client monitors by asyncua's own means: a range, a text, a type."""

    node: ua.NodeId
    which: ua.AttributeIds
    attribute: AttributeValue
    callback: Any


def held(aspace: AddressSpace) -> dict[int, Held]:
    """What is monitored of our nodes beside values that we publish, by its handle."""
    found = {}
    for handle, (node, which) in aspace._handle_to_attribute_map.items():
        made = aspace.get(node) if node.NamespaceIndex == NS else None
        attribute = made.attributes.get(which) if made is not None else None
        if attribute is not None and handle in attribute.datachange_callbacks:
            found[handle] = Held(node, which, attribute, attribute.datachange_callbacks[handle])
    return found


async def reconnect(aspace: AddressSpace, before: Mapping[int, Held]) -> None:
    """Have what was monitored before go on with the nodes as they are now; of a node that is gone clients hear so, once."""
    gone = stamped(null(), int(ua.StatusCodes.BadNodeIdUnknown))
    for handle, was in before.items():
        made = aspace.get(was.node)
        now = made.attributes.get(was.which) if made is not None else None
        if now is was.attribute or handle not in aspace._handle_to_attribute_map:
            continue
        was.attribute.datachange_callbacks.pop(handle, None)
        if now is None:
            del aspace._handle_to_attribute_map[handle]
            await was.callback(handle, gone)
        else:
            now.datachange_callbacks[handle] = was.callback
            await was.callback(handle, aspace.read_attribute_value(was.node, was.which))


async def tell(server: Any, changes: Changes, folders: list[ua.NodeId]) -> None:
    """Send the events; `folders` are the objects with a NodeVersion, whose children are others now."""
    others = _VERBS.ReferenceAdded | _VERBS.ReferenceDeleted
    told: list[Any] = [ua.ModelChangeStructureDataType(folder, _FOLDER, others) for folder in folders]
    single = [
        *((name, _VERBS.NodeAdded) for name in changes.added),
        *((name, _VERBS.NodeDeleted) for name in changes.removed),
        *((name, _VERBS.DataTypeChanged) for name in changes.altered if name in changes.retyped),
    ]
    if len(single) <= MOST_TOLD:
        told += [_model_change(changes.tags[name], verb) for name, verb in single]
    await _send(server, ua.ObjectIds.GeneralModelChangeEventType, "Another program runs: nodes are others", told)
    meanings = [changes.tags[name] for name in sorted(changes.meanings)][:MOST_TOLD]
    if meanings:
        told = [ua.SemanticChangeStructureDataType(node_id(tag), standard(type_of(tag))) for tag in meanings]
        await _send(server, ua.ObjectIds.SemanticChangeEventType, "Another program runs: units, ranges or texts are others", told)


def _model_change(tag: Tag, verb: int) -> ua.ModelChangeStructureDataType:
    return ua.ModelChangeStructureDataType(node_id(tag), standard(type_of(tag)), verb)


async def _send(server: Any, kind: int, message: str, changes: list[Any]) -> None:
    notice = system_notice(kind, message)
    notice.fields = {**notice.fields, "Changes": variant(changes, ua.VariantType.ExtensionObject, is_array=True)}
    await server.subscription_service.trigger_event(notice)
