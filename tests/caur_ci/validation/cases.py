"""Of each code a repository in which it is found, and one like it in which it is not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from caur_ci.package_folders import LARGEST_FILE, LARGEST_FOLDER, MOST_FILES
from caur_ci.validation import Snapshot, Surroundings
from caur_ci.validation.snapshot import FolderFile
from tests.caur_ci.validation.worlds import Content, Files, executable, package, snapshot_of

if TYPE_CHECKING:
    from collections.abc import Mapping

SUM = "0" * 64
NAMES = ".ci/config", "REPO_NAME=ours\n"
AUR = {NAMES[0]: f"{NAMES[1]}CI_MANAGE_AUR=true\n"}
DATABASES = Surroundings(provided={"bash": {"5.2-1"}, "qt6-base": {"6-1"}, "x.so": set()})
WORKERS = Surroundings(serves=lambda build_class: build_class == "big")
PATCH = """\
--- a/PKGBUILD
+++ b/PKGBUILD
@@ -1,2 +1,2 @@
-{was}
+pkgname=tool-x
 pkgver=1
--{space}
2.40
"""


@dataclass(frozen=True)
class Case:
    """`place` is where the finding is, as it is shown; `said` is a part of its message."""

    code: str
    bad: Files | Snapshot
    good: Files | Snapshot
    place: str
    said: str = ""
    surroundings: Surroundings = field(default_factory=Surroundings)
    nvchecker: Mapping[str, str] = field(default_factory=dict)


def configured(*lines: str, **more: str) -> dict[str, Content]:
    return package(config="".join(f"{line}\n" for line in lines), **more)


def own(*lines: str) -> dict[str, Content]:
    return {**package(), ".ci/config": "".join(f"{line}\n" for line in ("REPO_NAME=ours", *lines))}


def sourced(
    *sources: str, sums: str = "", array: str = "sha256sums", **files: str
) -> dict[str, Content]:
    values = sums.split()
    bash = f"source=({' '.join(sources)})"
    info = [f"source = {it}" for it in sources]
    if values:
        bash += f"\n{array}=({' '.join(values)})"
        info += [f"{array} = {it}" for it in values]
    beside = {f"tool/{name.replace('__', '.')}": content for name, content in files.items()}
    return {**package(bash=bash, info="\n".join(info)), **beside}


def managed() -> dict[str, Content]:
    files = sourced("fix.patch", sums=SUM, fix__patch="x")
    return {**files, "tool/.CI/config": "CI_MANAGE_AUR=true\n"}


def with_file(path: str, content: str | bytes | FolderFile, **more: str) -> dict[str, Content]:
    return {**package(**more), path: content}


def licensed(licence: str) -> dict[str, Content]:
    files = package()
    return {
        path: str(text).replace("MIT", licence) if licence else _without_licence(str(text))
        for path, text in files.items()
    }


def _without_licence(text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if "MIT" not in line)


URL = "https://example.org/tool.tar.gz"
SILENCE = '[[silence]]\ncodes = ["{code}"]\nreason = "{reason}"\n'


FOLDERS = [
    Case(
        "folder-name",
        snapshot_of(package(), unusable=("-tool",)),
        package(),
        "-tool",
        "cannot be that of a package",
    ),
    Case("folder-submodule", snapshot_of(package(), submodules=("lib",)), package(), "lib"),
    Case("folder-empty", {"docs/page.md": "x"}, package(), "docs"),
    Case("name-capitals", package("Tool"), package("tool"), "Tool/PKGBUILD:1", "Tool has"),
    Case(
        "pkgbase-other",
        {path.replace("tool/", "other/"): text for path, text in package().items()},
        package(),
        "other/PKGBUILD",
        "the pkgbase tool",
    ),
    Case(
        "pkgname-shared",
        {
            **package(),
            **{path.replace("tool/", "tool2/"): text for path, text in package().items()},
        },
        {**package(), **package("tool2")},
        "tool/PKGBUILD:1",
        "tool is made by tool2 as well",
    ),
]
RECIPES = [
    Case(
        "pkgbuild-missing",
        {"tool/.CI/config": "BUILDER_CLASS=2\n"},
        {"tool/.CI/config": "CI_PKGBUILD_SOURCE=aur\n"},
        "tool/PKGBUILD",
    ),
    Case(
        "pkgbuild-awaited",
        {"tool/.CI/config": "CI_PKGBUILD_SOURCE=aur\n"},
        configured("CI_PKGBUILD_SOURCE=aur"),
        "tool/PKGBUILD",
        "from the AUR",
    ),
    Case(
        "pkgbuild-refused",
        {**package(), "tool/PKGBUILD": "pkgname=tool\npkgver=1-2\npkgrel=1\narch=(any)\n"},
        package(),
        "tool/PKGBUILD:2",
        "pkgver",
    ),
    Case(
        "srcinfo-missing",
        {"tool/PKGBUILD": package()["tool/PKGBUILD"]},
        {"tool/PKGBUILD": package()["tool/PKGBUILD"], ".ci/config": "CI_SRCINFO=generate\n"},
        "tool/.SRCINFO",
    ),
    Case(
        "srcinfo-unreadable",
        {**package(), "tool/.SRCINFO": "pkgbase = tool\nwhat\n"},
        package(),
        "tool/.SRCINFO",
        "line 2",
    ),
    Case(
        "srcinfo-stale",
        package(bash="depends=(bash)"),
        # What is not known without running it is no finding.
        package(bash="depends=($(< needs))"),
        "tool/.SRCINFO",
        "depends is nothing, the PKGBUILD says bash",
    ),
    Case(
        "relation-unreadable",
        package(bash="depends=('a b')", info="depends = a b"),
        package(bash="depends=('a>=1')", info="depends = a>=1"),
        "tool/PKGBUILD:6",
        "depends = a b",
    ),
    Case(
        "dependency-unmet",
        package(bash="depends=(bosh)", info="depends = bosh"),
        package(bash="depends=('bash>=5')", info="depends = bash>=5"),
        "tool/PKGBUILD:6",
        "depends = bosh",
        surroundings=DATABASES,
    ),
    Case(
        "dependency-version",
        package(bash="depends=('bash>=6')", info="depends = bash>=6"),
        package(
            bash="depends=('bash>=5' libx.so=1)", info="depends = bash>=5\ndepends = libx.so=1"
        ),
        "tool/PKGBUILD:6",
        "depends = bash>=6: of bash there is 5.2-1",
        surroundings=DATABASES,
    ),
    Case(
        "dependency-cycle",
        {
            **package(bash="makedepends=(b)", info="makedepends = b"),
            **package("b", bash="makedepends=(tool)", info="makedepends = tool"),
        },
        {**package(bash="makedepends=(b)", info="makedepends = b"), **package("b")},
        "b/PKGBUILD:6",
        "b → tool → b",
    ),
]
SOURCES = [
    Case(
        "source-missing",
        sourced("fix.patch", sums=SUM),
        sourced("fix.patch", sums=SUM, fix__patch="x"),
        "tool/PKGBUILD:6",
        "fix.patch",
    ),
    Case(
        "install-missing",
        package(bash="install=tool.install", info="install = tool.install"),
        with_file(
            "tool/tool.install",
            "post_install() { :; }\n",
            bash="install=tool.install",
            info="install = tool.install",
        ),
        "tool/PKGBUILD:6",
        "tool.install (install)",
    ),
    Case("sums-missing", sourced(URL), sourced(URL, sums=SUM), "tool/PKGBUILD:6"),
    Case(
        "sum-count",
        sourced(URL, "git+https://example.org/x", sums=SUM),
        sourced(URL, "git+https://example.org/x", sums=f"{SUM} SKIP"),
        "tool/PKGBUILD:7",
        "1 sha256sums for 2 sources",
    ),
    Case(
        "sum-skipped",
        sourced(URL, sums="SKIP"),
        sourced(URL, f"{URL}.sig", "git+https://example.org/x", sums="SKIP SKIP SKIP"),
        "tool/PKGBUILD:6",
        "tool.tar.gz",
    ),
    Case(
        "sum-skipped-here",
        sourced("fix.patch", sums="SKIP", fix__patch="x"),
        sourced("fix.patch", sums=SUM, fix__patch="x"),
        "tool/PKGBUILD:6",
        "fix.patch",
    ),
    Case(
        "sum-weak",
        sourced(URL, sums="0" * 32, array="md5sums"),
        sourced(URL, sums=SUM),
        "tool/PKGBUILD:7",
        "md5sums",
    ),
    Case("license-missing", licensed(""), licensed("MIT"), "tool/PKGBUILD:1"),
    Case(
        "license-unknown",
        licensed("freeware"),
        licensed("LicenseRef-freeware"),
        "tool/PKGBUILD:5",
        "freeware",
    ),
    Case("license-old", licensed("GPL3"), licensed("GPL-3.0-or-later"), "tool/PKGBUILD:5", "GPL3"),
]
FILES = [
    Case(
        "crlf-in-code",
        {**package(), "tool/x.install": "a\r\nb\r\n"},
        {**package(), "tool/x.install": "a\nb\n", "tool/x.patch": "a\r\n"},
        "tool/x.install:1",
    ),
    Case(
        "crlf-in-text",
        configured("BUILDER_CLASS=2\r"),
        configured("BUILDER_CLASS=2"),
        "tool/.CI/config:1",
    ),
    Case(
        "byte-order-mark",
        {**package(), "tool/x.install": b"\xef\xbb\xbfa\n"},
        {**package(), "tool/.SRCINFO": b"\xef\xbb\xbf" + str(package()["tool/.SRCINFO"]).encode()},
        "tool/x.install:1",
    ),
    Case(
        "not-utf8",
        {**package(), "tool/x.install": b"a\n\xff\n"},
        {**package(), "tool/x.install": "\u00fc\n"},
        "tool/x.install:2",
        "0xff",
    ),
    Case(
        "executable",
        executable(package(), "tool/PKGBUILD"),
        executable(configured("#") | {"tool/.CI/update.sh": ":"}, "tool/.CI/update.sh"),
        "tool/PKGBUILD",
    ),
    Case(
        "link-outside",
        with_file("tool/x", FolderFile("120000", target="../other/x")),
        with_file("tool/x/y", FolderFile("120000", target="../PKGBUILD")),
        "tool/x",
        "../other/x",
    ),
    Case("submodule-inside", with_file("tool/x", FolderFile("160000")), package(), "tool/x"),
    Case(
        "file-too-large",
        with_file("tool/x", FolderFile(size=LARGEST_FILE + 1)),
        with_file("tool/x", FolderFile(size=LARGEST_FILE)),
        "tool/x",
        "bytes",
    ),
    Case(
        "folder-too-large",
        package() | {f"tool/{n}": FolderFile(size=LARGEST_FOLDER // 5) for n in range(6)},
        package() | {f"tool/{n}": FolderFile(size=1) for n in range(MOST_FILES - 2)},
        "tool",
        "bytes",
    ),
    Case(
        "aur-refuses",
        {**managed(), **AUR, "tool/fix.patch": FolderFile(size=500_001)},
        {**managed(), **AUR, "tool/more": FolderFile(size=500_001)},
        "tool/fix.patch",
        "500,001 bytes",
    ),
]
CONFIGURATION = [
    Case(
        "config-unreadable",
        configured("#", 'CI_ON_TRIGGER="x'),
        configured("#", 'CI_ON_TRIGGER="x"'),
        "tool/.CI/config:2",
        "does not end",
    ),
    Case(
        "key-unknown",
        configured("SOMETHING=1"),
        configured("BUILDER_CLASS=1"),
        "tool/.CI/config:1",
        "SOMETHING",
    ),
    Case(
        "key-misplaced",
        configured("REPO_NAME=x"),
        own(),
        "tool/.CI/config:1",
        "it belongs in .ci/config",
    ),
    Case(
        "key-repeated",
        configured("BUILDER_CLASS=1", "BUILDER_CLASS=2"),
        configured("BUILDER_CLASS=2"),
        "tool/.CI/config:1",
        "BUILDER_CLASS is set again",
    ),
    Case(
        "value-bad",
        own("CI_CODE_SKIP=999"),
        own("CI_CODE_SKIP=123"),
        ".ci/config:2",
        "CI_CODE_SKIP='999'",
    ),
    Case(
        "value-ignored",
        configured("CI_VCS_INTERVAL=often"),
        configured("CI_VCS_INTERVAL=7d"),
        "tool/.CI/config:1",
        "CI_VCS_INTERVAL='often'",
    ),
    Case("line-ignored", configured("what"), configured("# what"), "tool/.CI/config:1"),
    Case(
        "policy-unusable",
        {**package(), ".ci/policy.toml": "maintainers = 1\n"},
        {**package(), ".ci/policy.toml": '[maintainers]\ntrusted = ["somebody"]\n'},
        ".ci/policy.toml",
    ),
]
SETTINGS = [
    Case(
        "bump-outdated",
        configured("CI_PACKAGE_BUMP=0.9-1/2"),
        configured("CI_PACKAGE_BUMP=1-1/2"),
        "tool/.CI/config:1",
        "0.9-1, and the package is at 1-1",
    ),
    Case(
        "bump-impossible",
        {
            path: str(text).replace("pkgrel=1", "pkgrel=1.1").replace("pkgrel = 1", "pkgrel = 1.1")
            for path, text in configured("CI_PACKAGE_BUMP=1").items()
        },
        configured("CI_PACKAGE_BUMP=1"),
        "tool/.CI/config:1",
        "cannot be bumped",
    ),
    Case(
        "bump-unused",
        {**configured("CI_MANAGE_AUR=true", "CI_PACKAGE_BUMP=1"), **AUR},
        {**configured("CI_MANAGE_AUR=false", "CI_PACKAGE_BUMP=1"), **AUR},
        "tool/.CI/config:2",
    ),
    Case(
        "nvchecker-missing",
        configured("CI_NVCHECKER=true"),
        {**configured("CI_NVCHECKER=true"), "tool/.nvchecker.toml": "[tool]\n"},
        "tool/.CI/config:1",
    ),
    Case(
        "nvchecker-unreadable",
        {**configured("CI_NVCHECKER=true"), "tool/.nvchecker.toml": "["},
        {**configured("CI_NVCHECKER=false"), "tool/.nvchecker.toml": "["},
        "tool/.nvchecker.toml",
        "no TOML",
        nvchecker={"tool": "it is no TOML"},
    ),
    Case(
        "vcs-unused",
        configured("CI_FORCE_VCS=true"),
        configured(
            "CI_FORCE_VCS=true",
            bash="source=(git+https://example.org/x)\nsha256sums=(SKIP)",
            info="source = git+https://example.org/x\nsha256sums = SKIP",
        ),
        "tool/.CI/config:1",
        "CI_FORCE_VCS",
    ),
    Case(
        "prereleases-unused",
        configured("CI_PKGBUILD_SOURCE=aur", "CI_PRERELEASES=true"),
        configured("CI_PKGBUILD_SOURCE=gitlab:12", "CI_PRERELEASES=true"),
        "tool/.CI/config:2",
    ),
    Case(
        "names-unused",
        configured("CI_ALLOW_NAMES=tool:other"),
        configured("CI_ALLOW_NAMES=tool"),
        "tool/.CI/config:1",
        "allows other",
    ),
    Case(
        "key-idle",
        own("CI_HUMAN_REVIEW_REVIEWERS=me"),
        own("CI_HUMAN_REVIEW=true", "CI_HUMAN_REVIEW_REVIEWERS=me"),
        ".ci/config:2",
        "CI_HUMAN_REVIEW_REVIEWERS does nothing without CI_HUMAN_REVIEW=true",
    ),
    Case(
        "aur-push-off",
        configured("CI_MANAGE_AUR=true"),
        {**configured("CI_MANAGE_AUR=true"), **AUR},
        "tool/.CI/config:1",
    ),
    Case(
        "trigger-unknown",
        configured("CI_REBUILD_TRIGGERS=bash:qt9-base"),
        configured("CI_REBUILD_TRIGGERS=bash:tool"),
        "tool/.CI/config:1",
        "qt9-base",
        surroundings=DATABASES,
    ),
    Case(
        "expression-unreadable",
        configured("CI_PKGBUILD_CHANGE_ALLOW_REGEX=^a;("),
        configured("CI_PKGBUILD_CHANGE_ALLOW_REGEX=^a;b"),
        "tool/.CI/config:1",
        "( is no",
    ),
    Case(
        "class-unserved",
        configured("BUILDER_CLASS=bag"),
        configured("BUILDER_CLASS=big"),
        "tool/.CI/config:1",
        "BUILDER_CLASS=bag",
        surroundings=WORKERS,
    ),
    Case(
        "architecture-missed",
        configured("CI_ARCHITECTURES=x86_64 aarch64"),
        configured("CI_ARCHITECTURES=x86_64"),
        "tool/.CI/config:1",
        "aarch64, which the repository is not built for (x86_64)",
    ),
]
INTERFERE = [
    Case(
        "interfere-unusable",
        with_file("tool/.CI/PKGBUILD.append", "a\nb\0\n"),
        with_file("tool/.CI/PKGBUILD.append", "a\nb\n"),
        "tool/.CI/PKGBUILD.append:2",
        "NUL",
    ),
    Case(
        "interfere-empty",
        with_file("tool/.CI/PKGBUILD.append", "# nothing\n\n"),
        with_file("tool/.CI/PKGBUILD.append", "# nothing\n:\n"),
        "tool/.CI/PKGBUILD.append",
    ),
    Case(
        "patch-fails",
        with_file("tool/.CI/interfere.patch", PATCH.format(was="pkgname=tull", space=" ")),
        with_file("tool/.CI/interfere.patch", PATCH.format(was="pkgname=tool", space=" ")),
        "tool/.CI/interfere.patch:1",
        "pkgname=tull",
    ),
    Case(
        "ci-file-unknown",
        with_file("tool/.CI/PKGBUILD.apend", ":"),
        with_file("tool/.CI/more.sh", ":") | {"tool/.CI/prepare": "source .CI/more.sh\n"},
        "tool/.CI/PKGBUILD.apend",
    ),
    Case(
        "silences-unusable",
        {**package(), ".ci/validate.toml": SILENCE.format(code="sum-week", reason="x")},
        {**licensed("GPL3"), ".ci/validate.toml": SILENCE.format(code="license-old", reason="x")},
        ".ci/validate.toml",
        "sum-week",
    ),
    Case(
        "silence-unused",
        {**package(), ".ci/validate.toml": SILENCE.format(code="license-old", reason="x")},
        {**licensed("GPL3"), ".ci/validate.toml": SILENCE.format(code="license-old", reason="x")},
        ".ci/validate.toml",
        "license-old",
    ),
]
CASES = [
    *FOLDERS,
    *RECIPES,
    *SOURCES,
    *FILES,
    *CONFIGURATION,
    *SETTINGS,
    *INTERFERE,
]
