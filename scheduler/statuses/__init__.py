"""Tells the forge, beside each commit, where the builds of it stand."""
