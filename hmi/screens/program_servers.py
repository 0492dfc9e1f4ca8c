"""The processes of the site: where each listens, what it counted, since when it runs; and who is logged in."""

from __future__ import annotations

import html
import json
import os
import time
from pathlib import Path
from typing import Any, NamedTuple

import runtime
from hmi.hall import Hall
from hmi.roles import reaches
from hmi.screens.program_words import cell, heads, span, table
from hmi.texts import program as texts
from runtime.child import FIELDBUS_STATUS
from runtime.servers.audit import Who
from runtime.servers.describe import SERVERS

ALWAYS = ("records", "recorder")
OWN = frozenset({"listening", "pid", "clients"})
CALM = 60.0  # s: a process that began so long after the site was started again
SILENT = 5.0  # s: a server says something once a second
NUMBERS = frozenset({texts.SERVER_HEADS[2]})


class Process(NamedTuple):
    """What a process says of itself; `begun` is its start, `touched` when it said so, in s since 1970."""

    name: str
    said: dict[str, Any]
    begun: float | None
    touched: float


def servers_html(hall: Hall, who: Who) -> str:
    """The tab: the site, its processes, and for engineers the logins."""
    folder = Path(hall.order.run_dir)
    started = _started(folder)
    rows = "".join(_row(one, started) for one in _processes(hall, folder))
    processes = table("servers", heads(texts.SERVER_HEADS, NUMBERS), rows, texts.PROCESSES)
    logins = _logins(hall) if reaches(who.role, texts.LOGINS_ROLE) else ""
    return f'<div class="beside">{_site(hall, started)}{logins}</div>{processes}'


def _site(hall: Hall, started: float | None) -> str:
    """Which program it is and how long it runs."""
    now, picture = time.time(), hall.picture
    picture.look()
    rows = {"version": runtime.__version__, "digest": f"{hall.order.generation:016x}"}
    if started is not None:
        rows |= {"since": _clock(started), "uptime": span(now - started)}
    if picture.has_any() and not picture.door.is_stale():
        rows["scan"] = span(picture.door.snapshot.scan * hall.order.tick / 1e9)
    body = "".join(f'<tr><th scope="row">{texts.SITE_ROWS[word]}</th>{cell(said)}</tr>' for word, said in rows.items())
    return (
        f'<section class="panel live"><table class="rows"><caption>{html.escape(hall.order.site)}</caption>{body}</table></section>'
    )


def _processes(hall: Hall, folder: Path) -> list[Process]:
    """The scan, the fieldbus and the servers that run, or ran until a moment ago."""
    found = []
    pid = hall.door.snapshot.scan_process()
    if pid:
        found.append(Process("scan", {"pid": pid}, _begun(pid), time.time()))
    names = {"fieldbus": folder / FIELDBUS_STATUS} | {name: folder / f"{name}.json" for name in (*SERVERS, *ALWAYS)}
    for name, path in names.items():
        said, touched = _read(path)
        if said:
            plain = {word: told for word, told in said.items() if isinstance(told, (int, float, str)) and word != "time"}
            found.append(Process(name, plain, _begun(said.get("pid")), touched))
    return found


def _row(one: Process, started: float | None) -> str:
    counters = " ".join(
        f"<span><small>{html.escape(word.replace('_', ' '))}</small> {html.escape(str(told))}</span>"
        for word, told in one.said.items()
        if word not in OWN and told != ""
    )
    since = ""
    if one.begun is not None:
        again = started is not None and one.begun - started > CALM
        since = _clock(one.begun) + (f' <b class="off">{texts.BEGUN_AGAIN}</b>' if again else "")
    silent = time.time() - one.touched
    if silent > SILENT:
        since = f'<b class="off">{texts.SILENT.format(time=span(silent))}</b>'
    address = cell(one.said.get("listening", ""))
    clients = cell(one.said.get("clients", ""), "number")
    return (
        f'<tr><th scope="row">{html.escape(one.name)}</th>{address}{clients}<td class="counts">{counters}</td><td>{since}</td></tr>'
    )


def _logins(hall: Hall) -> str:
    now = time.time()
    rows = "".join(
        f"<tr>{cell(user.name)}{cell(user.role)}{cell(_clock(now - begun))}{cell(texts.AGO.format(time=span(touched)))}</tr>"
        for user, begun, touched in hall.visitors.sessions.listed()
    )
    body = rows or f'<tr><td colspan="4">{texts.NO_LOGINS}</td></tr>'
    return table("logins", heads(texts.LOGIN_HEADS), body, texts.LOGINS)


def _read(path: Path) -> tuple[dict[str, Any], float]:
    try:
        said, touched = json.loads(path.read_text()), path.stat().st_mtime
    except (OSError, ValueError):
        return {}, 0.0  # it does not run, or is being started
    return (said if isinstance(said, dict) else {}), touched


def _started(folder: Path) -> float | None:
    """When the site was started: when the process began that holds its run folder."""
    return _begun(_read(folder / "lock")[0].get("pid"))


def _begun(pid: Any) -> float | None:
    """When a process began, in s since 1970; None where there is no such process."""
    try:
        fields = Path(f"/proc/{int(pid)}/stat").read_text().rpartition(")")[2].split()
        uptime = float(Path("/proc/uptime").read_text().split()[0])
        return time.time() - uptime + int(fields[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, TypeError, IndexError):
        return None


def _clock(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
