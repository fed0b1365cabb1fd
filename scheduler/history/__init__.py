"""What happened, kept for longer than the queue remembers it."""

from scheduler.history.database import HistoryError
from scheduler.history.history import History
from scheduler.history.model import PastJob, PastLog, PublishedFile
from scheduler.job import Usage

__all__ = ["History", "HistoryError", "PastJob", "PastLog", "PublishedFile", "Usage"]
