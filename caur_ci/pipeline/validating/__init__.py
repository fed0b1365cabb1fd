"""Validation of a repository of PKGBUILDs: which part of it, against what, and what is mended."""
