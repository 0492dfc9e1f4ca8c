"""The OPC UA address space: the folders of the tags, and every node made when somebody first asks for it.

`Objects/Tags` holds all tags, flat; `Objects/bessplc/<site>/<area>` the same ones by area, which is also the resource's GlobalVars.
The node id of a tag is `ns=2;s=bms.soc` whatever folder or program it is in. A folder never holds more than 200 children, since
asyncua has no BrowseNext. It knows no session.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from asyncua import ua
from asyncua.server.address_space import AddressSpace, NodeData

from runtime.model import Tag
from runtime.servers.opcua.nodes import (
    FOLDER,
    HAS_NOTIFIER,
    HAS_PROPERTY,
    ORGANIZES,
    Face,
    attribute,
    back,
    is_of,
    make_object,
    make_property,
    object_face,
    property_face,
    to,
)
from runtime.servers.opcua.plcopen import hang
from runtime.servers.opcua.tags import TagNodes, face_of
from runtime.servers.opcua.types import NS, named, standard

MOST_CHILDREN = 200
TAGS = "/tags"
_DIGITS = re.compile(r"(\d+)")
_SERVER = Face(standard(ua.ObjectIds.Server), "Server", ua.NodeClass.Object, standard(ua.ObjectIds.ServerType), namespace=0)
Make = Callable[[str], NodeData | None]


class LazyNodes(dict[ua.NodeId, NodeData]):
    """asyncua's table of nodes, except that a node of our namespace is made when it is first looked up."""

    def __init__(self, made: Iterable[tuple[ua.NodeId, NodeData]], make: Make):
        super().__init__(made)
        self._make = make

    def __missing__(self, key: ua.NodeId) -> NodeData:
        is_ours = isinstance(key, ua.NodeId) and key.NamespaceIndex == NS and isinstance(key.Identifier, str)
        made = self._make(key.Identifier) if is_ours else None  # type: ignore[arg-type]
        if made is None:
            raise KeyError(key)
        self[made.nodeid] = made
        return made

    def get(self, key: ua.NodeId, default: Any = None) -> Any:
        try:
            return self[key]
        except KeyError:
            return default

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or self.get(key) is not None  # type: ignore[arg-type]

    def made(self, identifier: str) -> NodeData | None:
        """The node of our namespace if it was made already."""
        key = named(identifier)
        return self[key] if super().__contains__(key) else None


@dataclass(slots=True)
class Branch:
    """A folder that is made when it is looked up. `version` makes clients notice that its children changed (part 3, 9.32.2)."""

    face: Face
    parents: list[Face]
    children: list[Face] = field(default_factory=list)
    has_version: bool = False


class Folders:
    """The folders of the tags by their identifier, and where each tag hangs."""

    def __init__(self, site: str):
        self.site = f"/bessplc/{site}"
        self._name = site
        self.branches: dict[str, Branch] = {}
        self.homes: dict[str, list[Face]] = {}
        self.areas: list[Face] = []

    def arrange(self, tags: Sequence[Tag], globals_: Face | None) -> None:
        """Sort the tags into their folders; `globals_` is the object that shows the areas too."""
        self.branches.clear()
        self.homes = {tag.name: [] for tag in tags}
        objects = Face(standard(ua.ObjectIds.ObjectsFolder), "Objects", ua.NodeClass.Object, FOLDER, namespace=0)
        top = self._branch("/bessplc", "bessplc", [objects])
        site = self._branch(self.site, self._name, [top.face], has_version=True)
        top.children.append(site.face)
        self._fill(site, self.site, [(tag.name.split("."), tag) for tag in tags])
        self.areas = list(site.children)
        if globals_ is not None:
            for area in self.areas:
                known = self.branches.get(area.key)
                (known.parents if known is not None else self.homes[area.key]).append(globals_)
        flat = self._branch(TAGS, "Tags", [objects], has_version=True)
        self._hang(flat, TAGS, [(tag.name, tag) for tag in sorted(tags, key=lambda tag: _natural(tag.name))])

    def _branch(self, identifier: str, name: str, parents: list[Face], has_version: bool = False) -> Branch:
        made = self.branches[identifier] = Branch(object_face(identifier, name), parents, [], has_version)
        return made

    def _fill(self, parent: Branch, path: str, tags: list[tuple[list[str], Tag]]) -> None:
        """Hang tags below a folder: those with one part left as variables, the others in folders by their next part."""
        areas: dict[str, list[tuple[list[str], Tag]]] = defaultdict(list)
        leaves: list[tuple[str, Any]] = []
        for parts, tag in tags:
            if len(parts) > 1:
                areas[parts[0]].append((parts[1:], tag))
            else:
                leaves.append((parts[0], tag))
        self._hang(parent, path, sorted([*areas.items(), *leaves], key=lambda child: _natural(child[0])))

    def _hang(self, parent: Branch, path: str, children: list[tuple[str, Any]]) -> None:
        """Hang the children in the folder itself, or where there are too many in a folder for each 200 of them."""
        if len(children) > MOST_CHILDREN:
            for start in range(0, len(children), MOST_CHILDREN):
                some = children[start : start + MOST_CHILDREN]
                name = f"{some[0][0]} to {some[-1][0]}"
                portion = self._branch(f"{path}/{name}", name, [parent.face])
                parent.children.append(portion.face)
                self._hang_all(portion, path, some)
        else:
            self._hang_all(parent, path, children)

    def _hang_all(self, folder: Branch, path: str, children: list[tuple[str, Any]]) -> None:
        for name, child in children:
            if isinstance(child, Tag):
                folder.children.append(face_of(child))
                self.homes[child.name].append(folder.face)
            else:
                area = self._branch(f"{path}/{name}", name, [folder.face])
                folder.children.append(area.face)
                self._fill(area, f"{path}/{name}", child)


