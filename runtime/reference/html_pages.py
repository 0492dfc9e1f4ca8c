"""The block catalogue as pages that a browser shows without a network: an index by family, and a page a block with its diagram."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from itertools import groupby
from pathlib import Path

from blocks.declare import VAR, BlockType, Pin
from runtime.reference.catalogue import first_line, pin_facts
from runtime.reference.svg_diagram import svg
from runtime.reference.timing_diagram import trace
from runtime.reference.usage import usage

STYLE = """
:root { color-scheme: light dark; --line: #8886; --faint: #888; --out: #06c; --in: #555 }
@media (prefers-color-scheme: dark) { :root { --out: #6bf; --in: #bbb } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 74rem; margin: 2rem auto; padding: 0 1rem }
a { color: var(--out) }
code, pre { font-family: ui-monospace, monospace; font-size: .9em }
pre { padding: .8rem 1rem; border: 1px solid var(--line); border-radius: 4px; overflow-x: auto }
table { border-collapse: collapse; width: 100% }
td { padding: .25rem .8rem .25rem 0; vertical-align: top; border-bottom: 1px solid var(--line) }
td.name { font-family: ui-monospace, monospace; white-space: nowrap }
.faint { color: var(--faint) }
figure { margin: 1rem 0; overflow-x: auto }
input { font: inherit; padding: .3rem .6rem; width: 20rem }
svg text { font: 12px ui-monospace, monospace; fill: currentColor }
svg .name { text-anchor: end }
svg .time, svg .value { font-size: 10px; fill: var(--faint) }
svg .word { font-size: 11px }
svg .grid { stroke: var(--line) }
svg polyline, svg rect { fill: none; stroke-width: 1.6; stroke: var(--in) }
svg .output polyline, svg .output rect { stroke: var(--out) }
""".strip()
# The one script: hides the rows of the index that do not hold what is typed.
FILTER = """
const box = document.getElementById("filter");
box.addEventListener("input", () => {
  const wanted = box.value.toLowerCase();
  for (const row of document.querySelectorAll("tr[data-text]")) row.hidden = !row.dataset.text.includes(wanted);
  for (const part of document.querySelectorAll("section")) part.hidden = !part.querySelector("tr:not([hidden])");
});
""".strip()


def write_html(folder: Path, blocks: Mapping[str, BlockType], families: Mapping[str, str]) -> int:
    """Write the reference into a folder, made where it is missing; how many pages. Raises OSError where that fails."""
    ordered = sorted(blocks.values(), key=lambda b: (list(families).index(b.family), b.name))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "style.css").write_text(STYLE + "\n", encoding="utf-8")
    (folder / "index.html").write_text(_index(ordered, families), encoding="utf-8")
    for block in ordered:
        place = folder / block.family
        place.mkdir(exist_ok=True)
        (place / f"{block.name}.html").write_text(_page(block, families[block.family]), encoding="utf-8")
    return len(ordered) + 1


def _document(title: str, up: str, body: str) -> str:
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        f'<meta name="viewport" content="width=device-width">\n<link rel="stylesheet" href="{up}style.css">\n</head>\n'
        f"<body>\n{body}\n</body>\n</html>\n"
    )


def _index(ordered: list[BlockType], families: Mapping[str, str]) -> str:
    parts = [
        f"<h1>bessplc: {len(ordered)} function blocks</h1>",
        '<p><input id="filter" type="search" placeholder="Find a block" aria-label="Find a block" autofocus></p>',
    ]
    for family, members in groupby(ordered, key=lambda b: b.family):
        rows = "\n".join(map(_row, members))
        parts.append(f'<section id="{family}">\n<h2>{_prose(families[family])}</h2>\n<table>\n{rows}\n</table>\n</section>')
    return _document("bessplc function blocks", "", "\n".join(parts) + f"\n<script>\n{FILTER}\n</script>")


def _row(block: BlockType) -> str:
    typed = escape(f"{block.name} {first_line(block)}".lower())
    link = f'<a href="{block.family}/{block.name}.html">{block.name}</a>'
    return f'<tr data-text="{typed}"><td class="name">{link}</td><td>{_prose(first_line(block))}</td></tr>'


def _page(block: BlockType, family: str) -> str:
    paragraphs = "\n".join(f"<p>{_prose(part)}</p>" for part in block.doc.split("\n\n"))
    pins = [pin for pin in block.pins if pin.kind != VAR]
    tables = "\n".join(_pins(kind, [pin for pin in pins if pin.kind == kind]) for kind in ("input", "output"))
    body = [
        f'<p class="faint"><a href="../index.html#{block.family}">{_prose(family)}</a></p>',
        f"<h1>{block.name}</h1>\n{paragraphs}",
        f'<p class="faint">Source: {_prose(block.source)}</p>',
    ]
    if block.example:
        body.append(f"<figure>{svg(trace(block))}</figure>\n<pre>{escape(usage(block).text)}</pre>")
    if block.fold:
        body.append(f"<p>Takes any number of operands: {block.fold[0]}, {block.fold[1]}, ...</p>")
    return _document(f"{block.name}: {first_line(block)}", "../", "\n".join([*body, tables]))


def _pins(kind: str, pins: list[Pin]) -> str:
    rows = "\n".join(
        f'<tr><td class="name">{pin.name}</td><td class="name">{pin.type!r}</td><td>{escape(pin_facts(pin))}</td>'
        f"<td>{_prose(pin.doc)}{_names(pin)}</td></tr>"
        for pin in pins
    )
    return f"<h2>{kind.capitalize()}s</h2>\n<table>\n{rows}\n</table>" if pins else ""


def _names(pin: Pin) -> str:
    listed = ", ".join(f"{i} {escape(name)}" for i, name in enumerate(pin.names))
    return f'<br><span class="faint">{listed}</span>' if listed else ""


def _prose(text: str) -> str:
    """Running text, what stands between backquotes as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
