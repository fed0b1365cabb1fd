"""What a build has made: nothing in the folder of its packages is taken on trust."""

from __future__ import annotations

from scheduler.result.allowance import Allowance
from scheduler.result.errors import BadPackageError
from scheduler.result.packages import sanitize_and_describe_packages

__all__ = ["Allowance", "BadPackageError", "sanitize_and_describe_packages"]
