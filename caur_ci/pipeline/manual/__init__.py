"""What people change by hand, as one commit that is dealt with at once: bump, drop, rename, add."""
