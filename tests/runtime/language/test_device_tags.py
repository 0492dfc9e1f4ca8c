"""Every device has tags and alarms of its own without being asked: state, loss, counters, one for each kind of error."""

from __future__ import annotations

import pytest

from runtime.system_tags import DEVICE_STATES, DEVICE_TAGS
from tests.aids.site_text import DRIVERS, MS, PlainScan, load, problems_of, texts

RACK = "device: rack1\ndriver: fake\ntext: Rack in the west\nstale: 300 ms\ninputs:\n  bms.soc: {at: 1, type: LREAL, bad: hold}\n"
PLAIN = "device: meter\ndriver: fake\nstale: 1 s\ninputs:\n  grid.f: {at: 9, type: LREAL, bad: hold}\n"
WORDS = [tag[0] for tag in DEVICE_TAGS]


def test_a_device_has_the_tags_of_every_device_one_for_each_kind_of_error_and_one_for_each_condition() -> None:
    schedule = load("", io={"rack1": RACK}).schedule
    found = {t.name: (t.type, t.unit) for t in schedule.tags if t.name.startswith("device.")}
    assert found == {
        "device.rack1.state": ("DINT", ""),
        "device.rack1.lost": ("BOOL", ""),
        "device.rack1.round_trip": ("LREAL", "ms"),
        "device.rack1.exchanges": ("LINT", ""),
        "device.rack1.errors": ("LINT", ""),
        "device.rack1.last_good": ("LINT", "ns"),
        "device.rack1.errors_timeout": ("LINT", ""),
        "device.rack1.errors_refused": ("LINT", ""),
        "device.rack1.suspended": ("BOOL", ""),
    }


def test_they_are_inputs_of_the_device_that_nobody_may_write_and_the_state_has_names() -> None:
    schedule = load("", io={"rack1": RACK}).schedule
    for tag in schedule.tags:
        if tag.name.startswith("device."):
            assert (tag.kind, tag.owner, tag.write, str(tag.at)) == ("input", "device rack1", "", "io_maps/rack1.yaml:1:9")
    assert schedule.tag("device.rack1.state").names == tuple(enumerate(DEVICE_STATES))
    assert schedule.tag("device.rack1.errors_timeout").text == DRIVERS["fake"].ERRORS["timeout"]


def test_their_addresses_are_the_names_that_the_fieldbus_fills() -> None:
    device = load("", io={"rack1": RACK}).devices[0]
    assert [p.address for p in device.diagnostics] == [*WORDS, "errors_timeout", "errors_refused", "suspended"]
    assert [p.slot for p in device.diagnostics] == list(range(1, 10)), "the device's one input comes first"


def test_a_dead_fieldbus_makes_every_device_lost_and_the_counters_stand() -> None:
    site = load("", io={"rack1": RACK})
    table, points = site.schedule.inputs, {p.address: p.slot for p in site.devices[0].diagnostics}
    assert {table.stale[slot] for slot in points.values()} == {1000 * MS}
    assert (table.hold[points["lost"]], table.bad[points["lost"]]) == (0, 1)
    assert (table.hold[points["state"]], table.bad[points["state"]]) == (0, DEVICE_STATES.index("lost"))
    others = [slot for name, slot in points.items() if name not in ("lost", "state")]
    assert table.hold[others].tolist() == [1] * len(others)


def test_a_program_reads_them_as_any_tag() -> None:
    scan = PlainScan(
        load(
            "outputs: {x.lost: device.rack1.lost or not device.rack1.lost.good}", "x.lost: {type: BOOL}", io={"rack1": RACK}
        ).schedule
    )
    scan["device.rack1.lost.good"] = True
    scan.scan()
    assert scan["x.lost"] is False
    scan["device.rack1.lost"] = True
    scan.scan()
    assert scan["x.lost"] is True


def test_every_device_has_an_alarm_for_its_loss_and_one_for_each_condition() -> None:
    schedule = load("", io={"rack1": RACK, "meter": PLAIN}).schedule
    assert [(a.name, a.active, a.severity, a.text) for a in schedule.alarms] == [
        ("device.rack1.lost", "device.rack1.lost", "error", "Rack in the west: The device does not answer"),
        ("device.rack1.suspended", "device.rack1.suspended", "warning", "Rack in the west: A register is suspended"),
        ("device.meter.lost", "device.meter.lost", "error", "meter: The device does not answer"),
        ("device.meter.suspended", "device.meter.suspended", "warning", "meter: A register is suspended"),
    ]


@pytest.mark.parametrize("place", ["site", "map"])
def test_the_area_device_is_the_runtimes(place: str) -> None:
    if place == "site":
        files = texts("", "Device.rack1.mine: {type: BOOL}", io={"rack1": RACK})
    else:
        files = texts("", io={"rack1": RACK.replace("bms.soc", "Device.rack1.mine")})
    problems = [p for p in problems_of(files) if p.severity == "error"]
    assert [(p.code, p.message) for p in problems] == [("E106", "`Device.rack1.mine`: the area `device` is the runtime's")]
    assert "device.rack1.lost" in problems[0].help[0]


