"""The simulated plant: a guest process that speaks real CAN and real Modbus TCP, and imports nothing of bessplc but itself."""
