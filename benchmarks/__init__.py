"""How long the commands take, measured side by side in one run: `python -m benchmarks`."""
