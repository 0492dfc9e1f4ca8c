"""North: every tag for OPC UA clients, by the picture of the PLCopen companion specification."""
