"""What a requirement is, and what a test found about it: value, limit, margin, pass or fail. It knows no service and no plant."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum


class Outcome(Enum):
    """What a finding says of the plant. REDUCED: it may be sold, but with less capacity."""

    PASS = "PASS"
    REDUCED = "REDUCED"
    FAIL = "FAIL"


SIGNS = {Outcome.PASS: "✓", Outcome.REDUCED: "▽", Outcome.FAIL: "✗"}  # beside the word: never a colour alone


@dataclass(frozen=True)
class Requirement:
    """One requirement of an operator: the value by `formula` must lie from `low` to `high`, in `unit`.

    Below `low`, but not below `reduced`, the plant passes with a capacity that is smaller in proportion (factor K).
    """

    id: str
    title: str
    formula: str
    source: str
    unit: str
    low: float = -math.inf
    high: float = math.inf
    reduced: float | None = None

    @property
    def limit(self) -> str:
        """The limits in words, as a report shows them."""
        if self.low > -math.inf and self.high < math.inf:
            return f"{self.low:.4g} .. {self.high:.4g} {self.unit}".rstrip()
        sign, value = (">=", self.low) if self.low > -math.inf else ("<=", self.high)
        text = f"{sign} {value:.4g} {self.unit}".rstrip()
        return text if self.reduced is None else f"{text} (reduced: >= {self.reduced:.4g})"


@dataclass(frozen=True)
class Finding:
    """What a test found about one requirement; `interval` is the part of the record in s that was used."""

    requirement: Requirement
    test: str
    value: float
    interval: tuple[float, float]
    note: str = ""

    @property
    def margin(self) -> float:
        """How far the value is inside the limits; negative outside."""
        return min(self.value - self.requirement.low, self.requirement.high - self.value)

    @property
    def outcome(self) -> Outcome:
        """Pass, reduced or fail; a value that is no number fails."""
        if math.isnan(self.value):
            return Outcome.FAIL
        rounding = 1e-12 * max(1.0, abs(self.value)) if math.isfinite(self.value) else 0.0
        if self.margin >= -rounding:
            return Outcome.PASS
        least = self.requirement.reduced
        return Outcome.REDUCED if least is not None and least <= self.value < self.requirement.low else Outcome.FAIL


def grouped(findings: list[Finding]) -> dict[str, list[Finding]]:
    """The findings of each requirement, by its id, in the order in which they were found."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.requirement.id, []).append(finding)
    return groups


def worst(group: list[Finding]) -> Finding:
    """The finding that decides: the worst outcome, and of those the least margin."""
    order = (Outcome.FAIL, Outcome.REDUCED, Outcome.PASS)
    return min(group, key=lambda f: (order.index(f.outcome), -math.inf if math.isnan(f.margin) else f.margin))


def failed(findings: list[Finding]) -> set[str]:
    """The ids of the requirements that at least one finding fails."""
    return {finding.requirement.id for finding in findings if finding.outcome is Outcome.FAIL}


def overall(findings: list[Finding]) -> Outcome:
    """The worst outcome; nothing found is no pass."""
    outcomes = {finding.outcome for finding in findings}
    if not outcomes or Outcome.FAIL in outcomes:
        return Outcome.FAIL
    return Outcome.REDUCED if Outcome.REDUCED in outcomes else Outcome.PASS


def reduction(findings: list[Finding]) -> float:
    """K: the share of the capacity that the findings leave; 1 where nothing is reduced."""
    shares = [f.value / f.requirement.low for f in findings if f.outcome is Outcome.REDUCED]
    return min([1.0, *shares])
