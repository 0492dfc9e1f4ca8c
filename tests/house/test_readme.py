"""What the README shows an engineer must work: its io_maps, together in one site, its servers, and its block with its test."""

from __future__ import annotations

import importlib.util
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from blocks.declare import CATALOGUE
from runtime.app import read_site
from runtime.servers.users import add_user
from tests.aids.places import DEMO
from tests.aids.scan_table import follow, scan
from tests.aids.site import FOLDERS

ROOT = Path(__file__).parents[2]
SITE = """tasks: {{main: {{interval: 10 ms, programs: [idle]}}}}
io: [{devices}]
channels: {{can0: {{interface: socketcan, channel: can0}}}}
tags: {{site.scan: {{type: LINT, default: 0, text: Scans}}}}
"""


def test_the_io_maps_of_the_readme_load(tmp_path: Path) -> None:
    examples = [text for text in re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL) if "driver:" in text]
    assert len(examples) == 3
    (tmp_path / "dbc").symlink_to(ROOT / "dbc")
    for folder in ("config", "io_maps", "programs"):
        (tmp_path / folder).mkdir()
    for number, text in enumerate(examples):
        (tmp_path / "io_maps" / f"example{number}.yaml").write_text(text)
    devices = ", ".join(f"example{number}" for number in range(len(examples)))
    (tmp_path / "config" / "site.yaml").write_text(SITE.format(devices=devices))
    (tmp_path / "programs" / "idle.yaml").write_text("program: idle\noutputs: {site.scan: plc.scan}\n")
    site, warnings = read_site(tmp_path / "config" / "site.yaml")
    assert {device.name for device in site.devices} == {"meter", "rack1", "rack2", "rack3", "panel"}
    assert [warning.code for warning in warnings] == ["W801"], "nothing writes the lamp here"


def test_the_servers_of_the_readme_load_in_a_site(tmp_path: Path) -> None:
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, tmp_path / folder)
    [servers] = re.findall(r"```yaml\n(servers:\n.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    path = tmp_path / "config/sites/commercial.yaml"
    path.write_text(path.read_text().partition("servers:")[0] + servers)
    add_user(tmp_path / "config/sites/users.yaml", "eva", "operator", "four words make one")
    site, warnings = read_site(path)
    assert set(site.servers) == {"opcua", "modbus", "rest", "hmi", "records"}
    assert not warnings


def test_the_program_test_of_the_readme_is_one_of_the_demo() -> None:
    [shown] = re.findall(r"```yaml\n# (programs/dispatch.test.yaml\n.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    name, _, text = shown.partition("\n")
    assert text in (DEMO / name).read_text()


@pytest.fixture
def _the_catalogue_stays_as_it_is() -> Iterator[None]:
    before = dict(CATALOGUE)
    yield
    CATALOGUE.clear()
    CATALOGUE.update(before)


@pytest.mark.usefixtures("_the_catalogue_stays_as_it_is")
def test_the_block_of_the_readme_passes_its_test(tmp_path: Path) -> None:
    block, test = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    path = tmp_path / "peak_hold.py"
    path.write_text(block)
    spec = importlib.util.spec_from_file_location("blocks.control.peak_hold", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    follow(module.PEAK_HOLD, module.PEAK_HOLD.example)
    names = {"PEAK_HOLD": module.PEAK_HOLD, "scan": scan}
    exec(test, names)
    names["test_a_broken_sensor_leaves_the_peak_as_it_is"]()
