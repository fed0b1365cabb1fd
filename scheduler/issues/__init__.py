"""Issues at the forge: one for each package that fails, for as long as it does."""

from scheduler.issues.following import OUTBOX, IssueFollower
from scheduler.issues.sending import IssueSender
from scheduler.issues.tracker import tracker_of

__all__ = ["OUTBOX", "IssueFollower", "IssueSender", "tracker_of"]
