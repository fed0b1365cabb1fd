"""Packages whose version is followed as their `nvchecker.toml` says (CI_NVCHECKER).

What our own git can answer, it does; the rest is asked of nvchecker, all at once.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from caur_ci.credentials import without_credentials
from caur_ci.errors import CaurError, InputError
from caur_ci.pkgbuild.new_version import NewVersion
from caur_ci.plaintext import is_web_address
from caur_ci.update.fetching import FetchProblem
from caur_ci.update.nvchecker_file import FILES, LARGEST_FILE, Entry, check_entry, read_entry
from caur_ci.update.nvchecker_tags import choose
from caur_ci.update.public_web import addresses_of
from caur_ci.update.release import failed, is_newer
from caur_ci.update.source import FindingKind, LastSeen, SourceFinding

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from caur_ci.config import PackageConfig, RepositoryConfig
    from caur_ci.confined import Confined
    from caur_ci.update.fetching import Fetcher
    from caur_ci.update.nvchecker_run import Answers, Nvchecker
    from caur_ci.update.recording import Outside
    from caur_ci.update.release import ReleaseWriter
    from caur_ci.update.source import FollowedPackage

_PKGVER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+]*")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_TAG = "refs/tags/"
_UNCHANGED = SourceFinding(kind=FindingKind.UNCHANGED)
_REVIEW = "found by nvchecker (CI_NVCHECKER_REVIEW)"


@dataclass(frozen=True, slots=True)
class _Followed:
    """A package and its entry; `file` is where it stands."""

    package: FollowedPackage
    file: str
    entry: Entry


class NvcheckerSource:
    """Follows packages with CI_NVCHECKER=true.

    `config` says what their files may ask for, and whether updates are put to review.
    """

    name = "nvchecker"

    def __init__(
        self,
        fetcher: Fetcher,
        nvchecker: Nvchecker,
        writer: ReleaseWriter,
        confined: Confined,
        outside: Outside,
        *,
        config: RepositoryConfig,
    ) -> None:
        self._fetcher = fetcher
        self._nvchecker = nvchecker
        self._writer = writer
        self._confined = confined
        self._outside = outside
        self._config = config

    def covers(self, config: PackageConfig) -> bool:
        """Tell whether packages with this configuration are followed here."""
        return config.nvchecker

    def look(self, packages: Sequence[FollowedPackage]) -> Mapping[str, SourceFinding]:
        """Return a finding for each of `packages`, by name."""
        findings: dict[str, SourceFinding] = {}
        by_git: list[_Followed] = []
        others: list[_Followed] = []
        with ThreadPoolExecutor(self._config.max_parallel, thread_name_prefix="nv") as threads:
            entries = threads.map(self._entry, packages, self._contents(packages))
            for package, followed in zip(packages, entries, strict=True):
                if isinstance(followed, SourceFinding):
                    findings[package.name] = followed
                else:
                    (by_git if followed.entry.repository else others).append(followed)
            answers = self._ask(others)
            tags = self._fetcher.tags({one.entry.repository for one in by_git})
            work: list[Callable[[], SourceFinding]] = [
                *(_bound(self._by_git, one, tags[one.entry.repository]) for one in by_git),
                *(_bound(self._by_nvchecker, one, answers.get(one.package.name)) for one in others),
            ]
            done = threads.map(lambda step: step(), work)
            for one, finding in zip((*by_git, *others), done, strict=True):
                findings[one.package.name] = finding
        return findings

    def _contents(self, packages: Sequence[FollowedPackage]) -> list[list[bytes | None]]:
        """Return for each package the contents of its files."""
        names = [f"{package.tree}:{file}" for package in packages for file in FILES]
        contents = self._fetcher.git.read_blobs(names)
        return [[next(contents) for _ in FILES] for _ in packages]

    def _entry(
        self, package: FollowedPackage, contents: Sequence[bytes | None]
    ) -> _Followed | SourceFinding:
        there = [(file, it) for file, it in zip(FILES, contents, strict=True) if it is not None]
        if not there:
            return failed(f"there is no {' and no '.join(FILES)}, which CI_NVCHECKER=true needs")
        file, content = there[0]
        try:
            if len(content) > LARGEST_FILE:
                raise InputError(f"it has more than {LARGEST_FILE} bytes")  # noqa: TRY301
            text = content.decode()
            entry = Entry(*self._confined.call(read_entry, text, package.name))
            check_entry(
                entry,
                commands=self._config.nvchecker_commands,
                local=self._config.local_sources,
                has_keys=self._nvchecker.has_keys,
                look_up=self._addresses,
            )
        except UnicodeDecodeError:
            return failed(f"{file}: it is not UTF-8")
        except InputError as error:
            return failed(f"{file}: {error.message} {error.hint}".rstrip())
        return _Followed(package, file, entry)

    def _addresses(self, host: str) -> list[str]:
        return self._outside.fact(f"addresses of {host}", lambda: addresses_of(host))

    def _ask(self, others: Sequence[_Followed]) -> Answers:
        if not others:
            return {}
        entries = {one.package.name: one.entry for one in others}
        return self._outside.fact("nvchecker", lambda: self._nvchecker.versions(entries))

    def _by_git(self, one: _Followed, tags: Mapping[str, str] | FetchProblem) -> SourceFinding:
        if isinstance(tags, FetchProblem):
            return failed(tags.reason)
        place = without_credentials(one.entry.repository)
        current = one.package.fields.pkgver if one.package.fields else ""

        def found() -> SourceFinding:
            options = dict(one.entry.options)
            version, tag, old = self._confined.call(choose, list(tags), options, current)
            new = NewVersion(
                version=_pkgver(version),
                tag=tag,
                commit=tags[tag],
                old_tag=old,
                old_commits=tuple(tags.values()),
                place=place.partition("://")[2].removesuffix(".git"),
            )
            return self._step(one, new, told=f"{place} has the tag {tag}")

        return _guarded(one, found)

    def _by_nvchecker(self, one: _Followed, answer: Mapping[str, str] | None) -> SourceFinding:
        if answer is None or "problem" in answer:
            return failed(answer["problem"] if answer else "nvchecker gave no answer")

        def found() -> SourceFinding:
            revision, ref = answer.get("revision", ""), answer.get("gitref", "")
            new = NewVersion(
                version=_pkgver(answer["version"]),
                tag=ref.removeprefix(_TAG) if ref.startswith(_TAG) else "",
                commit=revision if _COMMIT.fullmatch(revision) else "",
            )
            told = f"nvchecker ({one.entry.source}) found the version {new.version}"
            link = answer.get("url", "")
            return self._step(one, new, told=told, link=link if is_web_address(link) else "")

        return _guarded(one, found)

    def _step(self, one: _Followed, new: NewVersion, *, told: str, link: str = "") -> SourceFinding:
        package = one.package
        if not is_newer(new.version, package):
            return _UNCHANGED
        seen = LastSeen(origin=self.name, commit=new.commit, version=new.version)
        if package.seen == seen:
            return _UNCHANGED  # put to review, as a rule
        return self._writer.finding(
            package,
            new,
            told=told,
            # What was seen of another source of the same package is not to be forgotten.
            seen=seen if _is_alone(package.config) else None,
            link=link,
            review=_REVIEW if self._config.nvchecker_review else "",
        )


def _is_alone(config: PackageConfig) -> bool:
    return config.source is None or config.source.kind == "custom"


def _bound(
    function: Callable[[_Followed, Any], SourceFinding],
    one: _Followed,
    answer: Any,  # noqa: ANN401 - of the function's own kind
) -> Callable[[], SourceFinding]:
    return lambda: function(one, answer)


def _guarded(one: _Followed, found: Callable[[], SourceFinding]) -> SourceFinding:
    """Return what is found; what is wrong with one package costs no other."""
    try:
        return found()
    except InputError as error:
        return failed(f"{one.file}: {error.message} {error.hint}".rstrip())
    except CaurError:  # of the run as a whole: a recording without this answer
        raise
    except Exception as error:  # noqa: BLE001 - whatever is in its files, it is that package's
        return failed(f"the version cannot be written into it: {error!r}")


def _pkgver(version: str) -> str:
    """Return a found version as a pkgver. Raises InputError where it cannot be one."""
    text = version.removeprefix("v")
    if not _PKGVER.fullmatch(text):
        raise InputError(
            f"the version {version[:80]!a} cannot be a pkgver",
            hint="from_pattern and to_pattern, prefix or include_regex make one of it.",
        )
    return text
