"""SunSpec devices: pysunspec2's device files served by pymodbus on a real socket, every value compared with pysunspec2's client."""

import asyncio
import json
from importlib.resources import files

import pytest
from sunspec2 import mb
from sunspec2.device import get_model_def
from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

from runtime.fieldbus.modbus_link import Link
from runtime.fieldbus.modbus_rules import BASES, SUNSPEC_WORDS
from runtime.fieldbus.modbus_settings import LineSettings, ModbusSettings
from runtime.fieldbus.modbus_sunspec import NoSunSpecError, discover_sunspec
from runtime.fieldbus.modbus_sunspec_models import TYPES, AbsentError, ModelError, counts_of, find_point, offset_of, read_model
from runtime.fieldbus.modbus_sunspec_points import UNITS, unit_of
from runtime.language.units import unit
from runtime.quality import BAD_CONFIGURATION_ERROR, BAD_SENSOR_FAILURE, GOOD
from tests.aids.fieldbus import describe, problems
from tests.aids.fieldbus_child import device_process
from tests.aids.modbus_talk import Talk

HEAD = "device: d\ndriver: modbus\nhost: 127.0.0.1\n"
MODELS = sorted(int(p.name[6:-5]) for p in (files("sunspec2") / "models" / "json").iterdir() if p.name.startswith("model_"))
DER = "device_1547.json"
SETPOINT = {"704": {"WSet": 0, "WSet_SF": 0}}  # the device file leaves them out


@pytest.fixture(scope="module")
def process():
    with device_process("modbus_device", "0") as found:
        yield found


@pytest.fixture
def device(process):
    """A device with all IEEE 1547 models at 40000."""
    for base in (0, 40000, 50000):
        process.ask("set", table="holding", address=base, values=[0] * 2000)
    process.ask("refuse", addresses=[])
    process.ask("sunspec", file=DER, base=40000, values=SETPOINT)
    process.ask("written")
    return process


def theirs(device) -> SunSpecModbusClientDeviceTCP:
    """The device as pysunspec2's own client sees it."""
    found = SunSpecModbusClientDeviceTCP(slave_id=1, ipaddr="127.0.0.1", ipport=device.ready["port"], timeout=10)
    found.scan()
    return found


def points_of(group, path: str = ""):
    """Path and point of everything in a model of pysunspec2."""
    for name, point in group.points.items():
        yield path + name, point
    for name, below in group.groups.items():
        for index, one in enumerate(below if isinstance(below, list) else [below], 1):
            yield from points_of(one, f"{path}{name}[{index}]." if isinstance(below, list) else f"{path}{name}.")


def scale_of(model, point):
    """The power of ten of a point, None where the device gives none: pysunspec2 takes 10^0 then."""
    return (point.group.points.get(point.sf) or model.points[point.sf]).value


async def discovered(port: int, bases=BASES):
    link = Link(ModbusSettings(LineSettings(host="127.0.0.1", port=port), 1, 0, 8, 120))
    await link.connect()
    try:
        return await discover_sunspec(link, bases)
    finally:
        link.close()


# Discovery ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("base", BASES)
def test_the_models_are_found_wherever_the_marker_stands(device, base):
    device.ask("set", table="holding", address=40000, values=[0] * 2000)
    device.ask("sunspec", file=DER, base=base)
    found = asyncio.run(discovered(device.ready["port"]))
    assert found.base == base and found.is_whole
    assert (found.manufacturer, found.model, found.version, found.serial) == ("SunSpecTest", "Test-1547-1", "1.2.3", "sn-123456789")
    reference = theirs(device)
    assert [(m.number, m.address, m.length) for m in found.models] == [
        (m.model_id, m.model_addr, m.model_len) for m in reference.model_list
    ]


def test_a_device_without_a_marker_is_none(device):
    device.ask("set", table="holding", address=40000, values=[0x5375, 0x6E00])
    device.ask("refuse", addresses=[["holding", 50000, 2]])
    with pytest.raises(NoSunSpecError, match="40000 or 50000 or 0"):
        asyncio.run(discovered(device.ready["port"]))


def test_a_chain_that_breaks_off_gives_what_it_had(device):
    whole = asyncio.run(discovered(device.ready["port"]))
    third = whole.models[2]
    device.ask("refuse", addresses=[["holding", third.address, 2]])
    found = asyncio.run(discovered(device.ready["port"]))
    assert found.models == whole.models[:2] and not found.is_whole


