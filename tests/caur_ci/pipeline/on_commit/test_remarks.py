"""What on-commit tells of packages before they are built."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import ConfigError
from caur_ci.pipeline.on_commit.journey import OnCommitOptions, OnCommitResult, on_commit
from tests.support.git import Checkout, srcinfo

if TYPE_CHECKING:
    from pathlib import Path

PKGBUILD = "pkgname=tool\npkgver=1.0\npkgrel=1\n"


def run(checkout: Checkout) -> OnCommitResult:
    return on_commit(OnCommitOptions(repo=checkout.folder))


def told(checkout: Checkout, *words: str) -> list[str]:
    """Return the warnings of a run that hold all `words`."""
    warnings = run(checkout).plan.warnings
    return [warning for warning in warnings if all(word in warning for word in words)]


@pytest.fixture
def tool(checkout: Checkout) -> Checkout:
    """A repository where `tool` was scheduled at version 1.0-1."""
    checkout.commit("x", {"tool/PKGBUILD": PKGBUILD, "tool/.SRCINFO": srcinfo("tool")})
    run(checkout)
    return checkout


class TestUnchangedVersion:
    def test_a_recipe_that_changed_without_its_version_is_told(self, tool: Checkout) -> None:
        tool.commit("y", {"tool/PKGBUILD": f"{PKGBUILD}# more\n"})

        (warning,) = told(tool, "tool", "version")
        assert "pkgrel" in warning
        assert "CI_PACKAGE_BUMP" in warning

    def test_what_changes_below_ci_counts_as_well(self, tool: Checkout) -> None:
        tool.commit("y", {"tool/.CI/PKGBUILD.append": "build() { true; }\n"})

        assert told(tool, "tool", "pkgrel")

    @pytest.mark.parametrize(
        "files",
        [
            {"tool/.SRCINFO": srcinfo("tool").replace("pkgrel = 1", "pkgrel = 2")},
            {"tool/.CI/config": "CI_PACKAGE_BUMP=1\n"},
            {"tool/PKGBUILD": f"{PKGBUILD}pkgver() {{ echo 1; }}\n"},
            {"tool/.CI/PKGBUILD.append": "pkgrel=5\n"},
        ],
        ids=["another pkgrel", "a bump", "a pkgver function", "a pkgrel appended"],
    )
    def test_another_version_or_one_that_nobody_knows_is_not(
        self, tool: Checkout, files: dict[str, str | bytes | None]
    ) -> None:
        tool.commit("y", files)

        assert not told(tool, "tool", "version is")

    def test_a_new_package_is_not(self, checkout: Checkout) -> None:
        checkout.commit("x", {"new/PKGBUILD": PKGBUILD, "new/.SRCINFO": srcinfo("new")})

        assert not told(checkout, "new", "version is")


class TestSrcinfo:
    def test_one_that_does_not_follow_from_the_pkgbuild_is_told(self, tool: Checkout) -> None:
        tool.commit("y", {"tool/PKGBUILD": PKGBUILD.replace("pkgrel=1", "pkgrel=2")})

        (warning,) = told(tool, "tool/.SRCINFO does not follow", "pkgrel is 1", "says 2")
        assert "caur-ci srcinfo --write tool" in warning

    def test_one_that_follows_is_not(self, tool: Checkout) -> None:
        newer = srcinfo("tool").replace("pkgver = 1", "pkgver = 1.1")
        tool.commit(
            "y",
            {
                "tool/PKGBUILD": f"{PKGBUILD.replace('1.0', '1.1')}arch=(any)\n",
                "tool/.SRCINFO": newer,
            },
        )

        assert not told(tool, ".SRCINFO")

    def test_a_pkgbuild_that_takes_too_much_is_told_as_not_sure(self, tool: Checkout) -> None:
        many = "".join(f"cat <<E{number}\nE{number}\n" for number in range(1_100))
        tool.commit("y", {"tool/PKGBUILD": PKGBUILD + many})

        (warning,) = told(tool, "tool/.SRCINFO", "not sure")
        assert "1,000 here-documents" in warning

    def test_one_that_is_missing_is_told_once_with_the_remedy(self, checkout: Checkout) -> None:
        checkout.commit("x", {"new/PKGBUILD": PKGBUILD})

        (warning,) = told(checkout, "new/.SRCINFO is missing")
        assert "caur-ci srcinfo --write new" in warning


class TestRemovals:
    def test_a_removal_of_what_is_needed_names_who_needs_it(self, checkout: Checkout) -> None:
        checkout.commit(
            "x",
            {
                "libx/PKGBUILD": "",
                "libx/.SRCINFO": srcinfo("libx"),
                "app/PKGBUILD": "",
                "app/.SRCINFO": srcinfo("app", "depends = libx>=1"),
            },
        )
        run(checkout)
        checkout.commit("y", {"libx/PKGBUILD": None, "libx/.SRCINFO": None})

        (warning,) = told(checkout, "libx", "needed by app")
        assert "folder libx" in warning

    def test_it_is_no_loss_where_another_folder_makes_it(self, checkout: Checkout) -> None:
        files: dict[str, str | bytes | None] = {
            "old/PKGBUILD": "",
            "old/.SRCINFO": srcinfo("libx"),
            "app/PKGBUILD": "",
            "app/.SRCINFO": srcinfo("app", "depends = libx"),
        }
        checkout.commit("x", files)
        run(checkout)
        checkout.commit(
            "y",
            {
                "old/PKGBUILD": None,
                "old/.SRCINFO": None,
                "new/PKGBUILD": "",
                "new/.SRCINFO": srcinfo("libx"),
            },
        )

        assert not told(checkout, "needed by")


class TestFolders:
    def test_a_folder_that_is_no_package_is_not_built(self, checkout: Checkout) -> None:
        checkout.commit("x", {"docs/guide.md": "# How\n"})

        result = run(checkout)

        assert not result.plan.request.packages
        assert not [warning for warning in result.plan.warnings if "docs" in warning]
        assert [note for note in result.plan.notes if note.startswith("docs has no PKGBUILD")]

    def test_two_folders_that_make_one_package_are_told(self, tool: Checkout) -> None:
        tool.commit("y", {"copy/PKGBUILD": PKGBUILD, "copy/.SRCINFO": srcinfo("tool")})

        assert told(tool, "the package tool", "copy, tool")
        assert told(tool, "copy/.SRCINFO", "pkgbase tool")

    def test_many_folders_without_srcinfo_are_one_sentence(self, checkout: Checkout) -> None:
        checkout.commit("x", {f"p{number}/PKGBUILD": PKGBUILD for number in range(30)})
        run(checkout)
        checkout.commit("y", {"p3/PKGBUILD": f"{PKGBUILD}#\n"})

        missing = told(checkout, ".SRCINFO")
        assert len(missing) == 2
        assert missing[0].startswith("p3/.SRCINFO is missing")
        assert missing[1].startswith("29 folders have no .SRCINFO")


class TestRange:
    def test_the_commits_that_were_looked_at_are_counted(self, tool: Checkout) -> None:
        tool.commit("y")
        tool.commit("z")

        assert run(tool).plan.notes == ("looked at 2 commits since the tag `scheduled`",)


class TestFirstRun:
    def test_without_names_for_the_repositories_it_stops(self, tmp_path: Path) -> None:
        made = Checkout.create(tmp_path / "world")
        made.commit("x", {"a/PKGBUILD": PKGBUILD, "a/.SRCINFO": srcinfo("a")})
        made.push()

        with pytest.raises(ConfigError) as caught:
            run(made)
        assert "REPO_NAME" in caught.value.hint
        assert not made.remote_ref("refs/tags/scheduled")

    def test_it_goes_on_where_the_default_is_meant(self, tmp_path: Path) -> None:
        made = Checkout.create(tmp_path / "world")
        made.commit("x", {"a/PKGBUILD": PKGBUILD, "a/.SRCINFO": srcinfo("a")})
        made.push()

        assert on_commit(OnCommitOptions(repo=made.folder, default_names=True)).published


class TestGenerated:
    @pytest.fixture
    def generating(self, checkout: Checkout) -> Checkout:
        checkout.commit("x", {".ci/config": "REPO_NAME=repo\nCI_SRCINFO=generate\n"})
        run(checkout)
        return checkout

    def test_packages_without_a_srcinfo_are_planned_like_others(self, generating: Checkout) -> None:
        generating.commit(
            "y",
            {
                "app/PKGBUILD": "pkgname=app\npkgver=1\npkgrel=1\narch=(any)\ndepends=(lib)\n",
                "lib/PKGBUILD": "pkgname=(lib lib-doc)\npkgver=1\npkgrel=1\narch=(any)\n"
                "package_lib() { :; }\npackage_lib-doc() { :; }\n",
            },
        )

        plan = run(generating).plan

        assert not plan.warnings
        wanted = {each.pkgbase: each for each in plan.request.packages}
        assert wanted["lib"].pkgnames == ("lib", "lib-doc")
        assert wanted["app"].depends == ("lib",)

    def test_one_that_has_to_be_run_is_told_with_the_remedy(self, generating: Checkout) -> None:
        generating.commit("y", {"app/PKGBUILD": "pkgname=app\npkgver=$(date)\npkgrel=1\n"})

        (warning,) = told(generating, "app/.SRCINFO", "without running it", "line 2")
        assert "caur-ci srcinfo --write app" in warning

    def test_a_recipe_without_a_new_version_is_told(self, generating: Checkout) -> None:
        generating.commit("y", {"tool/PKGBUILD": f"{PKGBUILD}arch=(any)\n"})
        run(generating)
        generating.commit("z", {"tool/PKGBUILD": f"{PKGBUILD}arch=(any)\ndepends=(x)\n"})

        assert told(generating, "tool was changed, but its version is 1.0-1")

    def test_a_removal_of_what_is_needed_is_told(self, generating: Checkout) -> None:
        lib = "pkgname=lib\npkgver=1\npkgrel=1\narch=(any)\n"
        app = "pkgname=app\npkgver=1\npkgrel=1\narch=(any)\ndepends=(lib)\n"
        generating.commit("y", {"app/PKGBUILD": app, "lib/PKGBUILD": lib})
        run(generating)
        generating.commit("z", {"lib/PKGBUILD": None})

        assert told(generating, "lib goes with the folder lib", "app")
