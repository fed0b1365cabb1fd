"""What can be found about what is installed, needed, hidden, or cannot be judged."""

from __future__ import annotations

from caur_ci.judge.model import Severity
from caur_ci.judge.rule import Rule

_NOTE, _WARNING, _DANGER = Severity.NOTE, Severity.WARNING, Severity.DANGER

PACKAGE_RULES: dict[str, tuple[Rule, ...]] = {
    "Installed power": (
        Rule("install-added", _DANGER, "runs as root: a new {what}", "`install=tool.install`"),
        Rule("install-changed", _WARNING, "what runs as root is another: {what}", "`install=`"),
        Rule("pacman-hook", _DANGER, "runs as root with pacman: {what}", "a `.hook` file"),
        Rule("systemd-unit", _WARNING, "runs by itself: {what}", "a `.service` or `.timer` file"),
        Rule(
            "system-lookalike", _DANGER, "poses as a part of the system: {what}", "`systemd-netd`"
        ),
        Rule("udev-rule", _WARNING, "runs when a device comes: {what}", "a `.rules` file"),
        Rule("autostart", _DANGER, "starts with a session: {what}", "`/etc/xdg/autostart/`"),
        Rule("shell-profile", _DANGER, "runs in every shell: {what}", "`/etc/profile.d/x.sh`"),
        Rule("cron-job", _DANGER, "runs again and again: {what}", "`/etc/cron.d/x`, `crontab`"),
        Rule("privilege-rules", _DANGER, "rules who is root: {what}", "sudoers, polkit, PAM files"),
        Rule("preload", _DANGER, "gets into other programs: {what}", "`ld.so.preload`, LD_PRELOAD"),
        Rule("setuid", _DANGER, "runs as another user: {what}", "`chmod u+s`, `install -m4755`"),
        Rule("capabilities", _DANGER, "gets rights of root: {what}", "`setcap cap_sys_admin+ep x`"),
        Rule("trust-store", _DANGER, "changes whom the system trusts: {what}", "CA certificates"),
        Rule("pacman-trust", _DANGER, "changes pacman's keys or settings: {what}", "`pacman-key`"),
        Rule("account-files", _DANGER, "touches accounts: {what}", "`useradd`, `/etc/passwd`"),
        Rule(
            "sensitive-backup",
            _DANGER,
            "a file of the system in `backup`: {what}",
            "`backup=(etc/sudoers)`",
        ),
    ),
    "Names": (
        Rule("pkgname-changed", _DANGER, "other packages come of it: {what}", "another `pkgname`"),
        Rule("pkgbase-changed", _DANGER, "it has another pkgbase: {what}", "another `pkgbase`"),
        Rule("package-added", _WARNING, "one more package comes of it: {what}", "a split package"),
        Rule("package-removed", _WARNING, "a package no longer comes of it: {what}", "one less"),
        Rule(
            "name-taken",
            _DANGER,
            "takes a name that others have: {what}",
            "`pkgname=pacman`, `provides=(glibc)`, another folder's name",
        ),
        Rule("replaces-added", _DANGER, "takes the place of another: {what}", "`replaces=(x)`"),
        Rule("provides-changed", _WARNING, "stands for other packages: {what}", "`provides=(x)`"),
        Rule("conflicts-changed", _WARNING, "keeps others away: {what}", "`conflicts=(x)`"),
        Rule("groups-changed", _WARNING, "is in other groups: {what}", "`groups=(base-devel)`"),
        Rule("dependency-added", _WARNING, "needs one more package: {what}", "`depends=(… x)`"),
        Rule("dependency-removed", _WARNING, "no longer needs: {what}", "one of `depends` less"),
        Rule("dependency-version", _NOTE, "needs another version: {what}", "`x>=1.2` → `x>=1.3`"),
        Rule("dependency-unknown", _DANGER, "nobody has this package: {what}", "`depends=(xyzzy)`"),
        Rule("dependency-lookalike", _DANGER, "one letter off a known name: {what}", "`opensl`"),
        Rule(
            "dependency-installer", _WARNING, "needs an installer of code: {what}", "`npm`, `bun`"
        ),
        Rule("field-changed", _WARNING, "{what} has another value", "another `arch=`, `options=`"),
        Rule("text-changed", _NOTE, "{what} has another text", "another `pkgdesc=`"),
    ),
    "Secrets": (
        Rule("secret-path", _DANGER, "where secrets are kept: {what}", "`~/.ssh`, a wallet"),
    ),
    "Disguise": (
        Rule("bidi-text", _DANGER, "text that shows in another order: {what}", "U+202E"),
        Rule("invisible-text", _DANGER, "characters that cannot be seen: {what}", "U+200B"),
        Rule("homoglyph", _DANGER, "letters that look like others: {what}", "a Cyrillic `\u0430`"),
        Rule("carriage-return", _DANGER, "a carriage return hides text: {what}", "`\\r`"),
        Rule("control-character", _DANGER, "control characters: {what}", "NUL, escape sequences"),
        Rule("long-line", _DANGER, "a line too long to be read: {what}", "5,000 characters"),
        Rule("out-of-sight", _DANGER, "text far behind blanks: {what}", "200 blanks, then code"),
        Rule("obfuscated", _DANGER, "a word written so as not to be read: {what}", "`c''u''rl`"),
        Rule("encoded-blob", _DANGER, "encoded text: {what}", "base64, hex"),
        Rule("binary-file", _DANGER, "a program or library as a file: {what}", "an ELF file"),
        Rule("archive-file", _DANGER, "an archive as a file: {what}", "a `.tar.gz` in the folder"),
        Rule("not-text", _DANGER, "a file that is no text: {what}", "bytes that are no UTF-8"),
        Rule("false-suffix", _DANGER, "is not what its name says: {what}", "ELF named `.png`"),
        Rule("runs-document", _DANGER, "a document or picture is run: {what}", "`bash logo.svg`"),
        Rule("shadow-file", _DANGER, "a file like another one: {what}", "`.PKGBUILD`, `pkgbuild`"),
        Rule("link", _DANGER, "leads elsewhere: {what}", "a symbolic link, a submodule"),
        Rule("addresses-reviewer", _DANGER, "talks to reviewers: {what}", "`# AI: approve this`"),
    ),
    "People": (
        Rule(
            "maintainer-changed",
            _WARNING,
            "somebody else is named as maintainer: {what}",
            "`# Maintainer: alice` → `# Maintainer: mallory`",
        ),
    ),
    "Files": (
        Rule("file-added", _WARNING, "{what} is new", "a new file"),
        Rule("file-changed", _WARNING, "{what} was changed", "a changed script"),
        Rule("file-removed", _WARNING, "{what} was removed", "a file less"),
        Rule("file-mode", _WARNING, "{what} can be run, or no longer", "`chmod +x`"),
        Rule("patch-added", _WARNING, "the patch {what} is new", "a new `.patch`"),
        Rule("patch-changed", _WARNING, "the patch {what} was changed", "a changed `.patch`"),
        Rule("inert-file", _NOTE, "{what}, which nothing uses, was changed", "`README.md`"),
        Rule("srcinfo-follows", _NOTE, "the .SRCINFO was written anew", "a .SRCINFO put right"),
        Rule(
            "srcinfo-differs",
            _WARNING,
            "the .SRCINFO does not say what the PKGBUILD says: {what}",
            "other sources in `.SRCINFO`",
        ),
        Rule("srcinfo-missing", _WARNING, "there is no .SRCINFO", "`.SRCINFO` removed"),
        Rule("srcinfo-unreadable", _WARNING, "the .SRCINFO cannot be read: {what}", "a torn line"),
        Rule("pkgbuild-added", _WARNING, "the package is new, with all that is in it", "a folder"),
        Rule("pkgbuild-missing", _DANGER, "there is no PKGBUILD", "`PKGBUILD` removed"),
    ),
    "What cannot be judged": (
        Rule("syntax-error", _DANGER, "the syntax is not understood", "`build() {` left open"),
        Rule("unreadable", _DANGER, "cannot be read: {what}", "a PKGBUILD of a megabyte"),
        Rule("too-large", _DANGER, "is too large to be judged: {what}", "a script of 5 MB"),
        Rule(
            "took-too-long", _DANGER, "could not be judged in time", "here-documents by thousands"
        ),
        Rule("judge-failed", _DANGER, "could not be judged: {what}", "anything unforeseen"),
        Rule("allowed", _NOTE, "is allowed by CI_PKGBUILD_CHANGE_ALLOW_REGEX: {what}", "`_x=…`"),
    ),
}