def test_an_end_marker_without_a_length_is_an_end(device):
    whole = asyncio.run(discovered(device.ready["port"]))
    last = whole.models[-1]
    device.ask("refuse", addresses=[["holding", last.address + 2 + last.length + 1, 2]])
    assert asyncio.run(discovered(device.ready["port"])) == whole


def test_a_chain_of_rubbish_ends(device):
    device.ask("set", table="holding", address=40002, values=[7, 0] * 1000)
    found = asyncio.run(discovered(device.ready["port"]))
    assert not found.is_whole and len(found.models) == 256


# Definitions --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", MODELS)
def test_every_model_that_sunspec_defines_is_read(number):
    model = read_model(number)
    definition = get_model_def(number)
    assert list(model.points) == [p["name"] for p in definition["group"]["points"]]
    for point in model.points.values():
        if point.type in TYPES:
            assert point.size == TYPES[point.type][1] == mb.point_type_info[point.type].len


def test_the_codes_for_no_value_are_those_of_pysunspec2():
    for name, (_, width, none, _) in TYPES.items():
        if name in mb.point_type_info and none is not None:
            assert int.from_bytes(mb.create_unimpl_value(name, len=2 * width), "big") == none, name


def test_every_unit_that_we_translate_is_a_unit_of_ours():
    assert all(unit(text) is not None for text in UNITS.values())
    assert (unit_of("%WHRtg"), unit_of("% WMax/min"), unit_of("hhmmss"), unit_of("C")) == ("%", "", "", "°C")


def test_places_in_nested_groups_follow_the_counts_of_the_device(device):
    for reference in theirs(device).model_list:
        model = read_model(reference.model_id)
        counts = {name: getattr(reference, name).value for name in counts_of(model)}
        for path, point in points_of(reference):
            assert offset_of(model, find_point(model, path), counts, reference.model_len) == point.offset, path


def test_a_group_that_fills_the_rest_of_its_model_is_as_long_as_the_device_says():
    model = read_model(160)  # multiple MPPT: 8 registers, then 20 for each module
    assert offset_of(model, find_point(model, "module[3].DCA"), {}, 8 + 3 * 20) == 2 + 8 + 2 * 20 + 9
    with pytest.raises(AbsentError, match="3 of `module`, not 4"):
        offset_of(model, find_point(model, "module[4].DCA"), {}, 8 + 3 * 20)


@pytest.mark.parametrize(
    ("path", "said"),
    [("SoCC", "no point `SoCC`"), ("Crv.V", "no group `Crv`"), ("a-b.V", "`a-b` is no group"), ("", "no point ``")],
)
def test_a_path_that_leads_nowhere_says_where_it_ends(path, said):
    with pytest.raises(ModelError, match=said):
        find_point(read_model(802), path)


# Points at run time -------------------------------------------------------------------------------------------------------


def test_every_value_is_what_pysunspec2_reads(device):
    reference = theirs(device)
    lines, expected = [], {}
    for model in reference.model_list:
        for path, point in points_of(model):
            if point.pdef["type"] in TYPES:
                tag = f"d.t{len(lines)}"
                lines.append(f"\n  {tag}: {{sunspec: {{model: {model.model_id}, point: '{path}'}}}}")
                has_scale = not point.sf_required or not point.sf or scale_of(model, point) is not None
                expected[tag] = (f"{model.model_id} {path}", point.cvalue if has_scale else None)
    assert len(lines) > 400

    async def talk():
        async with Talk(device.ready["port"], "".join(lines)) as t:
            await t.until(lambda: (t.inputs.time > 0).all(), "everything is read", 30.0)
            for tag, (name, value) in expected.items():
                if value is None:
                    assert t.quality(tag) == BAD_SENSOR_FAILURE, name
                else:
                    assert t.quality(tag) == GOOD, name
                    assert t.value(tag) == pytest.approx(value, rel=1e-12), name
            assert t.connection.status()["read_groups"] < 40, "a model is read in as few requests as it fits"

    asyncio.run(talk())


