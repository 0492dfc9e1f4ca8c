"""A SCADA for tests: the demo's Modbus map through pymodbus, a client that we did not write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from pymodbus.client import ModbusTcpClient

COUNTS = {"float32": 2, "int32": 2, "uint32": 2, "int64": 4, "uint64": 4, "float64": 4, "int16": 1, "uint16": 1}


class Scada:
    """Reads and writes tags by name through the registers that io_maps/scada.yaml gives them."""

    def __init__(self, root: Path, port: int):
        self.map = {
            name.lower(): entry for name, entry in _entries(yaml.safe_load((root / "io_maps/scada.yaml").read_text())).items()
        }
        self.client = ModbusTcpClient("127.0.0.1", port=port, timeout=5)
        assert self.client.connect(), f"no Modbus server on {port}"

    def read(self, tag: str) -> Any:
        """The tag's value; raises AssertionError on a Modbus exception."""
        entry = self.map[tag]
        table, address = str(entry["register"]).split()
        if table in ("coil", "discrete"):
            call = self.client.read_coils if table == "coil" else self.client.read_discrete_inputs
            answer = call(int(address), count=1)
            assert not answer.isError(), f"{tag}: {answer}"
            return answer.bits[0]
        kind = entry.get("as", "uint16")
        call = self.client.read_holding_registers if table == "holding" else self.client.read_input_registers
        answer = call(int(address), count=COUNTS[kind])
        assert not answer.isError(), f"{tag}: {answer}"
        order = entry.get("words", "big")
        raw = self.client.convert_from_registers(answer.registers, self.client.DATATYPE[kind.upper()], word_order=order)
        return raw * entry.get("scale", 1)

    def write(self, tag: str, value: float | bool) -> Any:
        """Write a tag; the answer, which may be a Modbus exception."""
        entry = self.map[tag]
        table, address = str(entry["register"]).split()
        if table == "coil":
            return self.client.write_coil(int(address), bool(value))
        kind = entry.get("as", "uint16")
        raw = value / entry.get("scale", 1)
        data_type = self.client.DATATYPE[kind.upper()]
        raw = raw if kind.startswith("float") else round(raw)
        registers = self.client.convert_to_registers(raw, data_type, word_order=entry.get("words", "big"))
        return self.client.write_registers(int(address), registers)

    def close(self) -> None:
        self.client.close()


def _entries(node: Any) -> dict[str, Any]:
    """The tag lines of the map, whatever section they stand in."""
    found: dict[str, Any] = {}
    if isinstance(node, dict):
        for key, value in node.items():
            if isinstance(value, dict) and "register" in value:
                found[str(key)] = value
            else:
                found.update(_entries(value))
    return found
