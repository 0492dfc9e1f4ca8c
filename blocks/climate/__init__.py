"""Heating, cooling, fans, pumps, condensation."""
