"""The whole address space of one site: tags, picture of the PLC, who wrote what, and what changes when another program runs.

It brings the parts together; it knows no session and no value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asyncua import ua

from blocks import catalogue
from runtime.child import ServiceOrder
from runtime.model import Tag
from runtime.servers.door import Door
from runtime.servers.opcua.changes import Changes, Held, compare, held, reconnect, tell
from runtime.servers.opcua.nodes import Face, LiveAttribute, Look
from runtime.servers.opcua.picture import Picture, globals_face
from runtime.servers.opcua.plcopen import add_types
from runtime.servers.opcua.space import Space, build
from runtime.servers.opcua.tags import PARTS, Writer

_VALUE = ua.AttributeIds.Value


class ShownSite:
    """The nodes of a site. `space` holds them, `parent` is the site's folder, where others may hang their objects."""

    def __init__(self, server: Any, order: ServiceOrder, door: Door, every: float):
        self._server = server
        self._held: dict[int, Held] = {}
        add_types(server.aspace)
        self.space: Space = build(server, order.site, order.tags, globals_face(), every * 1000)
        self._picture = Picture(self.space, door, catalogue(), every * 1000)
        self._picture.follow(order)

    @property
    def parent(self) -> Face:
        """The site's folder."""
        return self.space.folders.branches[self.space.folders.site].face

    def find(self, node: ua.NodeId) -> Look | None:
        """How a value that nobody publishes is looked up; None where the node has no such value."""
        made = self.space.nodes.get(node)
        value = made.attributes.get(_VALUE) if made is not None else None
        return value.look if isinstance(value, LiveAttribute) else None

    def know_writers(self, writers: Mapping[str, Writer] | None) -> None:
        """Show who wrote which tag last, and when; None: it cannot be known."""
        self.space.tags.writers = writers

    def follow(self, order: ServiceOrder) -> Changes:
        """Show this order's tags and program from now on; returns what is otherwise. Nodes of tags that stay keep their values."""
        space = self.space
        self._held = held(space.aspace)
        before: dict[str, Tag] = dict(space.tags.tags)
        for name in before.keys() - {tag.name for tag in order.tags}:
            space.tags.remove(name)
        for tag in order.tags:
            space.tags.add(tag)
        found = compare(before, space.tags.tags)
        for name in (*found.removed, *found.altered, *found.added):
            for identifier in [name, *(f"{name}/{part}" for part in PARTS)]:
                space.forget(identifier)
        space.folders.arrange(order.tags, globals_face())
        space.version += 1
        space.rearranged()
        self._picture.follow(order)
        return found

    async def tell(self, changes: Changes) -> None:
        """Have monitored items go on, and send the events that say what changed: the program, even where the tags are the same."""
        await reconnect(self.space.aspace, self._held)
        await tell(self._server, changes, [*self.space.versioned, self._picture.programs])
