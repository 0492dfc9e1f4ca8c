"""Some programs of the site alone on a bench: what the other programs would write is a switch that a test may turn.

It must not know what any program does.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from blocks import catalogue
from runtime.app import read_site
from runtime.language.scenarios import read_scenarios
from runtime.model import Site
from runtime.program_tests import Outcome, run_tests
from runtime.program_tests_report import failure_text
from runtime.program_tests_stand import stand
from runtime.source import Report, render

ROOT = Path(__file__).resolve().parents[2]
_TAG = re.compile(r"  (?P<name>[\w.]+): \{type: (?P<rest>.*)\}$")
_TASK = re.compile(r"(?P<head>  (?P<name>\w+): \{interval: [^,]+, programs: )\[(?P<programs>[^\]]*)\]\}")


def bench(
    folder: Path,
    programs: tuple[str, ...],
    site: str = "commercial",
    more: Mapping[str, str] | None = None,
    tags: str = "",
    constants: Mapping[str, str] | None = None,
) -> Site:
    """The site of this name with these programs alone, its files under `folder`.

    `more` holds the text of programs of the test's own, which run at the end of the task `control`, and `tags` the lines of theirs;
    `constants` are other values of the site's, so that a test need not wait for hours.
    """
    for name in ("io_maps", "dbc"):
        shutil.copytree(ROOT / name, folder / name, dirs_exist_ok=True)
    (folder / "programs").mkdir(exist_ok=True)
    for name in programs:
        shutil.copy(ROOT / "programs" / f"{name}.yaml", folder / "programs")
    for name, text in (more or {}).items():
        (folder / "programs" / f"{name}.yaml").write_text(text)
    sites = folder / "config" / "sites"
    sites.mkdir(parents=True, exist_ok=True)
    text = (ROOT / "config" / "sites" / f"{site}.yaml").read_text()
    text = text.split("\nservers:")[0] + "\n"  # their maps name tags of programs that are not there
    given = "".join(f"  {name}: {value}\n" for name, value in (constants or {}).items())
    (sites / f"{site}.yaml").write_text(text.replace("constants:\n", f"constants:\n{given}", 1))
    written = {tag for name in programs for tag in _written((ROOT / "programs" / f"{name}.yaml").read_text())}
    lines = (ROOT / "config" / "common.yaml").read_text().splitlines()
    made = [kept for line in lines if (kept := _on_bench(line, programs, tuple(more or ()), written)) is not None]
    (folder / "config" / "common.yaml").write_text("\n".join(made).replace("\ntags:\n", f"\ntags:\n{tags}", 1) + "\n")
    return read_site(sites / f"{site}.yaml")[0]


def failures(site: Site, program: str, tests: str) -> list[str]:
    """What these tests of one program say of what failed; a test that cannot be read fails, too."""
    root = Path(site.root)
    (root / "programs" / f"{program}.test.yaml").write_text(tests)
    report = Report()
    found = read_scenarios(site, catalogue(), report)
    if report.problems:
        return [render(report.problems, root)]
    with stand(site, found.points) as made:
        outcomes: list[Outcome] = run_tests(made, found.tests)
    assert outcomes
    return [failure_text(one, root) for one in outcomes if not one.passed]


def _written(program: str) -> set[str]:
    """The tags that a program writes: its outputs, and what the steps of its sequences do."""
    outputs = re.search(r"^outputs:\n((?:  .*\n|\n)*)", program, re.MULTILINE)
    done = re.findall(r"\bdo: \[([^\]]*)\]", program)
    plain = re.findall(r"^  ([\w.]+)(?:\[[^\]]*\])?[\w.]*:", outputs[1] if outputs else "", re.MULTILINE)
    return {*plain, *(tag.strip() for listed in done for tag in listed.split(","))}


def _on_bench(line: str, programs: tuple[str, ...], more: tuple[str, ...], written: set[str]) -> str | None:
    """A line of the site's common file as the bench has it; none for a task without a program, and for the overview."""
    if line.startswith("overview:"):
        return None
    task, tag = _TASK.match(line), _TAG.match(line)
    if task:
        kept = [name for name in task["programs"].split(", ") if name in programs]
        kept += more if task["name"] == "control" else ()
        return f"{task['head']}[{', '.join(kept)}]}}" if kept else None
    if tag and " write: " not in line and tag["name"] not in written:
        return f"  {tag['name']}: {{write: operator, type: {tag['rest']}}}"
    return line
