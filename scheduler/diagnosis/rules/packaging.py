"""makepkg, pacman, patch, and the shell that PKGBUILDs are written in."""

from __future__ import annotations

from scheduler.diagnosis.rules.rule import Rank, Rules
from scheduler.job import FailureClass

RULES = Rules()
_add = RULES.add

_add(
    "makepkg",
    Rank.CAUSE,
    FailureClass.SIGNATURE,
    ("failed (", r"^ {4}\S.* \.\.\. FAILED \("),
    ("not found", r"^ {4}\S.* \.\.\. SIGNATURE NOT FOUND"),
)
_add(
    "makepkg",
    Rank.CAUSE,
    FailureClass.CHECKSUM,
    ("... failed", r"^ {4}\S.* \.\.\. FAILED$"),
    ("integrity checks", r"^==> ERROR: Integrity checks \(.*\) differ in size"),
    ("integrity checks", r"^==> ERROR: Integrity checks are missing"),
)
_add(
    "makepkg",
    Rank.CONSEQUENCE,
    FailureClass.CHECKSUM,
    ("validity check", r"files did not pass the validity check"),
)
_add(
    "makepkg",
    Rank.CONSEQUENCE,
    FailureClass.SIGNATURE,
    ("could not be verified", r"PGP signatures could not be verified"),
)
_add(
    "makepkg",
    Rank.CAUSE,
    FailureClass.SOURCE_MISSING,
    ("is not a url", r"was not found in the build directory and is not a URL"),
    ("source file", r"Unable to find source file"),
    ("download protocol", r"Unknown download protocol"),
    ("is not a clone", r"is not a clone of"),
    ("unrecognized reference", r"Unrecognized reference"),
    ("not found", r"^ {4}\S.* \.\.\. NOT FOUND"),
)
_add(
    "makepkg",
    Rank.LIKELY,
    FailureClass.SOURCE_MISSING,
    ("failure while", r"^==> ERROR: Failure while (?:creating|updating) working copy"),
)
_add(
    "makepkg",
    Rank.CONSEQUENCE,
    FailureClass.SOURCE_MISSING,
    ("failure while", r"^==> ERROR: Failure while"),
)
_add(
    "makepkg",
    Rank.CAUSE,
    FailureClass.MISSING_DEPENDENCY,
    ("missing dependencies", r"^==> Missing dependencies:"),
)
_add(
    "makepkg",
    Rank.CONSEQUENCE,
    FailureClass.MISSING_DEPENDENCY,
    ("all dependencies", r"^==> ERROR: Could not resolve all dependencies"),
    ("missing dependencies", r"^==> ERROR: 'pacman' failed to install missing dependencies"),
)
_add(
    "makepkg",
    Rank.CONSEQUENCE,
    None,
    ("a failure occurred", r"^==> ERROR: A failure occurred in "),
    ("==> error", r"^==> ERROR: The build failed"),
    ("package file", r"^==> ERROR: Failed to create package file"),
)
_add("makepkg", Rank.LIKELY, None, ("==> error", r"^==> ERROR: "))

_add(
    "patch",
    Rank.CAUSE,
    FailureClass.PATCH,
    ("failed at", r"^Hunk #\d+ FAILED at"),
    ("patch failed", r"^error: patch failed: "),
    ("does not apply", r": patch does not apply$"),
    ("file to patch", r"can't find file to patch"),
    ("previously applied", r"Reversed \(or previously applied\) patch detected"),
    ("patch: ****", r"^patch: \*\*\*\* "),
    ("malformed patch", r"malformed patch"),
    ("corrupt patch", r"corrupt patch"),
)
_add(
    "patch",
    Rank.CONSEQUENCE,
    FailureClass.PATCH,
    (" hunk", r"^\d+ out of \d+ hunks? (?:FAILED|ign)"),
)

_add(
    "pacman",
    Rank.CAUSE,
    FailureClass.INFRASTRUCTURE,
    ("retrieving file", r"failed retrieving file"),
    ("lock database", r"unable to lock database"),
    ("corrupted", r"invalid or corrupted (?:package|database)"),
    ("unknown trust", r"is unknown trust"),
    ("gpgme", r"^error: GPGME error"),
    ("download library", r"download library error"),
)
_add(
    "pacman",
    Rank.CAUSE,
    FailureClass.MISSING_DEPENDENCY,
    ("target not found", r"^error: target not found: "),
    ("unable to satisfy", r"unable to satisfy dependency"),
    ("breaks dependency", r"^:: .* breaks dependency "),
    ("are in conflict", r"are in conflict"),
    (" exists in ", r"^\S+: /\S+ exists in (?:filesystem|both )"),
    ("find all required", r"could not find all required packages"),
)
_add(
    "pacman",
    Rank.CONSEQUENCE,
    None,
    ("failed to", r"^error: failed to (?:prepare|commit|init|synchronize) "),
    ("unresolvable", r"^error: unresolvable package conflicts"),
)

_add(
    "shell",
    Rank.CAUSE,
    FailureClass.MISSING_DEPENDENCY,
    ("not found", r"^\S+: line \d+: \S+: command not found$"),
    ("not found", r"^(?:\S*/)?(?:ba|da|z)?sh: (?:line )?\d+: \S+: (?:command )?not found$"),
    ("not found", r"^(?:\S*/)?(?:ba|da|z)?sh: \S+: (?:command )?not found$"),
    ("no such file", r"^(?:/usr/bin/)?env: .* No such file or directory"),
    ("no such file", r"^make(?:\[\d+\])?: [^*\s]\S*: No such file"),
    ("not found", r"^make(?:\[\d+\])?: [^*\s]\S*: Command not found"),
    ("shared libraries", r"error while loading shared libraries: "),
    ("not found", r": command not found$"),
)
_add(
    "shell",
    Rank.CAUSE,
    None,
    ("pkgbuild: line ", r"PKGBUILD: line \d+: (?!warning)"),
    ("syntax error", r"^\S+: (?:line )?\d+: [Ss]yntax error"),
    (": cd: ", r": line \d+: cd: .*: (?:No such file|Not a directory)"),
)
_add(
    "shell",
    Rank.LIKELY,
    None,
    (
        ": ",
        (
            r"^(?:install|cp|mv|ln|rm|rmdir|chmod|chown|mkdir|sed|cat|find|tar|bsdtar|unzip|7z|grep"
            r"|touch|cd|gzip|xz|zstd|strip|objcopy): (?!warning).*"
            r"(?:No such file|[Cc]an(?:no|')t |[Ee]rror|not found|missing|invalid|unrecognized"
            r"|Is a dir)"
        ),
    ),
    ("line ", r"^\S+: line \d+: .*: (?:No such file or directory|Permission denied)$"),
)
