"""Whose account at the AUR a key opens."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from caur_ci.aur_repository.answers import AurAccountError, translated
from caur_ci.errors import ProcessError
from caur_ci.process import run

if TYPE_CHECKING:
    from caur_ci.aur_repository.access import AurAccess

_WELCOME = re.compile(r"Welcome to AUR, ([^\s!]+)!")
_TIMEOUT = 60.0


def account_of(access: AurAccess) -> str:
    """Return the name of the account, as the AUR greets it.

    Raises AurAccountError where it knows no such key, or has no name for it, and AurWaitingError
    where it cannot be asked.
    """
    where = urlsplit(access.url)
    port = ["-p", str(where.port)] if where.port else []
    # Two shells, as where git starts ssh: the outer one has the key's descriptor.
    inner = shlex.quote(f'{access.ssh} "$@"')
    script = f'sh -c {inner} ssh "$@"; exit $?'
    command = ["sh", "-c", script, "ssh", *port, f"{where.username}@{where.hostname}"]
    try:
        done = run(command, allowed=(0, 1), inherited=access.inherited, timeout=_TIMEOUT)
    except ProcessError as error:
        said = error.stderr.decode(errors="replace").strip() or error.message
        raise translated(said) from None
    greeting = (done.stdout + done.stderr).decode(errors="replace")
    found = _WELCOME.search(greeting)
    if found is None:
        raise AurAccountError(f"the AUR does not tell whose the key is: {greeting.strip()[:200]}")
    return found[1]
