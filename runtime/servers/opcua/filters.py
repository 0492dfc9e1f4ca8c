"""Event filters as part 4, 7.7 has them: which events a client wants, judged by null-aware three-valued logic.

asyncua 2.1 finds only the first name of a path, takes `OfType` for "exactly this type", knows no `Like`, and answers a broken
filter with an internal error or with endless recursion. It knows no subscription.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from asyncua import ua
from asyncua.server.address_space import AddressSpace

from runtime.servers.opcua.types import standard, status

_CODES, _OPS = ua.StatusCodes, ua.FilterOperator
MOST_ELEMENTS, MOST_FIELDS = 100, 500  # one filter: judged at every event
MOST_OPERANDS, LONGEST_TEXT = 500, 1000
# how many operands each operator needs, at least and at most (part 4, tables 119 and 120)
_OPERANDS = {
    _OPS.Equals: (2, 2),
    _OPS.IsNull: (1, 1),
    _OPS.GreaterThan: (2, 2),
    _OPS.LessThan: (2, 2),
    _OPS.GreaterThanOrEqual: (2, 2),
    _OPS.LessThanOrEqual: (2, 2),
    _OPS.Like: (2, 2),
    _OPS.Not: (1, 1),
    _OPS.Between: (3, 3),
    _OPS.InList: (2, 1000),
    _OPS.And: (2, 2),
    _OPS.Or: (2, 2),
    _OPS.Cast: (2, 2),
    _OPS.OfType: (1, 1),
    _OPS.BitwiseAnd: (2, 2),
    _OPS.BitwiseOr: (2, 2),
}
_ORDER: dict[int, Callable[[Any, Any], bool]] = {
    _OPS.GreaterThan: lambda a, b: bool(a > b),
    _OPS.LessThan: lambda a, b: bool(a < b),
    _OPS.GreaterThanOrEqual: lambda a, b: bool(a >= b),
    _OPS.LessThanOrEqual: lambda a, b: bool(a <= b),
}


def judge_filter(wanted: Any) -> tuple[int, ua.EventFilterResult | None]:
    """Whether an event filter can be carried out: 0, or the status of the item; and what to tell of each of its parts."""
    if not isinstance(wanted, ua.EventFilter):
        return int(_CODES.BadEventFilterInvalid), None
    clauses, elements = wanted.SelectClauses or [], wanted.WhereClause.Elements or []
    operands = sum(len(element.FilterOperands or ()) for element in elements)
    if not clauses or len(clauses) > MOST_FIELDS or len(elements) > MOST_ELEMENTS or operands > MOST_OPERANDS:
        return int(_CODES.BadEventFilterInvalid), None
    selects = [_judge_operand(clause, 0, 0) for clause in clauses]
    wheres = [_judge_element(element, n, len(elements)) for n, element in enumerate(elements)]
    if not any(selects) and not any(wheres):
        return 0, None
    result = ua.EventFilterResult()
    result.SelectClauseResults = [status(code) for code in selects]
    result.WhereClauseResult.ElementResults = [ua.ContentFilterElementResult(StatusCode=status(code)) for code in wheres]
    return int(_CODES.BadEventFilterInvalid), result


def _judge_element(element: ua.ContentFilterElement, number: int, count: int) -> int:
    low, high = _OPERANDS.get(element.FilterOperator, (-1, -1))
    if high < 0:
        return int(_CODES.BadFilterOperatorUnsupported)
    operands = element.FilterOperands or []
    if not low <= len(operands) <= high:
        return int(_CODES.BadFilterOperandCountMismatch)
    return next((code for code in (_judge_operand(operand, number, count) for operand in operands) if code), 0)


def _judge_operand(operand: Any, number: int, count: int) -> int:
    if isinstance(operand, ua.ElementOperand):  # only elements further on may be named, so that no filter runs in a circle
        return 0 if number < operand.Index < count else int(_CODES.BadFilterOperandInvalid)
    if isinstance(operand, ua.LiteralOperand):
        value = operand.Value.Value if operand.Value is not None else None
        is_long = isinstance(value, (str, bytes, list)) and len(value) > LONGEST_TEXT
        return int(_CODES.BadFilterLiteralInvalid) if is_long else 0
    if isinstance(operand, ua.SimpleAttributeOperand):
        is_attribute = 1 <= int(operand.AttributeId) <= max(ua.AttributeIds)
        return 0 if is_attribute else int(_CODES.BadAttributeIdInvalid)
    return int(_CODES.BadFilterOperandInvalid)


class Where:
    """The where clause of an item: `holds` says whether an event is wanted."""

    def __init__(self, aspace: AddressSpace, clause: ua.ContentFilter):
        self._aspace = aspace
        self._elements = clause.Elements or []
        self._patterns: dict[str, list[re.Pattern[str] | None]] = {}

    def holds(self, event: Any) -> bool:
        """Whether the client wants this event; what cannot be compared is null, and null is not wanted."""
        return not self._elements or self._element(0, event, {}) is True

    def _element(self, index: int, event: Any, known: dict[int, Any]) -> Any:
        if index not in known:  # each element once an event, however often others name it
            known[index] = self._judge(self._elements[index], event, known)
        return known[index]

    def _judge(self, element: ua.ContentFilterElement, event: Any, known: dict[int, Any]) -> Any:
        operator = element.FilterOperator
        values = [self._operand(operand, event, known) for operand in element.FilterOperands]
        first = values[0]
        if operator == _OPS.IsNull:
            return first is None
        if operator == _OPS.Not:
            return None if _truth(first) is None else not first
        if operator == _OPS.And:
            return _both(_truth(first), _truth(values[1]))
        if operator == _OPS.Or:
            return _either(_truth(first), _truth(values[1]))
        if operator == _OPS.OfType:
            return self._is_of_type(event.EventType, first)
        if operator == _OPS.InList:
            return any(_equal(first, value) is True for value in values[1:])
        return None if any(value is None for value in values) else self._compare(operator, values)

    def _compare(self, operator: int, values: Sequence[Any]) -> Any:
        first, second = values[0], values[1]
        try:
            if operator == _OPS.Equals:
                return _equal(first, second)
            if operator == _OPS.Between:
                return bool(second <= first <= values[2])
            if operator == _OPS.Like:
                return self._is_like(_plain(first), str(second))
            if operator == _OPS.Cast:
                return _cast(first, second)
            if operator == _OPS.BitwiseAnd:
                return first & second
            if operator == _OPS.BitwiseOr:
                return first | second
            return _ORDER[operator](first, second)
        except (TypeError, ValueError, ArithmeticError, re.error):
            return None  # part 4, 7.7.3: operands that cannot be brought to one type make null

    def _operand(self, operand: Any, event: Any, known: dict[int, Any]) -> Any:
        if isinstance(operand, ua.ElementOperand):
            return self._element(operand.Index, event, known)
        if isinstance(operand, ua.LiteralOperand):
            return operand.Value.Value if operand.Value is not None else None
        field = getattr(event, "field", None)
        if field is not None:
            return field(operand.BrowsePath, int(operand.AttributeId)).Value
        return getattr(event, "/".join(str(name.Name) for name in operand.BrowsePath or ()), None)  # asyncua's own events

    def _is_of_type(self, kind: Any, wanted: Any) -> bool:
        """Whether the type is the wanted one or derived from it."""
        while kind != wanted:
            node = self._aspace.get(kind)
            above = [ref.NodeId for ref in node.references if not ref.IsForward and ref.ReferenceTypeId == _SUBTYPE] if node else []
            if not above:
                return False
            kind = above[0]
        return True

    def _is_like(self, words: str, pattern: str) -> bool:
        if pattern not in self._patterns:
            self._patterns[pattern] = _like(pattern)
        return _fits(words, self._patterns[pattern])


_SUBTYPE = standard(ua.ObjectIds.HasSubtype)
_NOTHING = re.compile("(?!)")
_DASHES = re.compile("--+")
_SET = re.compile(r"\[(\^?)([^\]]+)\]")


def _like(pattern: str) -> list[re.Pattern[str] | None]:
    """A Like pattern (part 4, table 121) by its letters; None stands for %, any number of any letters.

    _ is one letter, [] one of a list, [^] one not of a list, and \\ takes the meaning of the next away.
    """
    found: list[re.Pattern[str] | None] = []
    n = 0
    while n < len(pattern):
        letter, chosen = pattern[n], _SET.match(pattern, n)
        if letter == "\\" and n + 1 < len(pattern):
            n += 1
            found.append(re.compile(re.escape(pattern[n])))
        elif chosen:
            letters = _DASHES.sub("-", chosen[2])  # to Python `--` may mean something else one day
            inside = "".join(c if c == "-" else re.escape(c) for c in letters)
            found.append(re.compile(f"[{chosen[1]}{inside}]"))
            n = chosen.end() - 1
        else:
            found.append(None if letter == "%" else re.compile("." if letter == "_" else re.escape(letter), re.DOTALL))
        n += 1
    return found


def _fits(words: str, pattern: Sequence[re.Pattern[str] | None]) -> bool:
    """Whether the words have the pattern, in words x pattern steps at most: a regular expression would take a rude one for ever."""
    word = letter = 0
    after, tried = -1, 0  # the letter after the last %, and where its words begin
    while word < len(words):
        wanted = pattern[letter] if letter < len(pattern) else _NOTHING
        if wanted is None:
            letter += 1
            after, tried = letter, word
        elif wanted.match(words[word]):
            word, letter = word + 1, letter + 1
        elif after >= 0:
            tried += 1
            word, letter = tried, after
        else:
            return False
    return all(wanted is None for wanted in pattern[letter:])


def _plain(value: Any) -> str:
    return str(value.Text or "") if isinstance(value, ua.LocalizedText) else str(value)


def _equal(first: Any, second: Any) -> bool | None:
    if first is None or second is None:
        return None
    if isinstance(first, ua.LocalizedText) != isinstance(second, ua.LocalizedText):
        return _plain(first) == _plain(second)
    return bool(first == second)


def _truth(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _both(first: bool | None, second: bool | None) -> bool | None:
    if first is False or second is False:
        return False
    return None if first is None or second is None else True


def _either(first: bool | None, second: bool | None) -> bool | None:
    if first is True or second is True:
        return True
    return None if first is None or second is None else False


def _cast(value: Any, kind: Any) -> Any:
    """The value as one of the plain types; null where it is none of these."""
    number = getattr(kind, "Identifier", None)
    if number == ua.ObjectIds.Boolean:
        return bool(value)
    if number == ua.ObjectIds.String:
        return _plain(value)
    if number in (ua.ObjectIds.Float, ua.ObjectIds.Double):
        return float(value)
    return int(value) if isinstance(number, int) and ua.ObjectIds.SByte <= number <= ua.ObjectIds.UInt64 else None
