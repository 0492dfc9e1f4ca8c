"""Draws all programs of a site in a process of its own: `python -m hmi.diagram_draw SITE GENERATION`.

Each message on standard output is a line of JSON; the picture of a program, packed with gzip, follows the line that says its
length. It is a process, since reading a large site takes many seconds in which the pages of the HMI would stand still.
"""

from __future__ import annotations

import gzip
import json
import os
import sys
from pathlib import Path
from typing import Any

from runtime.app import generation_of
from runtime.fieldbus import drivers
from runtime.graph_marks import Marks
from runtime.graph_read import draw_program
from runtime.graph_svg import svg
from runtime.language.site import load_draft
from runtime.source import SiteError

NICE = 10  # the scan and the servers come first
MOST_PROBLEMS = 20


def main(site: Path, generation: int) -> int:
    """Draw every program, with the names of its values where the files are the program of this generation."""
    os.nice(NICE)
    try:
        draft, model = load_draft(site, drivers())
    except SiteError as error:
        _say({"problems": [f"{one.at.file}:{one.at.line}: {one.code} {one.message}" for one in error.problems[:MOST_PROBLEMS]]})
        return 1
    is_same = generation_of(model.schedule) == generation
    marks = Marks(model.schedule) if is_same else None
    names = [name for task in model.schedule.tasks for name in task.programs]
    _say({"same": is_same, "programs": {name: task.name for task in model.schedule.tasks for name in task.programs}})
    for name in sorted(names, key=lambda name: len(draft.programs[name.lower()].nodes)):  # nobody waits for the largest one
        text = svg(draw_program(draft.programs[name.lower()], draft, model), marks, style="")
        # the page's script finds what is live by `data-tag`, and these are only names; text within a picture has no bare quotes
        packed = gzip.compress(text.replace(' data-tag="', ' data-name="').encode(), 6)
        _say({"drawn": name, "bytes": len(packed)}, packed)
    return 0


def _say(message: dict[str, Any], follows: bytes = b"") -> None:
    sys.stdout.buffer.write(json.dumps(message).encode() + b"\n" + follows)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    try:
        sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
    except BrokenPipeError:
        sys.exit(1)  # whoever asked has gone
