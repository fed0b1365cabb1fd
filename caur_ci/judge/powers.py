"""What a command can do that it should not do unseen, and what a text can hold."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

from caur_ci.judge import words
from caur_ci.judge.addresses import addresses_in, bad_address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caur_ci.judge.script import Code

PREPARE, PKGVER, TOP = "prepare", "pkgver", ""
_WRITTEN_PLAINLY = re.compile(r"(\"|'|\\|)[\w.+/-]+\1")
_PLAIN_NAME = re.compile(r"[\w.+-]+")
_ESCAPES = re.compile(r"\$'[^']*\\(?:x[0-9a-fA-F]{1,2}|[0-7]{3}|u[0-9a-fA-F]{2,4})[^']*'")
_SPLIT_QUOTES = re.compile(r"\b\w+(?:''|\"\")\w|\b\w'\w'\w|\b\w\"\w\"\w")
_FIELD_SEPARATOR = re.compile(r"\S\$\{?IFS\b")
_ABSOLUTE = re.compile(
    r"/(?:etc|usr|var|home|root|opt|boot|lib|srv|tmp|bin|sbin|dev|proc|sys|run)\b(?!/null\b|/std|/fd/)"
    r"|~|\$\{?(?:HOME|XDG_\w+)\b|\.\./\.\."
)
_HARMLESS = frozenset({"/dev/null", "/dev/stdout", "/dev/stderr", "/dev/tty"})
_SUSPICIOUS = re.compile(
    r"\b(?:exec|eval|compile|__import__|getattr)\s*\(|urllib|urlopen|socket|requests|http\.client|"
    r"subprocess|os\.system|popen|base64|IO::Socket|LWP|Net::|child_process|fetch\(|TCPSocket|"
    r"file_get_contents|shell_exec|\bsystem\s*\(",
    re.IGNORECASE,
)
_ENCODED = re.compile(r"[A-Za-z0-9+/]{12,}={0,2}|[0-9a-fA-F]{16,}")
_NUMBERED = re.compile(r"\\x([0-9a-fA-F]{2})|\\([0-7]{3})")
_LONGEST_SCANNED = 20_000
_LONGEST_SUM = 128

Found = tuple[str, str]


def powers_of(code: Code, place: str) -> Iterator[Found]:
    """Yield the codes of what a command that is new in a function can do, with what it is about."""
    name, arguments = _unwrapped(code)
    shown = code.text
    for does, kind in _KINDS.items():
        if does(name, arguments, code):
            yield kind, shown
    if _uses_network(name, arguments):
        yield ("network-in-prepare" if place == PREPARE else "network-used"), shown
    if place == PKGVER and (_acts(name, arguments)):
        yield "pkgver-acts", shown
    yield from _obfuscation(code)
    if _may_write_outside(name, arguments):
        yield "write-outside", shown
    yield from text_powers(shown)


def text_powers(text: str) -> Iterator[Found]:
    """Yield the codes of what a new piece of text holds: places, addresses, encoded text."""
    text = text[:_LONGEST_SCANNED]
    for address in addresses_in(text):
        if code := bad_address(address):
            yield code, address
    yield from _places(text)
    if any(_is_blob(match[0]) for match in words.BLOB.finditer(text)):
        yield "encoded-blob", text
    for decoded in _decoded_texts(text):
        yield from ((code, f"{decoded} (decoded)") for code, _ in _places(decoded))
        if _is_command(decoded):
            yield "encoded-blob", f"{decoded} (decoded)"


def writes_outside(target: str) -> bool:
    """Tell whether what is written to is neither below $srcdir nor below $pkgdir."""
    target = target.strip("\"'")
    return target not in _HARMLESS and _ABSOLUTE.match(target) is not None


def _places(text: str) -> Iterator[Found]:
    for code, pattern in words.PLACES:
        if match := pattern.search(text):
            start = max(match.start() - 40, 0)
            yield code, text[start : match.end() + 60]


def _decoded_texts(text: str) -> Iterator[str]:
    numbered = _NUMBERED.sub(_character, text)
    if numbered != text:
        yield numbered
    for match in _ENCODED.finditer(text):
        for decode in (base64.b64decode, binascii.unhexlify):
            try:
                decoded = decode(match[0]).decode("ascii")
            except (ValueError, binascii.Error):
                continue
            if decoded.isprintable() or decoded.strip().replace("\n", " ").isprintable():
                yield decoded


def _is_blob(text: str) -> bool:
    """Tell whether a long word is encoded text: no checksum, no path, no word of one kind."""
    if text.startswith("\\"):
        return True
    if all(char in "0123456789abcdefABCDEF" for char in text):
        return len(text) > _LONGEST_SUM
    kinds = (str.islower, str.isupper, str.isdecimal)
    return all(any(map(kind, text)) for kind in kinds) and text.count("/") < len(text) / 12


def _character(match: re.Match[str]) -> str:
    number = int(match[1], 16) if match[1] else int(match[2], 8)
    return chr(number) if 0x20 <= number < 0x7F else match[0]


def _is_command(text: str) -> bool:
    first = re.split(r"[\s|;&]+", text.strip())
    names = words.NETWORK | words.SHELLS | frozenset({"eval", "rm", "chmod"})
    return any(word.rpartition("/")[2] in names for word in first)


def _unwrapped(code: Code) -> tuple[str, tuple[str, ...]]:
    """Return name and arguments of what `env`, `sudo` and the like start."""
    name, arguments = code.name, code.arguments
    for _ in range(5):
        short = name.rpartition("/")[2] if not name.startswith("$") else name
        if short not in words.WRAPPERS:
            return short, arguments
        rest = list(arguments)
        while rest and (rest[0].startswith("-") or "=" in rest[0] or rest[0].isdigit()):
            rest.pop(0)
        if not rest:
            return short, arguments
        name, arguments = rest[0], tuple(rest[1:])
    return name, arguments


def _subcommand(arguments: tuple[str, ...]) -> str:
    waiting = iter(arguments)
    for argument in waiting:
        if argument in {"-C", "-c", "--git-dir", "--work-tree", "--prefix", "--directory", "--cwd"}:
            next(waiting, None)
        elif not argument.startswith("-"):
            return argument
    return ""


def _uses_network(name: str, arguments: tuple[str, ...]) -> bool:
    if name in words.NETWORK:
        return True
    subcommand = _subcommand(arguments)
    if name == "git" and subcommand == "submodule":
        return "update" in arguments and "--no-fetch" not in arguments
    if name == "git" and subcommand == "remote":
        return "update" in arguments
    if name == "go" and subcommand == "mod":
        return "download" in arguments or "tidy" in arguments
    return subcommand in words.NETWORK_SUBCOMMANDS.get(name, ())


def _installs(name: str, arguments: tuple[str, ...], _code: Code) -> bool:
    if words.OFFLINE & set(arguments):
        return False
    if name in words.INSTALLS_BY_ITSELF:
        return True
    if name in words.SHELLS and arguments[:2] in {("-m", "pip"), ("-m", "pipx"), ("-m", "uv")}:
        return "install" in arguments or "download" in arguments
    wanted = words.INSTALLERS.get(name, frozenset())
    return any(argument in wanted for argument in (_subcommand(arguments), *arguments[:1])) or (
        name == "yarn" and not arguments
    )


def _is_eval(name: str, _arguments: tuple[str, ...], _code: Code) -> bool:
    return name == "eval"


def _is_source(name: str, _arguments: tuple[str, ...], _code: Code) -> bool:
    return name in {"source", "."}


def _is_trap(name: str, _arguments: tuple[str, ...], _code: Code) -> bool:
    return name == "trap"


def _is_alias(name: str, arguments: tuple[str, ...], _code: Code) -> bool:
    return name == "alias" or (name == "hash" and "-p" in arguments) or name == "enable"


def _exports(name: str, arguments: tuple[str, ...], _code: Code) -> bool:
    return name in {"export", "declare", "typeset"} and any(
        argument.startswith("-") and "f" in argument and (name == "export" or "x" in argument)
        for argument in arguments
    )


def _runs_input(name: str, arguments: tuple[str, ...], code: Code) -> bool:
    if any(fed.rpartition("/")[2] in words.SHELLS | {"xargs", "source"} for fed in code.feeds):
        return not any(fed == "xargs" for fed in code.feeds) or name in words.NETWORK
    if name in words.SHELLS:
        if code.reads_text:
            return True
        if re.search(r"<\(|\$\(|`", code.written):
            return any(argument.startswith(("-c", "<(")) for argument in arguments) or (
                "<(" in code.written
            )
        inline = any(argument in {"-c", "-e", "-r"} for argument in arguments)
        plain_shell = name in {"sh", "bash", "dash", "zsh", "ksh", "ash"}
        return inline and (plain_shell or bool(_SUSPICIOUS.search(code.text)))
    return False


def _decodes(name: str, arguments: tuple[str, ...], _code: Code) -> bool:
    if name not in words.DECODERS:
        return False
    wanted = words.DECODERS[name]
    return not wanted or any(argument in wanted for argument in arguments)


def _changes_accounts(name: str, _arguments: tuple[str, ...], _code: Code) -> bool:
    return name in words.ACCOUNTS


def _runs_document(name: str, arguments: tuple[str, ...], code: Code) -> bool:
    if words.DOCUMENTS.search(code.name) and "/" in code.name:
        return True
    if name == "chmod" and any("x" in it or it in {"755", "0755"} for it in arguments[:1]):
        return any(map(words.DOCUMENTS.search, arguments[1:]))
    first = next((it for it in arguments if not it.startswith("-")), "")
    return name in words.SHELLS | {"source", "."} and bool(words.DOCUMENTS.search(first))


_KINDS = {
    _installs: "installer-used",
    _is_eval: "eval-used",
    _is_source: "source-used",
    _is_trap: "trap-set",
    _is_alias: "alias-set",
    _exports: "function-exported",
    _runs_input: "run-as-code",
    _decodes: "encoded-blob",
    _changes_accounts: "account-files",
    _runs_document: "runs-document",
}


def _acts(name: str, arguments: tuple[str, ...]) -> bool:
    if name not in words.READERS:
        return bool(name) and not name.startswith("_")
    if name in {"sed", "perl"}:
        return any(re.match(r"-\w*i|--in-place", argument) for argument in arguments)
    if name == "git":
        changing = {
            "checkout",
            "reset",
            "commit",
            "apply",
            "am",
            "config",
            "merge",
            "clean",
            "push",
        }
        return _subcommand(arguments) in changing
    return (
        name in {"python", "python3", "perl", "ruby", "node"}
        and _SUSPICIOUS.search(" ".join(arguments)) is not None
    )


def _obfuscation(code: Code) -> Iterator[Found]:
    written = code.named
    if (
        _PLAIN_NAME.fullmatch(code.name)
        and written != code.name
        and not _WRITTEN_PLAINLY.fullmatch(written)
        and (set(written) & set("\"'\\") or written.count("$") > 1)
    ):
        yield "obfuscated", f"{written} is {code.name}"
    elif any(it.search(code.written) for it in (_ESCAPES, _FIELD_SEPARATOR, _SPLIT_QUOTES)):
        yield "obfuscated", code.written


def _may_write_outside(name: str, arguments: tuple[str, ...]) -> bool:
    plain = [argument for argument in arguments if not argument.startswith("-")]
    if name in words.WRITERS:
        by_option = [it.partition("=")[2] for it in arguments if it.startswith("--target-dir")]
        return any(map(writes_outside, [*plain[-1:], *by_option]))
    if name in words.CHANGERS:
        return any(writes_outside(it.removeprefix("of=")) for it in plain)
    if name == "sed" and any(re.match(r"-\w*i|--in-place", it) for it in arguments):
        return any(map(writes_outside, plain[1:]))
    return False


def suspicious_in(line: str) -> str:
    """Return what in a line of a script fetches, or runs text as code; empty where nothing does."""
    match = _SUSPICIOUS.search(line)
    return "" if match is None else match[0]
