"""What outlives a restart: the audit log, the alarms with their events, and the history of tags. It knows no protocol."""
