"""Which package of a repository needs which other ones, and because of which dependency.

Nodes are package folders: what is scheduled and built. Their names are nearly always the pkgbase
in the `.SRCINFO`; where they differ (`linux-x64v3` holding pkgbase `linux`) the folder counts.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from caur_ci.architectures import DEFAULT_ARCHITECTURE
from caur_ci.errors import InputError
from caur_ci.names import suggestion
from caur_ci.relations import Relation
from caur_ci.srcinfo import SrcinfoFields, parse_fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from caur_ci.generated_srcinfo import Srcinfo


class Need(StrEnum):
    """The field of a `.SRCINFO` that asks for a dependency."""

    DEPENDS = "depends"
    MAKEDEPENDS = "makedepends"
    CHECKDEPENDS = "checkdepends"


@dataclass(frozen=True, slots=True)
class Cause:
    """Why one package needs another: the field and the dependency as written in it."""

    need: Need
    relation: str


class ProblemKind(StrEnum):
    """What is wrong with a package folder, as far as its `.SRCINFO` tells."""

    MISSING = "missing"
    UNSURE = "unsure"
    UNREADABLE = "unreadable"
    RELATION = "relation"
    SHARED_NAME = "shared-name"
    OTHER_PKGBASE = "other-pkgbase"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that keeps a folder's dependencies or its packages from being known for sure.

    `message` names the file or the folders.
    """

    package: str
    message: str
    kind: ProblemKind


