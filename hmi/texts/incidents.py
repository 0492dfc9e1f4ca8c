"""What is said of incidents."""

NO_SUCH = "There is no incident {name}: the recorder keeps the newest only."
