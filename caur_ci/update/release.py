"""A version that upstream has, written into the files of a package without running any of them."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from caur_ci.errors import CaurError, InputError, TemporaryError
from caur_ci.pkgbuild.foreign import evaluated_srcinfo
from caur_ci.pkgbuild.new_version import WantedSum, with_new_version, with_sums
from caur_ci.pkgbuild.syntax import LARGEST
from caur_ci.srcinfo import SRCINFO
from caur_ci.update.checkout_sums import Checkout, checkout_sums
from caur_ci.update.source import FindingKind, SourceFinding
from caur_ci.update.source_sums import digests
from caur_ci.versions import Version
from caur_ci.web import shown_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from caur_ci.confined import Confined
    from caur_ci.git import GitRepository, TreeEntry
    from caur_ci.pkgbuild.new_version import NewVersion
    from caur_ci.update.recording import Outside
    from caur_ci.update.source import FollowedPackage, LastSeen
    from caur_ci.update.source_sums import SourceSums

_PKGBUILD = "PKGBUILD"
_FILES = frozenset({"100644", "100755"})


def is_newer(version: str, package: FollowedPackage) -> bool:
    """Tell whether a pkgver is above the one that the package has.

    Raises InputError where one of them is not known, or none.
    """
    if package.fields is None:
        raise InputError("its .SRCINFO cannot be read, so that its version is not known")
    return Version.parse(version).compare(Version.parse(package.fields.pkgver)) > 0


class ReleaseWriter:
    """Writes releases into packages of `git`. For several threads at once."""

    def __init__(
        self, git: GitRepository, confined: Confined, sums: SourceSums, outside: Outside
    ) -> None:
        self._git = git
        self._confined = confined
        self._sums = sums
        self._outside = outside

    def finding(
        self,
        package: FollowedPackage,
        new: NewVersion,
        *,
        told: str,
        seen: LastSeen | None = None,
        link: str = "",
        review: str = "",
    ) -> SourceFinding:
        """Return the finding that upstream has `new`, which is `told` to people.

        Where it cannot surely be written into the package, that is waited for, with the reason.
        """
        try:
            tree = self.tree(package, new)
        except (InputError, TemporaryError) as error:
            why = f"{error.message} {error.hint}".strip()
            reason = f"{told}, and is not taken over: {why}"
            return SourceFinding(kind=FindingKind.WAITING, reason=reason, link=link)
        return SourceFinding(
            kind=FindingKind.FILES, reason=told, tree=tree, seen=seen, link=link, review=review
        )

    def tree(self, package: FollowedPackage, new: NewVersion) -> str:
        """Return the package's folder with `new` in its PKGBUILD, its checksums and `.SRCINFO`.

        Raises InputError where that is not sure, TemporaryError where a source is not to be had.
        """
        entries = {entry.name: entry for entry in self._git.entries(package.tree)}
        old = self._content(entries, _PKGBUILD)
        origin = f"{package.name}/{_PKGBUILD}"
        rewritten = with_new_version(self._confined, old, new, origin=origin)
        pkgbuild = rewritten.pkgbuild
        if rewritten.wanted:
            sums = self._renewed(rewritten.wanted, entries)
            pkgbuild = with_sums(self._confined, pkgbuild, sums, origin=origin)
        contents = {_PKGBUILD: pkgbuild}
        if SRCINFO in entries:
            contents[SRCINFO] = self._srcinfo(pkgbuild, origin, entries)
        blobs = self._git.write_blobs(list(contents.values()))
        for name, blob in zip(contents, blobs, strict=True):
            entries[name] = replace(entries[name], object_id=blob)
        return self._git.write_tree(entries.values())

    def _content(self, entries: Mapping[str, TreeEntry], name: str) -> bytes:
        entry = entries.get(name)
        if entry is None or entry.mode not in _FILES:
            raise InputError(f"there is no file {name} in it")
        (content,) = self._git.read_blobs([entry.object_id])
        if content is None or (name == _PKGBUILD and len(content) > LARGEST):
            raise InputError(f"its {name} is too large")
        return content

    def _srcinfo(self, pkgbuild: bytes, origin: str, entries: Mapping[str, TreeEntry]) -> bytes:
        found = evaluated_srcinfo(self._confined, pkgbuild, origin=origin, files=entries)
        if found.srcinfo is None:
            doubt = next(iter(found.doubts), None)
            why = f": {doubt.reason}" if doubt else ""
            raise InputError(f"the .SRCINFO that follows from it is not sure{why}")
        return found.srcinfo

    def _renewed(
        self, wanted: Sequence[WantedSum], entries: Mapping[str, TreeEntry]
    ) -> dict[WantedSum, str]:
        by_source: defaultdict[str, list[WantedSum]] = defaultdict(list)
        for one in wanted:
            by_source[one.source].append(one)
        renewed: dict[WantedSum, str] = {}
        for source, its in by_source.items():
            sums = self._sums_of(source, {_kind(one) for one in its}, entries)
            renewed |= {one: sums[_kind(one)] for one in its}
        return renewed

    def _sums_of(
        self, source: str, kinds: Iterable[str], entries: Mapping[str, TreeEntry]
    ) -> dict[str, str]:
        wanted = sorted(kinds)
        if "://" not in source:
            return digests(wanted, self._content(entries, source))
        # The URL may hold a password, which no recording must.
        asked = hashlib.sha256(source.encode()).hexdigest()[:16]
        name = f"{' '.join(wanted)} of {shown_url(source)} ({asked})"
        fact = self._outside.fact(name, lambda: self._asked(source, wanted))
        if "problem" in fact:
            raise TemporaryError(fact["problem"], hint=fact["hint"])
        return cast("dict[str, str]", fact["sums"])

    def _asked(self, source: str, wanted: Sequence[str]) -> dict[str, Any]:
        try:
            checkout = Checkout.parse(source)
            if checkout is not None:
                local = self._sums.allows_local
                return {"sums": checkout_sums(checkout, wanted, allow_local=local)}
            url = (source.partition("::")[2] or source).partition("#")[0]
            return {"sums": self._sums.of(url, wanted)}
        except (InputError, TemporaryError) as error:
            return {"problem": error.message, "hint": error.hint}


def _kind(wanted: WantedSum) -> str:
    return wanted.array.partition("sums")[0]


def failed(error: CaurError | str) -> SourceFinding:
    """Return the finding of a package that could not be looked at."""
    reason = error if isinstance(error, str) else error.message
    return SourceFinding(kind=FindingKind.FAILED, reason=reason)