def test_a_setpoint_is_written_on_the_scale_that_the_device_has_now(device):
    outputs = "\n  d.w: {sunspec: {model: 704, point: WSet}, safe: 0, every: 1 h, verify: true}"
    inputs = "\n  d.w_max: {sunspec: {model: 702, point: WMaxRtg}}"

    async def talk():
        async with Talk(device.ready["port"], inputs, outputs) as t:
            t.write(w=7000.0)
            await t.until_quality("d.w_max", GOOD)
            await t.until(lambda: theirs_reads("WSet") == 7000.0, "written")
            address = where("WSet_SF")
            device.ask("set", table="holding", address=address, values=[2])
            await t.until(lambda: theirs_reads("WSet") == 7000.0 and raw("WSet") == 70, "written anew on the other scale")
            assert t.conditions() == set()

    def model():
        return next(m for m in theirs(device).model_list if m.model_id == 704)

    def theirs_reads(name: str):
        return getattr(model(), name).cvalue

    def raw(name: str):
        return getattr(model(), name).value

    def where(name: str) -> int:
        found = model()
        return found.model_addr + getattr(found, name).offset

    asyncio.run(talk())


def test_a_setpoint_without_a_scale_factor_is_not_written_and_says_so(device):
    device.ask("sunspec", file=DER, base=40000)

    async def talk():
        outputs = "\n  d.w: {sunspec: {model: 704, point: WSet}, safe: 0, every: 20 ms}"
        async with Talk(device.ready["port"], "\n  d.hz: {sunspec: {model: 701, point: Hz}}", outputs) as t:
            t.write(w=500.0)
            await t.until(lambda: t.conditions() == {"outputs_unscaled"}, "unscaled")
            assert device.ask("written") == []
            device.ask("sunspec", file=DER, base=40000, values=SETPOINT)
            await t.until(lambda: t.conditions() == set() and device.ask("written"), "written on the scale that it has now")

    asyncio.run(talk())


def test_a_model_or_group_that_the_device_lacks_leaves_its_tags_bad_and_says_so(device):
    inputs = """
  d.w: {sunspec: {model: 701, point: W}}
  d.soc: {sunspec: {model: 802, point: SoC}}
  d.second: {sunspec: {model: 701, instance: 2, point: W}}
  d.far: {sunspec: {model: 705, point: "Crv[9].Pt[1].V"}}
"""

    async def talk():
        async with Talk(device.ready["port"], inputs, "\n  d.x: {sunspec: {model: 124, point: WChaMax}, safe: 0}") as t:
            t.write(x=5.0)
            await t.until_quality("d.w", GOOD)
            assert [t.quality(tag) for tag in ("d.soc", "d.second", "d.far")] == [BAD_CONFIGURATION_ERROR] * 3
            assert t.conditions() == {"absent"}
            said = t.connection.status()["absent"]
            assert said[0] == "d.soc: the device has no model 802" and said[1] == "d.second: the device has no model 701 number 2"
            assert "of `Crv`, not 9" in said[2] and said[3] == "d.x: the device has no model 124"
            assert device.ask("written") == []

    asyncio.run(talk())


def test_points_move_with_the_models_when_the_device_was_changed(device):
    outputs = "\n  d.w: {sunspec: {model: 704, point: WSet}, safe: 0, every: 1 h}"

    async def talk():
        async with Talk(device.ready["port"], "\n  d.hz: {sunspec: {model: 701, point: Hz}}", outputs) as t:
            t.write(w=500.0)
            await t.until_quality("d.hz", GOOD)
            device.ask("unplug")
            await t.until(lambda: t.quality("d.hz") != GOOD, "lost")
            device.ask("set", table="holding", address=40000, values=[0] * 2000)
            device.ask("sunspec", file=DER, base=50000, values=SETPOINT)
            device.ask("written")
            device.ask("plug")
            await t.until_quality("d.hz", GOOD)
            assert t.value("d.hz") == pytest.approx(60.01)
            await t.until(lambda: any(w["address"] > 50000 for w in device.ask("written")), "the output is told at its new place")

    asyncio.run(talk())


def test_a_device_that_is_not_sunspec_is_not_verified_and_nothing_is_written(device):
    device.ask("set", table="holding", address=40000, values=[0, 0])

    async def talk():
        outputs = "\n  d.w: {sunspec: {model: 704, point: WSet}, safe: 0}"
        async with Talk(device.ready["port"], "\n  d.hz: {sunspec: {model: 701, point: Hz}}", outputs) as t:
            t.write(w=500.0)
            await t.until_quality("d.hz", BAD_CONFIGURATION_ERROR)
            assert t.conditions() == {"not_verified"} and device.ask("written") == []
            assert "no SunSpec marker" in t.connection.status()["last_error"]

    asyncio.run(talk())


