"""The way to the AUR's git repositories: by ssh, with the account's key, to a host that is known.

The key is in memory only, and gone with the last process that reads it, however that ends. It is in
no argument, no environment and no file that has a name.
"""

from __future__ import annotations

import os
import shlex
import tempfile
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.errors import ConfigError, ProcessError
from caur_ci.git.settings import as_environment
from caur_ci.process import run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# The name under which ssh looks the host's keys up, whatever its address.
_ALIAS = "caur-ci-aur"
_BEGINNING = "PRIVATE KEY-----"
# ssh reads no other configuration than this.
_CONFIG = """\
BatchMode yes
StrictHostKeyChecking yes
HostKeyAlias {alias}
UserKnownHostsFile "{folder}/known_hosts"
GlobalKnownHostsFile /dev/null
CheckHostIP no
NoHostAuthenticationForLocalhost no
UpdateHostKeys no
VerifyHostKeyDNS no
IdentitiesOnly yes
IdentityAgent none
PreferredAuthentications publickey
ConnectTimeout 20
ServerAliveInterval 10
ServerAliveCountMax 3
ForwardAgent no
LogLevel INFO
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AurAccess:
    """How git gets to the repositories below `url`.

    `environment` is for git, which needs the descriptors `inherited`. With an account, `ssh` is the
    command for a shell whose parent has them, and `public_key` is the public half of its key.
    """

    url: str
    environment: Mapping[str, str]
    inherited: tuple[int, ...] = ()
    ssh: str = ""
    public_key: str = ""

    def address(self, package: str) -> str:
        """Return the address of a package's repository."""
        return f"{self.url.rstrip('/')}/{package}.git"


def published_host_keys() -> tuple[str, ...]:
    """Return the keys that the AUR's server has, as it publishes them: TYPE and KEY of each."""
    text = resources.files("caur_ci.aur_repository").joinpath("host_keys.pub").read_text("ascii")
    return tuple(text.splitlines())


@contextmanager
def aur_access(url: str, *, key: str, host_keys: Sequence[str]) -> Iterator[AurAccess]:
    """Provide the way to the AUR at `url`; `key` is a private key, or the path of one.

    Without `host_keys`, the host has to show one of those that the AUR publishes. Raises
    ConfigError for a key that cannot be used.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="caur-ci-aur-")))
        descriptor = stack.enter_context(_in_memory(_key(key)))
        public = _public_half(descriptor)
        keys = host_keys or published_host_keys()
        lines = "".join(f"{_ALIAS} {one}\n" for one in keys)
        (folder / "known_hosts").write_text(lines, encoding="ascii")
        (folder / "config").write_text(
            _CONFIG.format(alias=_ALIAS, folder=folder), encoding="utf-8"
        )
        # Git starts ssh by a shell, whose parent, git itself, has the key's descriptor. ssh closes
        # its own.
        ssh = f"ssh -F {shlex.quote(str(folder / 'config'))} -i /proc/$PPID/fd/{descriptor}"
        yield AurAccess(
            url=url,
            environment={
                "GIT_SSH_COMMAND": ssh,
                "GIT_SSH_VARIANT": "ssh",
                "GIT_ALLOW_PROTOCOL": "ssh",
                "GIT_TERMINAL_PROMPT": "0",
            },
            inherited=(descriptor,),
            ssh=ssh,
            public_key=public,
        )


def web_access(url: str, *, proxy: str) -> AurAccess:
    """Return the way to the AUR's web address `url`, for those who only look."""
    return AurAccess(
        url=url,
        environment={
            **as_environment([("http.proxy", proxy)] if proxy else []),
            "GIT_ALLOW_PROTOCOL": "http:https",
            "GIT_ASKPASS": "",
            "GIT_TERMINAL_PROMPT": "0",
        },
    )


@contextmanager
def _in_memory(key: str) -> Iterator[int]:
    """Provide the descriptor of a file that has the private key, and no name."""
    descriptor = os.memfd_create("aur-key", os.MFD_CLOEXEC)
    try:
        os.fchmod(descriptor, 0o600)  # ssh insists
        with open(descriptor, "wb", closefd=False) as file:
            # Variables of pipelines lose the last line end, and ssh does not read such a key.
            file.write(key.replace("\r\n", "\n").strip().encode() + b"\n")
        yield descriptor
    finally:
        os.close(descriptor)


def _key(value: str) -> str:
    """Return a private key that is given as it is, or by its path.

    Who owns such a file, and who may read it, is whatever made it: pipelines let all read theirs.
    """
    if _BEGINNING in value:
        return value
    text = ""
    with suppress(OSError, ValueError):  # what it should be is told below
        text = Path(value).expanduser().read_text("ascii", "replace")
    if _BEGINNING not in text:
        raise ConfigError(
            "AUR_KEY is neither a private key nor a file that has one",
            hint="It holds the path of a private key, or the key itself with its first and "
            "last line.",
        )
    return text


def _public_half(descriptor: int) -> str:
    command = ["ssh-keygen", "-y", "-P", "", "-f", f"/proc/self/fd/{descriptor}"]
    try:
        done = run(command, inherited=[descriptor], timeout=30, with_children=True)
    except ProcessError as error:
        if error.returncode is None:
            raise
        raise ConfigError(
            "AUR_KEY is no private key that ssh can use without asking for a passphrase",
            hint="Make one for this purpose: `ssh-keygen -t ed25519 -N '' -f FILE`, and put "
            "FILE.pub into the account at the AUR.",
        ) from None
    return done.stdout.decode("ascii", "replace").strip()
