"""How ssh is called, and what its messages mean to us."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError, ProcessError, TemporaryError
from scheduler.ssh.hostkeys import ALIAS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from scheduler.ssh.host import SshHost

# Given on the command line, so that no ssh_config can loosen them.
_OPTIONS = (
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    "NoHostAuthenticationForLocalhost=no",
    # A connection that was cut without a word is noticed after 15 seconds.
    "ServerAliveInterval=5",
    "ServerAliveCountMax=3",
    "ControlMaster=no",
    "ControlPath=none",
    "ForwardAgent=no",
    "ForwardX11=no",
    "PermitLocalCommand=no",
    "LogLevel=INFO",
)
_ONE_FILE_OPTIONS = (
    "GlobalKnownHostsFile=/dev/null",
    "VerifyHostKeyDNS=no",
    "UpdateHostKeys=no",
    "IgnoreUnknown=KnownHostsCommand",  # that is new in OpenSSH 8.5
    "KnownHostsCommand=none",
)


def need_programs(host: SshHost, *names: str, purpose: str) -> None:
    """Raise ProcessError when one of the programs, or what checks fingerprints, is missing."""
    more = ("ssh-keyscan", "ssh-keygen") if host.fingerprints else ()
    for name in ("ssh", *names, *more):
        if shutil.which(name) is None:
            raise ProcessError(
                f"{purpose} {host.host} is wanted, but the program {name} was not found",
                hint="Install openssh-client (Debian, Ubuntu) or openssh (Arch).",
            )


def host_options(host: SshHost, *, key_file: str = "", pinned: Path | None = None) -> Iterator[str]:
    """Yield the options, without their `-o`, with which ssh goes to `host` and no other.

    `pinned` is a file that `write_known_hosts` made.
    """
    yield from _OPTIONS
    yield f"ConnectTimeout={max(1, round(host.timeout))}"
    if pinned is not None:
        yield f"HostKeyAlias={ALIAS}"
    known_hosts = pinned or host.known_hosts
    if known_hosts is not None:
        yield from _ONE_FILE_OPTIONS
        # Quoted for ssh_config's rules, in which a blank separates two files.
        yield f'UserKnownHostsFile="{known_hosts}"'
    if key_file:
        yield "IdentitiesOnly=yes"
    if host.port:
        yield f"Port={host.port}"
    if host.user:
        yield f"User={host.user}"


def ssh_error(ssh: SshHost, said: Sequence[str], *, otherwise: str) -> CaurError:
    """Return the error for an ssh that ended with the words `said`.

    `otherwise` says what did not work, where it is nothing about the keys.
    """
    text = "\n".join(said)
    words = "".join(f"\n  {line}" for line in said)
    host = ssh.host
    if "HOST IDENTIFICATION HAS CHANGED" in text or "REVOKED HOST KEY" in text:
        return CaurError(
            f"the SSH host {host} shows another host key than the one known for it{words}",
            hint="Somebody may be in between. Ask the server's owner before you change known_hosts "
            f"or {ssh.variable('HOST_FINGERPRINT')}.",
        )
    if "Host key verification failed" in text:
        return CaurError(
            f"the host key of the SSH host {host} is not known{words}",
            hint="Ask the server's owner for its fingerprint and set "
            f"{ssh.variable('HOST_FINGERPRINT')}=SHA256:…, or put the key into "
            "~/.ssh/known_hosts.",
        )
    if "Permission denied" in text or "Too many authentication failures" in text:
        return CaurError(
            f"the SSH host {host} does not let us in{words}",
            hint=f"Check {ssh.variable('USER')}, and {ssh.variable('KEY')} or the keys in the SSH "
            "agent. Keys with a passphrase work through the agent only.",
        )
    return TemporaryError(
        f"{otherwise}{words}",
        hint=f"Check {ssh.variable('HOST')} and {ssh.variable('PORT')}, and whether `ssh HOST` "
        "works by hand.",
    )
