"""AND, OR, XOR, NOT: the truth tables."""

from __future__ import annotations

from blocks.standard.logic import AND, NOT, OR, XOR
from tests.aids.scan_table import scan


def test_and_is_true_only_while_all_are():
    scan(
        AND,
        table="""
        IN1 IN2 | OUT
        0   0   | 0
        0   1   | 0
        1   0   | 0
        1   1   | 1
    """,
    )


def test_or_is_true_while_any_is():
    scan(
        OR,
        table="""
        IN1 IN2 | OUT
        0   0   | 0
        0   1   | 1
        1   0   | 1
        1   1   | 1
    """,
    )


def test_xor_is_true_while_they_differ():
    scan(
        XOR,
        table="""
        IN1 IN2 | OUT
        0   0   | 0
        0   1   | 1
        1   0   | 1
        1   1   | 0
    """,
    )


def test_not_turns_its_input_over():
    scan(
        NOT,
        table="""
        IN | OUT
        0  | 1
        1  | 0
    """,
    )


def test_the_ones_that_take_any_number_of_operands_say_so():
    assert AND.fold == OR.fold == XOR.fold == ("IN1", "IN2", "OUT")
    assert NOT.fold is None
