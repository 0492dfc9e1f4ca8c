"""The driver `simulated`: a panel of lines without a chip, so that the io_map of a GPIO panel runs on a desk by changing one word.

It reads the words of the driver `gpio` and judges edges, bounces and counts with the same code. Its wires end in the socket
`$RUN/DEVICE.lines`, where a person, a test or a simulated plant moves inputs and sees outputs (`gpio_socket`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from runtime.contract import Connection, Description, Inputs, Outputs, PointText
from runtime.fieldbus import gpio_lines, gpio_words
from runtime.model import Device
from runtime.source import Report, Section

DEVICE_WORDS: Mapping[str, str] = gpio_words.DEVICE_WORDS
INPUT_WORDS: Mapping[str, str] = gpio_words.INPUT_WORDS
OUTPUT_WORDS: Mapping[str, str] = gpio_words.OUTPUT_WORDS
ERRORS: Mapping[str, str] = gpio_lines.ERRORS
CONDITIONS: Mapping[str, str] = gpio_lines.CONDITIONS


def describe(device: Section, points: Sequence[PointText], site: Section, root: Path, report: Report) -> Description:
    """Read and check what the io_map says about the panel; `chip` may stay, or be left out."""
    return gpio_words.describe_panel(device, points, report, needs_chip=False)


def connect(device: Device, inputs: Inputs, outputs: Outputs, run_dir: Path) -> Connection:
    """A connection for this panel; its socket is there from `open` to `close`."""
    from runtime.fieldbus.gpio_connection import GpioConnection
    from runtime.fieldbus.gpio_socket import TwinSocket
    from runtime.fieldbus.gpio_twin import TwinLines

    lines = [point.address for point in (*device.inputs, *device.outputs)]
    return GpioConnection(device, inputs, outputs, TwinLines(lines, TwinSocket(run_dir / f"{device.name}.lines")))
