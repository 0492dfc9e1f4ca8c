"""Browse paths in bounded time: asyncua follows every way to a node on its own, so that ways multiply with each step.

It knows no tag and no session.
"""

from __future__ import annotations

from typing import Any

from asyncua import ua
from asyncua.server.address_space import ViewService

from runtime.servers.opcua.limits import STEPS
from runtime.servers.opcua.types import status

MOST_TARGETS = 1_000
_CODES = ua.StatusCodes


class View(ViewService):
    """asyncua's view service, except that a path reaches each node once at each step."""

    def _translate_browsepath_to_nodeid(self, path: ua.BrowsePath) -> ua.BrowsePathResult:
        elements = path.RelativePath.Elements
        if not elements:
            return ua.BrowsePathResult(status(_CODES.BadNothingToDo))
        if len(elements) > STEPS:
            return ua.BrowsePathResult(status(_CODES.BadQueryTooComplex))
        return super()._translate_browsepath_to_nodeid(path)

    def _navigate(self, start_nodeid: ua.NodeId, elements: list[ua.RelativePathElement]) -> list[ua.NodeId]:
        here = [start_nodeid]
        for element in elements:
            found: dict[Any, None] = {}
            for node in here:
                if node in self._aspace:  # a target may be on another server
                    found.update(dict.fromkeys(self._find_elements_in_node(element, node)))
            here = list(found)[:MOST_TARGETS]
        return here
