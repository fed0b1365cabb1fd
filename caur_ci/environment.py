"""The process environment: which variables are secret, and what a child process may see."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path

from caur_ci.errors import ConfigError

# Variables whose value alone gives somebody access to something.
SECRET_NAMES = frozenset(
    {
        "ACCESS_TOKEN",
        "API_TOKEN",
        "AUR_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "CI_BUILD_TOKEN",
        "CI_DEPENDENCY_PROXY_PASSWORD",
        "CI_DEPLOY_PASSWORD",
        "CI_JOB_JWT",
        "CI_JOB_TOKEN",
        "CI_REGISTRY_PASSWORD",
        "CI_REPOSITORY_URL",  # GitLab writes the job token into it
        "DEPLOY_KEY",
        "GH_TOKEN",
        "GITHUB_TOKEN",
        "GITLAB_TOKEN",
        "GPG_PASSPHRASE",
        "GPG_PRIVATE_KEY",
        "NOTIFY_TARGETS",
        "NOTIFY_URLS",
        "PACKAGE_REPOS_NOTIFIERS",
        "PUBLISH_SSH_KEY",
        "REDIS_PASSWORD",
        "REDIS_SSH_KEY",
        "REDIS_URL",
        "TELEGRAM_BOT_TOKEN",
    }
)
# What is mounted into containers, or handed over by systemd, are files: REDIS_PASSWORD_FILE names
# one with what REDIS_PASSWORD would hold.
_IN_A_FILE = "_FILE"
_LARGEST_SECRET = 1024 * 1024
_SECRET_PREFIXES = ("ACTIONS_ID_TOKEN_", "ACTIONS_RUNTIME_")

# Set by git for its hooks; they would point our own git calls at another repository.
_GIT_LOCATION_NAMES = frozenset(
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_DIR",
        "GIT_INDEX_FILE",
        "GIT_NAMESPACE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_WORK_TREE",
    }
)


def is_secret(name: str) -> bool:
    """Tell whether the variable `name` holds a secret."""
    return name in SECRET_NAMES or name.startswith(_SECRET_PREFIXES)


class Secrets(Mapping[str, str]):
    """Secrets by variable name. Printing it shows the names only."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        self._values = dict(values or {})

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Secrets({', '.join(sorted(self._values))})"

    def redact(self, text: str) -> str:
        """Replace every secret value that occurs in `text` by stars."""
        for value in sorted(self._values.values(), key=len, reverse=True):
            if len(value) >= 4:
                text = text.replace(value, "***")
        return text


def first_of(secrets: Mapping[str, str], *names: str) -> str:
    """Return the first of these secrets that there is, empty where there is none."""
    return next((secrets[name] for name in names if secrets.get(name)), "")


def take_secrets(environ: MutableMapping[str, str] | None = None) -> Secrets:
    """Move the secrets out of `environ` (default: this process's environment).

    After this call no child process inherits them, whichever library starts it. Those that are
    in files (`NAME_FILE`) are read, where the variable itself is not set. Raises ConfigError for a
    file that cannot be read.
    """
    environ = os.environ if environ is None else environ
    names = [name for name in environ if is_secret(name)]
    secrets = {name: environ.pop(name) for name in names}
    for name in sorted(SECRET_NAMES):
        path = environ.pop(name + _IN_A_FILE, "")
        if path and not secrets.get(name):
            secrets[name] = _read_secret(name + _IN_A_FILE, Path(path))
    return Secrets(secrets)


def _read_secret(variable: str, path: Path) -> str:
    """Return what the file holds, without the end of its last line unless there are more lines."""
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(_LARGEST_SECRET)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ConfigError(
            f"{variable}: the file {path} cannot be read: {reason}",
            hint=f"It holds what the variable {variable.removesuffix(_IN_A_FILE)} would.",
        ) from error
    line = text.rstrip("\r\n")
    return text if "\n" in line else line


def child_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for a child process: ours without secrets, in the C locale."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not is_secret(name) and name not in _GIT_LOCATION_NAMES
    }
    # The output of the tools is read by programs; UTF-8 so that file names survive.
    environment["LC_ALL"] = "C.UTF-8"
    environment.update(extra or {})
    return environment