def test_two_devices_of_one_name_are_a_mistake_at_the_second() -> None:
    problems = problems_of(texts("", io={"rack1": RACK, "rack2": PLAIN.replace("meter", "RACK1")}))
    assert [(p.code, str(p.at), p.message) for p in problems] == [
        ("E105", "io_maps/rack2.yaml:1:9", "two devices are named `RACK1`")
    ]
    assert problems[0].help == ("the first is at io_maps/rack1.yaml:1",)


@pytest.mark.parametrize("name", ["rack-1", "1", "rack.1", "rack 1"])
def test_a_device_is_named_so_that_its_tags_can_be(name: str) -> None:
    problems = problems_of(texts("", io={"rack1": RACK.replace("device: rack1", f"device: {name}")}))
    assert [(p.code, str(p.at)) for p in problems] == [("E106", "io_maps/rack1.yaml:1:9")]


SLEEPS = RACK.replace("stale:", "suppress: site.asleep or hmi.service\nstale:")
SITE_TAGS = "site.asleep: {type: BOOL, write: operator}\nhmi.service: {type: BOOL, write: operator}\nx.alarms: {type: BOOL}"
READS = "outputs: {x.alarms: device.rack1.suppressed}"


def test_alarms_of_a_device_that_sleeps_by_command_are_suppressed_and_its_loss_is_shown() -> None:
    """The tag stays true and bad; the alarm is silent, and waits 5 s for an answer when the device was woken."""
    site = load(READS, SITE_TAGS, io={"rack1": SLEEPS, "meter": PLAIN})
    assert [(a.name, a.active, a.suppressed) for a in site.schedule.alarms] == [
        ("device.rack1.lost", "alarm.device.rack1.lost", "device.rack1.suppressed"),
        ("device.rack1.suspended", "alarm.device.rack1.suspended", "device.rack1.suppressed"),
        ("device.meter.lost", "device.meter.lost", ""),
        ("device.meter.suspended", "device.meter.suspended", ""),
    ]
    scan = PlainScan(site.schedule)

    def after(scans: int, **values: bool) -> tuple[object, ...]:
        for name, value in values.items():
            scan[{"lost": "device.rack1.lost", "asleep": "site.asleep"}[name]] = value
        for _ in range(scans):
            scan.scan()
        return scan["device.rack1.lost"], scan["alarm.device.rack1.lost"], scan["device.rack1.suppressed"]

    assert after(1) == (False, False, False)
    assert after(2, asleep=True) == (False, False, True)
    assert after(10, lost=True) == (True, False, True)
    assert after(400, asleep=False) == (True, False, False), "it was woken and has not answered yet"
    assert after(2, lost=False) == (False, False, False)
    assert after(200) == (False, False, False)
    assert after(1, lost=True) == (True, True, False), "an unasked loss is an alarm at once"


def test_a_device_may_be_silent_for_good() -> None:
    scan = PlainScan(load("", io={"rack1": RACK.replace("stale:", "suppress: true\nstale:")}).schedule)
    scan["device.rack1.lost"] = True
    scan.scan()
    assert scan["device.rack1.suppressed"] and not scan["alarm.device.rack1.lost"]


def test_the_instances_that_suppress_are_nobodys_program() -> None:
    site = load(READS, SITE_TAGS, io={"rack1": SLEEPS})
    assert [task.programs for task in site.schedule.tasks] == [("p",)]
    assert {tag.owner for tag in site.schedule.tags if tag.name.startswith("device.")} == {"device rack1"}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("site.aslep", ("E101", "io_maps/rack1.yaml:4:11", "no tag named `site.aslep`")),
        ("bms.soc", ("E202", "io_maps/rack1.yaml:4:11", "BOOL")),
        ("site.asleep or", ("E401", "io_maps/rack1.yaml:4:24", "")),
        ("{a: 1}", ("E005", "io_maps/rack1.yaml:4:11", "")),
    ],
)
def test_a_mistake_in_suppress_is_shown_where_it_is(written: str, said: tuple[str, str, str]) -> None:
    files = texts("", SITE_TAGS, io={"rack1": SLEEPS.replace("site.asleep or hmi.service", written)})
    found = [p for p in problems_of(files) if p.severity == "error"]
    assert [(p.code, str(p.at)) for p in found] == [said[:2]] and said[2] in found[0].message


def test_many_devices_of_one_map_each_have_their_own() -> None:
    many = "for: n in 1..3\n" + SLEEPS.replace("rack1", "rack{n}").replace("bms.soc", "bms{n}.soc")
    many = many.replace("site.asleep or hmi.service", '"hmi.asleep{n}"')
    tags = "".join(f"hmi.asleep{n}: {{type: BOOL, write: operator}}\n" for n in (1, 2, 3))
    scan = PlainScan(load("", tags, io={"racks": many}).schedule)
    scan["hmi.asleep2"] = True
    for n in (1, 2, 3):
        scan[f"device.rack{n}.lost"] = True
    scan.scan()
    assert [scan[f"alarm.device.rack{n}.lost"] for n in (1, 2, 3)] == [True, False, True]
