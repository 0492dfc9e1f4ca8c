"""What one connection reads and writes once all addresses are known: powers of ten, poll, image, read-back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runtime.fieldbus.modbus_poll import Poll
from runtime.fieldbus.modbus_powers import Powers
from runtime.fieldbus.modbus_readback import ReadBack
from runtime.fieldbus.modbus_settings import ModbusSettings
from runtime.fieldbus.modbus_writes import Image
from runtime.model import Point


@dataclass(frozen=True, eq=False)
class Plan:
    """Inputs and outputs of a device laid out for its connection; `absent` says which points it lacks."""

    powers: Powers
    poll: Poll
    image: Image
    readback: ReadBack
    absent: tuple[str, ...] = ()

    @property
    def fed(self) -> frozenset[int]:
        """The slots of the inputs that are read."""
        return frozenset(point.slot for group in self.poll.groups for point in group.points)


def make_plan(
    device: str, inputs: Sequence[Point], outputs: Sequence[Point], settings: ModbusSettings, absent: Sequence[str] = ()
) -> Plan:
    """Lay out the points of a device; those without an address are left out until they have one."""
    powers = Powers(point.address for point in (*inputs, *outputs))
    poll = Poll(inputs, powers, outputs, settings.poll, settings.gap, settings.max_read, settings.rules.suspend)
    image = Image(device, outputs, powers)
    return Plan(powers, poll, image, ReadBack(image), tuple(absent))
