"""`.ci/schedule-params.txt`, the hand-over form that the existing manager's pipelines source.

It is a piece of bash: the variables of the tunnel to Redis, and one array each with the arguments
of `schedule` and of `auto-repo-remove` (which there takes the packages to keep).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from caur_ci.architectures import DEFAULT_ARCHITECTURE
from caur_ci.names import is_legacy_package_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from caur_ci.config import RepositoryConfig
    from caur_ci.request import BuildRequest, PackageRequest

_ESCAPED_IN_DOUBLE_QUOTES = re.compile(r'(["\\$`])')


def schedule_params(
    request: BuildRequest,
    config: RepositoryConfig,
    *,
    keep: Sequence[str],
    environ: Mapping[str, str],
) -> str:
    """Return the content of `.ci/schedule-params.txt` for `request`.

    `keep` are all packages that exist; `environ` is asked for the tunnel where the configuration
    does not describe it. Names that the manager refuses are left out, see `not_expressible`. It
    knows no rebuild groups: a comment says which packages are published one by one there. One call
    is for one architecture: each but the first has arrays of its own, whose names end in it.
    """
    settings = ((name, value or environ.get(name, "")) for name, value in _redis(config))
    # A line without a value would hide what the schedule job finds in its own environment.
    lines = [f"declare -x {name}={_quoted(value)}" for name, value in settings if value]
    if groups := sorted({package.group for package in request.packages if package.group}):
        lines.append(
            f"# Not known here, and published one by one: rebuild groups {' '.join(groups)}"
        )
    for arch, packages in _by_architecture(request).items():
        array = _name_for("PARAMS_SCHEDULE", request, arch)
        lines.append(_array(array, _schedule(request, arch, packages)))
    for arch in request.removes_from if request.remove and keep else ():
        words = [
            "auto-repo-remove",
            f"--target-repo={request.target_repo}",
            *_architecture_option(arch),
            "--commit",
            request.commit_reference or request.commit,
            *keep,
        ]
        lines.append(_array(_name_for("PARAMS_AUTOREPOREMOVE", request, arch), words))
    return "".join(f"{line}\n" for line in lines)


def not_expressible(request: BuildRequest) -> list[str]:
    """Return the packages of `request` that the existing manager refuses by their names."""
    names = dict.fromkeys(package.pkgbase for package in request.packages)
    return [name for name in names if not is_legacy_package_name(name)]


def _redis(config: RepositoryConfig) -> Iterator[tuple[str, str]]:
    yield "REDIS_SSH_HOST", config.redis_ssh_host
    yield "REDIS_SSH_PORT", str(config.redis_ssh_port or "")
    yield "REDIS_SSH_USER", config.redis_ssh_user
    yield "REDIS_PORT", str(config.redis_port or "")


def _by_architecture(request: BuildRequest) -> dict[str, list[PackageRequest]]:
    found: dict[str, list[PackageRequest]] = {}
    for package in request.packages:
        found.setdefault(package.arch or request.arch, []).append(package)
    return found


def _name_for(array: str, request: BuildRequest, arch: str) -> str:
    return array if arch == request.arch else f"{array}_{arch}"


def _architecture_option(arch: str) -> list[str]:
    return [] if arch == DEFAULT_ARCHITECTURE else [f"--arch={arch}"]


def _schedule(
    request: BuildRequest, arch: str, packages: Iterable[PackageRequest]
) -> Iterator[str]:
    yield "schedule"
    yield f"--target-repo={request.target_repo}"
    yield f"--source-repo={request.source_repo}"
    yield from _architecture_option(arch)
    yield "--commit"
    yield request.commit_reference or request.commit
    if request.arch_mirror:
        yield f"--arch-mirror={request.arch_mirror}"
    for package in packages:
        if is_legacy_package_name(package.pkgbase):
            build_class = f"/{package.build_class}" if package.build_class else ""
            yield package.pkgbase + build_class


def _array(name: str, words: Iterable[str]) -> str:
    elements = " ".join(f"[{index}]={_quoted(word)}" for index, word in enumerate(words))
    return f"declare -a {name}=({elements})"


def _quoted(word: str) -> str:
    return '"' + _ESCAPED_IN_DOUBLE_QUOTES.sub(r"\\\1", word) + '"'
