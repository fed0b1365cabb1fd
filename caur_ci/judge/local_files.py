"""The files of a package beside PKGBUILD and `.SRCINFO`: what is unpacked, installed or run."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from caur_ci.judge.catalogue import finding
from caur_ci.judge.code import NewCode
from caur_ci.judge.content import Kind, has_false_suffix, interpreter, is_shell, kind_of
from caur_ci.judge.disguise import judge_text, new_lines
from caur_ci.judge.package import PKGBUILD
from caur_ci.judge.powers import TOP, suspicious_in, text_powers
from caur_ci.judge.script import Script
from caur_ci.judge.sources import Source, suffixes
from caur_ci.judge.versions import Forms
from caur_ci.pkgbuild import UnparsableError
from caur_ci.srcinfo import SRCINFO

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from caur_ci.judge.model import Finding
    from caur_ci.judge.package import File
    from caur_ci.judge.pair import Pair, Side

RECIPE = (PKGBUILD, SRCINFO)
PATCHES = (".patch", ".diff")
_OPAQUE = {
    Kind.PROGRAM: "binary-file",
    Kind.ARCHIVE: "archive-file",
    Kind.BINARY: "not-text",
}
# Text that is new: more of it takes too long to look through.
_MOST_TEXT = 1024**2
_INERT = re.compile(
    r"(?:README|LICEN[CS]ES?|COPYING|CHANGELOG|NOTICE|AUTHORS|CONTRIBUTING|REUSE)(?:[.-][\w.-]+)?|"
    r"LICENSES/[\w.-]+|\.(?:editorconfig|gitattributes)|keys/pgp/[0-9A-Fa-f]+\.asc",
    re.IGNORECASE,
)
# What a file of this name does where it is installed.
_BY_NAME: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (code, re.compile(pattern, re.IGNORECASE))
    for code, pattern in (
        ("pacman-hook", r"\.hook$"),
        (
            "system-lookalike",
            r"^(?:systemd|dbus|kernel|kworker|udev)-\w*d(?:\.\w+)?$",
        ),
        ("systemd-unit", r"\.(?:service|timer|socket|path|mount|target)$|\.preset$"),
        ("privilege-rules", r"sudoers|\.policy$|\.pam$|polkit|pam[._-]d?|doas\.conf"),
        ("udev-rule", r"\.rules$"),
        ("autostart", r"autostart"),
        ("cron-job", r"\bcron|crontab"),
        ("shell-profile", r"profile\.d|(?:^|/)\.?(?:bashrc|zshrc|profile)$|profile\.sh$"),
        ("preload", r"ld\.so\.(?:preload|conf)"),
        ("trust-store", r"\.(?:crt|pem|cer|der)$|trust-source"),
        ("pacman-trust", r"pacman\.conf|makepkg\.conf|mirrorlist|-trusted$|-revoked$"),
    )
)


class LocalFiles:
    """Compares the files of two folders. `pair` is None where a PKGBUILD cannot be read."""

    def __init__(self, old: Mapping[str, File], new: Mapping[str, File], pair: Pair | None) -> None:
        self._old, self._new, self._pair = old, new, pair
        self._forms = pair.forms if pair is not None else Forms(())

    @property
    def changed(self) -> frozenset[str]:
        """The paths of the files that are new or have another content."""
        return frozenset(path for path, file in self._new.items() if self._old.get(path) != file)

    def findings(self) -> Iterator[Finding]:
        """Yield what changed in files beside the recipe."""
        for path in sorted({*self._old, *self._new}):
            old, new = self._old.get(path), self._new.get(path)
            if old == new:
                continue
            if path in RECIPE:
                yield from self._about_recipe_file(path, old, new)
            elif new is None:
                yield finding("file-removed", file=path, what=path)
            else:
                yield from self._changed(path, old, new)
        yield from self._shadows()

    def _about_recipe_file(
        self, path: str, old: File | None, new: File | None
    ) -> Iterator[Finding]:
        if new is None:
            return
        if new.link:
            yield finding("link", file=path, what=path)
        elif old is not None and old.executable != new.executable:
            yield finding("file-mode", file=path, what=path)

    def _changed(self, path: str, old: File | None, new: File) -> Iterator[Finding]:
        if new.link and not self._is_inert(path, new):
            target = new.content.decode("utf-8", "replace")
            yield finding("link", file=path, new=target, what=f"{path} → {target}")
            return
        before = None if old is None or old.link else old.content
        if before == new.content:
            yield finding("file-mode", file=path, what=path)
            return
        if self._is_inert(path, new):
            yield from judge_text(path, before, new.content, is_code=False, has_long_lines=True)
            yield finding("inert-file", file=path, what=path)
            return
        yield self._kind_of_change(path, new.content, is_new=before is None)
        yield from self._about_content(path, before, new.content)

    def _about_content(self, path: str, old: bytes | None, new: bytes) -> Iterator[Finding]:
        kind = kind_of(new)
        if has_false_suffix(path, kind):
            yield finding("false-suffix", file=path, what=f"{path}, by its content: {kind.value}")
        for code, pattern in _BY_NAME:
            if pattern.search(path.rpartition("/")[2]) or pattern.search(path):
                yield finding(_told_apart(code, new), file=path, what=path)
                break
        if kind in _OPAQUE:
            yield finding(_OPAQUE[kind], file=path, what=path)
        elif kind in {Kind.TEXT, Kind.SCRIPT}:
            yield from self._about_text(path, old, new)

    def _kind_of_change(self, path: str, content: bytes, *, is_new: bool) -> Finding:
        if path.endswith(".install") or path in self._installs():
            return finding("install-added" if is_new else "install-changed", file=path, what=path)
        what = "patch" if path.endswith(PATCHES) or content.startswith(b"diff --git") else "file"
        return finding(f"{what}-{'added' if is_new else 'changed'}", file=path, what=path)

    def _installs(self) -> set[str]:
        if self._pair is None:
            return set()
        new = self._pair.new
        return {new.text("install")} | {
            it.value
            for fields in new.evaluation.overrides.values()
            for name, it in fields.items()
            if name == "install" and isinstance(it.value, str)
        }

    def _about_text(self, path: str, old: bytes | None, new: bytes) -> Iterator[Finding]:
        lines = list(new_lines(old, new.decode("utf-8", "replace")))
        if sum(len(line) for _, line in lines) > _MOST_TEXT:
            yield finding("too-large", file=path, what=f"{len(new):,} bytes")
            return
        is_patch = path.endswith(PATCHES) or new.startswith(b"diff --git")
        shell = is_shell(path, new) and not is_patch
        yield from judge_text(path, old, new, is_code=shell, has_long_lines=not shell)
        if shell:
            yield from self._about_script(path, old, new)
            return
        if is_patch:
            lines = _added(lines, old)
        counts: Counter[str] = Counter()
        is_program = bool(interpreter(new))
        for number, line in lines:
            found = list(text_powers(line))
            if is_program and (what := suspicious_in(line)):
                found.append(("network-used", what))
            for code, what in found:
                counts[code] += 1
                if counts[code] <= 5:
                    yield finding(code, file=path, line=number, new=line, what=what)

    def _about_script(self, path: str, old: bytes | None, new: bytes) -> Iterator[Finding]:
        try:
            script = Script(new, origin=path)
            before = Script(old, origin=path) if old is not None else None
        except UnparsableError as error:
            yield finding("unreadable", file=path, what=error.message)
            return
        if script.has_errors:
            line = next(iter(script.tree.error_lines(1)), 0)
            yield finding("syntax-error", file=path, line=line)
        if self._pair is not None:
            for it in (script, before):
                if it is not None:
                    it.know({}, ())
        code = NewCode(path, before, script, self._forms)
        root = [] if before is None else [before.tree.root]
        yield from code.findings(TOP, root, [script.tree.root], installs=path.endswith(".install"))

    def _is_inert(self, path: str, new: File) -> bool:
        """Tell whether a file says something to people, and nothing uses it."""
        if new.executable or self._pair is None or kind_of(new.content) is not Kind.TEXT:
            return False
        side = self._pair.new
        if path != side.text("changelog") and not _INERT.fullmatch(path):
            return False
        target = new.content.decode("utf-8", "replace")
        if new.link and not _INERT.fullmatch(target.removeprefix("../")):
            return False
        name = path.rpartition("/")[2]
        text = side.script.tree.data.decode("utf-8", "replace")
        used = any(
            name == source.name
            for suffix in suffixes(self._pair)
            for source in map(Source.of, side.elements(f"source{suffix}"))
        )
        # Only what is a source gets to where functions are run.
        reached = name in text and re.search(r"startdir|\.\./|BUILDDIR|BUILDFILE", text)
        return not used and not reached and path not in self._installs()

    def _shadows(self) -> Iterator[Finding]:
        names = Counter(path.casefold().lstrip(".") for path in self._new)
        fetched = set[str]()
        if self._pair is not None:
            before = set(_fetched(self._pair.old, self._pair)) & self._old.keys()
            fetched = set(_fetched(self._pair.new, self._pair)) - before
        for path in sorted(self._new.keys() - set(RECIPE)):
            if path not in self.changed and path not in fetched:
                continue
            alike = path not in self._old and names[path.casefold().lstrip(".")] > 1
            poses = path.casefold().lstrip(".") in {"pkgbuild", "srcinfo"}
            if alike or poses or path in fetched:
                yield finding("shadow-file", file=path, what=path)


def _fetched(side: Side, pair: Pair) -> Iterator[str]:
    """Yield the names of the files that makepkg would fetch, unless there are such files."""
    for suffix in suffixes(pair):
        for text in side.elements(f"source{suffix}"):
            source = Source.of(text)
            if not source.is_local:
                yield source.name


def _added(lines: list[tuple[int, str]], old: bytes | None) -> list[tuple[int, str]]:
    """Return what the new lines of a patch add, without what it only moves."""
    gone = {line[1:].strip() for _, line in lines if line.startswith("-")}
    had = {line[1:].strip() for line in (old or b"").decode("utf-8", "replace").split("\n")}
    return [
        (number, line[1:])
        for number, line in lines
        if line.startswith("+") and not line.startswith("+++")
        if line[1:].strip() not in gone and line[1:].strip() not in had
    ]


def _told_apart(code: str, content: bytes) -> str:
    """Return the code of a file by what it holds, where its name says too little."""
    if code == "udev-rule" and b"polkit." in content:
        return "privilege-rules"
    return code
