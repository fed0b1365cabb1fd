"""Builds on the worker's own machine, in a sandbox by bubblewrap."""
