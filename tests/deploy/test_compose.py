"""`deploy/compose`: fits the schema of compose files, and what caur-ci itself expects."""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any

import jsonschema

from caur_ci import __version__
from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from scheduler.settings import DatabaseSettings, WorkerSettings
from scheduler.worker.executors.container.launcher import RIGHTS
from tests.deploy.conftest import DEPLOY, KNOWN

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_it_fits_the_schema(compose: dict[str, Any]) -> None:
    vendored = resources.files("check_jsonschema.builtin_schemas.vendor")
    schema = json.loads(vendored.joinpath("compose-spec.json").read_text(encoding="utf-8"))
    jsonschema.validate(compose, schema)


def test_what_services_need_is_there(compose: dict[str, Any], secrets: Path) -> None:
    services = compose["services"]
    for name, service in services.items():
        assert set(service.get("depends_on", ())) <= services.keys(), name
        for volume in service.get("volumes", ()):
            source, target, *_ = volume.split(":")
            if source.startswith("."):
                assert (DEPLOY / "compose" / source).is_file(), volume
            else:
                assert source in compose["volumes"], volume
            assert target.startswith("/")
        for secret in service.get("secrets", ()):
            source = secret if isinstance(secret, str) else secret["source"]
            assert source in compose["secrets"], name
    for secret in compose["secrets"].values():
        assert (secrets.parent / secret["file"].replace("./secrets", secrets.name)).is_file()


def test_services_have_no_rights_but_the_worker_those_of_pacman(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert not service.get("privileged")
        assert not any("docker.sock" in volume for volume in service.get("volumes", ()))
        if "caur-ci" in service["image"]:
            assert service["cap_drop"] == ["ALL"], name
            assert service["security_opt"] == ["no-new-privileges:true"]
            assert service["image"].endswith(f":{__version__}}}")
    assert compose["services"]["worker"]["cap_add"] == list(RIGHTS)


def test_commands_and_settings_are_known_to_caur_ci(
    compose: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for service in compose["services"].values():
        command = service.get("command", [""])
        if command[0] == "caur-ci":
            assert run([*command[1:], "--help"], Session()) == 0
            assert service["environment"].keys() <= KNOWN
    assert "Usage: caur-ci database" in capsys.readouterr().out
    config = {"CAUR_CONFIG": str(DEPLOY / "compose" / "settings.toml")}
    worker = compose["services"]["worker"]["environment"] | config
    settings = WorkerSettings.from_environment(worker, state_dir=tmp_path)
    assert settings.installs
    (key,) = settings.target_repos["my-repo"].keys
    assert (key.parent, key.name in compose["secrets"]) == (settings.key.parent, True)
    database = compose["services"]["database"]["environment"] | config
    assert DatabaseSettings.from_environment(database, state_dir=tmp_path).source_repos
