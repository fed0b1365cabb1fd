"""What a pipeline of the existing system did: in its commits, branches, and hand-over document."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from caur_ci.config import PackageConfig
from caur_ci.errors import InputError
from caur_ci.keyvalue import KeyValueFile
from caur_ci.names import is_package_name
from caur_ci.package_folders import CommittedFolders
from caur_ci.pipeline.shadow.effects import NOTHING, Comparison, Deed, Effect, differences
from caur_ci.pipeline.shadow.ours import Journey
from caur_ci.request import normalize_build_class
from caur_ci.srcinfo import SRCINFO, parse_fields

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from caur_ci.git import GitRepository
    from caur_ci.pipeline.shadow.ours import ShadowPlan
    from caur_ci.pipeline.shared.context import RunContext

_AUTOMATED = re.compile(r"(?:chore|feat)\((?:packages|update|bump|drop|add|ci)\): ")
_ARRAY = re.compile(r"declare -[a-zA-Z]*a[a-zA-Z]* (?P<name>[A-Z_]+)=\((?P<words>.*)\)")
_WORD = re.compile(r"""\[\d+\]=(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\s)]+))""")
_ESCAPED = re.compile(r"\\(.)")
# Options of `schedule` whose value is a word of its own.
_WITH_VALUE = frozenset({"--commit", "--arch", "--arch-mirror", "--target-repo", "--source-repo"})
_BUMP = "CI_PACKAGE_BUMP"


@dataclass(frozen=True, slots=True)
class HandedOver:
    """What a `schedule-params.txt` asks for: builds with their classes, and what is kept.

    `kept` is None where nothing is to be removed.
    """

    builds: Mapping[str, str] = field(default_factory=dict)
    kept: frozenset[str] | None = None

    @classmethod
    def parse(cls, text: str, *, origin: str) -> Self:
        """Read the document; nothing of it is run. Raises InputError for one of another form."""
        arrays = {
            match["name"]: [_word(word) for word in _WORD.finditer(match["words"])]
            for match in map(_ARRAY.fullmatch, text.splitlines())
            if match is not None
        }
        if text.strip() and not arrays and "declare" not in text:
            raise InputError(
                f"{origin} is no hand-over document of the existing system",
                hint="It is .ci/schedule-params.txt, an artifact of its jobs.",
            )
        builds = dict(_packages(arrays.get("PARAMS_SCHEDULE", [])))
        kept = dict(_packages(arrays.get("PARAMS_AUTOREPOREMOVE", [])))
        return cls(builds, frozenset(kept) if kept else None)


def compare(
    context: RunContext, plan: ShadowPlan, handed_over: HandedOver | None = None
) -> Comparison:
    """Compare a plan with what has happened since it was made.

    Builds and removals are compared where the document is given. Raises GitError and
    TemporaryError where the branch cannot be had.
    """
    snapshot = context.shared.snapshot(context.branch)
    tip = snapshot.branch or plan.head
    context.shared.fetch_missing([plan.head])
    mine, notes = _packages_of_others(context.git, plan.head, tip)
    theirs: dict[str, Effect] = {}
    comparable: set[Deed] = set()
    if plan.journey is Journey.ON_SCHEDULE:
        comparable |= {Deed.UPDATE, Deed.BUMP, Deed.REVIEW}
        theirs |= _committed(context.git, plan.head, tip)
        for name, commit in snapshot.reviews.items():
            if plan.reviews.get(name) != commit:
                theirs[name] = _with(theirs.get(name), Deed.REVIEW, f"branch update-{name}")
    if handed_over is not None:
        comparable |= {Deed.BUILD, Deed.REMOVE}
        packages = CommittedFolders.at(context.git, plan.head).packages
        _add_handed_over(theirs, handed_over, {*packages, *plan.effects})
    ours = {name: effect for name, effect in plan.effects.items() if name not in mine}
    theirs = {name: effect for name, effect in theirs.items() if name not in mine}
    found = differences(ours, theirs, comparable=comparable)
    more = () if handed_over else ("without --schedule-params, builds are not compared",)
    return replace(found, notes=(*plan.notes, *notes, *more))


def _packages_of_others(
    git: GitRepository, head: str, tip: str
) -> tuple[frozenset[str], tuple[str, ...]]:
    """Return the packages that people changed meanwhile, about which nothing can be said."""
    if head == tip or not git.is_ancestor(head, tip):
        return frozenset(), ()
    changed: set[str] = set()
    for message in git.messages(head, tip):
        parents = git.parents(message.commit)
        if parents and _AUTOMATED.match(message.text) is None:
            changed |= {it.name for it in git.changes(parents[0], message.commit)}
    packages = frozenset(filter(is_package_name, changed))
    note = f"changed by people meanwhile, and left out: {', '.join(sorted(packages))}"
    return packages, (note,) if packages else ()


def _committed(git: GitRepository, head: str, tip: str) -> dict[str, Effect]:
    """Return what commits did to package folders between two commits."""
    before, after = CommittedFolders.at(git, head), CommittedFolders.at(git, tip)
    names = [
        name
        for name in after.packages
        if name in before.packages and before.tree(name) != after.tree(name)
    ]
    old, new = (it.contents((SRCINFO, PackageConfig.FILE), names) for it in (before, after))
    subjects = _subjects(git, head, tip)
    found: dict[str, Effect] = {}
    for name in names:
        deeds: set[Deed] = set()
        if _without_config(git, before.tree(name)) != _without_config(git, after.tree(name)):
            deeds.add(Deed.UPDATE)
        if _bump(old[name]) != _bump(new[name]):
            deeds.add(Deed.BUMP)
        found[name] = Effect(
            deeds=frozenset(deeds), version=_version(new[name]), reason=subjects.get(name, "")
        )
    return found


def _subjects(git: GitRepository, head: str, tip: str) -> dict[str, str]:
    """Return the first lines of the messages of the commits that changed each package."""
    if head == tip or not git.is_ancestor(head, tip):
        return {}
    found: defaultdict[str, list[str]] = defaultdict(list)
    for message in git.messages(head, tip):
        for parent in git.parents(message.commit)[:1]:
            subject = f"{message.commit[:12]} {message.text.partition(chr(10))[0]}"
            for change in git.changes(parent, message.commit):
                found[change.name].append(subject)
    return {name: "; ".join(subjects) for name, subjects in found.items()}


def _without_config(git: GitRepository, tree: str) -> list[tuple[str, str]]:
    return [(it.name, it.object_id) for it in git.entries(tree) if it.name != ".CI"]


def _bump(files: Mapping[str, bytes]) -> str | None:
    try:
        return KeyValueFile.parse(files.get(PackageConfig.FILE, b""), origin="").get(_BUMP)
    except InputError:
        return None


def _version(files: Mapping[str, bytes]) -> str:
    try:
        return parse_fields(files.get(SRCINFO, b"")).version
    except InputError:
        return ""


def _add_handed_over(
    theirs: dict[str, Effect], handed_over: HandedOver, packages: Collection[str]
) -> None:
    """Add what the document asks for. `packages` are all that there are, or that were removed."""
    for name, build_class in handed_over.builds.items():
        effect = _with(theirs.get(name), Deed.BUILD, "schedule-params.txt")
        theirs[name] = replace(effect, build_class=build_class)
    if handed_over.kept is not None:
        for name in {*packages} - handed_over.kept:
            theirs[name] = _with(theirs.get(name), Deed.REMOVE, "schedule-params.txt")


def _with(effect: Effect | None, deed: Deed, reason: str) -> Effect:
    effect = effect or NOTHING
    reasons = "; ".join(filter(None, (effect.reason, reason)))
    return replace(effect, deeds=effect.deeds | {deed}, reason=reasons)


def _word(match: re.Match[str]) -> str:
    double, single, bare = match.groups()
    return _ESCAPED.sub(r"\1", double) if double is not None else single or bare or ""


def _packages(words: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the packages, with their classes, among the arguments of a command."""
    rest = iter(words[1:])
    for word in rest:
        if word in _WITH_VALUE:
            next(rest, None)
        elif not word.startswith("-"):
            name, _, build_class = word.partition("/")
            yield name, normalize_build_class(build_class) if build_class else ""
