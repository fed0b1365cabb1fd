"""Packages that come from the AUR.

What the AUR says about its packages decides whether anything is fetched at all. That and the files
come from different places, either of which may be behind, so that a package counts as seen only
when both agree.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from caur_ci.aur import AurError
from caur_ci.errors import CaurError, InputError
from caur_ci.package_folders import OWN
from caur_ci.update.aur_git import DEFAULT, AurGit
from caur_ci.update.fetching import Fetcher, FetchProblem
from caur_ci.update.source import GONE, FindingKind, FollowedPackage, LastSeen, SourceFinding
from caur_ci.update.srcinfos import read_srcinfos
from caur_ci.versions import vercmp
from caur_ci.web import WebError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from caur_ci.aur import Aur, AurPackage
    from caur_ci.config import PackageConfig
    from caur_ci.srcinfo import SrcinfoFields

TIMESTAMP = "CI_PKGBUILD_TIMESTAMP"  # on branch `state`
_DAY = 24 * 3600
# More packages than this do not go at once: then it is the answer that is wrong.
_MANY, _SHARE = 25, 0.1
# What is found about most packages, most of the time.
_UNCHANGED = SourceFinding(kind=FindingKind.UNCHANGED)


@dataclass(frozen=True, slots=True, kw_only=True)
class _StaleTip:
    """What a mirror has that is not yet what the AUR has. `moved`: it is news all the same."""

    git: AurGit
    commit: str
    fields: SrcinfoFields
    moved: bool
    older: bool


@dataclass(slots=True)
class _Lookup:
    """One package, and what has been learned about it.

    `seen` is empty where what was seen last was elsewhere; `record` is what the AUR has.
    """

    package: FollowedPackage
    seen: LastSeen
    record: AurPackage | None
    behind: list[_StaleTip] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.package.name


class AurSource:
    """Follows the AUR at `url`.

    `patterns` say where its git repositories are, best first; `watermark` is up to when the
    existing system has seen everything, both it and `now` in Unix seconds.
    """

    name = "aur"

    def __init__(
        self,
        aur: Aur,
        fetcher: Fetcher,
        *,
        url: str,
        patterns: Sequence[str],
        watermark: int,
        now: float,
    ) -> None:
        """Raises ConfigError for a pattern that has no place for packages."""
        self._aur = aur
        self._fetcher = fetcher
        self._url = url.rstrip("/")
        self._gits = [AurGit.parse(pattern, self._url) for pattern in patterns or (DEFAULT,)]
        self._watermark = watermark
        self._now = now

    def covers(self, config: PackageConfig) -> bool:
        """Tell whether packages with this configuration are followed here."""
        return config.source is not None and config.source.kind == "aur"

    def look(self, packages: Sequence[FollowedPackage]) -> Mapping[str, SourceFinding]:
        """Return a finding for each of `packages`, by name."""
        try:
            records = self._aur.look_up({one.name: _asked_name(one) for one in packages})
        except (AurError, WebError) as error:
            return _all_failed(packages, f"the AUR cannot be asked: {error.message}")
        except OSError as error:
            return _all_failed(packages, f"the AUR cannot be asked: {error.strerror}")
        cases = [_Lookup(one, self._seen(one), records.get(one.name)) for one in packages]
        findings = {
            case.name: finding for case in cases if (finding := self._finding_without_git(case))
        }
        open_cases = [case for case in cases if case.name not in findings]
        missing = [case for case in open_cases if case.record is None]
        if len(missing) > max(_MANY, _SHARE * len(packages)):
            told = f"the AUR lists only {len(records)} of {len(packages)} packages"
            findings |= _all_failed([case.package for case in missing], told)
            open_cases = [case for case in open_cases if case.record is not None]
        findings |= self._findings_from_git(open_cases)
        return {case.name: _with_ownership(case, findings[case.name]) for case in cases}

    def _seen(self, package: FollowedPackage) -> LastSeen:
        return package.seen if package.seen.origin == self._url else LastSeen()

    def _finding_without_git(self, case: _Lookup) -> SourceFinding | None:
        """Return what the AUR's word and memory say, None where git has to be asked."""
        package, record, seen = case.package, case.record, case.seen
        if record is None or record.problem:
            return self._finding_without_record(case, record.problem if record else "")
        if seen.origin and seen.modified == record.last_modified:
            return _UNCHANGED
        if package.seen.origin not in {"", self._url}:
            return None
        if package.state.get(TIMESTAMP) == str(record.last_modified):
            return self._unchanged_but_recorded(case, record, commit="")
        if (
            not package.seen.origin
            and record.last_modified <= self._watermark
            and package.fields is not None
            and package.fields.version == record.version
        ):
            return self._unchanged_but_recorded(case, record, commit="")
        return None

    def _finding_without_record(self, case: _Lookup, problem: str) -> SourceFinding | None:
        if problem:
            return _failed(f"what the AUR says of it makes no sense: {problem}")
        return self._gone(case) if case.seen.modified == GONE else None

    def _findings_from_git(self, cases: Iterable[_Lookup]) -> dict[str, SourceFinding]:
        """Ask git about packages, one place after the other until one has what the AUR has."""
        findings: dict[str, SourceFinding] = {}
        waiting = list(cases)
        for git in self._gits:
            if waiting:
                findings |= self._findings_from_mirror(git, waiting)
                waiting = [case for case in waiting if case.name not in findings]
        return findings | {case.name: self._finding_for_unresolved(case) for case in waiting}

    def _findings_from_mirror(
        self, git: AurGit, cases: Sequence[_Lookup]
    ) -> dict[str, SourceFinding]:
        remote_refs = {}
        for case in cases:
            try:
                remote_refs[case.name] = git.remote_ref(case.name)
            except InputError as error:
                case.problems.append(error.message)
        outcomes = self._fetcher.fetch(remote_refs.values())
        commits = {it for it in outcomes.values() if it and isinstance(it, str)}
        trees = {commit: self._fetcher.tree(commit) for commit in commits}
        srcinfos = read_srcinfos(self._fetcher.git, trees.values())
        findings = {}
        for case in cases:
            outcome = outcomes[remote_refs[case.name]] if case.name in remote_refs else None
            if isinstance(outcome, FetchProblem):
                # Of a repository for each package, that is an answer where the AUR lists none.
                of_its_own = remote_refs[case.name].ref == "HEAD"
                is_gone = of_its_own and outcome.is_absent and case.record is None
                (case.absent if is_gone else case.problems).append(outcome.reason)
            elif outcome == "":
                case.absent.append(str(remote_refs[case.name]))
            elif outcome is not None:
                fields = srcinfos[trees[outcome]]
                if finding := self._judged_safely(case, git, outcome, fields):
                    findings[case.name] = finding
        return findings

    def _judged_safely(
        self, case: _Lookup, git: AurGit, commit: str, fields: SrcinfoFields | InputError
    ) -> SourceFinding | None:
        try:
            return self._finding_at_tip(case, git, commit, fields)
        except (CaurError, ValueError, ArithmeticError, LookupError, MemoryError) as error:
            return _failed(f"{git.remote_ref(case.name)}: {error}")

    def _finding_at_tip(
        self, case: _Lookup, git: AurGit, commit: str, fields: SrcinfoFields | InputError
    ) -> SourceFinding | None:
        """Return what a tip means, None where it is behind what the AUR says."""
        if isinstance(fields, InputError):
            return _failed(f"{git.remote_ref(case.name)}: {fields.message}")
        if fields.pkgbase != case.name:
            return _failed(f"{git.remote_ref(case.name)} holds the package {fields.pkgbase}")
        if case.record is None:
            return self._unlisted(case, git, commit, fields)
        stale = commit == case.seen.commit
        if git.is_own and stale:
            return self._unchanged_but_recorded(case, case.record, commit=commit)
        if not git.is_own:
            older = _is_older(fields.version, case.record.version)
            stale = stale or self._nothing_new(case, commit, fields)
            if older or stale:
                moved = bool(case.seen.commit) and not stale
                case.behind.append(
                    _StaleTip(git=git, commit=commit, fields=fields, moved=moved, older=older)
                )
                return None
        return self._new_files(case, git, commit, fields)

    def _nothing_new(self, case: _Lookup, commit: str, fields: SrcinfoFields) -> bool:
        """Tell whether a tip has the files that are here, though the AUR says that they changed."""
        ours = case.package.fields
        if case.seen.commit or ours is None or ours.version != fields.version:
            return False
        if not (case.seen.modified or self._watermark):
            return False  # then the AUR says nothing of the kind: all is seen for the first time
        git = self._fetcher.git
        theirs, own = git.entries(self._fetcher.tree(commit)), git.entries(case.package.tree)
        return {e for e in theirs if e.name not in OWN} == {e for e in own if e.name not in OWN}

    def _new_files(
        self,
        case: _Lookup,
        git: AurGit,
        commit: str,
        fields: SrcinfoFields,
        *,
        behind: bool = False,
    ) -> SourceFinding:
        """Return that there are new files. What is `behind` will be looked at again."""
        modified, maintainer = case.seen.modified, case.seen.maintainer
        reason = f"the AUR has version {fields.version}"
        if case.record is not None:
            maintainer = case.record.maintainer
            if behind:
                reason = f"{git} has {fields.version}, the AUR has {case.record.version} already"
            else:
                modified = case.record.last_modified
        link = f"{self._url}/packages/{quote(_asked_name(case.package))}"
        if git.is_own:
            link = f"{self._url}/cgit/aur.git/commit/?h={quote(case.name)}&id={commit}"
        return SourceFinding(
            kind=FindingKind.FILES,
            reason=reason,
            tree=self._fetcher.tree(commit),
            seen=LastSeen(
                origin=self._url,
                commit=commit,
                modified=modified,
                version=fields.version,
                maintainer=maintainer,
            ),
            state={} if behind or case.record is None else {TIMESTAMP: str(modified)},
            link=link,
            remarks=tuple(case.problems),
        )

    def _unchanged_but_recorded(
        self, case: _Lookup, record: AurPackage, *, commit: str
    ) -> SourceFinding:
        """Return that nothing has changed, and that this need not be found out again."""
        stamp = str(record.last_modified)
        return SourceFinding(
            kind=FindingKind.UNCHANGED,
            seen=LastSeen(
                origin=self._url,
                commit=commit,
                modified=record.last_modified,
                version=record.version,
                maintainer=record.maintainer,
            ),
            state={} if case.package.state.get(TIMESTAMP) == stamp else {TIMESTAMP: stamp},
        )

    def _unlisted(
        self, case: _Lookup, git: AurGit, commit: str, fields: SrcinfoFields
    ) -> SourceFinding:
        """Return what is there of a package that the AUR does not list.

        Its first package may go by another name now, or it was deleted and its repository was not.
        """
        told = (
            f"the AUR does not list {_asked_name(case.package)}, but "
            f"{git.remote_ref(case.name)} has it"
        )
        if commit != case.seen.commit:
            found = self._new_files(case, git, commit, fields)
            seen = found.seen and replace(found.seen, modified=0)
            return replace(found, seen=seen, remarks=(*found.remarks, told))
        if not case.seen.modified:
            return SourceFinding(kind=FindingKind.UNCHANGED)  # that was told
        return SourceFinding(
            kind=FindingKind.UNCHANGED, seen=replace(case.seen, modified=0), remarks=(told,)
        )

    def _finding_for_unresolved(self, case: _Lookup) -> SourceFinding:
        """Return what it means that no place has what the AUR says, or none more than before."""
        if case.behind and case.record is not None:
            return self._finding_for_lagging_mirror(case, case.record)
        if case.problems:
            return _failed("; ".join(case.problems))
        if case.record is None:
            return self._gone(case)
        told = f"the AUR lists it, but there is nothing at {', '.join(case.absent)}"
        if self._is_recent(case.record):
            return SourceFinding(kind=FindingKind.WAITING, reason=told)
        return _failed(told)

    def _finding_for_lagging_mirror(self, case: _Lookup, record: AurPackage) -> SourceFinding:
        for behind in case.behind:
            if behind.moved:
                return self._new_files(case, behind.git, behind.commit, behind.fields, behind=True)
        first = case.behind[0]
        remarks = tuple(case.problems)
        if self._is_recent(record) or case.problems or any(it.older for it in case.behind):
            reason = f"{first.git} lags: the AUR has {record.version}, changed since it was seen"
            return SourceFinding(kind=FindingKind.WAITING, reason=reason, remarks=remarks)
        commit = case.seen.commit or first.commit
        told = f"the AUR says that it changed, but {first.git} has shown no change for a day"
        return replace(self._unchanged_but_recorded(case, record, commit=commit), remarks=(told,))

    def _gone(self, case: _Lookup) -> SourceFinding:
        return SourceFinding(
            kind=FindingKind.GONE,
            reason="the AUR has no such package any more",
            seen=replace(case.seen, origin=self._url, modified=GONE),
        )

    def _is_recent(self, record: AurPackage) -> bool:
        return self._now - record.last_modified < _DAY


