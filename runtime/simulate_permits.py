"""The permits of a site's interlocks as its programs write them, so that a report names the contact. It must not know a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from blocks import catalogue
from runtime.language.entries import read_text
from runtime.language.scenario_names import Names
from runtime.model import Site
from runtime.source import Report, Section, Text


def permit_texts(site: Site, interlocks: Sequence[str]) -> dict[tuple[str, int], str]:
    """`permit 3: bms.ok` by interlock and number; one that its program does not write out is left out."""
    names = Names(site.schedule, site.devices, catalogue(), "", _programs(site) | _function_blocks(site), Report())
    return {
        (interlock, number): f"permit {number}: {text}"
        for interlock in interlocks
        for number, text in enumerate(names.permits(interlock) or (), 1)
        if text is not None
    }


def _programs(site: Site) -> dict[str, Section]:
    """The programs as they are written; the site was read from them a moment ago, so their mistakes are known."""
    found = {}
    for name in dict.fromkeys(name for task in site.schedule.tasks for name in task.programs):
        file = f"programs/{name}.yaml"
        section = read_text(file, (Path(site.root) / file).read_text(encoding="utf-8"), site.constants, Report())
        if section is not None:
            found[name] = section
    return found


def _function_blocks(site: Site) -> dict[str, Section]:
    """The function blocks in YAML, each under the name of its type: an interlock may stand inside one."""
    found = {}
    for path in sorted((Path(site.root) / "programs").glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        if "function_block:" not in text:
            continue
        section = read_text(f"programs/{path.name}", text, site.constants, Report())
        if section is not None and isinstance(section.get("function_block"), Text):
            found[str(section["function_block"])] = section
    return found
