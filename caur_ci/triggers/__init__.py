"""Rebuilds that follow from libraries: which versions moved, whom that concerns, the next bump."""
