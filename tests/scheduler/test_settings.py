"""The environment of workers and database runners."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from caur_ci.errors import ConfigError
from scheduler.settings import DatabaseSettings, ExtraRepository, WorkerSettings

if TYPE_CHECKING:
    from pathlib import Path

SOURCES = {"PACKAGE_REPOS": '{"source": {"url": "https://user:secret@example.org/x.git"}}'}
WORKER = {**SOURCES, "LANDING_ZONE_PATH": "/landing"}


def database(base: Path, **changes: str) -> DatabaseSettings:
    environ = {
        **SOURCES,
        "PACKAGE_TARGET_REPOS": '{"repo": {}}',
        "ALLOWED_WORKERS": str(base / "allowed_workers"),
        "REPO_PATH": str(base / "www"),
        "LANDING_ZONE_PATH": str(base / "landing"),
        "GPG_PATH": str(base / "gnupg"),
        **changes,
    }
    return DatabaseSettings.from_environment(environ, state_dir=base)


def test_a_worker_needs_little(tmp_path: Path) -> None:
    settings = WorkerSettings.from_environment(WORKER, state_dir=tmp_path)

    assert settings.source_repos["source"].url.endswith("/x.git")
    assert "secret" not in repr(settings)
    assert (settings.timeout, settings.build_class, settings.skip_code) == (3600, 2, 123)
    assert settings.shared == tmp_path / "shared"
    assert settings.name


def test_a_worker_takes_the_names_that_people_know(tmp_path: Path) -> None:
    environ = {
        **WORKER,
        "BUILDER_HOSTNAME": "catbuilder",
        "BUILDER_CLASS": "9",
        "BUILDER_TIMEOUT": "7200",
        "SHARED_PATH": str(tmp_path / "elsewhere"),
        "MAKEFLAGS": "-j8",
        "PACKAGER": "Me",
        "CI_CODE_SKIP": "99",
    }
    settings = WorkerSettings.from_environment(environ, state_dir=tmp_path)

    assert (settings.name, settings.build_class, settings.timeout) == ("catbuilder", 9, 7200)
    assert (settings.makeflags, settings.packager, settings.skip_code) == ("-j8", "Me", 99)
    assert settings.shared == tmp_path / "elsewhere"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"PACKAGE_REPOS": ""}, "PACKAGE_REPOS is not set"),
        ({"PACKAGE_REPOS": "{"}, "PACKAGE_REPOS is not JSON"),
        ({"PACKAGE_REPOS": "[]"}, "PACKAGE_REPOS: $"),
        ({"PACKAGE_REPOS": '{"a": {}}'}, "PACKAGE_REPOS: $.a: 'url' is a required property"),
        ({"PACKAGE_REPOS": '{"a": {"url": 1}}'}, "PACKAGE_REPOS: $.a.url"),
        ({"PACKAGE_REPOS": '{"a": {"url": "--upload-pack=x"}}'}, "PACKAGE_REPOS: $.a.url"),
        ({"PACKAGE_REPOS": '{"../a": {"url": "x"}}'}, "PACKAGE_REPOS: '../a' cannot be"),
        ({"LANDING_ZONE_PATH": ""}, "LANDING_ZONE_PATH is not set"),
        ({"BUILDER_TIMEOUT": "soon"}, "BUILDER_TIMEOUT='soon' does not fit"),
        ({"BUILDER_TIMEOUT": "0"}, "allowed is a whole number of at least 1"),
        ({"CI_CODE_SKIP": "300"}, "from 1 to 255"),
        ({"BUILDER_HOSTNAME": "a/b"}, "BUILDER_HOSTNAME: 'a/b' cannot be"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(
    tmp_path: Path, changes: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        WorkerSettings.from_environment({**WORKER, **changes}, state_dir=tmp_path)
    assert message in caught.value.message


def test_a_password_in_a_url_that_cannot_be_used_is_not_shown(tmp_path: Path) -> None:
    environ = {**WORKER, "PACKAGE_REPOS": '{"a": {"url": "https://me:s3cret@x.org/a b"}}'}
    with pytest.raises(ConfigError) as caught:
        WorkerSettings.from_environment(environ, state_dir=tmp_path)
    assert "$.a.url: does not match" in caught.value.message
    assert "s3cret" not in caught.value.message


def test_target_repositories_bring_what_builds_need(tmp_path: Path) -> None:
    extra = {"name": "more", "servers": ["https://example.org/$arch"]}
    value = {"repo": {"extra_repos": [extra], "extra_keyrings": ["https://example.org/k"]}}
    settings = database(tmp_path, PACKAGE_TARGET_REPOS=json.dumps(value))

    target = settings.target_repos["repo"]
    assert target.extra_repos == (
        ExtraRepository(name="more", servers=("https://example.org/$arch",)),
    )
    assert target.extra_keyrings == ("https://example.org/k",)
    with pytest.raises(ConfigError, match=r"PACKAGE_TARGET_REPOS: \$\.repo\.extra_repos\[0\]"):
        database(tmp_path, PACKAGE_TARGET_REPOS='{"repo": {"extra_repos": [{"name": "x"}]}}')


def test_the_gnupg_folder_may_be_named_or_the_one_it_is_in(tmp_path: Path) -> None:
    assert database(tmp_path).gpg_home == tmp_path / "gnupg"
    (tmp_path / "gnupg" / ".gnupg").mkdir(parents=True)
    assert database(tmp_path).gpg_home == tmp_path / "gnupg" / ".gnupg"
