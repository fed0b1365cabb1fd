"""What usually helps, for each kind of failure."""

from __future__ import annotations

from scheduler.job import FailureClass, Outcome

_AGAIN = "`caur-ci queue retry` builds it again"
_BY_CLASS = {
    FailureClass.SOURCE_MISSING: "A source is gone or needs a login. Give `source` an address that "
    "works, or see whether the AUR has done so already.",
    FailureClass.CHECKSUM: "The source is not the one that the PKGBUILD knows. If upstream has "
    "replaced it and says why, renew the sums (`updpkgsums`); if not, ask there first.",
    FailureClass.SIGNATURE: "Ship the key of whoever signs in `keys/pgp/`, after having checked "
    "it; BUILDER_PGP_CHECK=false in `.CI/config` builds without the check.",
    FailureClass.MISSING_DEPENDENCY: "Add what is missing to `depends`, `makedepends` or "
    "`checkdepends`. What comes from this repository has to be published first: "
    "`caur-ci build --with-dependencies` builds it, too.",
    FailureClass.PATCH: "What the patch changes has changed upstream, or has it already. Renew the "
    "patch in `.CI/` or of the PKGBUILD, or take it out.",
    FailureClass.COMPILE: "See whether a compiler or library has changed, and whether upstream has "
    "a fix: an `interfere.patch` in `.CI/` brings it. Where nothing changed, report it upstream.",
    FailureClass.CHECK: "A test that fails each time is for upstream; one that fails now and then "
    f"may pass the next time: {_AGAIN}.",
    FailureClass.PACKAGING: "What `package()` installs is no longer there, or the package is not "
    "what its `.SRCINFO` says. Compare with what `build()` makes now.",
    FailureClass.OUT_OF_MEMORY: "Let a larger worker build it (`BUILDER_CLASS` in `.CI/config`), "
    "with more BUILDER_LIMITS_RAM, or with fewer jobs at a time in MAKEFLAGS.",
    FailureClass.DISK_FULL: "Make room where SHARED_PATH is, or let another worker build it "
    f"(`BUILDER_CLASS` in `.CI/config`); then {_AGAIN}.",
    FailureClass.STALLED: "It waited for something that never came, such as a question, a lock or "
    "the network. BUILDER_STALL says how long is waited.",
    FailureClass.INTERFERE: "Correct the files in the package's `.CI/` folder; docs/interfere.md "
    "says what they may hold.",
    FailureClass.CONFIGURATION: "Correct what the reason names, in the PKGBUILD, the `.SRCINFO` or "
    "`.CI/config`.",
    FailureClass.DELIVERY: "It was built, and the database runner refused it. The reason says why; "
    "docs/trust.md what is checked.",
    FailureClass.INFRASTRUCTURE: "The package can do nothing for it. Its worker tries again by "
    f"itself, so many times; after that {_AGAIN}.",
}
_TIMED_OUT = (
    "If it is only slow, give it more time (`BUILDER_EXTRA_TIMEOUT` in `.CI/config`) or a larger "
    "worker (`BUILDER_CLASS`)."
)
_NO_NETWORK = (
    "It wants the network, which BUILDER_NETWORK denies to `build()`. Let `source` or `prepare()` "
    "fetch what it needs, or set BUILDER_NETWORK=true in `.CI/config`."
)
_UNKNOWN = "The log tells more than is understood here."


def hint_for(failure: FailureClass | None, outcome: Outcome, *, seeks_network: bool = False) -> str:
    """Return what usually helps, as one or two sentences."""
    if seeks_network:
        return _NO_NETWORK
    if failure is None and outcome is Outcome.TIMED_OUT:
        return _TIMED_OUT
    return _UNKNOWN if failure is None else _BY_CLASS.get(failure, _UNKNOWN)
