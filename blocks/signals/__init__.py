"""Field signals: current loops, resistance thermometers, thermistors."""
