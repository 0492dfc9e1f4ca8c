"""Climate: heating, cooling, fans, pumps, condensation."""
