"""What can be found about configuration, and about settings that do nothing."""

from __future__ import annotations

from caur_ci.validation.model import Rule, Severity

_ERROR, _WARNING, _NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE
_TAKE_OUT = "Take it out."

SETTING_RULES: dict[str, tuple[Rule, ...]] = {
    "Configuration": (
        Rule(
            "config-unreadable",
            _ERROR,
            "it cannot be read: {what}",
            'Write KEY=VALUE, or KEY="VALUE" on one line.',
        ),
        Rule("key-unknown", _WARNING, "{what} is not known and ignored", "Correct it.", True),
        Rule("key-misplaced", _WARNING, "{what}", "Move it there."),
        Rule("key-repeated", _WARNING, "{what}; only the last counts", "Keep one of them."),
        Rule("value-bad", _ERROR, "{what}", "Write an allowed value."),
        Rule("value-ignored", _WARNING, "{what}. It is ignored", "Write an allowed value."),
        Rule(
            "line-ignored",
            _WARNING,
            "the line is neither KEY=VALUE nor a comment, and ignored",
            "Write # before it, or correct it.",
        ),
        Rule("policy-unusable", _ERROR, "{what}", "`caur-ci policy check` tells more."),
    ),
    "Settings that do nothing": (
        Rule(
            "bump-outdated",
            _NOTE,
            "CI_PACKAGE_BUMP is for {what}",
            "Take it out: it does nothing any more.",
        ),
        Rule(
            "bump-impossible",
            _ERROR,
            "CI_PACKAGE_BUMP cannot be applied: {what}",
            "Raise pkgrel in the PKGBUILD instead.",
        ),
        Rule(
            "bump-unused",
            _WARNING,
            "a bump does nothing where CI_MANAGE_AUR is true",
            "Raise pkgrel in the PKGBUILD instead.",
        ),
        Rule(
            "nvchecker-missing",
            _ERROR,
            "CI_NVCHECKER is set, and there is no .nvchecker.toml or nvchecker.toml",
            "Commit one, or take CI_NVCHECKER out.",
        ),
        Rule(
            "nvchecker-unreadable",
            _ERROR,
            "it cannot be used: {what}",
            "See https://nvchecker.readthedocs.io/.",
        ),
        Rule(
            "vcs-unused",
            _WARNING,
            "{what} does nothing: no source is a repository",
            _TAKE_OUT,
        ),
        Rule(
            "prereleases-unused",
            _NOTE,
            "CI_PRERELEASES does nothing: it is for the source gitlab:ID",
            _TAKE_OUT,
        ),
        Rule(
            "names-unused",
            _NOTE,
            "CI_ALLOW_NAMES allows {what}, which the folder does not make",
            _TAKE_OUT,
        ),
        Rule("key-idle", _NOTE, "{what}", "Set that as well, or take this out."),
        Rule(
            "aur-push-off",
            _NOTE,
            "CI_MANAGE_AUR does nothing here while it is not true in .ci/config",
            "Set it there, or take it out here.",
        ),
        Rule(
            "trigger-unknown",
            _WARNING,
            "{what} is neither in the databases nor in this repository",
            "Correct the name, or take it out.",
        ),
        Rule(
            "expression-unreadable",
            _ERROR,
            "{what} is no regular expression, and allows nothing",
            "Correct it.",
        ),
        Rule(
            "class-unserved",
            _WARNING,
            "no worker of the queue takes {what}",
            "Correct BUILDER_CLASS, or start such a worker.",
        ),
        Rule(
            "architecture-missed",
            _WARNING,
            "{what}",
            "Correct CI_ARCHITECTURES here or in .ci/config, or arch in the PKGBUILD.",
        ),
    ),
    "Interfere": (
        Rule("interfere-unusable", _ERROR, "{what}", "docs/interfere.md shows how it has to be."),
        Rule(
            "interfere-empty",
            _NOTE,
            "there is nothing in it but comments",
            "Take the file out.",
        ),
        Rule(
            "patch-fails",
            _ERROR,
            "it cannot be applied: {what}",
            "Make it anew for the files as they are now.",
        ),
        Rule(
            "ci-file-unknown",
            _WARNING,
            "nobody reads it",
            "Correct the name, or move it out of .CI.",
        ),
    ),
    "Silences": (
        Rule(
            "silences-unusable",
            _ERROR,
            "it cannot be used, and nothing is silenced: {what}",
            "docs/validate.md shows how it has to be.",
        ),
        Rule("silence-unused", _NOTE, "{what} silences nothing", _TAKE_OUT),
    ),
}
