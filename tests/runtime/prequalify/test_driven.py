"""Test sequences driven through a controller and its plant: a good plant passes, and each bad one fails what is bad about it.

The sequences here are those of the operators with shorter holds, so that a plant is judged in a second; the whole programmes are in
`make bench`. The frequency goes through the meter's registers, the compiled program and the converter's registers.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from typer.testing import CliRunner

from runtime.app import read_site
from runtime.cli import app
from runtime.prequalify import bench, criteria_fcr, criteria_sines, fast_reserve, record_csv
from runtime.prequalify import sequences_fcr as fcr
from runtime.prequalify.bench import Bench, NotReadyError, paces_of
from runtime.prequalify.criterion import Finding, failed
from runtime.prequalify.listening import listen
from runtime.prequalify.orders import NotOfferedError, Order, settings_for
from runtime.prequalify.programme import Terms, logging
from runtime.prequalify.record import Record, check
from runtime.prequalify.sequence import Sequence, ramps, stairs
from runtime.prequalify.simulated import SimulatedDoor
from runtime.program_tests_stand import Stand, stand
from runtime.simulate_world import World
from runtime.simulation.settings import read_settings

CONFIG = Path(__file__).parents[2] / "sites/reserve/config"
C = 25.0  # kW, all that the converter gives
TERMS = Terms(C, C, 25.6, (C, C), option=2)
SITE = str(CONFIG / "site.yaml")
Drive = Callable[..., Record]
CLOCK = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z


def ramp_test(sign: float = 1.0) -> Sequence:
    """The fast ramp test with shorter holds: the ramps, and the times that are judged, are those of table 4."""
    legs = (
        (10.0, 49.45, 0.14),
        (14.9, 49.9, 0.09),
        (60.0, 49.5, 0.24),
        (165.0, 49.9, 0.24),
        (185.0, 49.0, 0.24),
        (205.0, 50.0, 0.24),
    )
    mirrored = tuple((at, f if sign > 0.0 else 100.0 - f, rate) for at, f, rate in legs)
    names = ("ramp 1", "nadir, text", "nadir, table", "ramp 3", "steady", "ramp 4", "ramp 5", "ramp 6")
    marks = dict(zip(names, (10.0, 14.4, 14.9, 60.0, 165.0, 165.0, 185.0, 205.0), strict=True))
    return Sequence("Ramp", "short ramp test", "table 4", 215.0, ramps(49.9 if sign > 0.0 else 50.1, mirrored), marks=marks)


def ffr_test() -> Sequence:
    """Two falls below 49.5 Hz, 80 s apart."""
    course = stairs(((0.0, 50.0), (20.0, 49.45), (40.0, 50.0), (100.0, 49.45), (120.0, 50.0)))
    marks = {"first": 20.0, "second": 100.0, "option": 2.0}
    return Sequence("Act", "short activation", "", 140.0, course, marks=marks)


@pytest.fixture(scope="module")
def made() -> Iterator[Stand]:
    with stand(read_site(CONFIG / "site.yaml")[0]) as found:
        yield found


@pytest.fixture(scope="module")
def drive(made: Stand) -> Drive:
    settings = read_settings(CONFIG / "plant.yaml")

    def driven(service: str, test: Sequence, **pcs: float) -> Record:
        plant = dataclasses.replace(settings, pcs=dataclasses.replace(settings.pcs, **pcs))
        return Bench(SimulatedDoor(World(made.site, plant, made, CLOCK), CLOCK), service, TERMS).run(test)

    return driven


@pytest.fixture(scope="module")
def good(drive: Drive) -> Record:
    return drive("fcr-d-up", ramp_test())


def judged(record: Record, test: Sequence, product: fcr.Product = fcr.FCR_D_UP) -> list[Finding]:
    return criteria_fcr.judge_ramps(record, product, C, test)


def test_a_good_plant_meets_every_requirement_of_the_ramps(good):
    """Full power after 1.667 s of ramp loses 0.833 s of it; what the loop adds is dead time of a few periods of its parts."""
    found = {f.requirement.id: f for f in judged(good, ramp_test())}
    assert failed(list(found.values())) == set()
    assert found["fcr.steady-state"].value == pytest.approx(1.0, abs=0.005)
    loop = 7.5 - 0.8333 - found["fcr-d.energy"].value
    assert 0.05 < loop < 0.3  # the meter is asked every 50 ms, the program runs every 50 ms, the ramp takes 0.2 s for all of it


def test_the_record_is_what_the_operator_prescribes(good):
    test = ramp_test()
    check(good, logging("fcr-d-up", TERMS), test)
    assert np.diff(good.t) == pytest.approx(0.1) and len(good.t) == 2150
    assert good.f == pytest.approx(test.frequency(0.1))
    assert set(good.status) == {1.0}


def test_the_answer_never_comes_before_its_frequency(good):
    """At 10.0 s the first ramp begins."""
    assert np.all(good.p[good.t <= 10.0] == 0.0) and np.any(good.p[good.t <= 10.5] > 0.1)


def test_the_battery_has_given_what_the_meter_counted(good):
    """25.6 kWh: 0.2 to 0.5 % more goes for the losses of converter and cells than the meter sees."""
    given = good.integral(good.p, 0.0, 214.9) / 3600.0 / 25.6 * 100.0
    taken = good.soc[0] - good.soc[-1]
    assert good.soc[0] == pytest.approx(60.0, abs=0.2) and given > 1.5
    assert 1.0 < taken / given < 1.15


def test_downwards_is_the_mirror_of_upwards(drive):
    record, test = drive("fcr-d-down", ramp_test(-1.0)), ramp_test(-1.0)
    assert failed(judged(record, test, fcr.FCR_D_DOWN)) == set()
    assert float(np.min(record.p)) == pytest.approx(-C, abs=0.1) and record.soc[-1] > record.soc[0]


@pytest.mark.parametrize(
    ("weakness", "fails"),
    [
        ({"p_rated_kw": 0.88 * C}, {"fcr.steady-state"}),  # too weak: what was sold never comes
        ({"response_s": 7.0}, {"fcr-d.power"}),  # too slow: exp(-6.5 s / 7 s) of it are missing after 7.5 s
        ({"ramp_kw_per_s": 0.08 * C}, {"fcr-d.power", "fcr-d.energy"}),  # 12.5 s to full power: 0.6 of it after 7.5 s
        ({"dead_time_s": 4.0}, {"fcr-d.deactivation"}),  # in time, and then it does not let go
    ],
    ids=["too weak", "too slow", "too slow a ramp", "dead time"],
)
def test_a_bad_plant_fails_what_is_bad_about_it(drive, weakness, fails):
    assert failed(judged(drive("fcr-d-up", ramp_test(), **weakness), ramp_test())) == fails


def test_dead_time_makes_the_grid_unstable(drive):
    """2.5 s are a quarter of the shortest sine: the answer comes when the frequency is past its peak."""
    test = dataclasses.replace(fcr.sine_test(fcr.FCR_D_UP, 10.0))
    points = [criteria_sines.transfer(drive("fcr-d-up", test, dead_time_s=dead), fcr.FCR_D_UP, C, test) for dead in (0.0, 2.5)]
    lag = [np.degrees(np.angle(f)) for f in points]
    assert lag[0] - lag[1] == pytest.approx(90.0, abs=3.0)
    assert [abs(f) for f in points] == pytest.approx([1.0, 1.0], abs=0.03)


@pytest.mark.parametrize(
    ("weakness", "fails"),
    [({}, set()), ({"dead_time_s": 0.6}, {"ffr.activation", "ffr.repeat"})],
    ids=["good", "dead time of 0.6 s, at 0.7 s allowed"],
)
def test_the_fast_reserve_is_there_in_time_or_fails_for_that(drive, weakness, fails):
    found = fast_reserve.judge(drive("ffr", ffr_test(), **weakness), C, ffr_test())
    assert failed(found) == fails
    took = next(f.value for f in found if f.requirement.id == "ffr.activation")
    assert 0.1 <= took - weakness.get("dead_time_s", 0.0) <= 0.5


# What somebody else drives ------------------------------------------------------------------------------------------------------


class TestSet(SimulatedDoor):
    """A site whose frequency comes from a test set that begins when it likes; the bench may only listen."""

    __test__ = False

    def __init__(self, world: World, sequence: Sequence, begins: float):
        super().__init__(world, CLOCK)
        self.v_nominal, self._sequence, self._begins = world.plant.grid.settings.nominal_v, sequence, begins
        for order in (Order("set.fcr_d_up", C), Order("cmd.GoToState_Running", True)):
            super().step(20)
            self.write(order)

    def step(self, ticks: int) -> None:
        time = self.seconds + ticks * self.tick - self._begins
        self.apply(float(self._sequence.f.at(np.array([max(time, 0.0)]))[0]), 1.0)
        super().step(ticks)


def test_a_test_set_drives_and_we_find_its_beginning(made, good):
    """47.33 s after we began to listen, and not on a sample: the record is that of a test that we drive, as the site saw it."""
    test = ramp_test()
    record = listen(
        TestSet(World(made.site, read_settings(CONFIG / "plant.yaml"), made, CLOCK), test, 47.33), test, 0.1, lambda *_: None
    )
    check(record, logging("fcr-d-up", TERMS), test)
    assert failed(judged(record, test)) == set()
    assert (record.start.timestamp() - CLOCK / 1e9) == pytest.approx(47.33, abs=0.2)
    ours, theirs = ({f.requirement.id: f.value for f in judged(one, test)} for one in (good, record))
    assert theirs == pytest.approx(ours, abs=0.15)


# What cannot be tested is said in words ----------------------------------------------------------------------------------------


def test_a_site_that_does_not_get_ready_says_what_is_missing(made, monkeypatch):
    monkeypatch.setattr(bench, "PATIENCE", 5.0)
    settings = read_settings(CONFIG / "plant.yaml")
    world = World(made.site, settings, made, CLOCK)
    world.plant.pcs.internal_fault = True
    with pytest.raises(NotReadyError, match=r"not ready for the short ramp test .*: the racks are not connected \(site\.closed\)"):
        Bench(SimulatedDoor(world, CLOCK), "fcr-d-up", TERMS).run(ramp_test())


def test_a_site_without_the_tags_of_a_service_names_them():
    tags = {"set.fcr_n", "cmd.GoToState_Running"}
    with pytest.raises(NotOfferedError, match=r"the site has no set\.ffr, site\.closed: ffr cannot be tested on it"):
        settings_for("ffr", TERMS, tags)


def test_only_the_service_under_test_is_sold(made):
    written = {order.tag: order.value for order in settings_for("fcr-n", TERMS, {tag.name for tag in made.schedule.tags})}
    assert written["set.fcr_n"] == C and {written[f"set.{name}"] for name in ("fcr_d_up", "fcr_d_down", "ffr")} == {0.0}
    assert written["set.mode"] == 0 and written["set.droop"] is False


def test_what_another_duty_adds_does_not_pass_for_the_reserve():
    """LFSM gives up to a fifth of the rated power at 49.0 Hz, where the reserve's power of 7.5 s is judged."""
    tags = {"set.fcr_d_up", "set.lfsm", "cmd.GoToState_Running", "site.closed"}
    assert Order("set.lfsm", False, "engineer") in settings_for("fcr-d-up", TERMS, tags)


