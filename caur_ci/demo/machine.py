"""The machine on which builds on the host run: what is installed there, by pacman."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.demo.client import PacmanClient
from caur_ci.demo.setup import REPOSITORY

if TYPE_CHECKING:
    from caur_ci.demo.setup import DemoFolders


class BuildMachine:
    """Has installed from the published repository what builds link to.

    Builds on the host install nothing, and this machine itself is left as it is. Builds in
    containers install it on their own.
    """

    def __init__(self, made: DemoFolders, fingerprint: str) -> None:
        self._client = PacmanClient(made.machine, repository=REPOSITORY, published=made.published)
        self._client.trust(made.public_key, fingerprint)
        # Builds run as another user when this is root, whatever the umask is here.
        for folder in (made.machine, made.machine_root):
            folder.chmod(0o755)

    def install(self, name: str) -> None:
        """Install the newest version of a package. Raises ProcessError."""
        self._client.refresh()
        self._client.install(name)
