"""Event filters against part 4, 7.7: each operator with its nulls, and what of a filter is refused."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from asyncua import ua
from hypothesis import given
from hypothesis import strategies as st

from runtime.servers.opcua.conditions import About, notice_of
from runtime.servers.opcua.filters import Where, judge_filter
from runtime.servers.opcua.types import named, standard
from runtime.servers.records.states import AlarmEvent, AlarmState

OP, IDS = ua.FilterOperator, ua.ObjectIds
STATE = AlarmState("cell_hot_hh", "critical", "Cell too hot", "bms.t_cell", "HH", active=True, acked=False, count=1, event=7)
EVENT = notice_of(AlarmEvent(7, 10**18, STATE.name, "active", STATE), About(named("bms.t_cell"), "bms.t_cell", None, None, 55.0))
TYPES = {IDS.NonExclusiveLevelAlarmType: IDS.NonExclusiveLimitAlarmType, IDS.NonExclusiveLimitAlarmType: IDS.LimitAlarmType}
TYPES |= {IDS.LimitAlarmType: IDS.AlarmConditionType, IDS.AlarmConditionType: IDS.AcknowledgeableConditionType}


class Types:
    """As much of an address space as says which type is derived from which."""

    def get(self, kind: ua.NodeId) -> Any:
        above = TYPES.get(kind.Identifier)
        if above is None:
            return None
        upward = ua.ReferenceDescription(standard(IDS.HasSubtype), False, standard(above))
        return SimpleNamespace(references=[upward])


def field(path: str) -> ua.SimpleAttributeOperand:
    names = [ua.QualifiedName(name) for name in path.split("/")]
    return ua.SimpleAttributeOperand(standard(IDS.BaseEventType), names, ua.AttributeIds.Value)


def value(of: Any) -> ua.LiteralOperand:
    return ua.LiteralOperand(ua.Variant(of))


def element(operator: int, *operands: Any) -> ua.ContentFilterElement:
    return ua.ContentFilterElement(operator, list(operands))


def holds(*elements: ua.ContentFilterElement) -> bool:
    return Where(Types(), ua.ContentFilter(list(elements))).holds(EVENT)


def other(index: int) -> ua.ElementOperand:
    return ua.ElementOperand(index)


MISSING = field("NoSuchField")


@pytest.mark.parametrize(
    ("operator", "operands", "expected"),
    [
        (OP.Equals, [field("Severity"), value(900)], True),
        (OP.Equals, [field("ActiveState/Id"), value(True)], True),
        (OP.Equals, [field("Message"), value("Cell too hot")], True),
        (OP.Equals, [MISSING, value(1)], False),
        (OP.GreaterThan, [field("Severity"), value(600)], True),
        (OP.LessThan, [field("Severity"), value(600)], False),
        (OP.GreaterThanOrEqual, [field("Severity"), value(900)], True),
        (OP.LessThanOrEqual, [MISSING, value(900)], False),
        (OP.GreaterThan, [field("SourceName"), value(3)], False),  # cannot be compared: null
        (OP.Between, [field("Severity"), value(800), value(900)], True),
        (OP.Between, [field("Severity"), value(901), value(1000)], False),
        (OP.InList, [field("ConditionName"), value("a"), value("cell_hot_hh")], True),
        (OP.InList, [field("ConditionName"), value("a"), MISSING], False),
        (OP.IsNull, [MISSING], True),
        (OP.IsNull, [field("HighLimit")], True),
        (OP.IsNull, [field("HighHighLimit")], False),
        (OP.OfType, [value(standard(IDS.NonExclusiveLevelAlarmType))], True),
        (OP.OfType, [value(standard(IDS.AcknowledgeableConditionType))], True),
        (OP.OfType, [value(standard(IDS.OffNormalAlarmType))], False),
        (OP.Like, [field("SourceName"), value("bms.%")], True),
        (OP.Like, [field("SourceName"), value("%cell")], True),
        (OP.Like, [field("SourceName"), value("bms_t_cel[k-m]")], True),
        (OP.Like, [field("SourceName"), value("bms_t_cel[^k-m]")], False),
        (OP.Like, [field("SourceName"), value("bms\\_t%")], False),
        (OP.Like, [field("Message"), value("Cell too hot")], True),
        (OP.Like, [field("SourceName"), value("bms")], False),
        (OP.Not, [value(True)], False),
        (OP.Not, [MISSING], False),  # not null is null
        (OP.Cast, [field("Severity"), value(standard(IDS.String))], False),  # no truth value
    ],
)
def test_an_operator(operator: int, operands: list[Any], expected: bool) -> None:
    assert holds(element(operator, *operands)) is expected


TRUE = element(OP.Equals, value(1), value(1))
FALSE = element(OP.Equals, value(1), value(2))
NULL = element(OP.Equals, MISSING, value(1))


@pytest.mark.parametrize(
    ("first", "second", "both", "either"),
    [(TRUE, TRUE, 1, 1), (TRUE, FALSE, 0, 1), (TRUE, NULL, 0, 1), (FALSE, NULL, 0, 0), (NULL, TRUE, 0, 1), (NULL, NULL, 0, 0)],
)
def test_and_or_with_nulls(first: Any, second: Any, both: bool, either: bool) -> None:
    assert holds(element(OP.And, other(1), other(2)), first, second) is bool(both)
    assert holds(element(OP.Or, other(1), other(2)), first, second) is bool(either)
    negated = holds(element(OP.Not, other(1)), element(OP.And, other(2), other(3)), first, second)
    assert negated is (first is FALSE or second is FALSE), "part 4, table 122: null and false is false, null and true null"


def filter_of(*elements: ua.ContentFilterElement, clauses: list[Any] | None = None) -> ua.EventFilter:
    return ua.EventFilter([field("EventId")] if clauses is None else clauses, ua.ContentFilter(list(elements)))


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (filter_of(element(OP.Not, other(0))), "BadFilterOperandInvalid"),  # a circle
        (filter_of(element(OP.Not, other(1)), element(OP.Not, other(0))), "BadFilterOperandInvalid"),
        (filter_of(element(OP.Not, other(9))), "BadFilterOperandInvalid"),
        (filter_of(element(OP.Equals, value(1))), "BadFilterOperandCountMismatch"),
        (filter_of(element(OP.InView, value(1))), "BadFilterOperatorUnsupported"),
        (filter_of(element(OP.RelatedTo, *[value(1)] * 6)), "BadFilterOperatorUnsupported"),
    ],
)
def test_a_filter_that_cannot_be_is_refused_with_its_element(wanted: ua.EventFilter, reason: str) -> None:
    code, result = judge_filter(wanted)
    assert ua.StatusCode(code).name == "BadEventFilterInvalid" and result is not None
    assert reason in {element.StatusCode.name for element in result.WhereClauseResult.ElementResults}


@pytest.mark.parametrize(
    "wanted",
    [None, ua.DataChangeFilter(), filter_of(clauses=[]), filter_of(*[element(OP.IsNull, value(1))] * 1000)],
)
def test_what_is_no_filter_for_events_is_refused(wanted: Any) -> None:
    assert ua.StatusCode(judge_filter(wanted)[0]).name == "BadEventFilterInvalid"


def test_each_element_is_judged_once_however_often_others_name_it() -> None:
    ladder = [element(OP.And, other(n + 1), other(n + 1)) for n in range(150)]
    assert holds(*ladder, TRUE) is True


@given(st.text(alphabet="ab%_[]^\\-", max_size=60), st.text(alphabet="ab", max_size=60))
def test_no_pattern_is_too_much(pattern: str, words: str) -> None:
    judged = [holds(element(OP.Like, value(words), value(like))) for like in (pattern, words, f"%{words}%", "_" * len(words))]
    assert judged[0] in (True, False) and judged[1:] == [True] * 3


def test_a_list_that_runs_backwards_fits_nothing() -> None:
    assert holds(element(OP.Like, value("b"), value("[z-a]"))) is False


@pytest.mark.filterwarnings("error")
def test_two_dashes_in_a_list_are_one() -> None:
    assert [holds(element(OP.Like, value(letter), value("[a--c]"))) for letter in "abcd-"] == [True, True, True, False, False]


def test_a_rude_pattern_costs_little() -> None:
    rude = element(OP.Like, value("a" * 300), value("%a" * 100 + "b"))
    assert holds(rude) is False
