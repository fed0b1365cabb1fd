"""What can be found about the recipe itself: versions, sources, code."""

from __future__ import annotations

from caur_ci.judge.model import Severity
from caur_ci.judge.rule import Rule

_NOTE, _WARNING, _DANGER = Severity.NOTE, Severity.WARNING, Severity.DANGER

RECIPE_RULES: dict[str, tuple[Rule, ...]] = {
    "Version": (
        Rule("version-raised", _NOTE, "the version rises: {what}", "`pkgver=1.2` → `pkgver=1.3`"),
        Rule(
            "value-raised",
            _NOTE,
            "{what}, which goes with the version, has another value",
            "`_commit=0a1b…` → `_commit=9f3e…`, with a higher pkgver",
        ),
        Rule("version-lowered", _WARNING, "the version goes back: {what}", "`pkgver=1.3` → `1.2`"),
        Rule("version-step", _WARNING, "{what}", "`pkgver=1.2` → `pkgver=99999999`"),
        Rule(
            "version-walks",
            _DANGER,
            "{what} holds what acts on paths, addresses or commands",
            "`_tag=v1.2` → `_tag=../../other/1.3`",
        ),
        Rule(
            "version-unplain",
            _DANGER,
            "{what} can no longer be told without running the PKGBUILD",
            "`pkgver=1.2` → `pkgver=$(curl …)`",
        ),
    ),
    "Integrity": (
        Rule("sums-follow", _NOTE, "{what} follow the new sources", "sums of a new version"),
        Rule("sum-added", _NOTE, "{what} is checked from now on", "`SKIP` → a sha256 sum"),
        Rule("sum-skipped", _DANGER, "{what} is no longer checked", "a sha256 sum → `SKIP`"),
        Rule(
            "sum-weaker",
            _DANGER,
            "the sources are checked by weaker sums: {what}",
            "`sha256sums=` → `md5sums=`",
        ),
        Rule(
            "sums-dropped", _DANGER, "{what} are gone", "`sha256sums=(…)` removed; sources remain"
        ),
        Rule(
            "sum-missing",
            _DANGER,
            "{what} has not as many sums as there are sources",
            "a source added, no sum",
        ),
        Rule(
            "sum-alone",
            _DANGER,
            "a sum changes, but not its source: {what}",
            "another sha256 sum for the same address",
        ),
        Rule(
            "sum-same-source",
            _WARNING,
            "the version rises and a sum changes, but not its source: {what}",
            "a new version at an address without the version",
        ),
        Rule("sums-swapped", _WARNING, "{what} changed places", "two sums exchanged"),
        Rule(
            "pgp-key-changed",
            _DANGER,
            "sources may be signed by others: {what}",
            "another fingerprint in `validpgpkeys`",
        ),
        Rule(
            "pgp-keys-dropped",
            _DANGER,
            "nobody's signature is asked for any more: {what}",
            "`validpgpkeys=(…)` removed",
        ),
        Rule(
            "pgp-key-unused",
            _WARNING,
            "keys are named, but no source is signed: {what}",
            "`validpgpkeys` added without a `.sig`",
        ),
        Rule(
            "signature-dropped",
            _DANGER,
            "the signature of {what} is no longer checked",
            "`git+https://…?signed` → without `?signed`; a `.sig` removed",
        ),
        Rule(
            "source-unpinned",
            _DANGER,
            "{what} follows what upstream has, not one commit or tag",
            "`#commit=…` → `#branch=main`",
        ),
        Rule(
            "source-pin-changed",
            _WARNING,
            "{what} is pinned in another way",
            "`#tag=v1` → `#commit=…`",
        ),
        Rule(
            "source-insecure",
            _DANGER,
            "{what} comes over a connection that others can change",
            "`https://…` → `http://…`, `git+https` → `git`",
        ),
    ),
    "Where from": (
        Rule(
            "source-follows",
            _NOTE,
            "{what} follows the version",
            "`…/v1.2.tar.gz` → `…/v1.3.tar.gz`",
        ),
        Rule(
            "source-host", _DANGER, "{what} comes from another host", "`github.com` → `example.org`"
        ),
        Rule(
            "source-owner",
            _DANGER,
            "{what} comes from another owner",
            "`github.com/alice/tool` → `github.com/mallory/tool`",
        ),
        Rule(
            "source-repository",
            _WARNING,
            "{what} comes from another repository of the same owner",
            "`github.com/alice/tool` → `github.com/alice/tool2`",
        ),
        Rule("source-path", _WARNING, "{what} has another path or name", "`/stable/` → `/beta/`"),
        Rule("source-added", _WARNING, "a source is new: {what}", "one more element of `source`"),
        Rule(
            "source-removed", _WARNING, "a source is gone: {what}", "one element of `source` less"
        ),
        Rule("url-changed", _WARNING, "the project's page is another: {what}", "another `url=`"),
        Rule(
            "bin-owner",
            _DANGER,
            "the binary is not from the project that `url` names: {what}",
            "a `-bin` package whose source is of another owner than its `url`",
        ),
        Rule("address-ip", _DANGER, "an address without a name: {what}", "`http://203.0.113.7/x`"),
        Rule("address-punycode", _DANGER, "an encoded name: {what}", "`https://xn--gthub-….com`"),
        Rule(
            "address-lookalike",
            _DANGER,
            "a host that looks like another: {what}",
            "`githud.com`, a Cyrillic letter",
        ),
        Rule("address-shortener", _DANGER, "a shortened address: {what}", "`https://bit.ly/x`"),
        Rule("address-paste", _DANGER, "a place for pasted text: {what}", "`pastebin.com/raw/x`"),
        Rule("address-drop", _DANGER, "a place for anybody's files: {what}", "`transfer.sh/x`"),
        Rule("address-dynamic", _DANGER, "a name of dynamic DNS: {what}", "`x.duckdns.org`"),
        Rule("address-onion", _DANGER, "a hidden service: {what}", "`http://….onion`"),
        Rule(
            "address-webhook",
            _DANGER,
            "an address that takes messages: {what}",
            "`discord.com/api/webhooks/…`",
        ),
    ),
    "New power": (
        Rule("function-added", _WARNING, "the function {what} is new", "`prepare() { … }` added"),
        Rule("function-changed", _WARNING, "{what}() does something else", "a changed `build()`"),
        Rule("function-removed", _WARNING, "the function {what} is gone", "`check()` removed"),
        Rule(
            "top-level-code",
            _DANGER,
            "runs whenever the file is read: {what}",
            "a command outside of all functions",
        ),
        Rule(
            "top-level-condition",
            _WARNING,
            "what the file says depends on another condition: {what}",
            "`if [[ … ]]; then depends+=(x); fi`",
        ),
        Rule(
            "top-level-changed", _WARNING, "something at top level is gone: {what}", "an `if` less"
        ),
        Rule(
            "command-substitution",
            _DANGER,
            "a command in an assignment runs whenever the file is read: {what}",
            "`pkgdesc=$(id)`",
        ),
        Rule(
            "value-computed",
            _WARNING,
            "a command in an assignment makes text of other text: {what}",
            "`_v=$(tr - . <<<$pkgver)`",
        ),
        Rule(
            "process-substitution", _WARNING, "a command in the place of a file: {what}", "`<(…)`"
        ),
        Rule("eval-used", _DANGER, "text is run as code: {what}", '`eval "$x"`'),
        Rule("source-used", _DANGER, "another file is run: {what}", "`source ./x`, `. x`"),
        Rule("trap-set", _DANGER, "a trap is set: {what}", "`trap … EXIT`"),
        Rule("alias-set", _DANGER, "a command is given another meaning: {what}", "`alias cp=…`"),
        Rule("function-exported", _DANGER, "a function is exported: {what}", "`export -f make`"),
        Rule(
            "command-shadowed",
            _DANGER,
            "a function takes the place of a command: {what}",
            "`make() { … }`",
        ),
        Rule(
            "network-used",
            _DANGER,
            "something is fetched or sent beside the sources: {what}",
            "`curl`, `wget`, `nc`, `/dev/tcp`, `git clone` outside of prepare()",
        ),
        Rule(
            "network-in-prepare",
            _WARNING,
            "prepare() fetches or sends something: {what}",
            "`git submodule update` in prepare()",
        ),
        Rule(
            "installer-used",
            _DANGER,
            "a package manager fetches other people's code: {what}",
            "`npm install x`, `pip install x`, `bun add x`",
        ),
        Rule(
            "run-as-code",
            _DANGER,
            "what comes in is run: {what}",
            "`curl … | sh`, `bash <<<…`, `python -c …`",
        ),
        Rule(
            "write-outside",
            _DANGER,
            "writes outside of $srcdir and $pkgdir: {what}",
            "`echo x >~/.bashrc`",
        ),
        Rule(
            "pkgver-acts",
            _DANGER,
            "pkgver() does more than read: {what}",
            "`pkgver() { touch x; … }`",
        ),
        Rule(
            "unsure-value",
            _WARNING,
            "{what} cannot be told without running the PKGBUILD",
            "`depends=($(cat list))`",
        ),
        Rule(
            "makepkg-variable",
            _DANGER,
            "a variable that makepkg or bash acts on is set: {what}",
            "`DLAGENTS=(…)`, `PACMAN=…`",
        ),
        Rule(
            "variable-changed",
            _WARNING,
            "{what} has another value",
            "`_flags=-O2` → `_flags=-O3`",
        ),
        Rule(
            "evaluation-lost",
            _DANGER,
            "what the PKGBUILD says can no longer be told: {what}",
            "`for ((;;))` at top level",
        ),
        Rule(
            "not-evaluated",
            _WARNING,
            "what the PKGBUILD says could not be told before: {what}",
            "any change where `for ((;;))` stands at top level",
        ),
    ),
}
