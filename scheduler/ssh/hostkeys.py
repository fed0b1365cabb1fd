"""Host keys that are known by their fingerprint alone."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError, ProcessError, TemporaryError
from caur_ci.process import run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scheduler.ssh.host import SshHost

# The name under which the key stands in the known_hosts file that we write.
ALIAS = "caur-ci-ssh-host"


@contextmanager
def pinned_keys(host: SshHost) -> Iterator[Path | None]:
    """Provide a known_hosts file with the host's keys that have one of its fingerprints.

    None where it has none. Raises CaurError as `write_known_hosts` does.
    """
    if not host.fingerprints:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="caur-ci-ssh-") as folder:
        known_hosts = Path(folder) / "known_hosts"
        write_known_hosts(host, known_hosts)
        yield known_hosts


def write_known_hosts(host: SshHost, file: Path) -> None:
    """Ask the host for its keys and write those that have one of the given fingerprints.

    ssh checks them again when it connects. Raises CaurError when the host has none of them.
    """
    keys = _keys_of(host)
    shown = _fingerprints(keys)
    accepted = [key for key in keys if shown[key] in host.fingerprints]
    if not accepted:
        raise CaurError(
            f"the host key of {host.host} is not the one given: "
            f"expected {' or '.join(host.fingerprints)}, got {', '.join(shown.values())}",
            hint="Somebody may be in between. Ask the server's owner for the fingerprint, and "
            f"change {host.variable('HOST_FINGERPRINT')} only to what they say.",
        )
    file.write_text("".join(f"{ALIAS} {key}\n" for key in accepted), encoding="ascii")


def _keys_of(host: SshHost) -> list[str]:
    """Return the host's keys, each as type and base64 text."""
    port = ("-p", str(host.port)) if host.port else ()
    seconds = str(max(1, round(host.timeout)))
    try:
        done = run(
            ["ssh-keyscan", "-T", seconds, *port, "--", host.host],
            timeout=host.timeout + 1,
            allowed=(0, 1),
        )
    except ProcessError as error:
        if error.hint:  # it is not installed
            raise
        raise TemporaryError(error.message) from error
    lines = done.stdout.decode("ascii", "replace").splitlines()
    keys = [line.partition(" ")[2] for line in lines if line and not line.startswith("#")]
    if not keys:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise TemporaryError(
            f"the SSH host {host.host} did not show its host key"
            + "".join(f"\n  {line}" for line in said[-3:]),
            hint=f"Check {host.variable('HOST')} and {host.variable('PORT')}. To check a "
            "fingerprint the host has to be reached directly; ssh's own settings (jump hosts, "
            "aliases) do not count here.",
        )
    return keys


def _fingerprints(keys: list[str]) -> dict[str, str]:
    lines = "".join(f"host {key}\n" for key in keys).encode()
    listed = run(["ssh-keygen", "-l", "-E", "sha256", "-f", "-"], stdin=lines, timeout=30)
    prints = [line.split()[1] for line in listed.stdout.decode().splitlines()]
    return dict(zip(keys, prints, strict=True))
