"""SSH hosts, reached with the system's ssh: whose key is known, or not at all."""

from __future__ import annotations

from scheduler.ssh.host import SshHost

__all__ = ["SshHost"]
