"""The diagrams of the running program: drawn once by a process of its own, kept until another program runs, served packed.

A site's files may differ from the program that runs: then the drawings are of the files, and carry no name of any value.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import PlainTextResponse

from hmi.hall import Hall
from hmi.texts import program as texts
from runtime.child import ROOT, ServiceOrder
from runtime.rundir import folder_of
from runtime.servers.rest.problems import answer

DRAWER = "hmi.diagram_draw"
PATIENCE = 1800.0  # s: how long a site may take to be read and drawn: 64 racks are 15,000 blocks, and others come first
LARGEST = 1 << 24  # bytes of one packed drawing
READING, DRAWING, DONE, FAILED = "reading", "drawing", "done", "failed"

log = structlog.get_logger()


class DrawError(Exception):
    """The drawer said what nobody understands."""


@dataclass
class Drawn:
    """What is drawn of one program of a site. `is_same`: the files were the program that runs, so values may be shown."""

    generation: int
    state: str = READING
    is_same: bool = True
    programs: dict[str, str] = field(default_factory=dict)  # name -> task
    pictures: dict[str, bytes] = field(default_factory=dict)  # name -> SVG, packed
    problems: list[str] = field(default_factory=list)

    def said(self) -> dict[str, Any]:
        """How far it is, ready for JSON."""
        return {
            "generation": str(self.generation),  # a browser's numbers are shorter
            "state": self.state,
            "same": self.is_same,
            "programs": [{"name": name, "task": task} for name, task in self.programs.items()],
            "drawn": list(self.pictures),
            "problems": self.problems,
        }


def site_file(order: ServiceOrder) -> Path | None:
    """The file of the site that this order is of, found by the name of its run folder, which is made of the file's path."""
    root, run = Path(order.root), Path(order.run_dir).name
    stem = run.removeprefix(f"{root.resolve().name}-").rpartition("-")[0]
    if not stem or any(letter in stem for letter in "*?[/"):
        return None
    found = (*root.glob(f"config/**/{stem}.yaml"), *root.glob(f"*/{stem}.yaml"))
    return next((path for path in found if folder_of(path).name == run), None)


class Diagrams:
    """All drawings of the program that runs. They are begun when somebody first looks, and anew after an online change."""

    def __init__(self, hall: Hall):
        self._hall = hall
        self._drawn: Drawn | None = None
        self._drawing: asyncio.Task[None] | None = None

    def look(self, again: bool = False) -> Drawn:
        """What there is now; begins to draw where there is nothing yet. `again` draws anew what failed or is of other files."""
        generation, drawn = self._hall.order.generation, self._drawn
        is_of_it = drawn is not None and drawn.generation == generation
        is_busy = self._drawing is not None and not self._drawing.done()
        if drawn is not None and is_of_it and (is_busy or not again or (drawn.state == DONE and drawn.is_same)):
            return drawn
        if self._drawing is not None and is_busy:
            self._drawing.cancel()  # what it draws runs no more
        self._drawn = Drawn(generation)
        self._drawing = asyncio.ensure_future(self._draw(self._drawn, site_file(self._hall.order)))
        return self._drawn

    async def _draw(self, drawn: Drawn, file: Path | None) -> None:
        try:
            if file is None:
                raise DrawError(texts.NO_FILE.format(root=self._hall.order.root))
            async with asyncio.timeout(PATIENCE):
                await self._hear(drawn, file)
        except (
            OSError,
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            asyncio.IncompleteReadError,
            DrawError,
            TimeoutError,
        ) as error:
            drawn.problems = [str(error) if isinstance(error, DrawError) else texts.DRAWER_FAILED]
            log.error("the diagrams cannot be drawn", why=repr(error))
        drawn.state = FAILED if drawn.problems else DONE

    async def _hear(self, drawn: Drawn, file: Path) -> None:
        """Start the drawer and take what it sends; it does not outlive us."""
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", DRAWER, str(file), str(drawn.generation)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            cwd=ROOT,
        )
        try:
            assert child.stdout is not None
            while line := await child.stdout.readline():
                await _take(drawn, json.loads(line), child.stdout)
            code = await child.wait()
        finally:
            if child.returncode is None:
                child.kill()
        if not drawn.problems and (code or len(drawn.pictures) < len(drawn.programs) or not drawn.programs):
            raise DrawError(texts.DRAWER_FAILED)


async def _take(drawn: Drawn, said: dict[str, Any], stream: asyncio.StreamReader) -> None:
    """One message of the drawer."""
    if "problems" in said:
        drawn.problems = [str(one) for one in said["problems"]]
    elif "programs" in said:
        drawn.programs, drawn.is_same, drawn.state = dict(said["programs"]), bool(said["same"]), DRAWING
    else:
        length = int(said["bytes"])
        if not 0 < length <= LARGEST:
            raise DrawError(texts.TOO_LARGE.format(program=said["drawn"]))
        drawn.pictures[str(said["drawn"])] = await stream.readexactly(length)


def diagram_routes(hall: Hall) -> APIRouter:
    """`/diagrams`: how far the drawings are; `/diagrams/NAME`: one of them."""
    router = APIRouter()
    diagrams = Diagrams(hall)

    @router.get("/diagrams")
    async def read_state(again: bool = Query(default=False)) -> Response:
        return answer(diagrams.look(again).said())

    @router.get("/diagrams/{name}")
    async def read_diagram(name: str, request: Request) -> Response:
        drawn = diagrams.look()
        picture = drawn.pictures.get(name)
        if picture is None:
            known = name in drawn.programs or not drawn.programs
            return PlainTextResponse(texts.NOT_DRAWN if known else texts.NO_PROGRAM, 503 if known else 404)
        headers = {"x-generation": str(drawn.generation), "vary": "accept-encoding"}
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(picture, media_type="image/svg+xml", headers={**headers, "content-encoding": "gzip"})
        return Response(await asyncio.to_thread(gzip.decompress, picture), media_type="image/svg+xml", headers=headers)

    return router
