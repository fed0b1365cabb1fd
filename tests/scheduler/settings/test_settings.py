"""The environment of workers and database runners."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from caur_ci.errors import ConfigError
from scheduler.settings import (
    ContainerSettings,
    DatabaseSettings,
    ExtraRepository,
    LandingZoneAddress,
    TargetRepository,
    WorkerSettings,
)
from scheduler.ssh import SshHost

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
        ({"BUILDER_EXECUTOR": "vm"}, "BUILDER_EXECUTOR='vm' does not fit; allowed is container or"),
        ({"BUILDER_LIMITS_CPUS": "many"}, "allowed is a number such as 2 or 1.5"),
        ({"BUILDER_USERNS": "maybe"}, "allowed is true or false"),
        ({"BUILDER_IMAGE": "--privileged"}, "BUILDER_IMAGE='--privileged' does not fit"),
        ({"BUILDER_NETWORK_MODE": "--x"}, "BUILDER_NETWORK_MODE"),
        ({"DATABASE_HOST": "-oProxyCommand=x"}, "DATABASE_HOST is"),
        ({"DATABASE_HOST": "host", "DATABASE_PORT": "0"}, "DATABASE_PORT is '0'"),
        ({"DATABASE_HOST": "host", "DATABASE_HOST_FINGERPRINT": "MD5:1"}, "DATABASE_HOST_FINGER"),
        (
            {"PACKAGE_TARGET_REPOS": '{"a": {"extra_repos": [{"name": "b", "servers": ["c"]}]}}'},
            "PACKAGE_TARGET_REPOS: $.a.extra_repos[0].servers[0]: does not match",
        ),
        (
            {"PACKAGE_TARGET_REPOS": '{"a": {"extra_keyrings": ["https://x/\\n"]}}'},
            "PACKAGE_TARGET_REPOS: $.a.extra_keyrings[0]",
        ),
        ({"BUILDER_HOSTNAME": "a/b"}, "BUILDER_HOSTNAME='a/b' does not fit"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(
    tmp_path: Path, changes: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        WorkerSettings.from_environment({**WORKER, **changes}, state_dir=tmp_path)
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ('"https://me:s3cret@x.org/a b"', "$.a.url: does not match"),
        ('"https://me:s3cret@x.org/a\\n"', "$.a.url: "),
        ('["https://me:s3cret@x.org/a"]', "$.a.url: this is not of type 'string'"),
        ('{"b": "https://me:s3cret@x.org/a"}', "$.a.url: this is not of type 'string'"),
    ],
)
def test_a_password_in_a_url_that_cannot_be_used_is_not_shown(
    tmp_path: Path, url: str, message: str
) -> None:
    environ = {**WORKER, "PACKAGE_REPOS": f'{{"a": {{"url": {url}}}}}'}
    with pytest.raises(ConfigError) as caught:
        WorkerSettings.from_environment(environ, state_dir=tmp_path)
    assert message in caught.value.message
    assert "s3cret" not in caught.value.message + caught.value.hint


def test_a_landing_zone_can_be_on_another_machine(tmp_path: Path) -> None:
    environ = {**WORKER, "DATABASE_HOST": "repo.example.org", "LANDING_ZONE_PATH": "landing"}
    place = WorkerSettings.from_environment(environ, state_dir=tmp_path).landing_zone
    assert place == LandingZoneAddress(
        ssh=SshHost(host="repo.example.org", prefix="DATABASE"), folder="landing"
    )

    fingerprint = f"SHA256:{'a' * 43}"
    environ |= {
        "DATABASE_PORT": "2222",
        "DATABASE_USER": "deploy",
        "DATABASE_KEY": "/key",
        "DATABASE_KNOWN_HOSTS": "/known_hosts",
        "DATABASE_HOST_FINGERPRINT": fingerprint,
        "LANDING_ZONE_ADVERTISED_PATH": "/incoming",
    }
    place = WorkerSettings.from_environment(environ, state_dir=tmp_path).landing_zone
    assert isinstance(place, LandingZoneAddress)
    assert place.folder == "/incoming"
    assert place.ssh == SshHost(
        host="repo.example.org",
        port=2222,
        user="deploy",
        key="/key",
        known_hosts=Path("/known_hosts"),
        fingerprints=(fingerprint,),
        prefix="DATABASE",
    )


def test_containers_are_set_up(tmp_path: Path) -> None:
    assert WorkerSettings.from_environment(WORKER, state_dir=tmp_path).container == (
        ContainerSettings()
    )
    environ = {
        **WORKER,
        "BUILDER_IMAGE": "localhost:5000/builder@sha256:0a",
        "CONTAINER_ENGINE": "docker",
        "BUILDER_LIMITS_CPUS": "1.5",
        "BUILDER_LIMITS_RAM": "2048",
        "BUILDER_NETWORK_MODE": "host",
        "BUILDER_USERNS": "false",
    }
    assert WorkerSettings.from_environment(environ, state_dir=tmp_path).container == (
        ContainerSettings(
            image="localhost:5000/builder@sha256:0a",
            engine="docker",
            cpus=1.5,
            memory=2048,
            network="host",
            user_namespace=False,
        )
    )


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


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        (
            "https://x.org/$repo/$arch",
            "https://x.org/target/.staging/staging-libx-1/x86_64_v3",
        ),
        (
            "https://x.org/some/where/x86_64_v3/",
            "https://x.org/some/where/.staging/staging-libx-1/x86_64_v3",
        ),
        ("file:///srv/$repo/$arch", "file:///srv/target/.staging/staging-libx-1/x86_64_v3"),
    ],
)
def test_what_is_staged_is_beside_the_architectures(server: str, expected: str) -> None:
    own = ExtraRepository(name="target", servers=(server,), sig_level="Required")
    other = ExtraRepository(name="other", servers=("https://other.org/$repo/$arch",))
    target = TargetRepository(name="target", extra_repos=(other, own))
    assert target.staging("libx-1", "x86_64_v3") == ExtraRepository(
        name="staging-libx-1", servers=(expected,), sig_level="Required"
    )
    without = TargetRepository(name="target", extra_repos=(other,))
    assert without.staging("libx-1", "x86_64_v3") is None
