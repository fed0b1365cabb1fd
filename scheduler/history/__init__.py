"""What happened, kept for longer than the queue remembers it."""

from scheduler.history.archiver import LogArchiver
from scheduler.history.buildlogs import BuildLogs
from scheduler.history.database import HistoryError
from scheduler.history.history import History
from scheduler.history.model import PastJob, PastLog, PublishedFile, Usage
from scheduler.history.rebuilding import FormerPublication, rebuild
from scheduler.history.recorder import HistoryRecorder, job_of_record

__all__ = [
    "BuildLogs",
    "FormerPublication",
    "History",
    "HistoryError",
    "HistoryRecorder",
    "LogArchiver",
    "PastJob",
    "PastLog",
    "PublishedFile",
    "Usage",
    "job_of_record",
    "rebuild",
]
