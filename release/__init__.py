"""What proves that the last commit can be released: see `docs/releasing.md`."""
