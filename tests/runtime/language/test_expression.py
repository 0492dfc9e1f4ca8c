"""Expressions: precedence as in IEC 61131-3:2013, table 71, units beside operators, and mistakes under the right character."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.language.expression import After, Call, ExpressionError, Name, Number, Tree, Truth, expression


def shown(tree: Tree) -> str:
    """The tree with every bracket written."""
    if isinstance(tree, Number):
        return f"{float(tree.value.number):g}{f'_{tree.value.unit!r}' if tree.value.unit else ''}"
    if isinstance(tree, Truth):
        return str(tree.value).lower()
    if isinstance(tree, Name):
        return f"{'last ' if tree.is_last else ''}{tree.text}"
    if isinstance(tree, After):
        return f"after {shown(tree.time)}"
    if (isinstance(tree, Call) and len(tree.arguments) == 2 and not tree.name.isidentifier()) or tree.name in (
        "and",
        "or",
        "xor",
        "mod",
    ):
        return f"({shown(tree.arguments[0])} {tree.name} {shown(tree.arguments[1])})"
    return f"{tree.name}({', '.join(map(shown, tree.arguments))})"


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("a.b or c.d and e.f", "(a.b or (c.d and e.f))"),
        ("a.b xor c.d or e.f xor g.h", "((a.b xor c.d) or (e.f xor g.h))"),
        ("a.b & c.d xor e.f", "((a.b and c.d) xor e.f)"),
        ("a.b = c.d and e.f <> g.h", "((a.b = c.d) and (e.f <> g.h))"),
        ("a.b < c.d = e.f > g.h", "((a.b < c.d) = (e.f > g.h))"),
        ("a.b + c.d < e.f * 2", "((a.b + c.d) < (e.f * 2))"),
        ("a.b - c.d - e.f", "((a.b - c.d) - e.f)"),
        ("a.b / c.d * e.f mod 3", "(((a.b / c.d) * e.f) mod 3)"),
        ("a.b * c.d ** 2", "(a.b * (c.d ** 2))"),
        ("-a.b ** 2", "(negate(a.b) ** 2)"),
        ("not a.b and c.d", "(not(a.b) and c.d)"),
        ("not a.b = c.d", "(not(a.b) = c.d)"),
        ("not (a.b = c.d)", "not((a.b = c.d))"),
        ("NOT a.b OR True", "(not(a.b) or true)"),
        ("not not a.b", "not(not(a.b))"),
        ("(a.b)", "a.b"),
        ("max(a.b, min(c.d, 3 kW))", "max(a.b, min(c.d, 3_kW))"),
        ("a.b > -3.5", "(a.b > -3.5)"),
        ("- 3 kW + a.b", "(-3_kW + a.b)"),
        ("last a.b + 1", "(last a.b + 1)"),
        ("not ready.OK or after 2 s", "(not(ready.OK) or after 2_s)"),
        ("a[3].b + c.d[*]", "(a[3].b + c.d[*])"),
        ("2 kW/s * x.y", "(2_kW/s * x.y)"),
        ("2 kW/x.y", "(2_kW / x.y)"),
        ("2 V*x.y", "(2_V * x.y)"),
        ("5 % + x.y", "(5_% + x.y)"),
        ("5 mod 3", "(5 mod 3)"),
        ("2 s and x.y", "(2_s and x.y)"),
        ("1e3 V", "1000_V"),
        ("abs(dv.OUT) < 1 V and abs(bms.current) < 0.05 A", "((abs(dv.OUT) < 1_V) and (abs(bms.current) < 0.05_A))"),
    ],
)
def test_an_expression_reads_as_structured_text_does(text: str, meaning: str) -> None:
    assert shown(expression(text)) == meaning


@pytest.mark.parametrize(
    ("text", "column", "width", "message"),
    [
        ("a.b == c.d", 4, 2, "`==` is no operator"),
        ("a.b != c.d", 4, 2, "`!=` is no operator"),
        ("a.b && c.d", 4, 2, "`&&` is no operator"),
        ("a.b || c.d", 4, 2, "`||` is no operator"),
        ("!a.b", 0, 1, "`!` stands where a value belongs"),
        ("a.b c.d", 4, 3, "an operator is missing before `c.d`"),
        ("(a.b", 0, 1, "this `(` is not closed"),
        ("a.b)", 3, 1, "this `)` closes nothing"),
        ("max(a.b", 3, 1, "this `(` is not closed"),
        ("max(a.b c.d)", 8, 3, "`)` or an operator is missing before `c.d`"),
        ("a.b +", 4, 1, "the expression ends too early"),
        ("* a.b", 0, 1, "`*` stands where a value belongs"),
        ("a.b + * c.d", 6, 1, "`*` stands where a value belongs"),
        ("last 3", 5, 1, "`last` needs a tag or an instance's pin behind it"),
        ("a.b and or c.d", 8, 2, "`or` stands where a value belongs"),
        ("3 kw + a.b", 2, 2, "no unit is written `kw`"),
        ("a.b + 1e999", 6, 5, "`1e999` is beyond what an LREAL holds"),
        ("a.b $ c.d", 4, 1, "an operator is missing before `$`"),
        ("", 0, 1, "a value is missing here"),
    ],
)
def test_a_mistake_is_found_where_it_stands(text: str, column: int, width: int, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        expression(text)
    assert (str(caught.value), caught.value.start, caught.value.width) == (message, column, width)


@given(st.text(alphabet='ab.()[]*+-/<>=&! \t0123456789kWs%_,#äµ"', max_size=40) | st.text(max_size=20))
def test_any_text_is_an_expression_or_an_expression_error(text: str) -> None:
    start = 0
    try:
        expression(text)
    except ExpressionError as error:
        start = error.start
    assert 0 <= start <= max(len(text), 1)


@pytest.mark.parametrize("text", ["(" * 5000 + "1" + ")" * 5000, "not " * 5000 + "a.b", "-" * 5000 + "1", "max(" * 5000])
def test_deep_nesting_is_refused_and_does_not_overflow(text: str) -> None:
    with pytest.raises(ExpressionError, match="inside each other"):
        expression(text)


def test_a_long_chain_is_no_deep_nesting() -> None:
    assert isinstance(expression(" and ".join(["a.b"] * 5000)), Call)
