"""The tags of many devices under one name: `rack[*].soc` is `rack[1].soc`, `rack[2].soc` and so on. It must not know types."""

from __future__ import annotations

import re
from collections.abc import Iterable

from runtime.language.feeds import flat, size_of
from runtime.language.network import ALL, Draft, Feed, Listed, TagDraft, Wire

STAR = "[*]"
_INDEXED = re.compile(r"(.*?)\[(\d+|\*)\]\Z")


class NumberError(Exception):
    """The tags do not make an array from 1 on; the message says which is missing."""


def cut_index(name: str) -> tuple[str, str]:
    """A name and the index at its end, empty where it has none."""
    if name[-1:] != "]":
        return name, ""
    match = _INDEXED.match(name)
    return (match[1], match[2]) if match else (name, "")


def is_numbered(name: str) -> bool:
    """Whether the name means the tags of many devices."""
    return STAR in name


def numbered(name: str, draft: Draft) -> list[TagDraft]:
    """The tags that the name means, by their index from 1. Raises NumberError where there are none or one is missing."""
    if name.count(STAR) > 1:
        raise NumberError(f"`{name}` has more than one `[*]`")
    before, after = name.lower().split(STAR)
    found = _by_index(f"{before}[", f"]{after}", draft.tags.items())
    if not found:
        raise NumberError(f"no tags named `{name}`")
    missing = next((i for i in range(1, len(found) + 1) if i not in found), 0)
    if missing:
        have = ", ".join(map(str, sorted(found)[:8])) + (", ..." if len(found) > 8 else "")
        raise NumberError(
            f"`{name}` is an array from 1 on, and there is no `{name.replace(STAR, f'[{missing}]')}`: there is {have}"
        )
    return [found[i] for i in range(1, len(found) + 1)]


def _by_index(before: str, after: str, tags: Iterable[tuple[str, TagDraft]]) -> dict[int, TagDraft]:
    return {
        int(index): tag
        for name, tag in tags
        if name.startswith(before) and name.endswith(after) and (index := name[len(before) : len(name) - len(after)]).isdecimal()
    }


def shared_out(feed: Feed, count: int) -> list[Feed]:
    """What each of `count` tags gets: the instances of an array or the values of a list in order, or one value for all."""
    if isinstance(feed, Wire) and feed.row == ALL and feed.node.count == count:
        return [Wire(feed.node, feed.pin, row, feed.element, feed.last, feed.text, feed.start, feed.width) for row in range(count)]
    if isinstance(feed, Listed) and len(feed.feeds) == count:
        return list(feed.feeds)  # of function blocks each: also where what each brings is an array
    parts = flat(feed)
    if isinstance(feed, Listed) and len(parts) == count and all(size_of(part) == 1 for part in parts):
        return parts
    return [feed] * count