class Space:
    """All nodes of ours: `others` make those that are neither tags nor their folders."""

    def __init__(self, aspace: AddressSpace, folders: Folders, tags: TagNodes):
        self.aspace, self.folders, self.tags = aspace, folders, tags
        self.others: list[Make] = []
        self.version = 1
        self.nodes = LazyNodes(aspace._nodes.items(), self._make)
        aspace._nodes = self.nodes
        self._ours: dict[str, list[ua.ReferenceDescription]] = {}

    def open(self) -> None:
        """Have the standard Objects folder show our two folders."""
        for identifier in ("/bessplc", TAGS):
            hang(self.aspace, self.folders.branches[identifier].face, standard(ua.ObjectIds.ObjectsFolder), ORGANIZES)
        hang(self.aspace, self.folders.branches[self.folders.site].face, _SERVER.id, HAS_NOTIFIER)

    def _make(self, identifier: str) -> NodeData | None:
        if not identifier.startswith("/"):
            return self.tags.make(identifier)
        branch = self.folders.branches.get(identifier)
        if branch is not None:
            return self._folder(identifier, branch)
        makers = [self._version, *self.others]
        return next((made for make in makers if (made := make(identifier)) is not None), None)

    def _folder(self, identifier: str, branch: Branch) -> NodeData:
        references = self._ours[identifier] = [
            is_of(FOLDER, "FolderType", ua.NodeClass.ObjectType, 0),
            *(back(ORGANIZES, parent) for parent in branch.parents),
            *(to(ORGANIZES, child) for child in branch.children),
        ]
        if branch.has_version:
            references.append(to(HAS_PROPERTY, property_face(f"{identifier}/NodeVersion", "NodeVersion")))
        is_site = identifier == self.folders.site
        if is_site:
            references.append(back(HAS_NOTIFIER, _SERVER))
        return make_object(branch.face, references, notifies=is_site)

    def _version(self, identifier: str) -> NodeData | None:
        owner, _, name = identifier.rpartition("/")
        branch = self.folders.branches.get(owner)
        if branch is None or not branch.has_version or name != "NodeVersion":
            return None
        value = attribute(str(self.version), ua.VariantType.String)
        return make_property(f"{owner}/NodeVersion", "NodeVersion", value, ua.ObjectIds.String, branch.face)

    def forget(self, identifier: str) -> None:
        """Take a node away; it is made anew when somebody looks at it, if it still is."""
        made = self.nodes.made(identifier)
        if made is not None:
            del self.nodes[made.nodeid]

    @property
    def versioned(self) -> list[ua.NodeId]:
        """The folders that have a NodeVersion."""
        return [branch.face.id for branch in self.folders.branches.values() if branch.has_version]

    def rearranged(self) -> None:
        """Bring the folders that were made already in line with how the tags are arranged now; what others hung there stays."""
        for identifier in [name for name, branch in self.folders.branches.items() if branch.has_version]:
            self.forget(f"{identifier}/NodeVersion")
        for identifier, before in list(self._ours.items()):
            made, branch = self.nodes.made(identifier), self.folders.branches.get(identifier)
            if made is None:
                continue
            if branch is None:
                del self.nodes[made.nodeid], self._ours[identifier]
                continue
            gone = {id(reference) for reference in before}
            foreign = [reference for reference in made.references if id(reference) not in gone]
            made.references = [*self._folder(identifier, branch).references, *foreign]


def build(server: Any, site: str, tags: Sequence[Tag], globals_: Face | None = None, interval: float = 0.0) -> Space:
    """Show these tags in a server's address space; `globals_` is the object that shows their areas beside the site's folder."""
    folders = Folders(site)
    folders.arrange(tags, globals_)
    nodes = TagNodes(lambda tag: [back(ORGANIZES, home) for home in folders.homes[tag.name]], interval)
    for tag in tags:
        nodes.add(tag)
    space = Space(server.aspace, folders, nodes)
    space.open()
    return space


def _natural(name: str) -> list[Any]:
    """The order of people: `v2` before `v10`."""
    return [int(part) if part.isdigit() else part for part in _DIGITS.split(name.lower())]
