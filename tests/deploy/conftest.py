"""What `deploy/` has, as the programs that read it would see it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from caur_ci.environment import SECRET_NAMES
from scheduler.settings.variables import VARIABLES
from tests.support.tools import need_tools

DEPLOY = Path(__file__).parents[2] / "deploy"
# The variables that caur-ci reads.
KNOWN = {
    *(variable.name for variable in VARIABLES),
    *(f"{name}_FILE" for name in SECRET_NAMES),
    *("CAUR_CONFIG", "CAUR_STATE_DIR"),
}


@pytest.fixture(scope="session")
def rendered() -> list[dict[str, Any]]:
    """Return the objects that `kubectl apply -k` would send."""
    need_tools("kubectl")
    command = ["kubectl", "kustomize", str(DEPLOY / "kubernetes")]
    shown = subprocess.run(command, check=True, capture_output=True, text=True)
    return list(yaml.safe_load_all(shown.stdout))


@pytest.fixture(scope="session")
def compose() -> dict[str, Any]:
    """Return the compose file."""
    text = (DEPLOY / "compose" / "compose.yml").read_text(encoding="utf-8")
    parsed: dict[str, Any] = yaml.safe_load(text)
    return parsed


@pytest.fixture(scope="session")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that `make-secrets` has made."""
    need_tools("ssh-keygen")
    folder = tmp_path_factory.mktemp("secrets") / "made"
    services = ["redis.caur-ci.svc:6379", "landing.caur-ci.svc:2222"]
    subprocess.run([DEPLOY / "make-secrets", folder, *services], check=True)
    # These are not for a script to make.
    for name in ("runner/signing-key.asc", "builder/repository.asc"):
        (folder / name).touch(mode=0o600)
    return folder