Edges = dict[str, tuple[Cause, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DependencyTree:
    """The dependencies between the packages of one repository for one architecture.

    `packages` are all package folders, sorted, those with problems included; `fields` is what
    could be read of them. `wanted` are the names, without versions, that a package needs from
    elsewhere: as its .SRCINFO has them, and the pkgnames of the packages here that provide them.
    """

    packages: tuple[str, ...]
    fields: Mapping[str, SrcinfoFields]
    problems: tuple[Problem, ...]
    wanted: Mapping[str, tuple[str, ...]]
    _dependencies: Mapping[str, Edges]
    _dependants: Mapping[str, Edges]

    @classmethod
    def build(cls, packages: Mapping[str, SrcinfoFields | Problem]) -> Self:
        """Find out how the `packages`, by folder, depend on each other."""
        fields = {
            name: found
            for name, found in sorted(packages.items())
            if isinstance(found, SrcinfoFields)
        }
        unread = [found for found in packages.values() if isinstance(found, Problem)]
        builder = _Builder(fields)
        dependencies = {name: builder.edges_of(name) for name in sorted(packages)}
        builder.check_names()
        return cls(
            packages=tuple(sorted(packages)),
            fields=fields,
            problems=tuple(sorted((*unread, *builder.problems), key=lambda p: p.package)),
            wanted=builder.wanted,
            _dependencies=dependencies,
            _dependants=_reversed(dependencies),
        )

    @classmethod
    def read(cls, files: Mapping[str, Srcinfo], *, arch: str = DEFAULT_ARCHITECTURE) -> Self:
        """Build the tree from the `.SRCINFO` of each folder; None where it has none."""
        return cls.read_each(files.items(), arch=arch)

    @classmethod
    def read_each(
        cls, files: Iterable[tuple[str, Srcinfo]], *, arch: str = DEFAULT_ARCHITECTURE
    ) -> Self:
        """Build the tree like `read`, from files that need not all be in memory at once."""
        return cls.build({name: _read_one(name, data, arch) for name, data in files})

    def __len__(self) -> int:
        return len(self.packages)

    def __iter__(self) -> Iterator[str]:
        return iter(self.packages)

    def __contains__(self, package: object) -> bool:
        return package in self._dependencies

    def dependencies(self, package: str) -> Edges:
        """Return the packages of this repository that `package` needs, and why."""
        return self._dependencies.get(package, {})

    def dependants(self, package: str) -> Edges:
        """Return the packages of this repository that need `package`, and why."""
        return self._dependants.get(package, {})

    def edge_count(self) -> int:
        """Return how many pairs of packages there are where one needs the other."""
        return sum(map(len, self._dependencies.values()))

    def pkgnames(self, package: str) -> tuple[str, ...]:
        """Return the packages that building `package` produces; none if it could not be read."""
        fields = self.fields.get(package)
        return fields.pkgnames if fields else ()

    def provides(self, package: str) -> tuple[str, ...]:
        """Return the other names, without versions, that the products of `package` answer to."""
        fields = self.fields.get(package)
        if fields is None:
            return ()
        names = (_name_of(text) for product in fields.packages for text in product.provides)
        own = set(fields.pkgnames)
        return tuple(sorted({name for name in names if name not in own}))

    def resolve(self, name: str) -> str:
        """Return the package folder that `name` means: its own name, or that of a product.

        A slash at its end, as the completion of a shell leaves it, does not count. A pkgbase means
        its folder as well. Raises InputError, with the nearest names, where there is none or more
        than one.
        """
        name = name.rstrip("/")
        if name in self:
            return name
        owners = [
            package
            for package, fields in self.fields.items()
            if name == fields.pkgbase or name in fields.pkgnames
        ]
        if len(owners) == 1:
            return owners[0]
        if owners:
            raise InputError(
                f"the package {name} comes from several folders",
                hint=f"Name one of them: {', '.join(owners)}.",
            )
        raise InputError(
            f"there is no package {name} in this repository",
            hint=suggestion(name, self.packages) or "Name a package folder of this repository.",
        )

    def reachable(
        self, packages: Iterable[str], *, reverse: bool = False, depth: int | None = None
    ) -> dict[str, int]:
        """Return `packages` and all they need, each with its distance from the nearest of them.

        With `reverse` follows those that need them, with `depth` at most so many steps.
        """
        follow = self.dependants if reverse else self.dependencies
        distances = dict.fromkeys(packages, 0)
        waiting = deque(distances)
        while waiting:
            package = waiting.popleft()
            if distances[package] == depth:
                continue
            for neighbour in follow(package):
                if neighbour not in distances:
                    distances[neighbour] = distances[package] + 1
                    waiting.append(neighbour)
        return distances

    def subset(
        self, packages: Iterable[str], *, reverse: bool = False, depth: int | None = None
    ) -> Self:
        """Return the part of the tree that `reachable` finds, with the edges inside it."""
        kept = self.reachable(packages, reverse=reverse, depth=depth)
        dependencies = {
            name: {to: why for to, why in self.dependencies(name).items() if to in kept}
            for name in sorted(kept)
        }
        return type(self)(
            packages=tuple(sorted(kept)),
            fields={name: fields for name, fields in self.fields.items() if name in kept},
            problems=tuple(problem for problem in self.problems if problem.package in kept),
            wanted={name: names for name, names in self.wanted.items() if name in kept},
            _dependencies=dependencies,
            _dependants=_reversed(dependencies),
        )


@dataclass(frozen=True, slots=True)
class _Provider:
    """A package that answers to a name."""

    package: str
    pkgname: str
    provided: Relation


@dataclass(frozen=True, slots=True)
class _Answer:
    """The name in a dependency, and who in this repository may meet it."""

    name: str
    providers: tuple[_Provider, ...]


@dataclass(slots=True)
class _Builder:
    """Looks up who provides what is needed."""

    fields: Mapping[str, SrcinfoFields]
    problems: list[Problem] = field(default_factory=list)
    wanted: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _providers: dict[str, list[_Provider]] = field(default_factory=dict)
    # The same few thousand dependencies come again and again.
    _answers: dict[str, _Answer | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for package, fields in self.fields.items():
            for product in fields.packages:
                self._add(package, product.pkgname, Relation(product.pkgname, "=", fields.version))
                for text in product.provides:
                    if (provided := _parsed(text)) is not None:
                        self._add(package, product.pkgname, provided)
                    else:
                        self._complain(package, "provides", text)

    def _add(self, package: str, pkgname: str, provided: Relation) -> None:
        self._providers.setdefault(provided.name, []).append(_Provider(package, pkgname, provided))

    def _complain(self, package: str, where: str, text: str) -> None:
        message = f"{package}/.SRCINFO: {where} = {text}: not a package or soname"
        self.problems.append(Problem(package, message, ProblemKind.RELATION))

    def check_names(self) -> None:
        """Note packages that several folders make, and folders that are named otherwise."""
        makers: dict[str, list[str]] = {}
        for package, fields in self.fields.items():
            for pkgname in fields.pkgnames:
                makers.setdefault(pkgname, []).append(package)
            if fields.pkgbase != package:
                message = (
                    f"{package}/.SRCINFO: the folder holds the pkgbase {fields.pkgbase}; "
                    "the folder's name counts here"
                )
                self.problems.append(Problem(package, message, ProblemKind.OTHER_PKGBASE))
        for pkgname, folders in makers.items():
            if len(folders) > 1:
                message = (
                    f"the package {pkgname} is made by several folders: {', '.join(folders)}; "
                    "unless their .CI renames it, only one of them can be published"
                )
                self.problems.append(Problem(folders[-1], message, ProblemKind.SHARED_NAME))

    def edges_of(self, package: str) -> Edges:
        """Return what `package` needs, and note the names of it in `wanted`."""
        fields = self.fields.get(package)
        if fields is None:
            return {}
        edges: dict[str, list[Cause]] = {}
        names: set[str] = set()
        for need, texts in (
            (Need.DEPENDS, fields.run_depends),
            (Need.MAKEDEPENDS, fields.makedepends),
            (Need.CHECKDEPENDS, fields.checkdepends),
        ):
            for text in texts:
                answer = self._answers[text] if text in self._answers else self._answer(text)
                if answer is None:
                    self._complain(package, need, text)
                    continue
                names.add(answer.name)
                if not answer.providers:
                    continue
                for provider in _others(package, need, answer.providers):
                    names.add(provider.pkgname)
                    causes = edges.setdefault(provider.package, [])
                    if (cause := Cause(need, text)) not in causes:
                        causes.append(cause)
        self.wanted[package] = tuple(sorted(names.difference(fields.pkgnames)))
        return {to: tuple(causes) for to, causes in sorted(edges.items())}

    def _answer(self, text: str) -> _Answer | None:
        answer = None
        if (relation := _parsed(text)) is not None:
            found = self._providers.get(relation.name, [])
            if relation.operator and len(found) > 1:
                # Versions in a .SRCINFO may be behind (VCS packages, sonames that makepkg fills
                # in). So where none fits, all count: an order too many costs a little time, an
                # order lost builds against the wrong package.
                found = [one for one in found if relation.satisfied_by(one.provided)] or found
            answer = _Answer(relation.name, tuple(found))
        self._answers[text] = answer
        return answer


def _others(package: str, need: Need, providers: tuple[_Provider, ...]) -> Iterable[_Provider]:
    """Return the `providers` that `package` has to wait for."""
    if all(one.package != package for one in providers):
        return providers
    if need is Need.DEPENDS:
        # Installed together with what is built here. For building it would come too late.
        return ()
    return [one for one in providers if one.package != package]


def _parsed(text: str) -> Relation | None:
    try:
        return Relation.parse(text)
    except InputError:
        return None


def _name_of(text: str) -> str:
    relation = _parsed(text)
    return relation.name if relation else ""


def _reversed(dependencies: Mapping[str, Edges]) -> dict[str, Edges]:
    dependants: dict[str, Edges] = {}
    for package, edges in dependencies.items():
        for to, causes in edges.items():
            dependants.setdefault(to, {})[package] = causes
    return dependants


def _read_one(package: str, data: Srcinfo, arch: str) -> SrcinfoFields | Problem:
    if isinstance(data, InputError):
        return Problem(package, f"{data.message}. {data.hint}", ProblemKind.UNSURE)
    if data is None:
        message = f"{package}/.SRCINFO is missing, or no regular file"
        return Problem(package, message, ProblemKind.MISSING)
    try:
        return parse_fields(data, origin=f"{package}/.SRCINFO", arch=arch)
    except InputError as error:
        return Problem(package, error.message, ProblemKind.UNREADABLE)
