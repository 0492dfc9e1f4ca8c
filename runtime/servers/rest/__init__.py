"""The HTTP API: tags, alarms, devices, statistics and metrics as JSON, read from the snapshot and written through the door."""
