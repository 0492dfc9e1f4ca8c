"""The rules of the house: imports run down only, rooms are small, nothing is called a manager, everything is linted and typed."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.language.codes import CODES

ROOT = Path(__file__).parents[2]
SOURCES = sorted(p for folder in ("blocks", "runtime", "hmi") for p in (ROOT / folder).rglob("*.py"))
HALL = {
    "runtime",
    "runtime.model",
    "runtime.requests",
    "runtime.system_tags",
    "runtime.source",
    "runtime.quality",
    "runtime.contract",
    "runtime.child",
    "runtime.journal",
    "runtime.expand",
    "runtime.rundir",
    "runtime.site_files",
}
ROOF = {
    "runtime.restart",
    "runtime.formatting",
    "runtime.formatting_lines",
    "runtime.verbs_fmt",
    "runtime.schema",
    "runtime.schema_blocks",
    "runtime.schema_drivers",
    "runtime.schema_io",
    "runtime.schema_plant",
    "runtime.schema_program",
    "runtime.schema_servers",
    "runtime.schema_site",
    "runtime.schema_tests",
    "runtime.schema_values",
    "runtime.schema_words",
    "runtime.verbs_schema",
    "runtime.cli_ring",
    "runtime.places_of_tags",
    "runtime.trace_chart",
    "runtime.trace_words",
    "runtime.verbs_force",
    "runtime.verbs_trace",
    "runtime.orders",
    "runtime.verbs_control",
    "runtime.waveforms",
    "runtime.harmonics",
    "runtime.harmonics_svg",
    "runtime.verbs_diag",
    "runtime.log_events",
    "runtime.log_read",
    "runtime.log_site",
    "runtime.log_view",
    "runtime.verbs_log",
    "runtime.verbs_watch",
    "runtime.watch_show",
    "runtime.watch_units",
    "runtime.watch_view",
    "runtime.app",
    "runtime.program_tests",
    "runtime.program_tests_loop",
    "runtime.program_tests_report",
    "runtime.program_tests_stand",
    "runtime.verbs_test",
    "runtime.verbs_check",
    "runtime.verbs_blocks",
    "runtime.cli",
    "runtime.columns",
    "runtime.devices_view",
    "runtime.io_view",
    "runtime.control",
    "runtime.control_load",
    "runtime.control_prepare",
    "runtime.control_words",
    "runtime.force_watch",
    "runtime.running_program",
    "runtime.site_audit",
    "runtime.io_generation",
    "runtime.onlooker",
    "runtime.program_diff",
    "runtime.verbs_load",
    "runtime.options",
    "runtime.discover",
    "runtime.permits",
    "runtime.pulse",
    "runtime.verbs_drivers",
    "runtime.verbs_field",
    "runtime.verify_interlocks",
    "runtime.run",
    "runtime.status",
    "runtime.supervisor",
    "runtime.verbs_live",
    "runtime.verbs_certificates",
    "runtime.verbs_map",
    "runtime.records_view",
    "runtime.alarms_view",
    "runtime.verbs_alarms",
    "runtime.verbs_records",
    "runtime.telemetry",
    "runtime.verbs_telemetry",
    "runtime.verbs_replay",
    "runtime.replay_view",
    "runtime.verbs_users",
    "runtime.simulate_can",
    "runtime.simulate_commands",
    "runtime.simulate_demands",
    "runtime.simulate_driven",
    "runtime.simulate_faults",
    "runtime.simulate_field",
    "runtime.simulate_gpio",
    "runtime.simulate_modbus",
    "runtime.simulate_judge",
    "runtime.simulate_permits",
    "runtime.simulate_plots",
    "runtime.simulate_reading",
    "runtime.simulate_record",
    "runtime.simulate_relations",
    "runtime.simulate_report",
    "runtime.simulate_run",
    "runtime.simulate_scenario",
    "runtime.simulate_truth",
    "runtime.simulate_watch",
    "runtime.simulate_world",
    "runtime.verbs_simulate",
    "runtime.verbs_prequalify",
    "runtime.graph",
    "runtime.graph_layout",
    "runtime.graph_paper",
    "runtime.graph_read",
    "runtime.graph_marks",
    "runtime.graph_routing",
    "runtime.graph_style",
    "runtime.graph_svg",
    "runtime.graph_tables",
    "runtime.graph_tables_svg",
    "runtime.graph_values",
    "runtime.graph_words",
    "runtime.scaffold",
    "runtime.verbs_graph",
    "runtime.verbs_new",
}
FLOORS = {"ground": 0, "hall": 1, "office": 2, "engine": 2, "gates": 3, "guest": 3, "roof": 4}
BANNED_NAME = re.compile(r"manager|handler|helper|utils|process_data", re.IGNORECASE)
LINES_A_ROOM = 320


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str:
    for prefix, room in (
        ("blocks", "ground"),
        ("runtime.language", "office"),
        ("runtime.engine", "engine"),
        ("runtime.fieldbus", "gates"),
        ("runtime.servers", "gates"),
        ("runtime.simulation", "guest"),
        ("runtime.reference", "roof"),
        ("runtime.prequalify", "roof"),
        ("hmi", "roof"),
    ):
        if module == prefix or module.startswith(prefix + "."):
            return room
    if module in HALL:
        return "hall"
    if module in ROOF:
        return "roof"
    raise AssertionError(f"{module} belongs to no floor: add it to HALL or ROOF here, or move it into a room")


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(
                f"{node.module}.{a.name}" for a in node.names if (ROOT / node.module.replace(".", "/") / f"{a.name}.py").exists()
            )
    return {name for name in found if name.split(".")[0] in ("blocks", "runtime", "hmi")}


def upward_imports(path: Path, module: str) -> list[str]:
    """The imports of a file that run up a floor, or sideways between rooms."""
    room = room_of(module)
    wrong = []
    for imported in imports_of(path) - {"runtime"}:
        other = room_of(imported)
        is_plain = room == "ground" and imported.startswith("blocks")
        if FLOORS[other] > FLOORS[room] or (FLOORS[other] == FLOORS[room] and other != room and not is_plain):
            wrong.append(f"{module} ({room}) imports {imported} ({other})")
        if room == "guest" and other != "guest":
            wrong.append(f"{module} is a guest and imports {imported}")
    return wrong


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_imports_run_down_only(path: Path) -> None:
    assert upward_imports(path, module_name(path)) == []


def test_an_upward_import_would_be_seen(tmp_path: Path) -> None:
    sneaky = tmp_path / "sneaky.py"
    sneaky.write_text("from runtime.engine import loop\n")
    assert sorted(upward_imports(sneaky, "blocks.sneaky")) == [
        "blocks.sneaky (ground) imports runtime.engine (engine)",
        "blocks.sneaky (ground) imports runtime.engine.loop (engine)",
    ]
    assert upward_imports(sneaky, "runtime.language.sneaky") != []


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_a_room_is_small_and_says_what_it_is_for(path: Path) -> None:
    text = path.read_text()
    assert ast.get_docstring(ast.parse(text)), f"{path} opens with no sentence"
    assert len(text.splitlines()) <= LINES_A_ROOM, f"{path} has grown beyond one room"


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_public_names_are_documented_and_nothing_is_a_manager(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert not BANNED_NAME.search(path.stem)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
            assert not BANNED_NAME.search(node.name), f"{path}:{node.lineno}: {node.name}"
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{path}:{node.lineno}: class {node.name} has no docstring"


def test_every_problem_code_has_its_sentence() -> None:
    used = {code for path in SOURCES if path.name != "codes.py" for code in re.findall(r'"([EW]\d{3})"', path.read_text())}
    assert used == set(CODES)


@pytest.mark.parametrize(
    "command", [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]], ids=["ruff", "format", "mypy"]
)
def test_the_house_is_linted_and_typed(command: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
