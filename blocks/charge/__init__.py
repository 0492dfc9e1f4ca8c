"""Charge management: limits, charging laws, contactors, precharge."""
