"""Pushes packages that are maintained here to the AUR: what differs there is the outbox."""
