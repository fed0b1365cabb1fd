"""What happened, kept beside the published repositories for longer than the queue remembers."""

from scheduler.history.model import PastJob, PastLog, PublishedFile, Usage

__all__ = ["PastJob", "PastLog", "PublishedFile", "Usage"]
