"""Typed configuration, its errors and its schemas."""

from __future__ import annotations

import dataclasses
import json
import os
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from caur_ci.config import (
    Bump,
    PackageConfig,
    PkgbuildSource,
    RepositoryConfig,
    load_package_config,
    load_repository_config,
)
from caur_ci.config.loading import keys_of
from caur_ci.errors import ConfigError
from caur_ci.schemas.__main__ import SCHEMAS, render

EXAMPLES = [
    "aur", "custom", "gitlab:42", "https://x.example/y.git", "git@x.example:y.git", "true", "false",
    "1", "0", "7", "yes", "TRUE", "1:2.3-1/4", "2.3-1", "2.3-1.5/2", "-1", "99999", "a:b:c", "a b",
    "file:///x.db https://y/z.db", "--upload-pack=x", "ext::sh", "me@example.org", "Some Body",
    "65535", "65536", "022", "name_1.x", "@", "socks5h://p:1", "host:8080", "^a;b$", " ", "é",
    "\uff12", "ssh://aur@aur.example:22/x", "ssh://-oX@y", f"ssh-ed25519 {'A' * 68}",
]  # fmt: skip


def test_every_key_is_read_into_its_type() -> None:
    text = """
CI_PKGBUILD_SOURCE="gitlab:123"
CI_PACKAGE_BUMP=1:2.3.r4.gabc-1/5
CI_PKGREL=2
CI_FORCE_VCS=true
CI_ON_TRIGGER=daily
CI_MANAGE_AUR=1
CI_NVCHECKER=false
CI_PKGBUILD_CHANGE_ALLOW_REGEX=^source;^x
CI_REBUILD_TRIGGERS=boost:libxml2
CI_REBUILD_IGNORE_ABI=1
CI_SIGNAL_SCAN_IGNORE=0
BUILDER_CACHE_SOURCES=true
BUILDER_EXTRA_TIMEOUT=2
BUILDER_CLASS=0
BUILDER_ALLOW_PROHIBITED=true
BUILDER_NETWORK=false
BUILDER_PGP_CHECK=true
"""
    config = load_package_config(text.encode(), origin="x").config
    assert config == PackageConfig(
        source=PkgbuildSource("gitlab", "123"),
        bump=Bump(5, "1:2.3.r4.gabc-1"),
        pkgrel_bump=2,
        force_vcs=True,
        on_trigger="daily",
        manage_aur=True,
        nvchecker=False,
        change_allow_regex=("^source", "^x"),
        rebuild_triggers=("boost", "libxml2"),
        rebuild_ignore_abi=True,
        signal_scan_ignore=False,
        cache_sources=True,
        extra_timeout=2,
        build_class="1",
        allow_prohibited=True,
        network=False,
        pgp_check=True,
    )


@pytest.mark.parametrize(
    ("text", "bump"), [("3", Bump(3)), ("1.0-1", Bump(1, "1.0-1")), ("1.0-1/4", Bump(4, "1.0-1"))]
)
def test_the_forms_of_a_bump(text: str, bump: Bump) -> None:
    loaded = load_package_config(f"CI_PACKAGE_BUMP={text}".encode(), origin="x")
    assert loaded.config.bump == bump


def test_an_empty_value_is_the_same_as_none() -> None:
    loaded = load_package_config(b"BUILDER_CLASS=\nCI_MANAGE_AUR=''\n", origin="x")
    assert loaded.config == PackageConfig()


def test_unknown_keys_are_kept_and_warned_about_with_the_nearest() -> None:
    loaded = load_package_config(b"# c\nBUILDER_CLAS=4\nCI_HUMAN_REVIEW=true\nX=1\n", origin="p")
    assert loaded.warnings == (
        "p:2: BUILDER_CLAS is not known and ignored. Did you mean BUILDER_CLASS?",
        "p:3: CI_HUMAN_REVIEW does nothing here, it belongs in .ci/config",
        "p:4: X is not known and ignored.",
    )
    assert loaded.file.get("BUILDER_CLAS") == "4"


def test_values_that_fit_no_type_name_file_line_key_and_what_is_allowed() -> None:
    text = b"REPO_NAME=x\nCI_CODE_SKIP=256\n\nREDIS_PORT=none\n"
    with pytest.raises(ConfigError) as caught:
        load_repository_config(text)
    assert caught.value.message.splitlines() == [
        ".ci/config:2: CI_CODE_SKIP='256' does not fit; allowed is a whole number from 1 to 255",
        ".ci/config:4: REDIS_PORT='none' does not fit; allowed is a whole number from 1 to 65535",
    ]


def test_repository_names_may_differ() -> None:
    loaded = load_repository_config(b"BUILD_REPO=src\nREPO_NAME=dst\n")
    assert (loaded.config.source_repo, loaded.config.target_repo) == ("src", "dst")
    assert loaded.warnings == ()


def test_one_repository_name_serves_for_both() -> None:
    loaded = load_repository_config(b"BUILD_REPO=one\n")
    assert (loaded.config.source_repo, loaded.config.target_repo) == ("one", "one")
    assert loaded.warnings == ()


def test_several_host_keys_stand_in_one_value() -> None:
    keys = (f"ssh-ed25519 {'A' * 68}", f"ecdsa-sha2-nistp256 {'B' * 140}=")
    text = f"REPO_NAME=x\nCI_AUR_HOST_KEYS={' ,  '.join(keys)}\n"

    assert load_repository_config(text.encode()).config.aur_host_keys == keys


@pytest.mark.parametrize("name", SCHEMAS)
def test_shipped_schemas_are_those_of_the_declarations(name: str) -> None:
    shipped = resources.files("caur_ci.schemas").joinpath(name).read_text(encoding="utf-8")
    assert shipped == render(name)
    Draft202012Validator.check_schema(json.loads(shipped))


@pytest.mark.parametrize("config", [PackageConfig, RepositoryConfig])
@given(data=st.data())
def test_schema_and_loader_accept_the_same(config: type[Any], data: st.DataObject) -> None:
    load = load_package_config if config is PackageConfig else load_repository_config
    file = "package" if config is PackageConfig else "repository"
    validator = Draft202012Validator(json.loads(render(f"{file}-config.schema.json")))
    strict = [name for name, (_, key) in keys_of(config).items() if not key.lenient]
    key = data.draw(st.sampled_from(sorted(strict)))
    text = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="'"))
    value = data.draw(st.one_of(st.sampled_from(EXAMPLES), text))
    try:
        load(f"{key}='{value}'".encode(), origin="x")
        accepted = True
    except ConfigError:
        accepted = False
    assert validator.is_valid({key: value}) is accepted


def test_every_key_has_words_for_people() -> None:
    for config in (PackageConfig, RepositoryConfig):
        for _, declared in keys_of(config).values():
            assert declared.summary.endswith("."), declared
        assert len(keys_of(config)) == len(dataclasses.fields(config))


@pytest.mark.skipif("CAUR_REAL_METADATA" not in os.environ, reason="CAUR_REAL_METADATA is not set")
def test_real_configurations_are_read_without_a_complaint() -> None:
    folder = Path(os.environ["CAUR_REAL_METADATA"])
    files = sorted(folder.glob("*/.CI/config"))
    assert files
    for path in files:
        assert load_package_config(path.read_bytes(), origin=str(path)).warnings == ()
