"""`deploy/kubernetes`: fits the schemas of Kubernetes and KEDA, and what caur-ci itself expects."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import kubernetes_validate
import pytest

from caur_ci import __version__
from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from scheduler.settings import DatabaseSettings, ExecutorKind, WebSettings, WorkerSettings
from scheduler.worker.executors.container.launcher import RIGHTS
from tests.deploy.conftest import DEPLOY, KNOWN
from tests.support.tools import as_ordinary_user, need_tools

if TYPE_CHECKING:
    from collections.abc import Iterator

OLDEST, NEWEST = "1.33", kubernetes_validate.latest_version()
KEDA = json.loads((Path(__file__).parent / "keda.schema.json").read_text(encoding="utf-8"))
OWN_IMAGES = "registry.example.org/caur-ci/"


def of_kind(rendered: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [each for each in rendered if each["kind"] == kind]


def pods(rendered: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the specification of every pod there is, by the name of what makes it."""
    for each in rendered:
        if each["kind"] == "StatefulSet":
            yield each["metadata"]["name"], each["spec"]["template"]["spec"]
        elif each["kind"] == "ScaledJob":
            yield each["metadata"]["name"], each["spec"]["jobTargetRef"]["template"]["spec"]


def containers(rendered: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for _, pod in pods(rendered):
        yield from (*pod.get("initContainers", ()), *pod["containers"])


def environment(container: dict[str, Any]) -> dict[str, str]:
    found = {each["name"]: each.get("value", "of-the-pod") for each in container.get("env", ())}
    return {**found, "CAUR_CONFIG": str(DEPLOY / "kubernetes" / "settings.toml")}


def container_named(rendered: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(each for each in containers(rendered) if each["name"] == name)


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_every_object_fits_the_schema_of_its_kind(
    rendered: list[dict[str, Any]], version: str
) -> None:
    assert len(rendered) > 15
    for each in rendered:
        if each["apiVersion"].startswith("keda.sh/"):
            jsonschema.validate(each, KEDA)
        if each["kind"] == "ScaledJob":
            job = {"apiVersion": "batch/v1", "kind": "Job", "spec": each["spec"]["jobTargetRef"]}
            kubernetes_validate.validate(job, version, strict=True)
        elif each["kind"] != "TriggerAuthentication":
            kubernetes_validate.validate(each, version, strict=True)


def test_nothing_has_rights_that_it_does_not_need(rendered: list[dict[str, Any]]) -> None:
    for name, pod in pods(rendered):
        assert pod["automountServiceAccountToken"] is False
        # Variables like WEB_PORT and REDIS_PORT are ours.
        assert pod["enableServiceLinks"] is False
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not any("hostPath" in volume for volume in pod["volumes"])
        is_builder = name.startswith("builder-")
        # Their triggers are for jobs of this architecture.
        assert ("nodeSelector" in pod) is is_builder
        assert pod["securityContext"].get("runAsNonRoot", False) is not is_builder
        # Root of a builder is nobody outside.
        assert pod.get("hostUsers", True) is not is_builder
        for container in (*pod.get("initContainers", ()), *pod["containers"]):
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"]["drop"] == ["ALL"]
            added = context["capabilities"].get("add", [])
            assert added == (list(RIGHTS) if is_builder else [])
            assert context.get("readOnlyRootFilesystem", False) is not is_builder
            assert "memory" in container["resources"]["limits"]


def test_images_are_of_this_version_and_no_other_is_unnamed(
    rendered: list[dict[str, Any]],
) -> None:
    for container in containers(rendered):
        name, _, tag = container["image"].rpartition(":")
        assert tag not in {"", "latest"}
        if name.startswith(OWN_IMAGES):
            assert tag == __version__


def test_commands_and_variables_are_known_to_caur_ci(
    rendered: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    for container in containers(rendered):
        command = container.get("command", [""])
        if command[0] == "caur-ci":
            assert run([*command[1:], "--help"], Session()) == 0
            assert {each["name"] for each in container["env"]} <= KNOWN
    assert "Usage: caur-ci worker" in capsys.readouterr().out


def test_the_settings_are_complete_for_each_part(
    rendered: list[dict[str, Any]], tmp_path: Path, secrets: Path
) -> None:
    worker = environment(container_named(rendered, "worker"))
    settings = WorkerSettings.from_environment(worker, state_dir=tmp_path)
    assert settings.executor is ExecutorKind.HOST
    assert settings.installs
    (target,) = settings.target_repos.values()
    # Over plain HTTP no key is taken from beside the packages.
    (key,) = target.keys
    assert key.parent == settings.key.parent
    assert (secrets / "builder" / key.name).is_file()
    database = environment(container_named(rendered, "database"))
    assert DatabaseSettings.from_environment(database, state_dir=tmp_path).source_repos
    web = environment(container_named(rendered, "web"))
    assert WebSettings.from_environment(web, token="").host != "127.0.0.1"


def test_every_class_has_one_pool_that_is_started_for_it(rendered: list[dict[str, Any]]) -> None:
    lists: dict[str, str] = {}
    for pool in of_kind(rendered, "ScaledJob"):
        (container,) = pool["spec"]["jobTargetRef"]["template"]["spec"]["containers"]
        own = int(environment(container)["BUILDER_CLASS"])
        for trigger in pool["spec"]["triggers"]:
            name = trigger["metadata"]["listName"]
            assert name not in lists, "two pools would be started for one job"
            lists[name] = pool["metadata"]["name"]
            assert int(name.rpartition(":")[2]) <= own, "it would not get these jobs"
    every = {f"{{caur}}:{kind}:{number}" for kind in ("ready", "front") for number in range(1, 10)}
    assert lists.keys() == every


def test_what_is_mounted_is_made(rendered: list[dict[str, Any]], secrets: Path) -> None:
    made = {f"caur-ci-{folder.name}": folder for folder in secrets.iterdir()}
    wanted = {
        volume["secret"]["secretName"]: volume["secret"].get("items", ())
        for _, pod in pods(rendered)
        for volume in pod["volumes"]
        if "secret" in volume
    }
    assert wanted.keys() <= made.keys()
    for container in containers(rendered):
        places = {mount["name"]: mount["mountPath"] for mount in container.get("volumeMounts", ())}
        sources = {
            volume["name"]: volume["secret"]["secretName"]
            for _, pod in pods(rendered)
            if container in (*pod.get("initContainers", ()), *pod["containers"])
            for volume in pod["volumes"]
            if "secret" in volume
        }
        words = [*container.get("command", ()), *environment(container).values()]
        for path in re.findall(r"/run/secrets/\S+", " ".join(words)):
            folder, _, name = path.rpartition("/")
            (volume,) = [name for name, place in places.items() if place == folder]
            assert (made[sources[volume]] / name).is_file(), path
    for authentication in of_kind(rendered, "TriggerAuthentication"):
        for reference in authentication["spec"]["secretTargetRef"]:
            assert (made[reference["name"]] / reference["key"]).is_file()


def test_services_and_policies_reach_what_is_there(rendered: list[dict[str, Any]]) -> None:
    labels = [
        each["spec"].get("jobTargetRef", each["spec"])["template"]["metadata"]["labels"]
        for each in rendered
        if each["kind"] in {"StatefulSet", "ScaledJob"}
    ]
    ports = {port["name"] for each in containers(rendered) for port in each.get("ports", ())}
    for service in of_kind(rendered, "Service"):
        assert any(service["spec"]["selector"].items() <= each.items() for each in labels)
        assert {port.get("targetPort", port["name"]) for port in service["spec"]["ports"]} <= ports
    for policy in of_kind(rendered, "NetworkPolicy"):
        selector = policy["spec"]["podSelector"].get("matchLabels", {})
        assert any(selector.items() <= each.items() for each in labels)
        rules = (*policy["spec"].get("ingress", ()), *policy["spec"].get("egress", ()))
        named = {port["port"] for rule in rules for port in rule.get("ports", ())} - {53}
        assert named <= ports


def test_sshd_takes_its_configuration(tmp_path: Path, secrets: Path) -> None:
    need_tools("sshd|/usr/sbin/sshd")
    sshd = shutil.which("sshd") or "/usr/sbin/sshd"
    text = (DEPLOY / "kubernetes" / "sshd_config").read_text(encoding="utf-8")
    config = tmp_path / "sshd_config"
    config.write_text(text.replace("/run/secrets/caur-ci", str(secrets / "landing")))
    shown = subprocess.run(
        # As in the pod, where it is not root's.
        [*as_ordinary_user(), sshd, "-T", "-f", config],
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.returncode == 0, shown.stderr
    assert "forcecommand internal-sftp -d /landing" in shown.stdout
    assert "disableforwarding yes" in shown.stdout
