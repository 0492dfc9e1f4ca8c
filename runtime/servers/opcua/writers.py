"""Who wrote each tag last, through whichever server: from the site's records, looked up once a second. It knows no node."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

from runtime.servers.audit import Deed
from runtime.servers.opcua.tags import Writer
from runtime.servers.opcua.types import at
from runtime.servers.records.file import NotKeptError
from runtime.servers.records.store import Records

EVERY = 1.0  # s


class Writers:
    """Keeps `known`: tag -> who wrote it last (user, server, address) and when. Where the site keeps no records it stays empty.

    While the records cannot be read it is None. `changed` is called with it whenever it is another one.
    """

    def __init__(self, state_dir: str, changed: Callable[[dict[str, Writer] | None], None]):
        self.known: dict[str, Writer] | None = {}
        self._changed = changed
        self._records = Records(Path(state_dir), is_strict=True) if state_dir else None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Look once, and then once a second."""
        if self._records is not None:
            await self._look(self._records)
            self._task = asyncio.get_running_loop().create_task(self._run(self._records))

    async def _run(self, records: Records) -> None:
        while True:
            await asyncio.sleep(EVERY)
            await self._look(records)

    async def _look(self, records: Records) -> None:
        try:
            found = await asyncio.to_thread(records.last_writes)
            known = {name: writer_of(deed) for name, deed in found.items()}
        except NotKeptError:  # the log says so already
            known = None
        if known != self.known:
            self.known = known
            self._changed(known)

    def check(self) -> None:
        """Raises what ended the looking."""
        if self._task is not None and self._task.done():
            self._task.result()

    async def close(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._records is not None:
            self._records.close()


def writer_of(deed: Deed) -> Writer:
    """A taken write in the words of the properties LastWriter and LastWriteTime."""
    said = [deed.who.user, deed.service, deed.who.peer]
    return ", ".join(word for word in said if word), at(deed.time)
