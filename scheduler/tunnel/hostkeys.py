"""Host keys that are known by their fingerprint alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caur_ci.errors import CaurError, ProcessError, TemporaryError
from caur_ci.process import run

if TYPE_CHECKING:
    from pathlib import Path

    from scheduler.tunnel.settings import TunnelSettings

# The name under which the key stands in the known_hosts file that we write.
ALIAS = "redis-ssh-host"


def write_known_hosts(settings: TunnelSettings, file: Path) -> None:
    """Ask the host for its keys and write those that have one of the given fingerprints.

    ssh checks them again when it connects. Raises CaurError when the host has none of them.
    """
    keys = _keys_of(settings)
    shown = _fingerprints(keys)
    accepted = [key for key in keys if shown[key] in settings.fingerprints]
    if not accepted:
        raise CaurError(
            f"the host key of {settings.host} is not the one given: "
            f"expected {' or '.join(settings.fingerprints)}, got {', '.join(shown.values())}",
            hint="Somebody may be in between. Ask the server's owner for the fingerprint, and "
            "change REDIS_SSH_HOST_FINGERPRINT only to what they say.",
        )
    file.write_text("".join(f"{ALIAS} {key}\n" for key in accepted), encoding="ascii")


def _keys_of(settings: TunnelSettings) -> list[str]:
    """Return the host's keys, each as type and base64 text."""
    port = ("-p", str(settings.port)) if settings.port else ()
    seconds = str(max(1, round(settings.timeout)))
    try:
        done = run(
            ["ssh-keyscan", "-T", seconds, *port, "--", settings.host],
            timeout=settings.timeout + 1,
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
            f"the SSH host {settings.host} did not show its host key"
            + "".join(f"\n  {line}" for line in said[-3:]),
            hint="Check REDIS_SSH_HOST and REDIS_SSH_PORT. To check a fingerprint the host has to "
            "be reached directly; ssh's own settings (jump hosts, aliases) do not count here.",
        )
    return keys


def _fingerprints(keys: list[str]) -> dict[str, str]:
    lines = "".join(f"host {key}\n" for key in keys).encode()
    listed = run(["ssh-keygen", "-l", "-E", "sha256", "-f", "-"], stdin=lines, timeout=30)
    prints = [line.split()[1] for line in listed.stdout.decode().splitlines()]
    return dict(zip(keys, prints, strict=True))
