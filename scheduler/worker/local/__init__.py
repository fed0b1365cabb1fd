"""Builds of this machine's own, without a queue: as a worker builds, and nothing is published."""

from scheduler.worker.local.building import LocalBuilds, LocalResult, local_builds, local_settings
from scheduler.worker.local.log import LocalLog

__all__ = ["LocalBuilds", "LocalLog", "LocalResult", "local_builds", "local_settings"]
