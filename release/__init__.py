"""Proves that what is about to be released is whole: `python -m release`."""
