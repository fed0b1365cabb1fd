"""The TOML file: another form of the same settings, which is held to the same rules."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from caur_ci.errors import ConfigError
from scheduler import schemas
from scheduler.settings import DatabaseSettings, WorkerSettings
from scheduler.settings.__main__ import render
from scheduler.settings.file import file_schema
from scheduler.settings.variables import BY_KEY, VARIABLES

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "docs" / "settings.example.toml"

SETTINGS = """
shared_path = "/srv/shared"

[source_repos.source]
url = "https://me:s3cret@example.org/pkgbuilds.git"

[target_repos.repo]
architectures = ["x86_64", "aarch64"]
keys = ["/etc/caur-ci/repo.asc"]

[[target_repos.repo.extra_repos]]
name = "repo"
servers = ["https://example.org/$repo/$arch"]
sig_level = "Required DatabaseOptional"

[landing_zone]
path = "/srv/landing"
patience = 60

[worker]
name = "builder"
class = 9
timeout = 7200
readable = ["/srv/git", "/srv/mirror"]
executor = "host"
makeflags = "-j8"

[worker.container]
cpus = 1.5
memory = 2048
user_namespace = false

[database]
repo_path = "/srv/www"
gpg_path = "/srv/gnupg"
allowed_workers = "/etc/caur-ci/allowed_workers"
grace = 0
removal_share = 100
"""
VARIABLES_OF_THE_SAME = {
    "SHARED_PATH": "/srv/shared",
    "PACKAGE_REPOS": '{"source": {"url": "https://me:s3cret@example.org/pkgbuilds.git"}}',
    "PACKAGE_TARGET_REPOS": json.dumps(
        {
            "repo": {
                "architectures": ["x86_64", "aarch64"],
                "keys": ["/etc/caur-ci/repo.asc"],
                "extra_repos": [
                    {
                        "name": "repo",
                        "servers": ["https://example.org/$repo/$arch"],
                        "sig_level": "Required DatabaseOptional",
                    }
                ],
            }
        }
    ),
    "LANDING_ZONE_PATH": "/srv/landing",
    "BUILDER_UPLOAD_PATIENCE": "60",
    "BUILDER_HOSTNAME": "builder",
    "BUILDER_CLASS": "9",
    "BUILDER_TIMEOUT": "7200",
    "BUILDER_READABLE": "/srv/git:/srv/mirror",
    "BUILDER_EXECUTOR": "host",
    "MAKEFLAGS": "-j8",
    "BUILDER_LIMITS_CPUS": "1.5",
    "BUILDER_LIMITS_RAM": "2048",
    "BUILDER_USERNS": "false",
    "REPO_PATH": "/srv/www",
    "GPG_PATH": "/srv/gnupg",
    "ALLOWED_WORKERS": "/etc/caur-ci/allowed_workers",
    "REPO_GRACE": "0",
    "REPO_REMOVAL_SHARE": "100",
}


def written(folder: Path, text: str) -> dict[str, str]:
    path = folder / "caur.toml"
    path.write_text(text, encoding="utf-8")
    return {"CAUR_CONFIG": str(path)}


def refusal(folder: Path, text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        WorkerSettings.from_environment(written(folder, text), state_dir=folder)
    return caught.value


def test_variables_and_file_lead_to_the_same_settings(tmp_path: Path) -> None:
    environ = written(tmp_path, SETTINGS)

    for kind in (WorkerSettings, DatabaseSettings):
        from_file = kind.from_environment(environ, state_dir=tmp_path)
        assert from_file == kind.from_environment(VARIABLES_OF_THE_SAME, state_dir=tmp_path)
        assert "s3cret" not in repr(from_file)


def test_variables_win_over_the_file(tmp_path: Path) -> None:
    environ = written(tmp_path, SETTINGS) | {"BUILDER_CLASS": "3", "BUILDER_HOSTNAME": ""}

    settings = WorkerSettings.from_environment(environ, state_dir=tmp_path)

    assert (settings.build_class, settings.name) == (3, "builder")


@pytest.mark.parametrize(
    ("text", "key", "meant"),
    [
        ("[worker]\nclas = 1", "worker.clas", "worker.class"),
        ("[worker.container]\nmemroy = 1", "worker.container.memroy", "worker.container.memory"),
        ("[workers]\nclass = 1", "workers", "worker"),
        ("source_repo = 1", "source_repo", "source_repos"),
    ],
)
def test_an_unknown_key_is_refused_with_a_suggestion(
    tmp_path: Path, text: str, key: str, meant: str
) -> None:
    error = refusal(tmp_path, text)

    assert error.message == f"{tmp_path}/caur.toml: {key} is not known"
    assert error.hint == f"Did you mean {meant}?"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[worker", "is no TOML file"),
        ('[worker]\nclass = "9"', "worker.class: this is not of type 'integer'"),
        ("[worker]\nclass = 0", "worker.class: 0 is less than the minimum of 1"),
        ("[landing_zone]\nport = 70000", "landing_zone.port: this is greater than the maximum"),
        ("worker = 1", "worker: 1 is not of type 'object'"),
        ("[worker]\nexecutor = 'vm'", "worker.executor: this is not one of"),
        ("[source_repos.a]\nuri = 'x'", "source_repos.a: 'url' is a required property"),
        ("[source_repos.a]\nurl = ['https://me:s3cret@x']", "source_repos.a.url: this is not of"),
        ("[source_repos.a]\nurl = 'x'\n[worker]\nname = 'a/b'", "worker.name: does not match"),
    ],
)
def test_what_does_not_fit_is_named_by_file_and_key(
    tmp_path: Path, text: str, message: str
) -> None:
    error = refusal(tmp_path, text)

    assert f"{tmp_path}/caur.toml" in error.message
    assert message in error.message
    assert "s3cret" not in error.message


def test_what_only_a_closer_look_finds_is_named_by_file_and_key(tmp_path: Path) -> None:
    error = refusal(tmp_path, '[source_repos."../a"]\nurl = "x"')
    assert f"{tmp_path}/caur.toml: source_repos: '../a' cannot be" in error.message


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    environ = {"CAUR_CONFIG": str(tmp_path / "gone.toml")}
    with pytest.raises(ConfigError, match=r"gone\.toml cannot be read: No such file"):
        WorkerSettings.from_environment(environ, state_dir=tmp_path)


def test_what_is_missing_is_named_in_both_forms(tmp_path: Path) -> None:
    error = refusal(tmp_path, "[source_repos.a]\nurl = 'x'")
    assert error.message == "LANDING_ZONE_PATH is not set"
    assert "landing_zone.path in" in error.hint


def test_the_schema_file_is_what_the_declarations_say() -> None:
    path = Path(schemas.__file__).parent / "settings.schema.json"
    assert path.read_text(encoding="utf-8") == render(), "run python -m scheduler.settings"
    Draft202012Validator.check_schema(file_schema())


def test_every_setting_has_a_key_of_its_own() -> None:
    assert len(BY_KEY) == len({variable.name for variable in VARIABLES}) == len(VARIABLES)
    assert all(not key.startswith("caur") for key in BY_KEY)


def test_the_documentation_has_all_settings() -> None:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    rows = [
        f"| `{each.name}` | `{each.key}` | {'needed' if each.default is None else each.default} "
        f"| {each.summary} |"
        for each in VARIABLES
    ]
    missing = [row for row in rows if row not in text]
    assert not missing, "\n".join(missing)
    named = set(re.findall(r"^\| `([A-Z_]+)` \|", text, re.MULTILINE))
    assert named == {each.name for each in VARIABLES}


@pytest.mark.parametrize("kind", [WorkerSettings, DatabaseSettings])
def test_the_example_can_be_used_and_shows_everything(
    kind: type[WorkerSettings | DatabaseSettings], tmp_path: Path
) -> None:
    kind.from_environment({"CAUR_CONFIG": str(EXAMPLE)}, state_dir=tmp_path)

    text = EXAMPLE.read_text(encoding="utf-8")
    for variable in VARIABLES:
        last = variable.key.rpartition(".")[2]
        assert re.search(rf"^(# )?\[?{last}( = |\.)", text, re.MULTILINE), variable.key
    everything = re.sub(r"^# (?=[a-z_]+ = )", "", text, flags=re.MULTILINE)
    kind.from_environment(written(tmp_path, everything), state_dir=tmp_path)