def test_steps_are_short_around_ramps_and_long_at_rest():
    """A step never jumps over a sample of the log, and at rest it takes all the time between two."""
    test = fcr.ramp_test(fcr.FCR_D_UP)
    paces = paces_of(test, 0.1)
    times = test.times(0.1)[:-1]
    moving = np.abs(np.diff(test.frequency(0.1))) > 0.0
    assert np.all(paces[moving] == 0.02) and np.all(paces[(times > 110.0) & (times < 389.0)] == 0.1)
    assert set(paces_of(fcr.sine_test(fcr.FCR_D_UP, 10.0), 0.1)) == {0.05, 0.1}


# The verb ----------------------------------------------------------------------------------------------------------------------


def bessplc(*words: str) -> Result:
    return CliRunner().invoke(app, ["prequalify", *words])


def test_a_wrong_word_is_answered_with_the_right_ones():
    for words, said in (
        (("fcr-d-upp", SITE), "did you mean `fcr-d-up`?"),
        (("ffr", SITE, "--tests", "ramp"), "ffr has no test `ramp`; there are activation"),
        (("ffr", SITE, "--capacity", "12 V"), "`12 V` for --capacity is not in kW"),
        (("ffr", SITE, "--record-only"), "add --running"),
    ):
        done = bessplc(*words)
        assert (done.exit_code, said in done.stderr) == (2, True), done.output


