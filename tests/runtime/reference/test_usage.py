"""The YAML that the catalogue shows for a block is YAML that the checker accepts, for every block."""

from __future__ import annotations

import re

import pytest

from blocks import catalogue
from blocks.declare import BlockType
from runtime.language.units import unit
from runtime.reference.usage import usage
from tests.aids.site_text import problems_of, texts

every_block = pytest.mark.parametrize("block", catalogue().values(), ids=catalogue())


@every_block
def test_its_example_is_a_program_without_a_mistake(block: BlockType) -> None:
    found = usage(block)
    tags = "\n".join(f'{name}: {{type: "{type}", unit: "{unit}", default: 0}}' for name, type, unit in found.tags)
    tags = re.sub(r'"BOOL(\[\d+\])?", unit: "", default: 0', r'"BOOL\1", default: false', tags).replace(' unit: "",', "")
    tags = re.sub(r'("TIME(?:\[\d+\])?",)(?: unit: "\w+",)? default: 0', r"\1 default: 0 s", tags)
    assert [str(p) for p in problems_of(texts(found.text + "\n", tags)) if p.severity == "error"] == []


@every_block
def test_its_units_are_units(block: BlockType) -> None:
    for pin in block.pins:
        bare = re.sub(r"\{\w+\}", "V", pin.unit)
        assert unit(bare) is not None, f"{pin.name} is in {pin.unit}, which no wire can carry"
