"""Cells and packs: estimation, plausibility, balancing, safe operating area, counting."""
