"""What is left to people once a repository is written: secrets, schedules, the build side."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from caur_ci.setup.pipelines import Forge

if TYPE_CHECKING:
    from caur_ci.setup.new_repository import NewRepository


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret of the pipelines. One that is not `needed` is for those who want what it is for."""

    name: str
    purpose: str
    needed: bool = True


_REDIS = Secret("REDIS_URL", "where the build queue is: rediss://USER:PASSWORD@HOST:6379")
_TUNNEL = Secret(
    "REDIS_SSH_KEY, REDIS_PASSWORD",
    "in its place, where .ci/config names a host for a tunnel (REDIS_SSH_HOST)",
    needed=False,
)
_AUR = Secret(
    "AUR_KEY",
    "the private SSH key of an account at the AUR: packages with CI_MANAGE_AUR are pushed there",
    needed=False,
)
_SECRETS = {
    Forge.GITLAB: (
        Secret(
            "ACCESS_TOKEN",
            "a project access token, role Maintainer, scopes api and "
            "write_repository: pushes the branch, the tag `scheduled`, `caur` and `state`",
        ),
        _REDIS,
        _TUNNEL,
        _AUR,
        Secret(
            "GITHUB_TOKEN",
            "a token without rights: -git packages are looked at faster",
            needed=False,
        ),
    ),
    Forge.GITHUB: (
        _REDIS,
        _TUNNEL,
        _AUR,
        Secret(
            "ACCESS_TOKEN",
            "where rules keep the job's own token from pushing the branch",
            needed=False,
        ),
    ),
    Forge.FORGEJO: (
        Secret(
            "ACCESS_TOKEN",
            "a token of an account that may push, scopes write:repository and write:issue: pushes "
            "the branch, the tag `scheduled`, `caur` and `state`",
        ),
        _REDIS,
        _TUNNEL,
        _AUR,
    ),
    Forge.NONE: (),
}
_KEY = Secret(
    "GPG_PRIVATE_KEY",
    "the key that packages are signed with, as `gpg --armor --export-secret-keys` prints it",
)
_PLACES = {
    Forge.GITLAB: "Settings > CI/CD > Variables, each masked and protected",
    Forge.GITHUB: "Settings > Secrets and variables > Actions",
    Forge.FORGEJO: "Settings > Actions > Secrets",
    Forge.NONE: "",
}
_SCHEDULES = {
    Forge.GITLAB: "Build > Pipeline schedules: one for `*/30 * * * *`",
    Forge.GITHUB: "",
    Forge.FORGEJO: "",
    Forge.NONE: "run `caur-ci on-commit` after each push, and `caur-ci on-schedule` every half an "
    "hour",
}
_LOCAL_RUNS = (
    "`caur-ci run` builds and publishes what is committed, `caur-ci run on-schedule` what is new"
)


def secrets_of(repository: NewRepository) -> tuple[Secret, ...]:
    """Return the secrets that the pipelines of a repository read."""
    secrets = _SECRETS[repository.forge]
    if not repository.serverless or repository.forge is Forge.NONE:
        return secrets
    return (_KEY, *(secret for secret in secrets if secret not in {_REDIS, _TUNNEL}))


def next_steps(repository: NewRepository) -> list[str]:
    """Return what people have to do, in this order."""
    forge = repository.forge
    steps = [
        (
            "commit and push, after `git remote add origin URL` if there is no remote yet: "
            "`git add --all && git commit -m 'feat: begin' && git push -u origin main`"
        ),
    ]
    if secrets := secrets_of(repository):
        names = ", ".join(secret.name for secret in secrets if secret.needed)
        steps.insert(0, f"set the secrets ({_PLACES[forge]}): {names}")
    if forge is Forge.GITHUB and repository.review:
        steps.insert(
            1, "allow GitHub Actions to create pull requests (Settings > Actions > General)"
        )
    here = repository.serverless and forge is Forge.NONE
    if schedule := _LOCAL_RUNS if here else _SCHEDULES[forge]:
        steps.append(schedule)
    if repository.serverless:
        return [*steps, "tell readers where the packages are: see docs/hosting.md of caur-ci"]
    source = json.dumps({repository.source_repo: {"url": "URL OF THIS REPOSITORY"}})
    target = json.dumps({repository.target_repo: {}})
    steps.append(
        f"on the build side, name both repositories: PACKAGE_REPOS='{source}' and "
        f"PACKAGE_TARGET_REPOS='{target}'"
    )
    return steps
