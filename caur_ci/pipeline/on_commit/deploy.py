"""The words in commit messages that ask for builds.

`[deploy NAME]` builds a package, `[deploy NAME/CLASS]` on workers of that class, `[deploy a b]`
several, `[deploy all]` all of them. `[deploy-skip SHA]` in a later commit takes back what the
commit SHA asked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from caur_ci.errors import CaurError, InputError
from caur_ci.names import check_worker_name, suggestion
from caur_ci.request import normalize_build_class

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

    from caur_ci.git import CommitMessage

_DEPLOY = re.compile(r"\[deploy(?P<skip>-skip)?(?P<words>\s[^\]\[]*)?\]", re.IGNORECASE)
_SEPARATOR = re.compile(r"[\s,]+")
_SHORT_ID = re.compile(r"[0-9a-f]{7,64}")
ALL = "all"


@dataclass(slots=True)
class DeployRequests:
    """What the messages of a range ask for: packages (with their build class override or None).

    `commits` is the number of messages.
    """

    commits: int = 0
    packages: dict[str, str | None] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, package: str, build_class: str | None, commit: str) -> None:
        """Ask for `package`; an override stays in force until a later one replaces it."""
        self.packages[package] = build_class or self.packages.get(package)
        self.reasons[package] = f"[deploy] in {commit[:12]}"


def read_deploys(
    messages: Sequence[CommitMessage],
    packages: Collection[str],
    existed_at: Callable[[str, str], bool],
) -> DeployRequests:
    """Read the wishes in `messages` (oldest first) for the `packages` that exist at HEAD.

    `existed_at(commit, name)` tells whether a package existed at a commit: one that was asked for
    and then removed is no mistake.

    Raises InputError naming every word that is no package, its commit and what was meant.
    """
    skipped, notes = _skipped_commits(messages)
    deploys = DeployRequests(commits=len(messages), notes=notes)
    mistakes: list[str] = []
    for message in messages:
        words = list(_deploy_words(message))
        if message.commit in skipped:
            if words:
                deploys.notes.append(f"skipped what {message.commit[:12]} asked to deploy")
            continue
        for word in words:
            mistakes += _add_deploy(word, message, packages, existed_at, deploys)
    if mistakes:
        raise InputError(
            "\n".join(mistakes),
            hint="Nothing was scheduled and the tag `scheduled` was not moved. Either rewrite "
            "the commit, or push one whose message says [deploy-skip SHA] with the commit's id.",
        )
    return deploys


def _deploy_words(message: CommitMessage) -> Iterator[str]:
    for match in _DEPLOY.finditer(message.text):
        if match["skip"] is None:
            yield from _words(match["words"])


def _add_deploy(
    word: str,
    message: CommitMessage,
    packages: Collection[str],
    existed_at: Callable[[str, str], bool],
    deploys: DeployRequests,
) -> Iterable[str]:
    """Add one wish to `deploys`; yield what is wrong with it."""
    where = f"commit {message.commit[:12]}"
    name, slash, build_class = word.partition("/")
    try:
        override = normalize_build_class(check_worker_name(build_class)) if slash else None
    except CaurError:
        yield f"{where}: [deploy {word}]: {build_class!r} is no build class"
        return
    if name == ALL:
        for package in packages:
            deploys.add(package, override, message.commit)
    elif name in packages:
        deploys.add(name, override, message.commit)
    elif existed_at(message.commit, name):
        deploys.notes.append(f"{where} asks to deploy {name}, which was removed since")
    else:
        meant = suggestion(name, packages)
        yield f"{where}: [deploy {word}]: there is no package {name!r}. {meant}".rstrip()


def _skipped_commits(messages: Sequence[CommitMessage]) -> tuple[set[str], list[str]]:
    """Return the commits that a later one skips, and notes about ids that match none."""
    skipped: set[str] = set()
    notes: list[str] = []
    for position, message in enumerate(messages):
        for match in _DEPLOY.finditer(message.text):
            for word in _words(match["words"]) if match["skip"] else []:
                earlier = _matching(word.lower(), messages[:position])
                skipped.update(earlier)
                if not earlier:
                    notes.append(
                        f"commit {message.commit[:12]}: [deploy-skip {word}] matches no earlier "
                        "commit that is still to be scheduled (give at least 7 digits of its id)"
                    )
    return skipped, notes


def _matching(short_id: str, messages: Iterable[CommitMessage]) -> list[str]:
    if not _SHORT_ID.fullmatch(short_id):
        return []
    return [message.commit for message in messages if message.commit.startswith(short_id)]


def _words(text: str | None) -> list[str]:
    return [word for word in _SEPARATOR.split(text or "") if word]
