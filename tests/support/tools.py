"""System tools that tests need: without them a test is skipped, or fails where that was asked."""

from __future__ import annotations

import os
import shutil

import pytest


def need_tools(*names: str) -> None:
    """Skip the test when a program is missing; with CAUR_TEST_REQUIRE set, fail it.

    A name may be several, any of which will do: `valkey-server|redis-server`.
    """
    missing = [name for name in names if not any(map(shutil.which, name.split("|")))]
    if not missing:
        return
    reason = f"not installed: {', '.join(missing)}"
    if os.environ.get("CAUR_TEST_REQUIRE"):
        pytest.fail(reason)
    pytest.skip(reason)
