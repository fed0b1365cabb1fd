"""Compilers, linkers, and what drives them."""

from __future__ import annotations

from scheduler.diagnosis.rules.rule import Rank, Rules
from scheduler.job import FailureClass

RULES = Rules()
_add = RULES.add
_MISSING = FailureClass.MISSING_DEPENDENCY

# CMake
_add(
    "cmake",
    Rank.CAUSE,
    None,
    ("cmake error", r"^\s*CMake Error"),
)
_add(
    "cmake",
    Rank.CONSEQUENCE,
    None,
    ("incomplete", r"^-- Configuring incomplete, errors occurred"),
    ("generate step failed", r"Generate step failed"),
)
# Qt
_add(
    "qmake",
    Rank.CAUSE,
    _MISSING,
    ("unknown module", r"^Project ERROR: Unknown module\(s\) in QT"),
    ("development package", r"^Project ERROR: \S+ development package not found"),
)
_add(
    "qt",
    Rank.CAUSE,
    None,
    ("project error", r"^Project ERROR: "),
    ("error", r"^Auto(?:Gen|Moc|Uic|Rcc) (?:subprocess )?error"),
    ("error", r"^(?:\S*/)?(?:moc|uic|rcc|lrelease|lupdate)(?:-qt\d|\d)?: .*[Ee]rror"),
    ("no such", r"^(?:\S*/)?(?:moc|uic|rcc|lrelease|lupdate)(?:-qt\d|\d)?: .*No such"),
)
# meson
_add(
    "meson",
    Rank.CAUSE,
    _MISSING,
    (
        "error: ",
        (
            r"meson\.build:\d+:\d+: ERROR: "
            r"(?:Unknown compiler|(?:Dependency|Program|C\S* shared or) .*not found)"
        ),
    ),
)
_add(
    "meson",
    Rank.CAUSE,
    None,
    ("error: ", r"meson\S*:\d+:\d+: ERROR: "),
    ("error: ", r"^ERROR: (?:Neither source directory|Unknown options?)"),
)
# autotools
_add(
    "configure",
    Rank.CAUSE,
    _MISSING,
    ("configure: error", r"configure: error: (?:Package requirements|The pkg-config script)"),
    ("configure: error", r"configure: error: .*(?:not found|is required|could not find|missing)"),
)
_add(
    "configure",
    Rank.CAUSE,
    None,
    ("configure: error", r"configure: error: "),
    ("configure: line ", r"configure: line \d+: "),
    ("undefined macro", r"error: possibly undefined macro: "),
    ("config.status: error", r"config\.status: error: "),
)
_add("configure", Rank.CAUSE, _MISSING, ("on your system", r"is missing on your system"))
_add(
    "autotools",
    Rank.CAUSE,
    None,
    ("*** error", r"^\*\*\* error: "),
    ("libtool", r"^libtool: +(?:error: |Version mismatch error)"),
)
_add(
    "configure",
    Rank.CONSEQUENCE,
    None,
    ("autoreconf", r"^autoreconf: .*failed with exit status"),
    ("failed with exit", r"^(?:aclocal|automake|autoheader): error: .*failed with exit"),
)
_add(
    "pkg-config",
    Rank.LIKELY,
    _MISSING,
    ("no package", r"^No package '.*' found"),
    ("pkg-config search path", r"^Package .* was not found in the pkg-config search path"),
)
# make and ninja
_add(
    "make",
    Rank.CAUSE,
    None,
    ("***", r"^\S+:\d+: \*\*\* (?!\[)"),
    ("no rule to make", r"^g?make(?:\[\d+\])?: \*\*\* No rule to make target .*  Stop\.$"),
    ("***", r"^g?make(?:\[\d+\])?: \*\*\* No targets"),
    ("no rule to make", r"\*\*\* No rule to make target"),
)
_add(
    "make",
    Rank.CONSEQUENCE,
    None,
    ("make", r"^(?:g|cu)?make(?:\[\d+\])?: (?:\*\*\*|\[)"),
    ("waiting for unfinished", r"Waiting for unfinished jobs"),
)
_add(
    "ninja",
    Rank.CAUSE,
    None,
    ("ninja: error", r"^ninja: error: "),
    ("ninja: fatal", r"^ninja: fatal: "),
)
_add("ninja", Rank.CONSEQUENCE, None, ("ninja: ", r"^ninja: (?:build stopped|subcommand failed)"))
_add("ninja", Rank.WEAK, None, ("failed: ", r"^FAILED: "))
_add(
    "scons",
    Rank.CONSEQUENCE,
    None,
    ("scons: ", r"^scons: (?:\*\*\*|building terminated)"),
    ("failed: error", r"^\S+ failed: Error \d+$"),
)
_add("waf", Rank.LIKELY, None, ("configuration failed", r"^The configuration failed$"))
# linkers
_add(
    "ld",
    Rank.CAUSE,
    _MISSING,
    ("cannot find", r"(?:^|/)(?:ld|ld\.\w+|mold|collect2)(?:-[\w.]+)?: (?:error: )?cannot find "),
    ("unable to find library", r"ld\.lld: error: unable to find library "),
    ("library not found", r"mold: (?:fatal|error): library not found: "),
)
_add(
    "ld",
    Rank.CAUSE,
    None,
    ("undefined reference", r"undefined reference to "),
    (
        "undefined symbol",
        r"(?:ld\.lld|rust-lld|mold|wasm-ld): (?:error: |fatal: )?undefined symbol",
    ),
    ("multiple definition", r"multiple definition of "),
    ("duplicate symbol", r"error: duplicate symbol"),
    ("error adding symbols", r"error adding symbols"),
    ("relocation", r"relocation R_\w+ against .* can ?not be used"),
    ("ld", r"^(?:\S*/)?(?:ld|ld\.\w+|mold)(?:-[\w.]+)?: (?:error|fatal): "),
    ("file format not recognized", r"file format not recognized"),
)
_add(
    "ld",
    Rank.CONSEQUENCE,
    None,
    ("ld returned", r"ld returned \d+ exit status"),
    ("linker command failed", r"linker command failed with exit code"),
    ("final link failed", r"final link failed"),
)
# gcc, clang, and all that write messages in their form: javac, ghc, vala, nvcc, shellcheck
_PLACE = r"^(?:\s*\[javac\] )?[^\s:(][^:]{0,300}:\d+(?:[:.]\d+(?:-\d+)?)*: "
_add(
    "compiler",
    Rank.CAUSE,
    _MISSING,
    ("no such file", _PLACE + r"fatal error: .*: No such file or directory"),
    ("file not found", _PLACE + r"fatal error: '.*' file not found"),
)
_add(
    "compiler",
    Rank.CAUSE,
    None,
    ("error:", _PLACE + r"(?:fatal |internal compiler )?[Ee]rror:"),
    ("error", r"^[^\s:(][^:(]{0,300}\(\d+(?:,\s?\d+)?\): (?:fatal )?[Ee]rror\b"),
    ("error:", r"^(?:\S*/)?(?:cc1|cc1plus|cc1obj|lto1|f951|gnat1): (?:fatal )?error: "),
    ("internal compiler error", r"internal compiler error: "),
    ("assembler messages", r"^\S+: Assembler messages:"),
    ("lto-wrapper", r"lto-wrapper: fatal error: (?!\S+ returned)"),
)
_add(
    "compiler",
    Rank.CONSEQUENCE,
    None,
    ("treated as errors", r"(?:some|all) warnings being treated as errors"),
    ("compilation terminated", r"^compilation terminated"),
    ("generated", r"^\d+ (?:warnings? and \d+ )?errors? generated"),
    ("lto-wrapper", r"lto-wrapper: "),
    ("compilation failed", r"^Compilation failed"),
    ("build failed", r"^Build failed"),
)
_add(
    "compiler",
    Rank.LIKELY,
    None,
    (
        "error: ",
        (
            r"^(?:\S*/)?(?:\w+-)*(?:clang|clang\+\+|gcc|g\+\+|cc|c\+\+|gfortran|valac|nvcc|ghc|swiftc"
            r"|dmd|ldc2|fpc|zig)(?:-[\d.]+)?: (?:fatal )?error: "
        ),
    ),
)
_add("modpost", Rank.CAUSE, None, ("modpost: ", r"^ERROR: modpost: "))
_add(
    "dotnet",
    Rank.CAUSE,
    _MISSING,
    ("error nu", r": error NU\d+: "),
)
_add("dotnet", Rank.CAUSE, None, ("error", r": error (?:MSB|NETSDK|CS|FS)\d+: "))
_add("nim", Rank.CAUSE, None, ("error: ", r"^\S+\(\d+, \d+\) Error: "))
# documents
_add(
    "latex",
    Rank.CAUSE,
    None,
    ("latex error", r"^! LaTeX Error: "),
    ("undefined control", r"^! Undefined control sequence"),
    ("emergency stop", r"^! Emergency stop"),
)
_add(
    "sphinx",
    Rank.CAUSE,
    None,
    ("treated as error", r"^Warning, treated as error:"),
    ("extension error", r"^Extension error(?: \(|:)"),
)
# Rust
_add(
    "cargo",
    Rank.CONSEQUENCE,
    None,
    (
        "error: ",
        (
            r"^error: (?:could not compile|aborting due to|build failed|test failed, to rerun"
            r"|failed to run custom build command|\d+ targets? failed|process didn't exit)"
        ),
    ),
    ("linking with", r"^error: linking with .* failed"),
)
_add("cargo", Rank.CAUSE, _MISSING, ("linker", r"^error: linker `.*` not found"))
_add(
    "cargo",
    Rank.CAUSE,
    None,
    ("error[e", r"^error\[E\d{4}\]: "),
    ("error: expected", r"^error: expected .*, found "),
    ("error: ", r"^error: (?:failed to (?:get|download|load|select|parse|fetch|verify|resolve))"),
    ("error: ", r"^error: (?:no matching package|package `.*` cannot be built|the lock file)"),
    ("error: ", r"^error: (?:rustc \S+ is not supported|toolchain|cannot update the lock file)"),
    ("error: ", r"^error: (?:environment variable `|proc.macro|couldn't read)"),
)
_add("cargo", Rank.LIKELY, None, ("panicked at", r"^\s*thread '.*'(?: \(\d+\))? panicked at "))
# Go
_add(
    "go",
    Rank.CONSEQUENCE,
    None,
    (" failed]", r"^FAIL\s+\S+ \[(?:build|setup) failed\]"),
    ("link: running", r"link: running \S+ failed"),
    ("exit status", r"^exit status \d+$"),
)
_add(
    "go",
    Rank.CAUSE,
    None,
    (".go:", r"^(?:vet: )?(?:\.{1,2}/)?[\w./@+~-]+\.go:\d+:\d+: (?!warning)"),
    ("go: ", r"^go: (?:errors parsing|go\.mod requires|\S+: module|inconsistent|updates to go)"),
    ("go: ", r"^go: (?:cannot|no |unknown|could not|error)"),
    ("go.sum", r"missing go\.sum entry"),
    ("required module", r"no required module provides package"),
    ("cannot find package", r"cannot find package "),
    ("import cycle", r"import cycle not allowed"),
)
_add("go", Rank.LIKELY, None, ("panic: ", r"^panic: "))
# Haskell
_add(
    "cabal",
    Rank.CAUSE,
    _MISSING,
    ("resolve dependencies", r"Could not resolve dependencies"),
    ("private dependencies", r"Encountered missing or private dependencies"),
    ("could not find module", r"Could not find module "),
)
_add(
    "cabal",
    Rank.CONSEQUENCE,
    None,
    ("failed to build", r"(?:cabal|\[Cabal-\d+\])?.*Failed to build "),
)
# OCaml
_add(
    "ocaml",
    Rank.CAUSE,
    _MISSING,
    ("not found", r"^Error: Library \"[^\"]+\" (?:in .* )?not found"),
    ("no implementation", r"^Error: No implementations? "),
)
_add(
    "ocaml",
    Rank.CAUSE,
    None,
    (
        "error",
        r"^Error(?: \(warning [^)]{1,80}\))?: (?:Unbound|This |The |Syntax|Some |Multiple|Cannot)",
    ),
)
