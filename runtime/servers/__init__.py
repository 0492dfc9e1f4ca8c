"""The north gates: OPC UA and Modbus TCP, each its own process over the snapshot and a command ring. They know no fieldbus."""
