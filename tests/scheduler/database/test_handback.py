from __future__ import annotations

import errno
import os

import pytest

from caur_ci.errors import CaurError
from scheduler.database.handback import temporary, told


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_with_what_to_do_about_it(number: int) -> None:
    full = OSError(number, os.strerror(number))
    assert told(full).endswith("(Make room in REPO_PATH and in the landing zone)")
    assert temporary("repo", "x86_64", full).hint.startswith("Make room")


def test_other_errors_keep_the_hint_that_they_have() -> None:
    assert told(OSError(errno.EIO, "broken")) == "[Errno 5] broken"
    assert told(CaurError("wrong", hint="Mend it.")) == "wrong (Mend it)"
