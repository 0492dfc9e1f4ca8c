"""The north gates: OPC UA, Modbus, REST, records and recorder, each its own process over the snapshot. They know no fieldbus."""
