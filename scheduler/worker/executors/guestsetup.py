"""What pacman is told about repositories and keys (files for pacman.sh), and asked to install."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from caur_ci.architectures import base_of, is_flavour
from caur_ci.errors import ConfigError, InputError
from caur_ci.names import check_repository_name
from caur_ci.relations import Relation
from scheduler.worker.executors.protocol import StepResult
from scheduler.worker.executors.step_process import CollectingWatch, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import PurePosixPath

    from scheduler.settings import ExtraRepository
    from scheduler.worker.executors.protocol import BuildSpec, Watch

    Run = Callable[[Sequence[str], Watch], StepResult]

_MIRROR = re.compile(r"(https?|file)://[^\s]+")
_IN_REPOSITORY = "/$repo/os/$arch"
# What pacman --deptest says then.
_SOME_ARE_MISSING = 127
_SAFE_KEYRINGS = ("https://", "file://", "/")


def write_setup(build_spec: BuildSpec, folder: Path, inside: PurePosixPath) -> dict[str, str]:
    """Write the new `folder`, which containers see at `inside`; return what steps are told.

    Raises ConfigError or InputError for what pacman cannot be told.
    """
    folder.mkdir()
    target = build_spec.target
    if build_spec.arch_mirror:
        _write(folder / "mirrorlist", f"Server = {_mirror(build_spec.arch_mirror)}\n")
    if is_flavour(build_spec.arch):
        accepted = (base_of(build_spec.arch), build_spec.arch)
        _write(folder / "architectures", f"{' '.join(accepted)}\n")
    _copy_all(target.keys, folder / "keys")
    keyrings = _keyrings(build_spec, folder / "packages", inside / "packages")
    if keyrings:
        _write(folder / "keyrings", "".join(f"{keyring}\n" for keyring in keyrings))
    sections = [_section(build_spec, extra) for extra in _repositories(build_spec)]
    (folder / "repositories").mkdir()
    for number, section in enumerate(sections):
        _write(folder / "repositories" / f"{number:03}", section)
    servers = [
        _servers(build_spec, extra) for extra in target.extra_repos if extra.name == target.name
    ]
    if servers:
        _write(folder / "target", target.name)
        _write(folder / "target-servers", "".join(f"{server}\n" for server in servers[0]))
        if not (target.keys or target.extra_keyrings):
            _write(folder / "own-key", "")
    if build_spec.staging is not None and servers:
        _write(folder / "staging", build_spec.staging.name)
        _write(folder / "staging-servers", "".join(f"{it}\n" for it in build_spec.staging.servers))
        if build_spec.needs_staged:
            _write(folder / "needs-staged", "")
    return {
        "EXTRA_PACMAN_REPOS": "\n".join(sections),
        "EXTRA_PACMAN_KEYRINGS": " ".join(target.extra_keyrings),
        "PACMAN_REPO": target.name,
    }


def install_missing(
    relations: Sequence[str], watch: Watch, *, look: Run, install: Run
) -> StepResult:
    """Have pacman install what is missing of `relations`; see `Guest.install`.

    `look` runs a command as somebody without rights, `install` as root.
    """
    for relation in relations:
        Relation.parse(relation)
    if not relations:
        return StepResult(0)
    collected = CollectingWatch(watch)
    ending = look(["pacman", "--deptest", "--", *relations], collected)
    if ending.code != _SOME_ARE_MISSING:
        watch.output(bytes(collected.data))
        return ending
    listed = set(collected.lines())
    missing = [relation for relation in dict.fromkeys(relations) if relation in listed]
    say(watch, f"installing {' '.join(missing)}")
    command = ["pacman", "--sync", "--needed", "--asdeps", "--noconfirm", "--", *missing]
    return install(command, watch)


def _repositories(build_spec: BuildSpec) -> Iterator[ExtraRepository]:
    """Yield the extra repositories; where two have a package, pacman takes that of the first."""
    for extra in build_spec.target.extra_repos:
        if build_spec.staging is not None and extra.name == build_spec.target.name:
            yield build_spec.staging
        yield extra


def _mirror(text: str) -> str:
    if not _MIRROR.fullmatch(text):
        raise InputError(f"the mirror {text!r} of the job is not a URL")
    return text if "$repo" in text else text.rstrip("/") + _IN_REPOSITORY


def _section(build_spec: BuildSpec, extra: ExtraRepository) -> str:
    lines = [f"[{check_repository_name(extra.name)}]"]
    if extra.sig_level:
        lines.append(f"SigLevel = {extra.sig_level}")
    lines += [f"Server = {server}" for server in _servers(build_spec, extra)]
    return "\n".join(lines)


def _servers(build_spec: BuildSpec, extra: ExtraRepository) -> list[str]:
    servers = [server.replace("$repo", extra.name) for server in extra.servers]
    if extra.name == build_spec.target.name or build_spec.arch in extra.architectures:
        # pacman would put in the name of the machine, which x86_64_v3 and the like are not.
        return [server.replace("$arch", build_spec.arch) for server in servers]
    return servers


def _keyrings(build_spec: BuildSpec, folder: Path, inside: PurePosixPath) -> list[str]:
    found = []
    for keyring in build_spec.target.extra_keyrings:
        if not keyring.startswith(_SAFE_KEYRINGS):
            raise ConfigError(
                f"the keyring {keyring} of {build_spec.target.name} would come over an open line",
                hint="Name it by an https:// URL, or a file on the worker.",
            )
        if keyring.startswith("https://"):
            found.append(keyring)
            continue
        path = Path(keyring.removeprefix("file://"))
        _copy_all([path], folder)
        found.append(str(inside / path.name))
    return found


def _copy_all(paths: tuple[Path, ...] | list[Path], folder: Path) -> None:
    if not paths:
        return
    folder.mkdir(exist_ok=True)
    for path in paths:
        try:
            shutil.copyfile(path, folder / path.name)
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}") from error
        (folder / path.name).chmod(0o644)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o644)
