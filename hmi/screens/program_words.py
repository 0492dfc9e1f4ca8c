"""How long, how late and since when, as people read it."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


def span(seconds: float) -> str:
    """A length of time: `0.4 s`, `3 min 12 s`, `2 d 4 h`."""
    seconds = max(0.0, seconds)
    if seconds < MINUTE:
        return f"{seconds:.1f} s"
    large, small, words = next(
        (big, little, words)
        for big, little, words in ((DAY, HOUR, "d h"), (HOUR, MINUTE, "h min"), (MINUTE, 1.0, "min s"))
        if seconds >= big
    )
    first, second = words.split()
    return f"{int(seconds // large)} {first} {int(seconds % large // small)} {second}"


def micros(value: float) -> str:
    """Microseconds without more digits than the histogram is good for."""
    if not math.isfinite(value):
        return "–"
    return f"{value:.1f}" if abs(value) < 100 else f"{value:.0f}"


def time_of(micro: float) -> str:
    """Microseconds with the unit that suits them."""
    if not math.isfinite(micro):
        return "–"
    return f"{micro / 1000:.2f} ms" if micro >= 1000 else f"{micro:.3g} µs"


def heads(words: Iterable[str], numbers: frozenset[str] = frozenset()) -> str:
    """The head of a table; columns of `numbers` stand at the right."""
    cells = (f'<th scope="col"{" class=number" if word in numbers else ""}>{html.escape(word)}</th>' for word in words)
    return f"<thead><tr>{''.join(cells)}</tr></thead>"


def cell(text: object, kind: str = "") -> str:
    """One cell of a table."""
    return f"<td{f' class={kind!r}' if kind else ''}>{html.escape(str(text))}</td>"


def table(kind: str, head: str, rows: str, caption: str = "") -> str:
    """A table in a panel of its own, that scrolls where it is too wide."""
    name = f"<caption>{html.escape(caption)}</caption>" if caption else ""
    return f'<section class="panel scroll live"><table class="list {kind}">{name}{head}<tbody>{rows}</tbody></table></section>'
