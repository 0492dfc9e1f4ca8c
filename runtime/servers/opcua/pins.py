"""Function-block instances and their pins as OPC UA nodes, made when somebody first looks at them. It knows no tag and no session.

`ns=2;s=/blocks/dispatch.droop` is an instance, `ns=2;s=/pins/dispatch.droop.P` one of its pins: read-only, and its value is read
out of the scan's memory when it is asked for. Instances that the compiler made of an expression (a `#` in their name) hang in no
folder, but they too can be read by their id. Of a program with 100,000 pins only those looked at last are kept as nodes.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from asyncua import ua
from asyncua.server.address_space import NodeData

from blocks.declare import BlockType, Pin
from runtime.model import Group, Tag
from runtime.quality import BAD_NO_COMMUNICATION
from runtime.servers.door import Door
from runtime.servers.opcua.nodes import Face, LiveAttribute, back, is_of, make_object, object_face, to
from runtime.servers.opcua.plcopen import HAS_INPUT, HAS_LOCAL, HAS_OUTPUT
from runtime.servers.opcua.tags import TYPES, TagNodes, face_of
from runtime.servers.opcua.types import named, null, stamped, variant

BLOCKS, PINS, BLOCK_TYPES = "/blocks/", "/pins/", "/types/blocks/"
MOST_KEPT = 1000  # instances whose nodes are kept; one costs 10 kB, and 3 kB more for each pin that is looked at
HOW = {"input": HAS_INPUT, "output": HAS_OUTPUT, "var": HAS_LOCAL}


@dataclass(frozen=True, slots=True)
class Instance:
    """A function-block instance: its full name and its block type."""

    name: str
    block: str

    @property
    def face(self) -> Face:
        return object_face(BLOCKS + self.name, self.name.rpartition(".")[2], named(BLOCK_TYPES + self.block), self.name)


class Instances:
    """All instances of a program, which are nodes only once somebody asks.

    `home` gives the reference back from an instance to the program or folder that it hangs in, None for those that hang nowhere.
    `drop` takes nodes out of the address space; who monitors one goes on, since its value is looked up by name.
    """

    def __init__(self, door: Door, interval: float, drop: Callable[[Sequence[str]], None]):
        self._door, self._drop = door, drop
        self._pin_nodes = TagNodes(self._owner_of, interval)
        self._kept: OrderedDict[str, list[str]] = OrderedDict()
        self._catalogue: Mapping[str, BlockType] = {}
        self._groups: tuple[Group, ...] = ()
        self._by_name: dict[str, Instance] | None = None
        self.pins: Mapping[str, tuple[str, int, int]] = {}
        self.home: Callable[[Instance], ua.ReferenceDescription | None] = lambda instance: None
        self._inner: dict[str, list[Instance]] = {}

    def follow(
        self, groups: tuple[Group, ...], pins: Mapping[str, tuple[str, int, int]], catalogue: Mapping[str, BlockType]
    ) -> None:
        """Show the instances of this program from now on."""
        self._groups, self.pins, self._catalogue, self._by_name = groups, pins, catalogue, None
        self._drop([identifier for identifiers in self._kept.values() for identifier in identifiers])
        self._kept.clear()
        self._pin_nodes.tags.clear()
        self._pin_nodes.values.clear()

    @property
    def all(self) -> dict[str, Instance]:
        """Every instance by its name."""
        if self._by_name is None:
            self._by_name = {name: Instance(name, group.block) for group in self._groups for name in group.instances}
            self._inner = defaultdict(list)
            for instance in self._by_name.values():
                owner = self.owner_of(instance)
                if owner is not None and "#" not in instance.name:
                    self._inner[owner.name].append(instance)
        return self._by_name

    def owner_of(self, instance: Instance) -> Instance | None:
        """The instance that this one is a part of: a step of its sequence."""
        name = instance.name
        while "." in name:
            name = name.rpartition(".")[0]
            if name in self.all:
                return self.all[name]
        return None

    def make(self, identifier: str) -> NodeData | None:
        """The node of an instance, of a pin, or of a property of a pin."""
        if identifier.startswith(BLOCKS):
            instance = self.all.get(identifier.removeprefix(BLOCKS))
            return self._instance(instance) if instance is not None else None
        if not identifier.startswith(PINS):
            return None
        pin, _, _ = identifier.removeprefix(PINS).partition("/")
        if pin not in self.pins:
            return None
        self._know(pin)
        self._keep(pin.rpartition(".")[0], identifier)
        return self._pin_nodes.make(identifier)

    def _instance(self, instance: Instance) -> NodeData:
        self._keep(instance.name, BLOCKS + instance.name)
        home = self.home(instance)
        block = self._catalogue.get(instance.block)
        references = [
            is_of(named(BLOCK_TYPES + instance.block), instance.block, ua.NodeClass.ObjectType, 2),
            *([home] if home is not None else []),
            *(to(HAS_LOCAL, inner.face) for inner in self._inner.get(instance.name, ())),
            *(to(how, face_of(self.tag_of(f"{instance.name}.{pin}"))) for pin, how in self._pins_of(instance)),
        ]
        return make_object(instance.face, references, block.doc if block is not None else "")

    def _pins_of(self, instance: Instance) -> Iterator[tuple[str, ua.NodeId]]:
        block = self._catalogue.get(instance.block)
        if block is not None:
            for pin in block.pins:
                if f"{instance.name}.{pin.name}" in self.pins:
                    yield pin.name, HOW[pin.kind]
            return
        start = instance.name + "."
        for name in self.pins:
            if name.startswith(start) and "." not in name[len(start) :]:
                yield name[len(start) :], HAS_LOCAL

    def tag_of(self, pin: str) -> Tag:
        """A pin described as a tag is."""
        type_, offset, length = self.pins[pin]
        declared = self._declared(pin)
        if declared is None:
            return Tag(PINS + pin, type_, length, 0, offset)
        unit = declared.unit if "{" not in declared.unit else ""
        names = tuple(enumerate(declared.names))
        return Tag(PINS + pin, type_, length, 0, offset, "pin", unit, declared.doc, declared.min, declared.max, names=names)

    def _declared(self, pin: str) -> Pin | None:
        instance, _, name = pin.rpartition(".")
        known = self.all.get(instance)
        block = self._catalogue.get(known.block) if known is not None else None
        return block.pin(name) if block is not None else None

    def _know(self, pin: str) -> None:
        self._pin_nodes.tags[PINS + pin] = self.tag_of(pin)
        if PINS + pin not in self._pin_nodes.values:
            self._pin_nodes.values[PINS + pin] = LiveAttribute(lambda: self.value(pin))

    def _owner_of(self, tag: Tag) -> list[ua.ReferenceDescription]:
        pin = tag.name.removeprefix(PINS)
        declared, owner = self._declared(pin), self.all.get(pin.rpartition(".")[0])
        return [back(HOW[declared.kind] if declared is not None else HAS_LOCAL, owner.face)] if owner is not None else []

    def value(self, pin: str) -> ua.DataValue:
        """The pin as it stands in the scan's memory now."""
        now = datetime.now(UTC)
        if pin not in self.pins or self._door.is_stale() or not self._door.pins.attach():
            return stamped(null(), BAD_NO_COMMUNICATION, now, now)
        type_, _, length = self.pins[pin]
        return stamped(variant(self._door.pins.value(pin), TYPES[type_], is_array=bool(length)), 0, now, now)

    def _keep(self, instance: str, identifier: str) -> None:
        """Remember that this node was made, and forget those of the instance that was looked at longest ago."""
        self._kept.setdefault(instance, []).append(identifier)
        self._kept.move_to_end(instance)
        if len(self._kept) <= MOST_KEPT:
            return
        _, dropped = self._kept.popitem(last=False)
        self._drop(dropped)
        for name in dropped:
            if name in self._pin_nodes.values:
                self._pin_nodes.remove(name)
