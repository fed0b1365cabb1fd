"""Packages that are built from the newest commit: where their sources are, and what is there."""
