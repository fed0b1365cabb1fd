"""Makes the reference and the man pages out of the code: `python -m documentation`."""
