"""How a YAML file fills dataclasses of settings: what is not given keeps its default, every mistake is named with its place.

It must not know what the settings mean.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import yaml

Built = TypeVar("Built")


def fill(kind: type[Built], node: yaml.Node, path: Path, prefix: str, problems: list[str]) -> Built:
    """One section of the file as its dataclass."""
    fields = {item.name: item for item in dataclasses.fields(kind) if item.init}  # type: ignore[arg-type]
    types = get_type_hints(kind)
    given: dict[str, Any] = {}
    if not isinstance(node, yaml.MappingNode):
        problems.append(f"{_place(path, node)}: error: `{prefix.rstrip('.') or 'the file'}` must be a list of `name: value` lines")
        return kind()
    for key, value in node.value:
        name = str(key.value)
        if name not in fields:
            near = difflib.get_close_matches(name, fields, n=1)
            hint = f"; did you mean `{near[0]}`?" if near else f"; the names here are {', '.join(fields)}"
            problems.append(f"{_place(path, key)}: error: `{prefix}{name}` is no setting of the plant{hint}")
        elif name in given:
            problems.append(f"{_place(path, key)}: error: `{prefix}{name}` is given twice")
        elif dataclasses.is_dataclass(types[name]):
            default = kind().__getattribute__(name)
            given[name] = _over(default, fill(types[name], value, path, f"{prefix}{name}.", problems), value)
        else:
            given[name] = _scalar(types[name], value, path, f"{prefix}{name}", problems)
    return kind(**given)


def _over(default: Any, filled: Any, node: yaml.Node) -> Any:
    """The section's own default with only the given settings changed (two buses differ in their default port)."""
    names = {str(key.value) for key, _ in node.value} if isinstance(node, yaml.MappingNode) else set()
    known = {item.name for item in dataclasses.fields(default)}
    return dataclasses.replace(default, **{name: getattr(filled, name) for name in names & known})


def _scalar(kind: type[Any], node: yaml.Node, path: Path, name: str, problems: list[str]) -> Any:
    if isinstance(node, yaml.ScalarNode):
        if kind is str:
            return node.value
        try:
            number = kind(node.value)
        except ValueError:
            number = None
        if number is not None and math.isfinite(number):
            return number
    wanted = {int: "a whole number", float: "a number", str: "a text"}[kind]
    problems.append(f"{_place(path, node)}: error: `{name}` must be {wanted}")
    return kind()


def _place(path: Path, node: yaml.Node) -> str:
    return f"{path}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"
