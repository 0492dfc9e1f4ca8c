"""Warns of what is written down and not used: tags that nobody reads, outputs that nobody writes, programs that no task runs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from runtime.language.network import Draft
from runtime.source import Position, Report


def warn_of_unused(draft: Draft, programs: Collection[str], files: Sequence[str], texts: Mapping[str, str], report: Report) -> None:
    """All warnings about things that stand alone."""
    outputs: dict[Position, list[str]] = defaultdict(list)  # a line of a repeated io_map declares many
    for tag in draft.tags.values():
        if tag.type is None:
            continue
        if tag.keeps and not tag.writes:
            report.error(tag.at, "E607", f"no program writes `{tag.name}`, and it is `safe: keep`", "who says what it shall be?")
        elif tag.kind == "output" and not tag.writes:
            outputs[tag.at].append(tag.name)
        elif tag.kind == "memory" and not tag.is_read and not tag.writes:
            report.warn(tag.at, "W802", f"no program uses the tag `{tag.name}`", "")
    for at, names in outputs.items():
        more = f" and {len(names) - 1} more of this line" if len(names) > 1 else ""
        report.warn(at, "W801", f"no program writes the output `{names[0]}`{more}", "it stays at its safe value")
    for file in files:
        name = file.rpartition("/")[2].removesuffix(".yaml")
        if file not in texts and name.lower() not in programs:
            report.warn(
                Position(file, 0, 0),
                "W804",
                f"no task runs the program `{name}`",
                "",
                "a task names it in config/site.yaml: `programs: [...]`",
            )
