"""The PLC as PLCopen pictures it: device, resource, tasks, programs, function-block types and instances. It knows no session.

`Objects/DeviceSet/<site>/Resources/scan` is the one resource; a program refers by `With` to its task and by `HasLocalVar` to its
instances. What is few is made at once, what may be many (instances, pins, block types) when it is looked at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from asyncua import ua
from asyncua.server.address_space import NodeData

import runtime
from blocks.declare import BlockType
from runtime.child import ServiceOrder
from runtime.servers.door import Door
from runtime.servers.opcua.block_types import TypeNodes
from runtime.servers.opcua.nodes import (
    FOLDER,
    HAS_COMPONENT,
    HAS_PROPERTY,
    ORGANIZES,
    PROPERTY,
    Attribute,
    Face,
    LiveAttribute,
    attribute,
    back,
    is_of,
    make_object,
    make_variable,
    object_face,
    property_face,
    to,
)
from runtime.servers.opcua.pins import Instance, Instances
from runtime.servers.opcua.plcopen import (
    CONFIGURABLE,
    CONFIGURATION,
    DEVICE,
    DEVICE_SET,
    DI,
    GROUP,
    HAS_LOCAL,
    PLC,
    PROGRAM,
    PROPERTY_PARTS,
    RESOURCE,
    TASK,
    TYPE_NAMES,
    WITH,
    is_a,
    type_face,
)
from runtime.servers.opcua.space import MOST_CHILDREN, Space
from runtime.servers.opcua.tags import TYPES
from runtime.servers.opcua.tasks import FIGURES, duration, look, priority
from runtime.servers.opcua.types import NS, named, standard
from runtime.servers.opcua.units import engineering_unit

DEVICE_ID, SCAN_ID = "/plc", "/plc/scan"
GLOBALS_ID = f"{SCAN_ID}/GlobalVars"
_STRING, _TEXT = ua.VariantType.String, ua.VariantType.LocalizedText


def globals_face() -> Face:
    """The resource's global variables, which are the areas of tags."""
    return Face(named(GLOBALS_ID), "GlobalVars", ua.NodeClass.Object, GROUP, namespace=PLC)