def test_an_array_reads_one_point_of_every_repetition(device):
    async def talk():
        line = '\n  d.v: {sunspec: {model: 705, point: "Crv[1].Pt[{1..4}].V"}}'
        async with Talk(device.ready["port"], line) as t:
            await t.until_quality("d.v", GOOD)
            reference = next(m for m in theirs(device).model_list if m.model_id == 705)
            expected = [point.V.cvalue for point in reference.Crv[0].Pt]
            assert [t.inputs.lreal[slot] for slot in t.map.slots["d.v"]] == pytest.approx(expected)

    asyncio.run(talk())


# What the io_map may say --------------------------------------------------------------------------------------------------


def described(line: str):
    found, report = describe(f"{HEAD}inputs:\n  a.x: {line}\n")
    assert not report.problems, report.problems
    return found.points["a.x"]


def test_type_unit_and_names_come_from_the_model():
    soc = described("{sunspec: {model: 802, point: SoC}}")
    assert (soc.type, soc.unit) == ("LREAL", "%")
    state = described("{sunspec: {model: 802, point: State}}")
    assert state.type == "DINT" and dict(state.names)[2] == "INITIALIZING"
    assert described("{sunspec: {model: 701, point: Hz}}").unit == "Hz"
    assert described("{sunspec: {model: 701, point: Alrm}}").type == "LINT"
    assert described("{sunspec: {model: 701, point: Alrm}, bit: 3}").type == "BOOL"
    assert described("{sunspec: {model: 802, point: Evt1}, bit: COMMUNICATION_ERROR}").addresses[0].bit == 0
    assert (
        described("{sunspec: {model: 111, point: Hz}}").addresses[0].kind
        == described("{register: holding 0, as: float32}").addresses[0].kind
    )
    assert described("{sunspec: {model: 160, group: module, index: 2, point: DCA}}").addresses[0].model.path == "module[2].DCA"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{sunspec: {model: 802, point: Soc}}", "did you mean `SoC`"),
        ("{sunspec: {model: 9999, point: SoC}}", "SunSpec defines no model 9999"),
        ("{sunspec: {model: 802}}", "`point` is missing"),
        ("{sunspec: {point: SoC}}", "`model` is missing"),
        ("{sunspec: SoC}", "`sunspec` is a section"),
        ("{sunspec: {model: 802, point: SoC}, register: holding 1}", "`register` does not go with `sunspec`"),
        ("{sunspec: {model: 802, point: SoC}, scale: 2}", "`scale` does not go with `sunspec`"),
        ("{sunspec: {model: 1, point: Mn}}", "is a string, which no tag carries"),
        ("{sunspec: {model: 802, point: SoC, unit: 1}}", "`sunspec` knows no `unit`"),
        ("{sunspec: {model: 802, point: V}, bit: 17}", "not 17"),
        ("{sunspec: {model: 701, point: W}, bit: 1}", "it has no bits to pick"),
        ("{sunspec: {model: 802, point: Evt1}, bit: COMUNICATION_ERROR}", "did you mean `COMMUNICATION_ERROR`"),
        ("{sunspec: {model: 705, point: Crv.VRef}}", "`Crv` is repeated"),
        ("{sunspec: {model: 705, point: VRef, index: 2}}", "which group?"),
        ("{sunspec: {model: 802, point: '{SoC,W}'}}", "differ in type, unit or scale factor"),
    ],
)
def test_a_line_that_names_no_point_says_what_is_wrong(tmp_path, line, said):
    assert said in problems(f"{HEAD}inputs:\n  a.x: {line}\n", root=tmp_path)


def test_an_output_must_be_writable_by_the_model_and_written_once(tmp_path):
    assert "cannot be written" in problems(
        f"{HEAD}outputs:\n  a.x: {{sunspec: {{model: 701, point: W}}, safe: 0}}\n", root=tmp_path
    )
    point = "{sunspec: {model: 704, point: WSet}, safe: 0}"
    assert "is written by `a.x` and by `a.y`" in problems(f"{HEAD}outputs:\n  a.x: {point}\n  a.y: {point}\n", root=tmp_path)


