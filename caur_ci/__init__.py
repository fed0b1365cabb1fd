"""Keeps a Git repository of PKGBUILD folders current and decides what to build."""

__version__ = "0.1.0"
