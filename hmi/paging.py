"""Long lists a page after another, newest first, through any filter. It knows neither records nor pages of a browser."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

MOST = 20_000  # entries that one request looks through: beyond, whoever asks narrows the time
STEP = 500
WIDER = 6  # how many times more are read where a filter leaves too few
One = TypeVar("One")


@dataclass(frozen=True)
class Page(Generic[One]):
    """What fits. `older` is where the next page begins, None where nothing older fits; `is_cut`: there may be more beyond MOST."""

    rows: list[One]
    older: int | None
    is_cut: bool = False


def page_of(read: Callable[[int], Sequence[One]], fits: Callable[[One], bool], at: int, size: int, most: int = MOST) -> Page[One]:
    """At most `size` entries that fit, from the entry number `at` on (0: the newest). `read(n)` gives the newest n, newest first.

    Places count what is read, not what fits, so that they hold for any filter; and by number, not by time, since a clock that was
    set back must hide nothing.
    """
    asked = min(most, at + STEP)
    while True:
        found = read(asked)
        fitting = [place for place in range(at, len(found)) if fits(found[place])]
        if len(fitting) > size:
            return Page([found[place] for place in fitting[:size]], fitting[size])
        if len(found) < asked or asked >= most:
            return Page([found[place] for place in fitting], None, len(found) >= most)
        asked = min(most, asked * WIDER)
