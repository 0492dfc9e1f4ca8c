"""What the checker says about one io_map for many devices and about devices' names, word for word."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.aids.site_text import said_about, texts

RACKS = """for: rack in 1..4
device: rack{rack}
driver: fake
stale: 1 s
inputs:
  rack[{rack}].soc: {at: "{rack * 0x20}", type: LREAL, bad: hold}
"""


def racks(old: str, new: str, program: str = "", tags: str = "") -> dict[str, str]:
    """The site of four racks with one change in its io_map."""
    assert old in RACKS
    return texts(program, tags, io={"racks": RACKS.replace(old, new)})


CASES = {
    "a range that is empty": (
        racks("1..4", "4..1"),
        """\
io_maps/racks.yaml:1:6: error[E605]: the range 4..1 is empty
 1 | for: rack in 4..1
   |      ^^^^^^^^^^^^ `1..4`?
""",
    ),
    "a for that is none": (
        racks("rack in 1..4", "1..4"),
        """\
io_maps/racks.yaml:1:6: error[E605]: `for` names its values
 1 | for: 1..4
   |      ^^^^ `for: rack in 1..16` or `for: rack in [1, 2, 5]`
""",
    ),
    "a name in braces that is none": (
        racks("{rack * 0x20}", "{rak * 0x20}"),
        """\
io_maps/racks.yaml:6:26: error[E606]: `{rak * 0x20}`: there is no `rak`
 6 |   rack[{rack}].soc: {at: "{rak * 0x20}", type: LREAL, bad: hold}
   |                          ^^^^^^^^^^^^^^ did you mean `rack`?
 = help: for rack = 1, and for 3 more values
""",
    ),
    "a range of which programs cannot make an array": (
        racks("1..4", "[1, 2, 4]", "outputs: {x.a: 'rack[*].soc'}", 'x.a: {type: "LREAL[3]"}'),
        """\
programs/p.yaml:2:17: error[E208]: `rack[*].soc` is an array from 1 on, and there is no `rack[3].soc`: there is 1, 2, 4
 2 | outputs: {x.a: 'rack[*].soc'}
   |                 ^^^^^^^^^^^
""",
    ),
    "the runtime's own area": (
        racks("rack[{rack}].soc", "device.rack{rack}.soc"),
        """\
io_maps/racks.yaml:6:3: error[E106]: `device.rack1.soc`: the area `device` is the runtime's
 6 |   device.rack{rack}.soc: {at: "{rack * 0x20}", type: LREAL, bad: hold}
   |   ^^^^^^^^^^^^^^^^^^^^^ choose another area
 = help: the runtime names the tags of each device there: `device.rack1.state`, `device.rack1.lost`, `device.rack1.errors`
 = help: for rack = 1, and for 3 more values
""",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_message_reads(name: str, tmp_path: Path) -> None:
    files, said = CASES[name]
    shown = said_about(files, tmp_path)
    errors = "\n\n".join(part for part in shown.split("\n\n") if " warning[" not in part)
    assert f"{errors.rstrip()}\n" == said
