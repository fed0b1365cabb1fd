"""Packages that may be added: fetched, judged as a whole, with what they need that is not here."""

from __future__ import annotations

import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from caur_ci.aur.rpc import fetch_info
from caur_ci.config import load_package_config
from caur_ci.credentials import without_credentials
from caur_ci.errors import CaurError, ConfigError, InputError
from caur_ci.judge.limited import LimitedJudge
from caur_ci.judge.model import PackageContext
from caur_ci.judge.package import files_of_trees
from caur_ci.names import check_package_name, is_package_name
from caur_ci.pipeline.on_schedule.followed_repository import read_repository
from caur_ci.pipeline.on_schedule.provenance import Provenance
from caur_ci.pipeline.on_schedule.sources import look_at_sources
from caur_ci.pipeline.shared.progress import NoProgress
from caur_ci.pkgbuild.compare import read_sections
from caur_ci.policy import decide
from caur_ci.srcinfo import SRCINFO, parse_fields
from caur_ci.triggers.rules import dependency_names
from caur_ci.update.changes import judge_change
from caur_ci.update.source import FindingKind, FollowedPackage
from caur_ci.update.takeover import take_over
from caur_ci.validation.licences import is_expression
from caur_ci.web import Web

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from caur_ci.config import PackageConfig, RepositoryConfig
    from caur_ci.judge.limited import ChangeJudge
    from caur_ci.judge.model import Finding
    from caur_ci.pipeline.shared.context import RunContext
    from caur_ci.pipeline.shared.memory.branch import Memory
    from caur_ci.policy import Decided
    from caur_ci.srcinfo import SrcinfoFields
    from caur_ci.update.recording import Outside
    from caur_ci.update.source import LastSeen, SourceFinding

AUR = "aur"
# A closure that is larger is a distribution of its own.
_MOST = 500
_LONGEST_LICENSE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A package that somebody wants, and where its files come from, as CI_PKGBUILD_SOURCE says.

    `needed_by` is empty where it was asked for itself.
    """

    name: str
    source: str = AUR
    needed_by: str = ""

    @classmethod
    def parse(cls, text: str) -> Wanted:
        """Read `PACKAGE`, `PACKAGE/aur` or `PACKAGE/URL`. Raises InputError."""
        name, _, source = text.strip().partition("/")
        check_package_name(name)
        wanted = cls(name=name, source=source or AUR)
        try:
            parsed = wanted.config.source
        except ConfigError:
            parsed = None
        if parsed is None or parsed.kind not in {"aur", "git"}:
            raise InputError(
                f"{without_credentials(source)[:200]} is not where the files of {name} can come "
                "from",
                hint=f"Write {name}/aur, or {name}/URL with the URL of a Git repository.",
            )
        return wanted

    @property
    def config_line(self) -> str:
        """What `.CI/config` says."""
        return f"CI_PKGBUILD_SOURCE={self.source}\n"

    @property
    def config(self) -> PackageConfig:
        """What `.CI/config` means. Raises ConfigError."""
        return load_package_config(self.config_line.encode(), origin=self.name).config


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A package as it would be added.

    `tree` has its files. `decided` is what the judge and the policy make of all of them, `remarks`
    is what people should know besides. `seen` is to be remembered of its source.
    """

    wanted: Wanted
    tree: str
    fields: SrcinfoFields
    licenses: tuple[str, ...]
    decided: Decided
    remarks: tuple[str, ...] = ()
    seen: LastSeen | None = None

    @property
    def name(self) -> str:
        """The name of the folder."""
        return self.wanted.name

    @property
    def names(self) -> frozenset[str]:
        """What can be depended on once it is there."""
        provided = (text for package in self.fields.packages for text in package.provides)
        return frozenset({*self.fields.pkgnames, *dependency_names(provided)})

    @property
    def needs(self) -> frozenset[str]:
        """What it depends on, to be built or to run."""
        fields = self.fields
        return dependency_names((*fields.run_depends, *fields.makedepends, *fields.checkdepends))


