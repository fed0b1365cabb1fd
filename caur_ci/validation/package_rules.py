"""What can be found about recipes, what they need, and the files beside them."""

from __future__ import annotations

from caur_ci.validation.model import Rule, Severity

_ERROR, _WARNING, _NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE
_WRITE = "`caur-ci srcinfo --write PACKAGE` writes it; `--fix` does where that takes no makepkg."

PACKAGE_RULES: dict[str, tuple[Rule, ...]] = {
    "Folders and names": (
        Rule(
            "folder-name",
            _ERROR,
            "the folder is ignored: its name cannot be that of a package",
            "Rename it to its pkgbase, or begin the name with a dot.",
        ),
        Rule(
            "folder-submodule",
            _WARNING,
            "the folder is ignored: it is another repository, and its files are not here",
            "Commit its files instead, or set CI_PKGBUILD_SOURCE to its URL.",
        ),
        Rule(
            "folder-empty",
            _NOTE,
            "the folder holds no package: neither PKGBUILD nor .SRCINFO nor .CI/config",
            "Begin its name with a dot where it is meant for something else.",
        ),
        Rule(
            "unchecked",
            _ERROR,
            "it could not be checked to the end: {what}",
            "This is a bug in caur-ci: report it with the folder.",
        ),
        Rule(
            "name-capitals",
            _NOTE,
            "{what} has capitals, which pacman advises against",
            "Write it in small letters, or silence this.",
        ),
        Rule(
            "pkgbase-other",
            _WARNING,
            "the folder holds the pkgbase {what}; the folder's name counts here",
            "Give the folder the name of the pkgbase.",
        ),
        Rule(
            "pkgname-shared",
            _WARNING,
            "the package {what}; only one of them can be published",
            "Drop one of them, or name it in CI_ALLOW_NAMES of the folder that may.",
        ),
    ),
    "PKGBUILD and .SRCINFO": (
        Rule(
            "pkgbuild-missing",
            _ERROR,
            "there is no PKGBUILD, and no source that it could come from",
            "Commit one, or set CI_PKGBUILD_SOURCE in .CI/config.",
        ),
        Rule(
            "pkgbuild-awaited",
            _NOTE,
            "there is no PKGBUILD yet; on-schedule brings it from {what}",
            "Nothing, unless it stays so.",
        ),
        Rule(
            "pkgbuild-refused",
            _ERROR,
            "makepkg refuses it: {what}",
            "Correct it; `makepkg --printsrcinfo` tells the same.",
        ),
        Rule("srcinfo-missing", _ERROR, "there is no .SRCINFO that is a file{what}", _WRITE, True),
        Rule("srcinfo-unreadable", _ERROR, "it cannot be used: {what}", _WRITE, True),
        Rule("srcinfo-stale", _ERROR, "it does not follow from the PKGBUILD: {what}", _WRITE, True),
    ),
    "Dependencies": (
        Rule(
            "relation-unreadable",
            _WARNING,
            "{what} is neither a package nor a soname",
            "Write a name, then if needed < <= = >= > and a version.",
        ),
        Rule(
            "dependency-unmet",
            _WARNING,
            "{what}: nobody provides it",
            "Correct the name, add the package here, or name the database that has it.",
        ),
        Rule(
            "dependency-version",
            _WARNING,
            "{what}",
            "Correct the version, or name the database that has it.",
        ),
        Rule(
            "dependency-cycle",
            _WARNING,
            "it needs itself: {what}",
            "Take one of the dependencies out, or keep a package to begin with; one is built first "
            "without the rest.",
        ),
    ),
    "Sources": (
        Rule(
            "source-missing",
            _ERROR,
            "the source {what} is neither a URL nor a file of the folder",
            "Commit the file, or take it out of `source`.",
        ),
        Rule(
            "install-missing",
            _ERROR,
            "the file {what} is not in the folder",
            "Commit it, or take it out of the PKGBUILD.",
        ),
        Rule(
            "sums-missing",
            _ERROR,
            "none of the sources has a sum",
            "Run `updpkgsums`; sources that are repositories take SKIP.",
        ),
        Rule(
            "sum-count",
            _ERROR,
            "{what}: makepkg wants one for each source",
            "Run `updpkgsums`.",
        ),
        Rule(
            "sum-skipped",
            _WARNING,
            "nothing proves the source {what} right",
            "Run `updpkgsums`. SKIP is for repositories, signatures and what is signed.",
        ),
        Rule(
            "sum-skipped-here",
            _NOTE,
            "the sum of {what}, a file of the folder, is SKIP without need",
            "Run `updpkgsums`.",
        ),
        Rule(
            "sum-weak",
            _NOTE,
            "the sources have no stronger sums than {what}",
            "Use sha256sums or b2sums.",
        ),
    ),
    "Licences": (
        Rule(
            "license-missing",
            _WARNING,
            "no licence is told",
            "Set `license` to SPDX identifiers.",
        ),
        Rule(
            "license-unknown",
            _WARNING,
            "{what} is no SPDX licence expression",
            "Write it as at https://spdx.org/licenses/, or LicenseRef-NAME for one that is not "
            "there.",
        ),
        Rule(
            "license-old",
            _NOTE,
            "{what} is a name from before SPDX",
            "Write it as at https://spdx.org/licenses/, or LicenseRef-NAME for one that is not "
            "there.",
        ),
    ),
    "Files": (
        Rule(
            "crlf-in-code",
            _ERROR,
            "lines end as on Windows, which bash does not read",
            "`dos2unix` it, or `--fix`.",
            True,
        ),
        Rule(
            "crlf-in-text", _WARNING, "lines end as on Windows", "`dos2unix` it, or `--fix`.", True
        ),
        Rule(
            "byte-order-mark",
            _ERROR,
            "it begins with a byte order mark, which bash takes for a command",
            "Save it as UTF-8 without one, or `--fix`.",
            True,
        ),
        Rule("not-utf8", _WARNING, "it is not UTF-8: {what}", "Save it as UTF-8."),
        Rule(
            "executable",
            _WARNING,
            "it is executable, and nobody runs it as a program",
            "`chmod -x` it, or `--fix`.",
            True,
        ),
        Rule(
            "link-outside",
            _ERROR,
            "it is a link to {what}, outside of the folder",
            "Commit the file itself: only the folder is there in a build.",
        ),
        Rule(
            "submodule-inside",
            _ERROR,
            "it is a submodule, which a package cannot have",
            "Name it in `source`, or commit its files.",
        ),
        Rule(
            "file-too-large",
            _ERROR,
            "it has {what}, more than a package may have",
            "Name a place that it is downloaded from in `source`.",
        ),
        Rule(
            "folder-too-large",
            _ERROR,
            "the folder has {what}, more than a package may have",
            "Name places that files are downloaded from in `source`.",
        ),
        Rule(
            "aur-refuses",
            _ERROR,
            "the AUR would refuse it: {what}",
            "Correct it, or take CI_MANAGE_AUR out of .CI/config.",
        ),
    ),
}
