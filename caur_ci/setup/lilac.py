"""What lilac's files of a package say, as far as they only declare something.

Nothing in them is run: `lilac.py` is parsed, and whatever it does beyond calling what lilac brings
along is told to people.
"""

from __future__ import annotations

import ast
import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from caur_ci.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

YAML_FILE, PYTHON_FILE = "lilac.yaml", "lilac.py"
_LARGEST = 256 * 1024
_FROM_AUR = "aur_pre_build"
# They bring another version into the PKGBUILD, or another commit, as on-schedule does by itself.
_VERSION_WRITERS = frozenset({"update_pkgver_and_pkgrel", "update_pkgver", "vcs_update"})
_HARMLESS = frozenset(
    {
        "git_pkgbuild_commit",
        "git_add_files",
        "git_commit",
        "aur_post_build",
        "update_aur_repo",
        "pypi_post_build",
        "npm_post_build",
        "git_rm_files",
    }
)
# What is known otherwise here: dependencies from `.SRCINFO` files, people from the history.
_NOT_NEEDED = frozenset({"maintainers", "repo_depends", "repo_makedepends", "managed", "packages"})
_HOOKS = (
    "pre_build",
    "post_build",
    "post_build_always",
    "pre_build_script",
    "post_build_script",
    "post_build_always_script",
)
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
# Of an entry of `update_on`, what is lilac's own.
_OWN = frozenset({"alias", "manual", "lilac_throttle"})


@dataclass(frozen=True, slots=True)
class Converted:
    """Lines for `.CI/config` in their order, the text of `nvchecker.toml`, and what is left out."""

    config: Mapping[str, str] = field(default_factory=dict)
    nvchecker: str = ""
    left_out: tuple[str, ...] = ()


def convert(package: str, lilac_yaml: bytes | None, lilac_py: bytes | None) -> Converted:
    """Return what the files of `package` mean here. Raises InputError for what is no YAML."""
    data = _loaded(package, lilac_yaml or b"")
    left_out = list(_unknown(data))
    calls = {name for key in _HOOKS for name in _called(str(data.get(key) or ""))}
    if lilac_py:
        found, more = _python(lilac_py)
        calls |= found
        left_out += more
    config: dict[str, str] = {}
    nvchecker = ""
    entries = [it for it in data.get("update_on") or () if isinstance(it, dict)]
    upstream = [it for it in entries if it.get("source") not in {None, "manual", "alias"}]
    if _FROM_AUR in calls or any(it.get("source") == "aur" for it in upstream):
        config["CI_PKGBUILD_SOURCE"] = "aur"
    elif upstream:
        config["CI_PKGBUILD_SOURCE"] = "custom"
        if not package.endswith(("-git", "-hg", "-svn", "-bzr")):
            config["CI_NVCHECKER"] = "true"
            nvchecker = _nvchecker(package, upstream[0])
    else:
        config["CI_PKGBUILD_SOURCE"] = "custom"
    if hours := _hours(data.get("time_limit_hours")):
        config["BUILDER_EXTRA_TIMEOUT"] = str(hours)
    left_out += [f"{it.get('alias')} of update_on" for it in entries if it.get("alias")]
    unknown = sorted(calls - _VERSION_WRITERS - _HARMLESS - {_FROM_AUR})
    left_out += [f"{name}()" for name in unknown]
    return Converted(config, nvchecker, tuple(dict.fromkeys(left_out)))


def _loaded(package: str, content: bytes) -> dict[str, Any]:
    if len(content) > _LARGEST:
        raise InputError(f"{package}/{YAML_FILE} is larger than {_LARGEST} bytes")
    try:
        data = yaml.safe_load(content)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(f"{package}/{YAML_FILE} cannot be read: {error}") from error
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise InputError(f"{package}/{YAML_FILE} holds no keys")
    return data


def _unknown(data: Mapping[str, Any]) -> Iterator[str]:
    known = {*_NOT_NEEDED, *_HOOKS, "update_on", "time_limit_hours"}
    yield from (str(key) for key in data if key not in known)


def _called(code: str) -> set[str]:
    """Return the functions of a script of one of the hooks, or the one function that is named."""
    if code.isidentifier():
        return {code}
    try:
        return _calls(ast.parse(code))
    except (SyntaxError, ValueError, RecursionError):
        return {"a script that is no Python"}


def _python(content: bytes) -> tuple[set[str], list[str]]:
    """Return the functions that a `lilac.py` calls, and what else it does."""
    try:
        tree = ast.parse(content[:_LARGEST])
    except (SyntaxError, ValueError, RecursionError):
        return set(), [f"{PYTHON_FILE}, which cannot be read"]
    names = _calls(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name):
            names.add(node.value.id)  # pre_build = aur_pre_build
    plain = (ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.Expr)
    own = [
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and not all(map(_is_one_call, node.body))
    ]
    other = [node for node in tree.body if not isinstance(node, (*plain, ast.FunctionDef))]
    told = [f"{name}() of {PYTHON_FILE}" for name in own]
    return names, [*told, *([f"code of {PYTHON_FILE}"] if other else [])]


def _calls(tree: ast.AST) -> set[str]:
    return {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }


def _is_one_call(node: ast.stmt) -> bool:
    return isinstance(node, ast.Pass) or (
        isinstance(node, (ast.Expr, ast.Return))
        and isinstance(node.value, (ast.Call, ast.Constant))
    )


def _nvchecker(package: str, entry: Mapping[str, Any]) -> str:
    """Return a section of nvchecker for the entry."""
    lines = [f'["{package}"]']
    for key, value in entry.items():
        if key in _OWN or not _BARE_KEY.fullmatch(str(key)):
            continue
        if value is None:  # lilac's short form: the key is the source, the package its name
            lines.append(f"{key} = {_toml(package)}")
        elif isinstance(value, bool | int | float | str):
            lines.append(f"{key} = {_toml(value)}")
    return "\n".join((*lines, ""))


def _toml(value: bool | float | str) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    text = value.replace("\\", "\\\\").replace('"', '\\"')
    return (
        '"' + "".join(f"\\u{ord(c):04x}" if ord(c) < 32 or ord(c) == 127 else c for c in text) + '"'
    )


def _hours(value: object) -> int:
    """Return how many hours a build may take, 0 for no more than the one it has by default."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 1 < value <= 1000:
        return math.ceil(value)
    return 0
