"""How workers and database runners are set up: environment variables, and a file behind them.

The names of the variables and their JSON values are those of the existing system. `variables` lists
them all, `file` reads the same settings from TOML.
"""

from __future__ import annotations

from scheduler.settings.database import (
    DEFAULT_ARCHIVE_DAYS,
    DEFAULT_GENERATIONS,
    DEFAULT_GRACE,
    DEFAULT_REMOVAL_SHARE,
    DatabaseSettings,
)
from scheduler.settings.flavours import BUILT_IN as BUILT_IN_FLAVOURS
from scheduler.settings.flavours import Flavour
from scheduler.settings.history import (
    DEFAULT_HISTORY_DAYS,
    DEFAULT_LOG_DAYS,
    DEFAULT_LOG_SIZE,
    HistorySettings,
)
from scheduler.settings.repositories import (
    STAGING_FOLDER,
    ExtraRepository,
    SourceRepository,
    TargetRepository,
    staging_name,
)
from scheduler.settings.telling import (
    DEFAULT_METRICS_HOST,
    DEFAULT_METRICS_PORT,
    ForgeKind,
    NotificationTarget,
    StatusNotifier,
    TellingSettings,
    Told,
)
from scheduler.settings.web import DEFAULT_WEB_HOST, DEFAULT_WEB_PORT, WebSettings
from scheduler.settings.worker import (
    DEFAULT_CLASS,
    DEFAULT_IMAGE,
    DEFAULT_MIN_FREE,
    DEFAULT_PATIENCE,
    DEFAULT_SKIP_CODE,
    DEFAULT_STALL,
    DEFAULT_TIMEOUT,
    ContainerSettings,
    ExecutorKind,
    LandingZoneAddress,
    WorkerSettings,
)

__all__ = [
    "BUILT_IN_FLAVOURS",
    "DEFAULT_ARCHIVE_DAYS",
    "DEFAULT_CLASS",
    "DEFAULT_GENERATIONS",
    "DEFAULT_GRACE",
    "DEFAULT_HISTORY_DAYS",
    "DEFAULT_IMAGE",
    "DEFAULT_LOG_DAYS",
    "DEFAULT_LOG_SIZE",
    "DEFAULT_METRICS_HOST",
    "DEFAULT_METRICS_PORT",
    "DEFAULT_MIN_FREE",
    "DEFAULT_PATIENCE",
    "DEFAULT_REMOVAL_SHARE",
    "DEFAULT_SKIP_CODE",
    "DEFAULT_STALL",
    "DEFAULT_TIMEOUT",
    "DEFAULT_WEB_HOST",
    "DEFAULT_WEB_PORT",
    "STAGING_FOLDER",
    "ContainerSettings",
    "DatabaseSettings",
    "ExecutorKind",
    "ExtraRepository",
    "Flavour",
    "ForgeKind",
    "HistorySettings",
    "LandingZoneAddress",
    "NotificationTarget",
    "SourceRepository",
    "StatusNotifier",
    "TargetRepository",
    "TellingSettings",
    "Told",
    "WebSettings",
    "WorkerSettings",
    "staging_name",
]
