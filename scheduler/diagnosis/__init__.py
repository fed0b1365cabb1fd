"""Why a build failed: the first error in its log, and what is different from the last good one."""

from scheduler.diagnosis.explaining import explain, to_data
from scheduler.diagnosis.model import (
    Contrast,
    Differences,
    Explanation,
    FirstError,
    FolderCommit,
    FolderCommits,
    GoodBuilds,
    LogLine,
    LogReader,
    Parting,
    VersionChange,
)

__all__ = [
    "Contrast",
    "Differences",
    "Explanation",
    "FirstError",
    "FolderCommit",
    "FolderCommits",
    "GoodBuilds",
    "LogLine",
    "LogReader",
    "Parting",
    "VersionChange",
    "explain",
    "to_data",
]
