"""Which client belongs to what the settings say."""

from __future__ import annotations

import pytest

from scheduler.forges import project_of
from scheduler.settings.telling import ForgeKind, StatusNotifier

TOKEN = "glpat-s3cret-t0ken"


@pytest.mark.parametrize(
    ("kind", "server", "name", "api"),
    [
        (ForgeKind.GITLAB, "https://gitlab.example.org", "GitLab", "https://gitlab.example.org"),
        (ForgeKind.GITHUB, "https://github.com", "GitHub", "https://api.github.com"),
        (ForgeKind.GITHUB, "https://ghe.example.org", "GitHub", "https://ghe.example.org/api/v3"),
        (ForgeKind.FORGEJO, "https://codeberg.org", "Forgejo", "https://codeberg.org/api/v1"),
    ],
    ids=["gitlab", "github", "enterprise", "forgejo"],
)
def test_which_client_a_notifier_gets(kind: ForgeKind, server: str, name: str, api: str) -> None:
    client = project_of(
        StatusNotifier(source_repo="s", forge=kind, server=server, project="o/n", token=TOKEN)
    )

    assert client.name == name
    assert api in vars(client).values()
    assert TOKEN not in repr(client)
