"""How ssh is called, and what its messages mean to us."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError, ProcessError, TemporaryError
from scheduler.tunnel.hostkeys import ALIAS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from scheduler.tunnel.settings import TunnelSettings

# Given on the command line, so that no ssh_config can loosen them.
_OPTIONS = (
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    "NoHostAuthenticationForLocalhost=no",
    "ExitOnForwardFailure=yes",
    # A connection that was cut without a word is noticed after 15 seconds.
    "ServerAliveInterval=5",
    "ServerAliveCountMax=3",
    "StreamLocalBindMask=0177",
    "StreamLocalBindUnlink=yes",
    "ControlMaster=no",
    "ControlPath=none",
    "ForwardAgent=no",
    "ForwardX11=no",
    "PermitLocalCommand=no",
    "RequestTTY=no",
    "LogLevel=INFO",
)
_PINNED_OPTIONS = (
    f"HostKeyAlias={ALIAS}",
    "GlobalKnownHostsFile=/dev/null",
    "VerifyHostKeyDNS=no",
    "UpdateHostKeys=no",
    "IgnoreUnknown=KnownHostsCommand",  # that is new in OpenSSH 8.5
    "KnownHostsCommand=none",
)


def need_programs(settings: TunnelSettings) -> None:
    """Raise ProcessError when a program is missing."""
    names = ("ssh", "ssh-keyscan", "ssh-keygen") if settings.fingerprints else ("ssh",)
    for name in names:
        if shutil.which(name) is None:
            raise ProcessError(
                f"an SSH tunnel to {settings.host} is wanted, but the program {name} was not found",
                hint="Install openssh-client (Debian, Ubuntu) or openssh (Arch).",
            )


def ssh_command(
    settings: TunnelSettings,
    *,
    socket: Path,
    destination: str,
    key_file: str = "",
    known_hosts: Path | None = None,
) -> list[str]:
    """Return the call that makes `destination` (HOST:PORT) reachable at `socket`."""
    options = [*_OPTIONS, f"ConnectTimeout={max(1, round(settings.timeout))}"]
    if known_hosts is not None:
        options += [*_PINNED_OPTIONS, f"UserKnownHostsFile={known_hosts}"]
    if key_file:
        options.append("IdentitiesOnly=yes")
    return [
        "ssh",
        "-N",
        "-T",
        *(word for option in options for word in ("-o", option)),
        *(("-p", str(settings.port)) if settings.port else ()),
        *(("-l", settings.user) if settings.user else ()),
        *(("-i", key_file) if key_file else ()),
        "-L",
        f"{socket}:{destination}",
        "--",
        settings.host,
    ]


def ssh_error(settings: TunnelSettings, said: Sequence[str]) -> CaurError:
    """Return the error for an ssh that ended with the words `said`."""
    text = "\n".join(said)
    words = "".join(f"\n  {line}" for line in said)
    host = settings.host
    if "HOST IDENTIFICATION HAS CHANGED" in text or "REVOKED HOST KEY" in text:
        return CaurError(
            f"the SSH host {host} shows another host key than the one known for it{words}",
            hint="Somebody may be in between. Ask the server's owner before you change known_hosts "
            "or REDIS_SSH_HOST_FINGERPRINT.",
        )
    if "Host key verification failed" in text:
        return CaurError(
            f"the host key of the SSH host {host} is not known{words}",
            hint="Ask the server's owner for its fingerprint and set REDIS_SSH_HOST_FINGERPRINT="
            "SHA256:…, or put the key into ~/.ssh/known_hosts.",
        )
    if "Permission denied" in text or "Too many authentication failures" in text:
        return CaurError(
            f"the SSH host {host} does not let us in{words}",
            hint="Check REDIS_SSH_USER, and REDIS_SSH_KEY or the keys in the SSH agent. Keys with "
            "a passphrase work through the agent only.",
        )
    return TemporaryError(
        f"the SSH tunnel to {host} cannot be opened{words}",
        hint="Check REDIS_SSH_HOST and REDIS_SSH_PORT, and whether `ssh HOST` works by hand.",
    )
