"""What happened, kept for longer than the queue remembers it."""

from scheduler.history.archiver import LogArchiver
from scheduler.history.buildlogs import BuildLogs
from scheduler.history.database import HistoryError
from scheduler.history.history import History
from scheduler.history.model import PastJob, PastLog, PublishedFile
from scheduler.job import Usage

__all__ = [
    "BuildLogs",
    "History",
    "HistoryError",
    "LogArchiver",
    "PastJob",
    "PastLog",
    "PublishedFile",
    "Usage",
]
