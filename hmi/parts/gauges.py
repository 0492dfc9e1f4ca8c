"""Analogue bars and small trends: where a value stands between its limits, and how it came there. `static/gauges.js` draws them."""

from __future__ import annotations

import html
import json
from typing import Any

SCRIPT = "/static/gauges.js"
STYLES = '<link rel="stylesheet" href="/static/gauges.css">'


def attribute(said: Any) -> str:
    """Data for a script, as the value of an attribute."""
    return html.escape(json.dumps(said, separators=(",", ":")))


def gauge(label: str, **plan: Any) -> str:
    """A bar from `low` to `high`. Every other figure is a number or the name of what shows it.

    `value` is pointed at, and filled from `origin` where that is given; `span` is filled between its two ends instead. `band` is
    where the value may be, `marks` are set points, `limits` (L, LL, H, HH) colour what is beyond them.
    """
    known = {word: said for word, said in plan.items() if said not in (None, "", (), [], {})}
    return f'<div class="gauge live" role="img" aria-label="{html.escape(label)}" data-gauge="{attribute(known)}"></div>'


def derived(kind: str, of: list[str], unit: str, decimals: int, nominal: float | None = None) -> str:
    """HTML of a figure that the screen's script computes from live values; its quality is the worst of theirs."""
    plan = {"kind": kind, "of": of, "unit": unit, "decimals": decimals, "nominal": nominal}
    return f'<span class="value" data-derived="{attribute(plan)}">–</span>'


def spark(label: str, tag: str, least: float, more: str = "") -> str:
    """The last hour of a tag, leading to its trend; `least` is the smallest span of values that fills its height."""
    href = f"/trends?tags={tag}{',' + more if more else ''}"
    plan = attribute({"tag": tag, "least": least})
    return (
        f'<a class="spark live" href="{html.escape(href)}" data-spark="{plan}"><span class="said">{html.escape(label)}</span></a>'
    )
