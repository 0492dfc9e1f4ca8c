"""What a declaration must say; otherwise the block does not exist, and the message tells why."""

from __future__ import annotations

import pytest

from blocks.declare import (
    ANY,
    ANY_NUM,
    BOOL,
    CATALOGUE,
    DINT,
    LREAL,
    Array,
    DeclarationError,
    Input,
    Output,
    Var,
    block,
)


@pytest.fixture(autouse=True)
def _keep_the_catalogue():
    before = dict(CATALOGUE)
    yield
    CATALOGUE.clear()
    CATALOGUE.update(before)


def made(name: str = "FOR_A_TEST", source: str = "this test", **members):
    members = {"__doc__": "A block for a test.", "__module__": "tests", "step": lambda fb, dt: None, **members}
    return block(source=source)(type(name, (), members))


def test_a_whole_declaration_becomes_a_block():
    power = Input(LREAL, "in", unit="kW", default=2.5)
    found = made(IN=power, ON=Output(BOOL, "out"), kept=Var(DINT, "kept"), X=Input(Array(ANY, "N"), "many"))
    assert CATALOGUE["FOR_A_TEST"] is found
    assert [pin.name for pin in found.pins] == ["IN", "ON", "kept", "X"]
    assert [pin.name for pin in found.inputs] == ["IN", "X"]
    assert not found.pin("IN").required
    assert found.pin("X").required
    assert found.has_length
    assert found.any_type is ANY


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"__doc__": ""}, "FOR_A_TEST has no docstring"),
        ({"source": ""}, "FOR_A_TEST names no source"),
        ({"step": None}, "FOR_A_TEST has no step"),
        ({"IN": Input(BOOL, "")}, "FOR_A_TEST.IN has no doc"),
        ({"in_": Input(BOOL, "in")}, "FOR_A_TEST.in_: inputs and outputs are named in upper case"),
        ({"Out": Output(BOOL, "out")}, "FOR_A_TEST.Out: inputs and outputs are named in upper case"),
        ({"X": Input(BOOL, "in"), "x": Var(BOOL, "kept")}, "X and x differ only in case"),
        ({"A": Input(ANY, "a"), "B": Input(ANY_NUM, "b")}, "FOR_A_TEST is declared over"),
        ({"T": Input(Array(LREAL, 3), "t", default=(1.0, 2.0))}, "FOR_A_TEST.T: 2 defaults for 3 elements"),
    ],
)
def test_what_is_missing_is_named(members, message):
    with pytest.raises(DeclarationError, match=message):
        made(**members)
    assert "FOR_A_TEST" not in CATALOGUE


def test_two_blocks_of_one_name_are_refused_and_both_places_are_named():
    made()
    with pytest.raises(DeclarationError, match="two blocks are named FOR_A_TEST: in tests and tests"):
        made()