class CandidateFinder:
    """Finds packages at their sources, for a repository as it is at one commit."""

    def __init__(self, context: RunContext, commit: str, outside: Outside) -> None:
        """Raises ConfigError for a `.ci/config` or a policy that cannot be used."""
        self._git = context.git
        self._outside = outside
        self._repository = read_repository(context.git, commit)

    @contextmanager
    def found(
        self, wanted: Iterable[Wanted], memory: Memory, *, closure: bool
    ) -> Iterator[list[Candidate]]:
        """Provide the packages that are wanted, and with `closure` those of the AUR they need.

        What was fetched is kept from garbage collection until the block ends. Raises InputError
        for one that cannot be had.
        """
        committed = self._repository.committed
        known = {*self._names_here(), *distribution_names(memory, committed.config)}
        candidates: list[Candidate] = []
        wanted = list(wanted)
        check_folders((it.name for it in wanted), committed.folders.packages)
        with ExitStack() as kept, LimitedJudge() as judge:
            waiting = wanted
            while waiting:
                findings = kept.enter_context(self._look(waiting))
                candidates += [self._candidate(it, findings[it.name], judge) for it in waiting]
                known = known.union(*(it.names for it in candidates))
                waiting = self._missing(candidates, known) if closure else []
                if len(candidates) + len(waiting) > _MOST:
                    raise InputError(f"more than {_MOST} packages would have to be added")
            yield candidates

    def _names_here(self) -> Iterator[str]:
        tree = self._repository.committed.deptree
        for name in tree:
            yield from (*tree.pkgnames(name), *tree.provides(name))

    def _look(
        self, wanted: Iterable[Wanted]
    ) -> AbstractContextManager[Mapping[str, SourceFinding]]:
        """Provide what the sources have of packages."""
        return look_at_sources(
            self._git,
            replace(self._repository, packages={it.name: _followed(it) for it in wanted}),
            self._outside,
            now=time.time(),
            progress=NoProgress(),
        )

    def _candidate(self, wanted: Wanted, finding: SourceFinding, judge: ChangeJudge) -> Candidate:
        if finding.kind is not FindingKind.FILES:
            raise InputError(
                f"{wanted.name} cannot be had from {without_credentials(wanted.source)}: "
                f"{finding.reason or 'there are no files'}"
            )
        try:
            return self._read(wanted, finding, judge)
        except CaurError as error:
            raise InputError(f"{wanted.name} cannot be added: {error.message}") from error

    def _read(self, wanted: Wanted, finding: SourceFinding, judge: ChangeJudge) -> Candidate:
        git, repository = self._git, self._repository
        tree = take_over(git, source=finding.tree, own=None)
        (srcinfo,) = git.read_blobs([f"{tree}:{SRCINFO}"])
        folder = _followed(wanted)
        judgement = judge_change(
            git,
            git.empty_tree(),
            tree,
            judge=judge,
            package=PackageContext(
                name=wanted.name, others=frozenset(repository.committed.folders.packages)
            ),
        )
        (files,) = files_of_trees(git, tree)
        now = time.time()
        provenance = Provenance(repository, {wanted.name: finding}, now=now)
        decided = decide(
            repository.policy,
            wanted.name,
            # That it is new is what it is asked for.
            replace(judgement, findings=_without_new(judgement.findings)),
            wants_reviews=repository.committed.config.human_review,
            now=now,
            files=files,
            vouched=provenance.vouched(folder, finding),
        )
        return Candidate(
            wanted=wanted,
            tree=tree,
            fields=parse_fields(srcinfo or b"", origin=f"{wanted.name}/{SRCINFO}"),
            licenses=_licenses(srcinfo or b""),
            decided=decided,
            remarks=finding.remarks,
            seen=finding.seen,
        )

    def _missing(self, candidates: Sequence[Candidate], known: Collection[str]) -> list[Wanted]:
        """Return the packages of the AUR that candidates need, by their bases."""
        needed = {
            need: one.name
            for one in reversed(candidates)
            for need in one.needs
            if need not in known
        }
        if not needed:
            return []
        config = self._repository.committed.config
        web = Web(
            proxy=config.aur_proxy, adapter=self._outside.web_adapter, sleep=self._outside.sleep
        )
        names = [name for name in needed if is_package_name(name)]
        records = fetch_info(web, config.aur_url, names)
        there = {it.name for it in candidates}
        return [
            Wanted(name=base, needed_by=by)
            for base, by in sorted({it.base: needed.get(it.name, "") for it in records}.items())
            if base not in there
        ]


def check_folders(names: Iterable[str], there: Collection[str]) -> None:
    """Raise InputError for folders that are there already."""
    for name in names:
        if name in there:
            raise InputError(
                f"there is a folder {name} already",
                hint="on-schedule keeps it current where its .CI/config names a source.",
            )


def distribution_names(memory: Memory, config: RepositoryConfig) -> frozenset[str]:
    """Return the packages that the databases of CI_LIB_DB had when on-schedule looked last."""
    others = (it for it in memory.libraries.snapshots if it.name != config.target_repo)
    return frozenset(name for it in others for name in it.versions)


def license_notes(candidate: Candidate) -> Iterator[str]:
    """Yield which licences of a package are none that everybody knows."""
    for text in candidate.licenses:
        if not is_expression(text):
            yield f"the license {text} of {candidate.name} is no SPDX expression: look at it"
    if not candidate.licenses:
        yield f"{candidate.name} names no license"


def _followed(wanted: Wanted) -> FollowedPackage:
    return FollowedPackage(name=wanted.name, config=wanted.config, tree="")


def _without_new(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(it for it in findings if it.code != "pkgbuild-added")


def _licenses(srcinfo: bytes) -> tuple[str, ...]:
    fields = (field for section in read_sections(srcinfo) for field in section.fields)
    found = (text for name, values in fields if name == "license" for text in values)
    return tuple(dict.fromkeys(text[:_LONGEST_LICENSE] for text in found))
