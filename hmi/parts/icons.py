"""The pictures of the screens: line drawings of ours, so that no font of thousands of icons is fetched."""

ICONS = {
    "overview": "M3 12h4l2-6 4 12 2-6h6",
    "cells": "M4 4h6v6H4z M14 4h6v6h-6z M4 14h6v6H4z M14 14h6v6h-6z",
    "power": "M13 2 5 14h6l-1 8 8-12h-6z",
    "alarms": "M12 3a6 6 0 0 0-6 6v5l-2 3h16l-2-3V9a6 6 0 0 0-6-6z M10 20h4",
    "trends": "M3 3v18h18 M6 16l4-5 4 3 6-8",
    "control": "M5 7h14 M5 12h14 M5 17h14 M9 5v4 M15 10v4 M8 15v4",
    "program": "M3 5h7v5H3z M14 14h7v5h-7z M10 7h4v9",
    "events": "M6 3h9l4 4v14H6z M9 9h6 M9 13h7 M9 17h5",
}


def icon(name: str) -> str:
    """The drawing of a screen as SVG; it says nothing to a screen reader, its label does."""
    return f'<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d="{ICONS[name]}"/></svg>'
