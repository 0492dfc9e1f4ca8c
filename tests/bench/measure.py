"""What every benchmark uses: results with their bars, C compiled here and now, and medians of alternating windows."""

from __future__ import annotations

import ctypes
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
C_FLAGS = ["-O3", "-march=native", "-ffp-contract=off"]


@dataclass(frozen=True)
class Result:
    """One row of the table: `holds` says whether the value keeps its bar; a row without a bar informs.

    `otherwise` says that an alternative to the bar holds, and names it in `name`.
    """

    name: str
    value: float
    unit: str
    bar: float | None = None
    otherwise: bool = False

    @property
    def holds(self) -> bool:
        return bool(self.bar is None or self.value <= self.bar or self.otherwise)


def compile_c(source: str, *, shared: bool, libraries: Sequence[str] = ()) -> Path:
    """Compile one of the C files beside this one, with the flags that the comparison is defined for."""
    target = Path(tempfile.mkdtemp(prefix="bessplc-bench-")) / Path(source).stem
    libs = [f"-l{name}" for name in (*libraries, "m")]
    extra = ["-shared", "-fPIC"] if shared else []
    subprocess.run(["gcc", *C_FLAGS, *extra, str(HERE / source), "-o", str(target), *libs], check=True)
    return target


def load_c(source: str) -> ctypes.CDLL:
    return ctypes.CDLL(str(compile_c(source, shared=True)))


def ns_per_call(call: Callable[[], object], least_s: float = 0.02) -> float:
    """The processor time of one call, from as many as fill a short window: what others do on the machine is not counted."""
    count = 1
    while True:
        begun = time.thread_time_ns()
        for _ in range(count):
            call()
        passed = time.thread_time_ns() - begun
        if passed > least_s * 1e9:
            return passed / count
        count = max(count * 2, int(count * least_s * 1.2e9 / max(passed, 1)))


def alternate(calls: Sequence[Callable[[], float]], windows: int = 9) -> list[float]:
    """The medians of several measurements that take turns, so that a disturbance of the machine meets all of them."""
    seen: list[list[float]] = [[] for _ in calls]
    for _ in range(windows):
        for results, call in zip(seen, calls, strict=True):
            results.append(call())
    return [statistics.median(results) for results in seen]


def alternate_ratio(ours: Callable[[], float], theirs: Callable[[], float], windows: int = 9) -> tuple[float, float, float]:
    """Median of ours, of theirs, and of the ratios taken window by window."""
    pairs = [(ours(), theirs()) for _ in range(windows)]
    ratio = statistics.median(a / b for a, b in pairs)
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs), ratio


def quantile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
