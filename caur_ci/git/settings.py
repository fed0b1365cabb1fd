"""Git's configuration for one command: by environment, and a login by a file.

Arguments can be seen by everybody on the machine, and what is written to a repository's own
configuration stays there.
"""

from __future__ import annotations

import os
import shlex
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    Setting = tuple[str, str]


def as_environment(settings: Iterable[Setting]) -> dict[str, str]:
    """Return the variables that set these keys, after those that this process was given.

    A key may come more than once, as in a file (`GIT_CONFIG_COUNT` in `git help config`).
    """
    given = os.environ.get("GIT_CONFIG_COUNT", "")
    count = int(given) if given.isdecimal() else 0
    environment = {}
    for key, value in settings:
        environment[f"GIT_CONFIG_KEY_{count}"] = key
        environment[f"GIT_CONFIG_VALUE_{count}"] = value
        count += 1
    return {**environment, "GIT_CONFIG_COUNT": str(count)}


@contextmanager
def stored_login(login: str, url: str, folder: Path) -> Iterator[list[Setting]]:
    """Give the settings that make git use `login` (`USER:PASSWORD`, percent-encoded) at `url`.

    It is in a file in `folder` meanwhile, which only this user can read.
    """
    parts = urlsplit(url)
    store = folder / "credentials"
    store.touch(mode=0o600)
    try:
        store.write_text(f"{parts.scheme}://{login}@{parts.netloc}\n", encoding="utf-8")
        helper = f"store --file={shlex.quote(str(store))}"
        yield [("credential.helper", ""), ("credential.helper", helper)]
    finally:
        store.unlink(missing_ok=True)