def test_a_folder_of_the_site_adds_models_of_its_own(tmp_path):
    (tmp_path / "vendor").mkdir()
    own = {"id": 64900, "group": {"name": "own", "type": "group", "points": [
        {"name": "ID", "type": "uint16", "size": 1}, {"name": "L", "type": "uint16", "size": 1},
        {"name": "T", "type": "int16", "size": 1, "sf": -1, "units": "C"},
    ]}}  # fmt: skip
    (tmp_path / "vendor" / "model_64900.json").write_text(json.dumps(own))
    text = f"{HEAD}sunspec: {{base: 40000, models: vendor}}\ninputs:\n  a.x: {{sunspec: {{model: 64900, point: T}}}}\n"
    found, report = describe(text, root=tmp_path)
    assert not report.problems
    assert found.points["a.x"].unit == "°C" and found.points["a.x"].addresses[0].scale == pytest.approx(0.1)
    assert found.settings.rules.sunspec.bases == (40000,)
    (tmp_path / "vendor" / "model_64900.json").write_text('{"group": {}}')
    read_model.cache_clear()
    assert "is no SunSpec model definition" in problems(text, root=tmp_path)


def test_the_device_word_is_checked(tmp_path):
    text = problems(f"{HEAD}sunspec: {{base: 70000, modles: x}}\ninputs: {{}}\n", root=tmp_path)
    assert "`base` is 0 to 65533" in text and "did you mean `models`" in text
    assert "there is no folder `x`" in problems(f"{HEAD}sunspec: {{models: x}}\ninputs: {{}}\n", root=tmp_path)
    assert set(SUNSPEC_WORDS) == {"base", "models"}


def test_bits_of_one_model_point_have_one_order(tmp_path):
    (tmp_path / "vendor").mkdir()
    model = {"group": {"name": "x", "type": "group", "points": [*HEADER_POINTS, {**CONTROL, "symbols": BITS}]}}
    (tmp_path / "vendor" / "model_64001.json").write_text(json.dumps(model))
    text = f"""{HEAD}sunspec: {{base: 40000, models: vendor}}
outputs:
  d.a: {{sunspec: {{model: 64001, point: Ctl}}, bit: A, safe: false, order: 1}}
  d.b: {{sunspec: {{model: 64001, point: Ctl}}, bit: B, safe: false, order: %d}}
"""
    assert "have different `order`s" in problems(text % 2, root=tmp_path)
    assert problems(text % 1, root=tmp_path) == ""


def changed(path: tuple, value: object) -> str:
    """The vendor's model with one word of it replaced."""
    text = json.loads(json.dumps({"group": {"name": "x", "type": "group", "points": [*HEADER_POINTS, CONTROL]}}))
    at = text["group"]
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return json.dumps(text)


CTL = ("points", 2)
HOSTILE = {
    "bytes": b"\xff\xfe\x00{",
    "deep": "[" * 100_000,
    "list": "[]",
    "null": "null",
    "no group": '{"group": 5}',
    "points": lambda: changed(("points",), 5),
    "a point": lambda: changed(CTL, "abc"),
    "type": lambda: changed((*CTL, "type"), ["uint16"]),
    "width": lambda: changed((*CTL, "type"), "uint32"),
    "size": lambda: changed((*CTL, "size"), 0),
    "power": lambda: changed((*CTL, "sf"), 400),
    "power list": lambda: changed((*CTL, "sf"), ["x"]),
    "symbols": lambda: changed((*CTL, "symbols"), 5),
    "symbol": lambda: changed((*CTL, "symbols"), [{"name": "A", "value": -3}]),
    "count": lambda: changed(("count",), {"a": 1}),
    "groups": lambda: changed(("groups",), [{"name": "g", "count": [1], "points": []}]),
}


@pytest.mark.parametrize("number", range(len(HOSTILE)), ids=list(HOSTILE))
def test_a_model_file_that_is_none_is_a_mistake_of_the_site_and_nothing_worse(tmp_path, number):
    text = list(HOSTILE.values())[number]
    text = text() if callable(text) else text
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor" / f"model_{64100 + number}.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    line = f"{{sunspec: {{model: {64100 + number}, point: Ctl}}, initial: 0, bad: hold}}"
    said = problems(f"{HEAD}sunspec: {{models: vendor}}\ninputs:\n  d.a: {line}\n", root=tmp_path)
    assert f"model_{64100 + number}.json is no SunSpec model definition" in said


def test_a_folder_whose_name_no_file_system_has_is_none(tmp_path):
    _, report = describe(f'{HEAD}sunspec: {{models: "a\\0b"}}\ninputs: {{}}\n', root=tmp_path)
    assert ["there is no folder" in problem.message for problem in report.problems] == [True]


HEADER_POINTS = [{"name": name, "type": "uint16", "size": 1} for name in ("ID", "L")]
CONTROL = {"name": "Ctl", "type": "bitfield16", "size": 1, "access": "RW"}
BITS = [{"name": "A", "value": 0}, {"name": "B", "value": 1}]
