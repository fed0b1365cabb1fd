"""What a validation finds wrong with changed packages, as far as it is cheap to find."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from caur_ci.git import GitRepository

# Some milliseconds each; who changes more than that at once has `caur-ci validate`.
_MAX_CHECKED = 300
_MAX_TOLD = 20
# Told with more words by whoever plans the builds.
_TOLD_ELSEWHERE = frozenset(
    {
        *("srcinfo-missing", "srcinfo-unreadable", "pkgbuild-missing", "config-unreadable"),
        "value-bad",
    }
)


def errors_in(git: GitRepository, commit: str, packages: Collection[str]) -> Iterator[str]:
    """Yield a sentence about each error in `packages`, without evaluating or comparing anything.

    What `.ci/validate.toml` silences is left out.
    """
    wanted = sorted(packages)[:_MAX_CHECKED]
    if not wanted:
        return
    from caur_ci.validation import Checker, Severity  # noqa: PLC0415 - slow to import
    from caur_ci.validation.reading import committed_snapshot  # noqa: PLC0415

    snapshot = committed_snapshot(git, commit, wanted, alone=True)
    report = Checker(snapshot).report(with_repository=False, alone=True)
    told = [
        found
        for found in report.findings
        if found.severity is Severity.ERROR and found.code not in _TOLD_ELSEWHERE
    ]
    for found in told[:_MAX_TOLD]:
        yield f"{found}. {found.remedy}"
    if len(told) > _MAX_TOLD:
        more = len(told) - _MAX_TOLD
        yield f"{more} more errors are in what changed; `caur-ci validate` lists them"
