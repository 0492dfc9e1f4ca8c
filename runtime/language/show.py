"""A site as a person or a program wants to see it: tasks, order of execution, groups, memory map. It must not change anything."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from runtime.model import Group, Schedule, Site, Task

NAMES_SHOWN = 3


def show_json(site: Site) -> dict[str, Any]:
    """Everything about the layout, ready for JSON: times in milliseconds, places in bytes."""
    schedule = site.schedule
    return {
        "site": site.name,
        "digest": schedule.digest,
        "tick_ms": schedule.tick / 1e6,
        "files": list(site.files),
        "tasks": [_task(task, schedule) for task in schedule.tasks],
        "memory": memory_map(schedule),
        "tags": [_tag(tag) for tag in schedule.tags],
        "devices": [
            {
                "device": d.name,
                "driver": d.driver,
                "inputs": len(d.inputs),
                "outputs": len(d.outputs),
                "stale_ms": d.stale / 1e6,
                "timeout_ms": d.timeout / 1e6,
            }
            for d in site.devices
        ],
        "alarms": [
            {
                "alarm": a.name,
                "tag": a.active,
                "kind": a.kind,
                "of": a.of,
                "limit": a.limit,
                "severity": a.severity,
                "id": a.id,
                "source": a.source,
                "latched": a.is_latched,
                "suppressed": a.suppressed,
                "shelve_s": a.shelve / 1e9,
                "text": a.text,
            }
            for a in schedule.alarms
        ],
    }


def _task(task: Task, schedule: Schedule) -> dict[str, Any]:
    groups = schedule.groups[task.group_from : task.group_to]
    return {
        "task": task.name,
        "interval_ms": task.every * schedule.tick / 1e6,
        "phase_ms": task.phase * schedule.tick / 1e6,
        "programs": list(task.programs),
        "instances": sum(group.rows for group in groups),
        "order": [_group(number, group, schedule) for number, group in enumerate(groups, 1)],
        "copies_at_end": task.copy_to - task.copy_from,
    }


def _group(number: int, group: Group, schedule: Schedule) -> dict[str, Any]:
    copied = int(schedule.copies.size[group.copy_from : group.copy_to].sum())
    return {
        "step": number,
        "block": group.block,
        "type": group.chosen,
        "rows": group.rows,
        "length": group.length,
        "copies": group.copy_to - group.copy_from,
        "copied_bytes": copied,
        "instances": list(group.instances),
    }


def _tag(tag: Any) -> dict[str, Any]:
    return {
        "tag": tag.name,
        "type": f"{tag.type}[{tag.length}]" if tag.length else tag.type,
        "unit": tag.unit,
        "offset": tag.offset,
        "kind": tag.kind,
        "writer": tag.owner,
        "write": tag.write,
        "text": tag.text,
    }


def memory_map(schedule: Schedule) -> list[dict[str, Any]]:
    """The parts of process memory in order: name, first byte, bytes."""
    region = schedule.region
    four = region.source_time + 8 * region.tags
    bits = region.quality + 4 * region.tags
    starts = [
        ("tags of 8 bytes", 0),
        ("source times", region.source_time),
        ("tags of 4 bytes", four),
        ("qualities", region.quality),
        ("BOOL tags", bits),
        ("good flags", region.good),
        ("columns of the blocks", region.size),
        ("", schedule.initial.size),
    ]
    return [{"part": name, "offset": start, "bytes": end - start} for (name, start), (_, end) in pairwise(starts)]


def show_text(site: Site) -> str:
    """The same as a page of text: one line a group, in the order in which they run."""
    schedule = site.schedule
    lines = [
        f"{site.name}: base tick {schedule.tick / 1e6:g} ms, {len(schedule.tags)} tags, "
        f"{sum(g.rows for g in schedule.groups)} instances in "
        f"{len(schedule.groups)} groups, {schedule.initial.size} bytes, digest {schedule.digest[:16]}"
    ]
    for task in schedule.tasks:
        lines += ["", *_task_lines(task, schedule)]
    lines += ["", "memory"]
    lines += [f"  {part['offset']:>10}  {part['bytes']:>10} bytes  {part['part']}" for part in memory_map(schedule)]
    return "\n".join(lines)


def _task_lines(task: Task, schedule: Schedule) -> list[str]:
    phase = f", phase {task.phase * schedule.tick / 1e6:g} ms" if task.phase else ""
    lines = [f"task {task.name}: every {task.every * schedule.tick / 1e6:g} ms{phase}: {', '.join(task.programs) or 'no program'}"]
    groups = schedule.groups[task.group_from : task.group_to]
    width = max([len(_kind(group)) for group in groups], default=0)
    for number, group in enumerate(groups, 1):
        names = ", ".join(group.instances[:NAMES_SHOWN]) + (
            f" and {group.rows - NAMES_SHOWN} more" if group.rows > NAMES_SHOWN else ""
        )
        copies = group.copy_to - group.copy_from
        lines.append(f"  {number:>4}  {_kind(group):<{width}}  {group.rows:>6} rows  {copies:>5} copies  {names}")
    if task.copy_to > task.copy_from:
        lines.append(f"        {task.copy_to - task.copy_from} copies into tags")
    return lines


def _kind(group: Group) -> str:
    picked = "".join(f"[{part}]" for part in (group.chosen, str(group.length) if group.length else "") if part)
    return f"{group.block}{picked}"