def test_the_terms_name_every_test_requirement_and_source():
    done = bessplc("fcr-n", SITE, "--product-terms")
    assert done.exit_code == 0
    for word in ("step", "sines", "endurance", "Dynamic performance", "table 14", "our own reading"):
        assert word in done.stdout


def test_a_site_that_does_not_run_cannot_be_tested_running():
    done = bessplc("ffr", SITE, "--running")
    assert done.exit_code == 75 and "is not running" in done.stderr


@pytest.mark.slow
def test_the_verb_writes_report_and_csv_and_ends_with_1_for_a_plant_with_dead_time(tmp_path):
    plant = tmp_path / "late.yaml"
    plant.write_text((CONFIG / "plant.yaml").read_text().replace("pcs:\n", "pcs:\n  dead_time_s: 0.6\n"))
    done = bessplc("ffr", SITE, "--plant", str(plant), "--out", str(tmp_path / "out"), "--json")
    said = json.loads(done.stdout)
    assert (done.exit_code, said["outcome"], said["left_out"]) == (1, "FAIL", [])
    assert {f["requirement"] for f in said["findings"] if f["outcome"] == "FAIL"} == {"ffr.activation", "ffr.repeat"}
    report, table = (tmp_path / "out" / name for name in said["files"])
    assert "FAIL: Activation time" in report.read_text() and "Where the formulas are from" in report.read_text()
    record, resource = record_csv.read(table)
    assert (resource.service, resource.capacity, len(record.t)) == ("Ffr", C, 10_800)
