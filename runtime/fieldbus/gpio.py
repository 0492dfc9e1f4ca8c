"""The driver for GPIO lines of this machine: contacts, push buttons, relays and lamps, through the kernel's character device.

An edge reaches the scan at once with the kernel's own time stamp; every line is read again every `poll`, so that inputs stay fresh.
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
    """Read and check what the io_map says about the panel; all mistakes go to the report with their places."""
    return gpio_words.describe_panel(device, points, report, needs_chip=True)


def connect(device: Device, inputs: Inputs, outputs: Outputs, run_dir: Path) -> Connection:
    """A connection for this panel; no line is taken before `open`, no output before its first value."""
    from runtime.fieldbus.gpio_chip import ChipLines
    from runtime.fieldbus.gpio_connection import GpioConnection

    return GpioConnection(device, inputs, outputs, ChipLines(device.settings.chip, f"bessplc {device.name}"))
