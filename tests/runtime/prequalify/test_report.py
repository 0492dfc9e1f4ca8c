"""The report of a prequalification: one file, no network, words and signs; and the operator's files beside it."""

from __future__ import annotations

import re
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from runtime.prequalify import record_csv, results
from runtime.prequalify import sequences_fcr as fcr
from runtime.prequalify.criterion import Finding, Outcome, Requirement, failed, overall, reduction
from runtime.prequalify.programme import Evaluation, Terms, evaluate, sequences_of
from runtime.prequalify.record import Record
from runtime.prequalify.report import page
from tests.aids import reserve_plants as plants

SHORT = ("step", "ramp", "sines", "linearity")
TERMS = Terms(capacity=1000.0, rated=1340.0, energy=2000.0, most=(1340.0, 1340.0), tests=SHORT)
FACTS = {"Site": "config/grid.yaml", "Digest": "3f9a5c", "Seed": "17", "Versions": "bessplc 0.1 <dev>"}


def prequalified(folder: Path, service: str, plant: plants.Plant) -> tuple[str, Evaluation, dict[str, Record]]:
    product = fcr.PRODUCTS[service]
    records = {s.kind: plants.record_of(s, product, plant, product.log_every) for s in sequences_of(service, TERMS)}
    found = evaluate(service, TERMS, records)
    files = results.write(folder, TERMS, results.resource_of(service, TERMS, "Lab"), FACTS, records, found)
    assert sorted(files) == sorted(folder.iterdir()) and files[0].name == "report.html"
    return (folder / "report.html").read_text(), found, records


@pytest.fixture(scope="module")
def passing(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Evaluation, dict[str, Record], Path]:
    folder = tmp_path_factory.mktemp("passing")
    return (*prequalified(folder, "fcr-n", plants.converter), folder)


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Evaluation]:
    return prequalified(tmp_path_factory.mktemp("failing"), "fcr-d-up", partial(plants.converter, dead=2.4))[:2]


class Links(HTMLParser):
    """Everything that a browser would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [
            v or "" for k, v in attrs if k in ("src", "href", "xlink:href", "data", "action") and not (v or "").startswith("#")
        ]
        self.found += [tag] if tag in ("script", "link", "iframe", "object") else []


def test_one_file_fetches_nothing(passing, failing):
    for text in (passing[0], failing[0]):
        links = Links()
        links.feed(text)
        assert links.found == []
        assert "@import" not in text and not re.search(r"url\((?!#)", text)


def test_the_head_names_the_site_its_digest_seed_and_versions_and_escapes_them(passing):
    for name, value in FACTS.items():
        assert f"<tr><th>{name}</th><td>{value.replace('<', '&lt;').replace('>', '&gt;')}</td></tr>" in passing[0]


def test_the_verdict_is_a_word_and_a_sign_and_names_what_failed(passing, failing):
    assert '<p class="verdict PASS">✓ PASS (not tested: endurance)</p>' in passing[0]
    assert '<p class="verdict FAIL">✗ FAIL: Stability (not tested: endurance)</p>' in failing[0]
    assert "✗ FAIL</td>" in failing[0]
    assert "✗" not in passing[0]


def test_every_requirement_stands_in_the_table_once_and_every_finding_below(passing):
    text, found, *_ = passing
    table, _, rest = text.partition("<summary>")
    for identity in {f.requirement.id for f in found.findings}:
        assert table.count(f"<code>{identity}</code>") == 1
        assert rest.count(f"<code>{identity}</code>") == sum(f.requirement.id == identity for f in found.findings)
    assert f"All {len(found.findings)} findings" in text


def test_every_test_has_its_picture_as_sound_svg_with_text_that_can_be_searched(passing, failing):
    for text, found in (passing[:2], failing):
        pictures = re.findall(r"<svg.*?</svg>", text, flags=re.DOTALL)
        sines = 2 if found.service == "fcr-n" else 1
        assert len(pictures) == sum(1 + len(s.views) for s in sequences_of(found.service, TERMS)) + sines
        for picture in pictures:
            ElementTree.fromstring(picture)
            assert "<text" in picture
    assert "circle" not in failing[0] or "Stability: FAIL" in failing[0]


def test_the_operators_files_lie_beside_it_and_lead_to_the_same_findings(passing):
    _, found, records, folder = passing
    back = {}
    for path in folder.glob("*.csv"):
        record, resource = record_csv.read(path)
        assert resource == results.resource_of("fcr-n", TERMS, "Lab")
        back[path.stem.split("_")[2]] = record
    assert set(back) == set(records)
    again = evaluate("fcr-n", TERMS, back).findings
    assert [f.requirement.id for f in again] == [f.requirement.id for f in found.findings]
    assert [f.value for f in again] == pytest.approx([f.value for f in found.findings], abs=1e-6)


def test_the_same_records_give_the_same_report_bit_for_bit(passing, tmp_path):
    _, found, records, folder = passing
    results.write(tmp_path, TERMS, results.resource_of("fcr-n", TERMS, "Lab"), FACTS, records, found)
    assert (tmp_path / "report.html").read_bytes() == (folder / "report.html").read_bytes()


def test_less_capacity_is_said_in_kilowatts():
    need = Requirement("x.power", "Power", "dP", "a table", "", 0.86, reduced=0.645)
    findings = [Finding(need, "ramp", 0.774, (0.0, 1.0)), Finding(need, "ramp", 1.0, (0.0, 1.0))]
    assert (overall(findings), reduction(findings)) == (Outcome.REDUCED, pytest.approx(0.9))
    text = page("Report", {}, findings, [], capacity=1000.0)
    assert "▽ REDUCED: K = 0.900, 900 kW of 1000 kW" in text
    assert "&gt;= 0.86<br><small>reduced: &gt;= 0.645</small>" in text


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        (float("nan"), "FAIL"),
        (float("inf"), "FAIL"),
        (1.0, "PASS"),
        (2.0, "PASS"),
        (2.001, "FAIL"),
        (0.9, "REDUCED"),
        (0.79, "FAIL"),
    ],
)
def test_an_outcome_is_pass_inside_its_limits_reduced_just_below_and_fail_for_what_is_no_number(value, outcome):
    need = Requirement("x.y", "X", "x", "a table", "s", 1.0, 2.0, reduced=0.8)
    assert Finding(need, "test", value, (0.0, 1.0)).outcome.value == outcome
    assert failed([Finding(need, "test", value, (0.0, 1.0))]) == ({"x.y"} if outcome == "FAIL" else set())


def test_the_row_of_a_requirement_shows_its_worst_finding():
    need = Requirement("x.power", "Power", "dP", "a table", "", 0.86, reduced=0.645)
    findings = [Finding(need, "ramp", value, (0.0, 1.0), f"try {i}") for i, value in enumerate((0.9, 0.5, 0.7, float("nan"), 1.0))]
    table = page("Report", {}, findings, []).partition("<summary>")[0]
    assert table.count('<tr class="') == 1
    assert "✗ FAIL</td>" in table and "try 3" in table and "2 of 5 pass, the worst shown" in table


def test_nothing_found_is_no_pass():
    assert overall([]) is Outcome.FAIL
    assert "✗ FAIL: nothing was found" in page("Report", {}, [], [])
