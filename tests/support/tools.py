"""System tools that tests need: without them a test is skipped, or fails where that was asked."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess

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


def as_ordinary_user() -> list[str]:
    """Return the words before a command that make it run without root's rights.

    Nothing for an ordinary user. For root a namespace in which its files belong to an ordinary
    user, so that whatever root can run can be run there, wherever it is; skips where there is none.
    """
    if os.geteuid() != 0:
        return []
    # One with a name, which ssh-keygen insists on; every system has `nobody`.
    known = {each.pw_uid for each in pwd.getpwall()}
    user = 1000 if 1000 in known else pwd.getpwnam("nobody").pw_uid
    words = ["unshare", "--user", f"--map-user={user}", f"--map-group={user}", "--"]
    if subprocess.run([*words, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine lets nobody make user namespaces")
    return words
