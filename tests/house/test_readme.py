"""What the README shows an engineer must load: its io_maps, together in one site."""

from __future__ import annotations

import re
from pathlib import Path

from runtime.app import read_site

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
