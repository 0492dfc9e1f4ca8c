"""North: tags in the registers of a Modbus server."""
