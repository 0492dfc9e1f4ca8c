"""The office: YAML becomes a checked, laid-out Schedule. It must not know the engine, buses or servers."""

from __future__ import annotations

from runtime.language.site import load_site, load_text

__all__ = ["load_site", "load_text"]