class Picture:
    """The nodes of device, resource, tasks and programs, and who makes the others. `follow` turns to another program."""

    def __init__(self, space: Space, door: Door, catalogue: Mapping[str, BlockType], interval: float):
        self._space, self._door, self._catalogue, self._interval = space, door, catalogue, interval
        self._nodes: dict[str, NodeData] = {}
        self.types = TypeNodes(catalogue)
        self.instances = Instances(door, interval, self._drop)
        self.instances.home = self._home_of
        space.others += [self._nodes.get, self.types.make, self.instances.make]

    def follow(self, order: ServiceOrder) -> None:
        """Make the picture of this order's program."""
        before = set(self._nodes)
        self._nodes.clear()
        self.instances.follow(order.groups, order.pins, self._catalogue)
        self._order = order
        self._arrange()
        self._device()
        self._tasks()
        self._programs()
        self._drop([*before, *self.types.follow(self._space.aspace, order.groups, tuple(self._program_faces))])

    @property
    def programs(self) -> ua.NodeId:
        """The object that holds the programs; it has a NodeVersion."""
        return self._programs_face.id

    def _drop(self, identifiers: Any) -> None:
        for identifier in identifiers:
            made = self._space.nodes.made(identifier)
            if made is not None:
                del self._space.nodes[made.nodeid]

    # device and resource

    def _device(self) -> None:
        devices = Face(DEVICE_SET, "DeviceSet", ua.NodeClass.Object, namespace=DI)
        device = object_face(DEVICE_ID, self._order.site, CONFIGURATION)
        resources = Face(named(f"{DEVICE_ID}/Resources"), "Resources", ua.NodeClass.Object, CONFIGURABLE, namespace=PLC)
        scan = object_face(SCAN_ID, "scan", RESOURCE)
        tasks = Face(named(f"{SCAN_ID}/Tasks"), "Tasks", ua.NodeClass.Object, CONFIGURABLE, namespace=PLC)
        programs = Face(named(f"{SCAN_ID}/Programs"), "Programs", ua.NodeClass.Object, CONFIGURABLE, namespace=PLC)
        self._tasks_face, self._programs_face = tasks, programs
        known = self._space.aspace[DEVICE_SET].references
        if all(reference.NodeId != device.id for reference in known):
            known.append(to(HAS_COMPONENT, device))
        self._object(device, CONFIGURATION, devices, HAS_COMPONENT, f"Soft PLC {self._order.site}", [to(HAS_COMPONENT, resources)])
        self._configurable(resources, device, RESOURCE, [to(HAS_COMPONENT, scan)])
        inside = [to(HAS_COMPONENT, face) for face in (tasks, programs, globals_face())]
        self._object(scan, RESOURCE, resources, HAS_COMPONENT, "The scan: one thread runs all tasks", inside)
        self._nameplate(scan)
        task_faces = [to(HAS_COMPONENT, object_face(f"/tasks/{task.name}", task.name, TASK)) for task in self._order.tasks]
        self._configurable(tasks, scan, TASK, task_faces)
        self._configurable(programs, scan, PROGRAM, [to(HAS_COMPONENT, face) for face in self._program_faces.values()])
        version = attribute(str(self._space.version), _STRING)
        self._property(programs, "NodeVersion", version, ua.ObjectIds.String, 0)
        areas = [to(ORGANIZES, area) for area in self._space.folders.areas]
        self._object(globals_face(), GROUP, scan, HAS_COMPONENT, "The tags by area", areas)

    def _object(
        self, face: Face, type_: ua.NodeId, parent: Face, how: ua.NodeId, text: str, inside: list[ua.ReferenceDescription]
    ) -> NodeData:
        made = make_object(face, [is_a(type_), back(how, parent), *inside], text)
        self._nodes[face.key] = made
        return made

    def _configurable(self, face: Face, parent: Face, supported: ua.NodeId, inside: list[ua.ReferenceDescription]) -> None:
        """A DI ConfigurableObjectType: its components, and the folder of the types that these are of."""
        types = Face(named(f"{face.key}/SupportedTypes"), "SupportedTypes", ua.NodeClass.Object, FOLDER, namespace=DI)
        self._object(face, CONFIGURABLE, parent, HAS_COMPONENT, "", [to(HAS_COMPONENT, types), *inside])
        references = [
            is_of(FOLDER, "FolderType", ua.NodeClass.ObjectType, 0),
            back(HAS_COMPONENT, face),
            to(ORGANIZES, type_face(supported, TYPE_NAMES[supported])),
        ]
        self._nodes[types.key] = make_object(types, references)

    def _nameplate(self, owner: Face) -> None:
        """What DI's DeviceType demands of a device."""
        version = runtime.__version__
        texts = {"Manufacturer": "bessplc", "Model": "bessplc", "SoftwareRevision": version, "DeviceRevision": version}
        for _, of, name, data_type, _ in PROPERTY_PARTS:
            if of == DEVICE:
                text = texts.get(name, "")
                value = ua.LocalizedText(text) if data_type == ua.ObjectIds.LocalizedText else text
                number = name == "RevisionCounter"
                kind = ua.VariantType.Int32 if number else _TEXT if data_type == ua.ObjectIds.LocalizedText else _STRING
                self._property(owner, name, attribute(-1 if number else value, kind), data_type, DI)

    def _property(self, owner: Face, name: str, value: Attribute, data_type: int, namespace: int) -> None:
        identifier = f"{owner.key}/{name}"
        face = property_face(identifier, name, namespace)
        references = [back(HAS_PROPERTY, owner), is_of(PROPERTY, "PropertyType", ua.NodeClass.VariableType, 0)]
        self._nodes[identifier] = make_variable(face, value, standard(data_type), references)
        self._nodes[owner.key].references.append(to(HAS_PROPERTY, face))

    # tasks

    def _tasks(self) -> None:
        for order, task in enumerate(self._order.tasks):
            face = object_face(f"/tasks/{task.name}", task.name, TASK)
            programs = [back(WITH, self._program_faces[name]) for name in task.programs]
            self._object(face, TASK, self._tasks_face, HAS_COMPONENT, "", programs)
            self._property(face, "Priority", attribute(priority(order), ua.VariantType.UInt32), ua.ObjectIds.UInt32, PLC)
            interval = attribute(duration(task.every * self._order.tick), _STRING)
            self._property(face, "Interval", interval, ua.ObjectIds.String, PLC)
            for which, (name, unit, type_, text) in enumerate(FIGURES):
                self._figure(face, name, unit, type_, text, look(self._door, task, order, self._order.tick, which))

    def _figure(self, task: Face, name: str, unit: str, type_: str, text: str, read: Any) -> None:
        """A variable of a task, looked up in the scan's statistics."""
        identifier = f"{task.key}/{name}"
        kind = standard(ua.ObjectIds.AnalogUnitType if unit else ua.ObjectIds.BaseDataVariableType)
        face = Face(named(identifier), name, ua.NodeClass.Variable, kind)
        type_name = "AnalogUnitType" if unit else "BaseDataVariableType"
        references = [back(HAS_COMPONENT, task), is_of(kind, type_name, ua.NodeClass.VariableType, 0)]
        data_type = standard(TYPES[type_].value)
        self._nodes[identifier] = make_variable(
            face, LiveAttribute(read), data_type, references, description=text, interval=self._interval
        )
        self._nodes[task.key].references.append(to(HAS_COMPONENT, face))
        if unit:
            unit_value = attribute(engineering_unit(unit), ua.VariantType.ExtensionObject)
            self._property(face, "EngineeringUnits", unit_value, ua.ObjectIds.EUInformation, 0)

    # programs

    def _arrange(self) -> None:
        """Sort the instances into their programs, 200 to a folder where there are more."""
        names = [name for task in self._order.tasks for name in task.programs]
        self._program_faces = {
            name: object_face(f"/programs/{name}", name, named(f"/types/programs/{name}")) for name in dict.fromkeys(names)
        }
        self._homes: dict[str, tuple[ua.NodeId, Face]] = {}
        self._members: dict[str, list[Instance]] = defaultdict(list)

    def _sort(self) -> None:
        """Find the program of each instance; left until somebody looks at one."""
        if self._members:
            return
        for instance in self.instances.all.values():
            program = instance.name.partition(".")[0]
            if "#" not in instance.name and program in self._program_faces and self.instances.owner_of(instance) is None:
                self._members[program].append(instance)

    def _home_of(self, instance: Instance) -> ua.ReferenceDescription | None:
        if "#" in instance.name:
            return None
        owner = self.instances.owner_of(instance)
        if owner is not None:
            return back(HAS_LOCAL, owner.face)
        self._sort()
        how, home = self._homes.get(instance.name, (HAS_LOCAL, self._program_faces.get(instance.name.partition(".")[0])))
        return back(how, home) if home is not None else None

    def _programs(self) -> None:
        self._sort()
        for task in self._order.tasks:
            for name in task.programs:
                face = self._program_faces[name]
                with_task = to(WITH, object_face(f"/tasks/{task.name}", task.name, TASK))
                type_ = is_of(named(f"/types/programs/{name}"), name, ua.NodeClass.ObjectType, NS)
                inside = [type_, back(HAS_COMPONENT, self._programs_face), with_task, *self._portions(face, self._members[name])]
                self._nodes[face.key] = make_object(face, inside, f"Program {name}, run by the task {task.name}")

    def _portions(self, program: Face, members: list[Instance]) -> Iterator[ua.ReferenceDescription]:
        if len(members) <= MOST_CHILDREN:
            yield from (to(HAS_LOCAL, instance.face) for instance in members)
            return
        for start in range(0, len(members), MOST_CHILDREN):
            some = members[start : start + MOST_CHILDREN]
            name = f"{some[0].name.partition('.')[2]} to {some[-1].name.partition('.')[2]}"
            portion = object_face(f"{program.key}/{name}", name)
            references = [is_of(FOLDER, "FolderType", ua.NodeClass.ObjectType, 0), back(ORGANIZES, program)]
            references += [to(HAS_LOCAL, instance.face) for instance in some]
            self._nodes[portion.key] = make_object(portion, references)
            self._homes |= {instance.name: (HAS_LOCAL, portion) for instance in some}
            yield to(ORGANIZES, portion)
