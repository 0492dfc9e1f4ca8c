"""Live values: elements that carry the name of what they show. The page's script finds them and keeps them true."""

from __future__ import annotations

import html
from typing import Any

from nicegui import ui

from hmi.hall import Hall


def has(hall: Hall, name: str) -> bool:
    """Whether the running program has this tag: what a site lacks, its screens leave out."""
    return hall.picture.tag(name) is not None


def value(name: str, kind: str = "", decimals: int | None = None, **more: Any) -> str:
    """HTML of one live value with its unit. `kind`: "" number or text, `bar`, `lamp`, `flow`, `bare` without its unit.

    `more` are further attributes, `min=0` becomes `data-min="0"`. Quality is shown by the page's style, the same everywhere.
    """
    known = {"as": kind, "decimals": decimals, **more}
    words = "".join(f' data-{word}="{html.escape(str(said))}"' for word, said in known.items() if said not in ("", None))
    return f'<span class="value" data-tag="{html.escape(name)}"{words}>–</span>'


def put(markup: str, *classes: str) -> ui.html:
    """Put our own HTML on the page. What comes from tags, users or files is escaped by whoever makes it."""
    return ui.html(markup, sanitize=False).classes(" ".join(classes))


def rows(hall: Hall, pairs: list[tuple[str, str]], caption: str = "") -> str:
    """HTML of a table: a label and the live value of a tag in each row; tags that the program lacks are left out."""
    listed = [(label, name) for label, name in pairs if has(hall, name)]
    if not listed:
        return ""
    head = f"<caption>{html.escape(caption)}</caption>" if caption else ""
    body = "".join(f'<tr><th scope="row">{html.escape(label)}</th><td>{value(name)}</td></tr>' for label, name in listed)
    return f'<table class="rows">{head}{body}</table>'
