"""The variables that makepkg has set when it reads a PKGBUILD.

Taken from what makepkg 6 and 7 leave behind at that point (`declare -p` within a PKGBUILD). The
environment that makepkg is started with is taken to hold nothing else.
"""

from __future__ import annotations

import re

from caur_ci.pkgbuild.values import Shape, Unsure, Variable
from caur_ci.pkgbuild.wordlist import words_of

# They differ from machine to machine, or from run to run.
_NAMES = words_of("""
    ARGLIST ASDEPS BASH BASHOPTS BASHPID BUILDDIR BUILDENV BUILDFILE BUILDFUNC BUILDPKG BUILDSCRIPT
    BUILDTOOL BUILDTOOLVER CFLAGS CHECKFUNC CHOST CLEANBUILD CLEANUP COLUMNS COMMAND_MODE CPPFLAGS
    CXXFLAGS DBGSRCDIR DEBUGINFOD_URLS DEBUG_CFLAGS DEBUG_CXXFLAGS DEBUG_RUSTFLAGS DEP_BIN DIRSTACK
    DISPLAY DISTCC_HOSTS DLAGENTS DOC_DIRS EDITOR EPOCHREALTIME EPOCHSECONDS EUID FORCE FUNCNAME
    GENINTEG GPGKEY GROUPS HISTCMD HOLDVER HOME HOSTNAME HOSTTYPE IGNOREARCH INFAKEROOT INSTALL
    INTEGRITY_CHECK LANG LANGUAGE LDFLAGS LIBRARY LIB_DIRS LINENO LINES LOGDEST LOGGING LOGNAME
    LTOFLAGS MACHTYPE MAKEFLAGS MAKEPKG_CONF MAN_DIRS MAPFILE NEEDED NINJAFLAGS NOARCHIVE NOBUILD
    NODEPS NOEXTRACT OLDPWD OPTARG OPTERR OPTIND OPTIONS OSTYPE PACKAGELIST PACKAGER PACMAN
    PACMAN_AUTH PACMAN_OPTS PACMAN_PATH PATH PIPESTATUS PKGDEST PKGEXT PKGFUNC PKGVERFUNC PPID
    PREPAREFUNC PRINTSRCINFO PS1 PS2 PS4 PURGE_TARGETS PWD PYTHONHASHSEED RANDOM REPKG REPLY
    REPRODUCIBLE RMDEPS RUN_CHECK RUN_PREPARE RUSTFLAGS SECONDS SHELL SHELLOPTS SHLVL SIGNPKG
    SKIPCHECKSUMS SKIPPGPCHECK SOURCEONLY SOURCE_DATE_EPOCH SPLITPKG SRANDOM SRCDEST SRCEXT
    SRCPKGDEST STRIP_BINARIES STRIP_SHARED STRIP_STATIC SUDO_USER SYSROOT_DIRS TERM TEXTDOMAIN
    TEXTDOMAINDIR TMPDIR TZ UID USER USE_COLOR VCSCLIENTS VERIFYSOURCE XDG_PACMAN_DIR _
    arg buildenv_functions build_options confdir executable_functions extra_environment func
    known_hash_algos lib lint_config_functions lint_package_functions lint_pkgbuild_functions
    makepkg_version packaging_options pkgbuild_schema_arch_arrays pkgbuild_schema_arrays
    pkgbuild_schema_package_overrides pkgbuild_schema_strings shellopts signal startdir tidy_modify
    tidy_remove using_ccache
    ALL_OFF BLUE BOLD GREEN RED YELLOW
    """)
_PATTERN = re.compile(r"(?:BASH|LC|XDG|LIBMAKEPKG|COMP|COMPRESS|E|CI|GIT|DISTCC|CCACHE)_\w*")
_COMPRESS = re.compile(r"COMPRESS\w+")
# What is set between the reading of the PKGBUILD and the writing of the .SRCINFO, or hides a
# variable of the same name while a package function's assignments are evaluated.
SET_LATER = words_of("""
    srcdir pkgdir pkgdirbase basever SPLITPKG PKGVERFUNC PREPAREFUNC BUILDFUNC CHECKFUNC PKGFUNC
    a attr attr_regex attrname decl funcname isarray multivalued multivalued_arch_attrs outputvar
    outvalue package_arch pkg r ref shellopts singlevalued REPLY
    """)


def machine_variable(name: str) -> Variable | None:
    """Return the variable where makepkg or bash sets it to what is not known here."""
    if name in _NAMES or _PATTERN.fullmatch(name) or _COMPRESS.fullmatch(name):
        return Variable(Unsure(f"${name} depends on the machine", 0, Shape.OPAQUE), 0)
    return None


def makepkg_variables(carch: str) -> dict[str, Variable]:
    """Return the variables whose values are known."""
    return {"CARCH": Variable(carch, 0), "IFS": Variable(" \t\n", 0)}
