"""Packages whose version is that of the newest tag of a project at GitLab: `gitlab:ID`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from caur_ci.credentials import without_credentials
from caur_ci.errors import CaurError, InputError
from caur_ci.pkgbuild.new_version import NewVersion
from caur_ci.update.gitlab_tags import TagsError
from caur_ci.update.release import failed, is_newer
from caur_ci.update.source import FindingKind, LastSeen, SourceFinding
from caur_ci.update.tag_version import Tag, tagged_versions

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from caur_ci.config import PackageConfig
    from caur_ci.update.gitlab_tags import GitLabServer, GitLabTags
    from caur_ci.update.recording import Outside
    from caur_ci.update.release import ReleaseWriter
    from caur_ci.update.source import FollowedPackage
    from caur_ci.update.tag_version import TaggedVersion

_COMMIT_PAGE = "/-/commit/"
_UNCHANGED = SourceFinding(kind=FindingKind.UNCHANGED)


class GitLabSource:
    """Follows the tags of projects at one server."""

    name = "gitlab"

    def __init__(
        self,
        server: GitLabServer,
        tags: GitLabTags,
        writer: ReleaseWriter,
        outside: Outside,
        *,
        parallel: int,
    ) -> None:
        self._server = server
        self._tags = tags
        self._writer = writer
        self._outside = outside
        self._parallel = parallel

    def covers(self, config: PackageConfig) -> bool:
        """Tell whether packages with this configuration are followed here."""
        return config.source is not None and config.source.kind == "gitlab"

    def look(self, packages: Sequence[FollowedPackage]) -> Mapping[str, SourceFinding]:
        """Return a finding for each of `packages`, by name."""
        projects = sorted({_project(package) for package in packages})
        with ThreadPoolExecutor(self._parallel, thread_name_prefix="gitlab") as threads:
            tags = dict(zip(projects, threads.map(self._tags_of, projects), strict=True))
            findings = threads.map(lambda one: self._found(one, tags[_project(one)]), packages)
            return {one.name: found for one, found in zip(packages, findings, strict=True)}

    def _tags_of(self, project: str) -> list[Tag] | str:
        """Return the tags of a project, or why they cannot be had."""
        asked = f"tags of {project} at {without_credentials(self._server.url)}"
        fact = self._outside.fact(asked, lambda: self._asked(project))
        return fact["problem"] if "problem" in fact else [Tag(*one) for one in fact["tags"]]

    def _asked(self, project: str) -> dict[str, Any]:
        try:
            tags = self._tags.of(project)
        except TagsError as error:
            return {"problem": error.message}
        return {"tags": [[tag.name, tag.commit, tag.page] for tag in tags]}

    def _found(self, package: FollowedPackage, tags: Sequence[Tag] | str) -> SourceFinding:
        if isinstance(tags, str):
            return failed(tags)
        names = {package.name, _project(package).rpartition("/")[2]}
        early = package.config.prereleases
        versions = tagged_versions(tags, names, prereleases=early)
        if not versions:
            return failed(f"{self._named(package)} has no tag that names a version")
        try:
            return self._step(package, versions[0], tags, names)
        except InputError as error:
            return failed(error)
        except CaurError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever is in its files, it is that package's
            return failed(f"the version cannot be written into it: {error!r}")

    def _step(
        self,
        package: FollowedPackage,
        newest: TaggedVersion,
        tags: Sequence[Tag],
        names: Collection[str],
    ) -> SourceFinding:
        if not is_newer(newest.version, package):
            return _UNCHANGED
        tag = newest.tag
        seen = LastSeen(origin=self._origin(package), commit=tag.commit, version=newest.version)
        if package.seen == seen:
            return _UNCHANGED  # put to review, as a rule
        assert package.fields is not None  # noqa: S101 - `is_newer` has looked
        every = tagged_versions(tags, names, prereleases=True)
        old = [one.tag.name for one in every if one.version == package.fields.pkgver]
        new = NewVersion(
            version=newest.version,
            tag=tag.name,
            commit=tag.commit,
            old_tag=old[0] if old else "",
            old_commits=tuple(one.commit for one in tags),
            place=self._place(package, tag),
        )
        told = f"{self._named(package)} has the tag {tag.name}"
        return self._writer.finding(package, new, told=told, seen=seen, link=tag.page)

    def _named(self, package: FollowedPackage) -> str:
        return f"the project {_project(package)} at {self._server.host}"

    def _origin(self, package: FollowedPackage) -> str:
        return f"gitlab:{self._server.host}/{_project(package)}"

    def _place(self, package: FollowedPackage, tag: Tag) -> str:
        """Return what URLs of the project have in common, empty where that is not known."""
        address = without_credentials(tag.page).partition("://")[2]
        place, found, _ = address.partition(_COMMIT_PAGE)
        if found and place.startswith(f"{self._server.host}/"):
            return place
        project = _project(package)
        return "" if project.isdecimal() else f"{self._server.host}/{project}"


def _project(package: FollowedPackage) -> str:
    return package.config.source.location.strip("/") if package.config.source else ""
