"""Commit statuses: what becomes of a build is shown at the commit that it was made of."""

from scheduler.statuses.following import OUTBOX, StatusFollower
from scheduler.statuses.sending import StatusSender, forge_of

__all__ = ["OUTBOX", "StatusFollower", "StatusSender", "forge_of"]
