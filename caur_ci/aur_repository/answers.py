"""What it means when git, ssh or the AUR itself turns us down."""

from __future__ import annotations

import re
from dataclasses import dataclass

from caur_ci.errors import CaurError, TemporaryError
from caur_ci.plaintext import printable

_MAX_LINES = 6


class AurWaitingError(TemporaryError):
    """The AUR takes nothing from anybody just now, or is out of reach."""


class AurRefusedError(CaurError):
    """The AUR does not take this package, or not from us."""


class AurAccountError(CaurError):
    """No package can be pushed: the key, the account or the host key is not right."""


class OvertakenError(CaurError):
    """Somebody else has pushed to the package since we looked."""


@dataclass(frozen=True, slots=True)
class _Sign:
    """A pattern of what is said, in small letters, the error that it means, and what to do."""

    pattern: str
    kind: type[CaurError]
    hint: str


# The first of these that occurs decides.
_SIGNS = (
    _Sign(
        r"host identification has changed|revoked host key",
        AurAccountError,
        "Somebody may be in between. Compare the keys with those on the AUR's front page before "
        "you set CI_AUR_HOST_KEYS.",
    ),
    _Sign(
        r"host key verification failed|no matching host key type",
        AurAccountError,
        "The server's key is not among those that are known. Compare it with those on the AUR's "
        "front page; CI_AUR_HOST_KEYS in .ci/config sets others.",
    ),
    _Sign(
        r"permission denied \([a-z,-]*publickey|too many authentication failures",
        AurAccountError,
        "The AUR does not know the key AUR_KEY. Put its public half into the account at the AUR.",
    ),
    _Sign(
        r"account email is not verified",
        AurAccountError,
        "Verify the e-mail address of the account at the AUR.",
    ),
    _Sign(
        r"non-fast-forward|\(fetch first\)|cannot lock ref|failed to update ref|\(stale info\)",
        OvertakenError,
        "",
    ),
    _Sign(r"is orphaned", AurRefusedError, "`caur-ci aur adopt-check` tells how to adopt it."),
    _Sign(
        r"git-receive-pack: permission denied",
        AurRefusedError,
        "The account of AUR_KEY neither maintains nor co-maintains it; `caur-ci aur adopt-check` "
        "tells who does.",
    ),
    _Sign(
        r"is blacklisted|already provided by|cannot overwrite package",
        AurRefusedError,
        "The AUR has the name for somebody else: rename the package, or take CI_MANAGE_AUR out "
        "of its .CI/config.",
    ),
    _Sign(
        r"invalid repository name|occurred when parsing|invalid pkgbase",
        AurRefusedError,
        "Change what the AUR complains about; the next run pushes again.",
    ),
    _Sign(
        r"maintenance|read-only|closed|suspended|disabled|temporar|rate limit|too many|try again",
        AurWaitingError,
        "The next run tries again.",
    ),
    _Sign(
        r"hook declined|remote rejected|^remote: error",
        AurRefusedError,
        "Change what the AUR complains about; the next run pushes again.",
    ),
)
# What git says of every failure.
_NO_NEWS = re.compile(
    r"^(?:error: failed to push some refs|To |hint: |fatal: Could not read from remote repository"
    r"|Please make sure you have the correct access rights|and the repository exists)|^$"
)


def translated(said: str) -> CaurError:
    """Return the error for a command that failed with the words `said`.

    The same words are the same error, whichever package they are about.
    """
    words = _words(said)
    lowered = said.lower()
    for sign in _SIGNS:
        if re.search(sign.pattern, lowered, re.MULTILINE):
            return sign.kind(f"the AUR says: {words}", hint=sign.hint)
    return AurWaitingError(f"the AUR is out of reach: {words}", hint="The next run tries again.")


def _words(said: str) -> str:
    """Return what was said, on one line."""
    lines = [line.removeprefix("remote: ").strip() for line in printable(said).splitlines()]
    telling = [line for line in lines if not _NO_NEWS.search(line)]
    return "; ".join(telling[:_MAX_LINES]) or "no answer"
