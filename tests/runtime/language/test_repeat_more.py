"""`for:` inside one alarm, sequence, tag or channel: one entry for many."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.aids.site_text import PlainScan, load_all, problems_of, said_about, texts

RACKS = """for: rack in 1..$racks
device: rack{rack}
driver: fake
stale: 300 ms
inputs:
  rack[{rack}].t: {at: t, type: LREAL, unit: °C, bad: hold}
"""
SITE = "constants: {racks: 3}\ntasks:\n  main: {interval: 10 ms, programs: [p]}\n"


def made(program: str, tags: str = "") -> dict[str, str]:
    return texts(program, tags, io={"racks": RACKS}, site=SITE)


def test_an_alarm_for_each_rack() -> None:
    site = load_all(
        made(
            'alarms:\n  hot_{rack}: {for: rack in 1..$racks, of: "rack[{rack}].t", H: 45 °C, HH: 55 °C,'
            ' severity: {H: warning, HH: critical}, text: "Rack {rack} is too hot"}\n'
        )
    )
    ours = [(a.name, a.of, a.text) for a in site.schedule.alarms if a.name.startswith("hot") and a.limit == "HH"]
    assert ours == [(f"hot_{i}", f"rack[{i}].t", f"Rack {i} is too hot") for i in (1, 2, 3)]
    assert {site.schedule.tag(f"alarm.hot_{i}_hh").name for i in (1, 2, 3)} == {f"alarm.hot_{i}_hh" for i in (1, 2, 3)}


def test_a_tag_for_each_rack() -> None:
    site = load_all(
        made(
            "",
            'rack[{rack}].limit: {for: "rack in [1, 2, 5]", type: DINT, default: "{rack * 10}", write: operator,'
            ' text: "Rack {rack}"}',
        )
    )
    assert [(site.schedule.tag(f"rack[{i}].limit").default, site.schedule.tag(f"rack[{i}].limit").text) for i in (1, 2, 5)] == [
        (10, "Rack 1"),
        (20, "Rack 2"),
        (50, "Rack 5"),
    ]


def test_a_sequence_for_each_rack() -> None:
    site = load_all(
        made(
            "sequences:\n  door_{rack}:\n    for: rack in 1..2\n    shut: {goto: {open: 'hmi.go_{rack}'}}\n"
            "    open: {do: ['x.open_{rack}'], goto: {shut: 'not hmi.go_{rack}'}}\n",
            "hmi.go_1: {type: BOOL, write: operator}\nhmi.go_2: {type: BOOL, write: operator}\n"
            "x.open_1: {type: BOOL}\nx.open_2: {type: BOOL}",
        )
    )
    scan = PlainScan(site.schedule)
    scan["hmi.go_2"] = True
    scan.scan()
    scan.scan()
    assert (scan["x.open_1"], scan["x.open_2"]) == (False, True)
    assert [text for _, text in site.schedule.tag("p.door_2").names] == ["shut", "open"]


def test_a_channel_for_each_rack_counts_from_any_number() -> None:
    from runtime.language.entries import read_text
    from runtime.source import Report

    section = read_text(
        "x", 'channels:\n  can{rack - 1}: {for: "rack in 1..$racks", channel: "$RUN/can{rack - 1}"}', {"racks": "2"}, Report()
    )
    assert section is not None
    assert section["channels"] == {"can0": {"channel": "$RUN/can0"}, "can1": {"channel": "$RUN/can1"}}


def test_a_step_may_be_named_for() -> None:
    site = load_all(
        made(
            "sequences:\n  s:\n    for: {goto: {end: hmi.go}}\n    end: {goto: {for: not hmi.go}}\n",
            "hmi.go: {type: BOOL, write: operator}",
        )
    )
    assert [text for _, text in site.schedule.tag("p.s").names] == ["for", "end"]


# --- what is wrong -------------------------------------------------------------------------------------------------


def wrong(files: dict[str, str]) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(p.code, p.message, p.help) for p in problems_of(files) if p.severity == "error"]


def test_a_mistake_in_every_one_of_them_is_said_once(tmp_path: Path) -> None:
    alarm = 'alarms:\n  hot_{rack}: {for: rack in 1..$racks, of: "rack[{rack}].tt", H: 45 °C, severity: error}\n'
    found = wrong(made(alarm))
    assert found == [
        ("E101", "no tag named `rack[1].tt`", ("`rack[1].t` is defined at io_maps/racks.yaml:6", "and 2 more for rack in 1..3"))
    ]
    said = said_about(made(alarm), tmp_path)
    assert "^" * len("rack[{rack}].tt") + " did you mean" in said


def test_a_mistake_that_only_one_value_makes_is_said_as_it_is() -> None:
    alarm = 'alarms:\n  hot_{rack}: {for: rack in 1..4, of: "rack[{rack}].t", H: 45 °C, severity: error}\n'
    assert [f[:2] for f in wrong(made(alarm))] == [("E101", "no tag named `rack[4].t`")]


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ("hot: {for: rack in 1..3, when: hmi.a, severity: error}", ("E105", "the name `hot` is the same for every value of `for`")),
        ("hot_{rac}: {for: rack in 1..3, when: hmi.a, severity: error}", ("E606", "`{rac}`: there is no `rac`")),
        ("hot_{rack}: {for: rack 1..3, when: hmi.a, severity: error}", ("E605", "`for` names its values")),
        (
            "hot_{rack}: {for: rack in 1..3, of: x.t, H: 1, HHH: 2, severity: error}",
            ("E006", "`HHH` is no word of an alarm with limits"),
        ),
        (
            "hot_{rack}: {for: rack in 1..3, when: hmi.a, severity: error}\n  hot_2: {when: hmi.a, severity: error}",
            ("E002", "`hot_2` stands twice in `alarms`"),
        ),
    ],
)
def test_an_entry_that_cannot_be_made(entry: str, found: tuple[str, str]) -> None:
    tags = "hmi.a: {type: BOOL, write: operator}\nx.t: {type: LREAL, write: operator}"
    assert [f[:2] for f in wrong(made(f"alarms:\n  {entry}\n", tags))][:1] == [found]


def test_braces_without_quotes_inside_braces_are_said_to_need_them() -> None:
    found = wrong(made("alarms:\n  hot_{rack}: {for: rack in 1..2, when: hmi.a, severity: error, text: Rack {rack}}\n"))
    assert found[0][2] == ('inside {} and [] a value with braces is quoted: `text: "Rack {rack}"`',)
