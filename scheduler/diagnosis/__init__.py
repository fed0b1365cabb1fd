"""Explains why a build failed, from its log and from what was different before."""