def _asked_name(package: FollowedPackage) -> str:
    """Return the package that the AUR is asked for: it answers about packages, not about bases."""
    return package.fields.pkgnames[0] if package.fields else package.name


def _with_ownership(case: _Lookup, finding: SourceFinding) -> SourceFinding:
    """Return the finding with what there is to say about who maintains the package."""
    before, record = case.seen, case.record
    known = before.maintainer or before.modified
    if record is None or record.problem or not known or before.maintainer == record.maintainer:
        return finding
    if not record.maintainer:
        told = f"{before.maintainer} has orphaned it"
    elif not before.maintainer:
        told = f"{record.maintainer} has adopted it"
    else:
        told = f"its maintainer is {record.maintainer} now, and was {before.maintainer}"
    seen = finding.seen or replace(before, maintainer=record.maintainer)
    return replace(finding, seen=seen, remarks=(*finding.remarks, told))


def _is_older(version: str, other: str) -> bool:
    try:
        return vercmp(version, other) < 0
    except InputError:
        return False


def _failed(reason: str) -> SourceFinding:
    return SourceFinding(kind=FindingKind.FAILED, reason=reason)


def _all_failed(packages: Iterable[FollowedPackage], reason: str) -> dict[str, SourceFinding]:
    return {package.name: _failed(reason) for package in packages}
