"""`caur-ci doctor`: what is wrong is found, with what helps, and nothing secret is shown."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from caur_ci.cli.main import run
from caur_ci.cli.session import Session
from caur_ci.environment import Secrets
from caur_ci.errors import ExitCode
from scheduler.outbox import Outbox, Patience
from scheduler.workerkeys import WorkerKey
from tests.support.deliveries import allow
from tests.support.packages import signing_key
from tests.support.queue import job, submit, worker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from redis import Redis

    from scheduler.queue import Queue
    from tests.support.git import Checkout

Captured = pytest.CaptureFixture[str]
TOKEN = "glpat-of-the-test"


def found(capsys: Captured, *arguments: str, **secrets: str) -> dict[tuple[str, str], str]:
    """Return what is not as it should be, by part and thing, with the remedy."""
    capsys.readouterr()
    run(["doctor", *arguments, "--json"], Session(Secrets(secrets)))
    told = json.loads(capsys.readouterr().out)
    assert TOKEN[:-1] not in json.dumps(told)
    return {
        (it["part"], it["what"]): f"{it['state']}: {it['message']} {it['remedy']}"
        for it in told
        if it["state"] != "ok"
    }


class TestRepository:
    """The repository around."""

    @pytest.fixture(autouse=True)
    def here(self, checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(checkout.folder)

    def test_all_is_well(self, capsys: Captured) -> None:
        assert run(["doctor", "repository"], Session()) == ExitCode.OK
        assert found(capsys, "repository") == {}

    def test_what_is_committed(self, checkout: Checkout, capsys: Captured) -> None:
        checkout.commit(
            "wip",
            {
                ".ci/config": "REPO_NAME=target\nCI_SHFMT=maybe\n",
                "d/PKGBUILD": "pkgname=d\n",
                ".ci/policy.toml": "[nonsense]\n",
            },
        )

        bad = found(capsys, "repository")

        assert "CI_SHFMT" in bad["repository", ".ci/config"]
        assert bad["repository", "policy"].startswith("problem")

    def test_packages_without_a_srcinfo(self, checkout: Checkout, capsys: Captured) -> None:
        checkout.commit("wip", {"d/PKGBUILD": "pkgname=d\n"})

        bad = found(capsys, "repository")

        assert "1 of 5 have no .SRCINFO: d" in bad["repository", "packages"]
        assert "caur-ci srcinfo --write" in bad["repository", "packages"]

    def test_a_repository_without_names(self, checkout: Checkout, capsys: Captured) -> None:
        checkout.commit("wip", {".ci/config": "CI_MAX_PARALLEL=2\n"})

        assert "REPO_NAME=NAME" in found(capsys, "repository")["repository", ".ci/config"]
        assert run(["doctor", "repository"], Session()) == ExitCode.FAILED

    def test_another_version_in_the_pipeline(self, checkout: Checkout, capsys: Captured) -> None:
        checkout.commit("wip", {".gitlab-ci.yml": 'variables:\n  CAUR_CI_VERSION: "99.1"\n'})

        assert "installs caur-ci 99.1" in found(capsys, "repository")["repository", "pipeline"]

    def test_a_remote_that_is_away(self, checkout: Checkout, capsys: Captured) -> None:
        checkout.remote.rename(checkout.remote.with_name("away"))

        assert found(capsys, "repository")["repository", "remote"].startswith("problem")

    def test_no_repository(self, tmp_path: Path, capsys: Captured) -> None:
        assert run(["doctor", "--repo", str(tmp_path)], Session()) == ExitCode.FAILED
        assert "nothing to look at" in capsys.readouterr().err


@contextmanager
def gitlab(told: dict[str, Any]) -> Iterator[str]:
    """Provide a GitLab that knows one token, and tells this of it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path == "/api/v4/personal_access_tokens/self"
            good = known and self.headers["PRIVATE-TOKEN"] == TOKEN
            body = json.dumps(told if good else {"message": "401 Unauthorized"}).encode()
            self.send_response(200 if good else 401)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Print nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/api/v4"
        server.shutdown()
        thread.join()


class TestToken:
    """In a pipeline of GitLab, the token is looked at as well."""

    @pytest.fixture(autouse=True)
    def here(self, checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(checkout.folder)
        monkeypatch.setenv("GITLAB_CI", "true")

    @pytest.mark.parametrize(
        ("scopes", "days", "told"),
        [
            (["api"], 100, ""),
            (["write_repository"], 100, "warning: it lacks the scope api"),
            (["read_api"], 100, "problem: it lacks the scope write_repository"),
            (["api"], 3, "warning: it expires on"),
        ],
    )
    def test_its_scopes_and_its_end(
        self,
        capsys: Captured,
        monkeypatch: pytest.MonkeyPatch,
        scopes: list[str],
        days: int,
        told: str,
    ) -> None:
        day = (datetime.now(UTC) + timedelta(days=days)).date().isoformat()
        with gitlab({"scopes": scopes, "expires_at": day}) as api:
            monkeypatch.setenv("CI_API_V4_URL", api)
            bad = found(capsys, "repository", ACCESS_TOKEN=TOKEN)

        assert bad.get(("repository", "ACCESS_TOKEN"), "").startswith(told)
        assert bool(told) == bool(bad)

    def test_one_that_nobody_knows(self, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
        with gitlab({}) as api:
            monkeypatch.setenv("CI_API_V4_URL", api)
            bad = found(capsys, "repository", ACCESS_TOKEN=TOKEN[:-1])

        assert "GitLab does not know it" in bad["repository", "ACCESS_TOKEN"]

    def test_none(self, capsys: Captured) -> None:
        assert "nothing can be pushed" in found(capsys, "repository")["repository", "ACCESS_TOKEN"]


class TestQueue:
    """Redis, and who works for the queue."""

    def test_nobody_works(self, redis_url: str, capsys: Captured) -> None:
        bad = found(capsys, "queue", "--redis", redis_url)

        assert bad["queue", "workers"].startswith("problem")
        assert bad["queue", "database runners"].startswith("problem")

    def test_what_no_worker_may_build(self, queue: Queue, redis_url: str, capsys: Captured) -> None:
        queue.claim(worker("small", 2))
        queue.register(targets=["repo"], sources=["source"])
        submit(queue, job("huge", build_class="9"))

        bad = found(capsys, "queue", "--redis", redis_url)

        assert "waits for a worker of class 9" in bad["queue", "ready jobs"]
        assert ("queue", "workers") not in bad

    def test_a_repository_that_nobody_publishes(
        self,
        queue: Queue,
        redis_url: str,
        checkout: Checkout,
        monkeypatch: pytest.MonkeyPatch,
        capsys: Captured,
    ) -> None:
        monkeypatch.chdir(checkout.folder)
        queue.register(targets=["repo"], sources=["others"])

        bad = found(capsys, "queue", "--redis", redis_url)

        assert "no database runner publishes target" in bad["queue", "REPO_NAME"]
        assert "no worker knows the source repository source" in bad["queue", "BUILD_REPO"]

    def test_somebody_who_takes_no_messages(
        self, redis: Redis, redis_url: str, capsys: Captured
    ) -> None:
        Patience(Outbox(redis, "statuses")).failed("source", "GitLab cannot be reached", 1e9)

        bad = found(capsys, "queue", "--redis", redis_url)

        assert "source has taken nothing since 2001-09-" in bad["queue", "statuses"]
        assert "GitLab cannot be reached" in bad["queue", "statuses"]

    def test_a_server_that_is_away(self, capsys: Captured) -> None:
        bad = found(capsys, "queue", "--redis", "redis://127.0.0.1:1")

        assert bad["queue", "Redis"].startswith("problem")


class TestBuildSide:
    """This machine as a builder, and as the one that publishes."""

    @pytest.fixture(autouse=True)
    def settings(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PACKAGE_REPOS", json.dumps({"source": {"url": "https://example.org"}}))
        monkeypatch.setenv("PACKAGE_TARGET_REPOS", json.dumps({"repo": {}}))
        for name, folder in (
            ("SHARED_PATH", "shared"),
            ("LANDING_ZONE_PATH", "landing"),
            ("REPO_PATH", "www"),
            ("GPG_PATH", "gnupg"),
            ("ALLOWED_WORKERS", "allowed"),
            ("BUILDER_KEY", "key"),
        ):
            monkeypatch.setenv(name, str(tmp_path / folder))
        monkeypatch.setenv("BUILDER_EXECUTOR", "host")
        monkeypatch.setenv("BUILDER_HOSTNAME", "bob")
        (tmp_path / "landing").mkdir(mode=0o700)

    def test_a_worker_that_nobody_trusts(self, tmp_path: Path, capsys: Captured) -> None:
        key = WorkerKey.ensure(tmp_path / "key")
        (tmp_path / "allowed").write_text("")

        bad = found(capsys, "worker")
        allow(tmp_path / "allowed", key, "bob")

        assert "has no line for bob" in bad["worker", "key"]
        assert "--print-key" in bad["worker", "key"]
        assert ("worker", "key") not in found(capsys, "worker")

    def test_a_full_disk(self, monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
        monkeypatch.setenv("BUILDER_MIN_FREE", str(10**8))

        assert "BUILDER_MIN_FREE asks for" in found(capsys, "worker")["worker", "disk"]

    def test_a_runner_without_a_key_and_without_trusted_workers(self, capsys: Captured) -> None:
        bad = found(capsys, "database")

        assert "does not exist" in bad["database", "signing key"]
        assert "cannot be read" in bad["database", "ALLOWED_WORKERS"]

    def test_a_history_that_everybody_could_read(
        self, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert ("database", "HISTORY_PATH") not in found(capsys, "database")
        monkeypatch.setenv("HISTORY_PATH", str(tmp_path / "www" / "history"))
        assert "served to everybody" in found(capsys, "database")["database", "HISTORY_PATH"]

    def test_who_is_told_what_happens(self, capsys: Captured) -> None:
        bad = found(capsys, "database", NOTIFY_URLS="tgram://s3cret-thing")
        assert "url-1 cannot be used" in bad["database", "notifications"]
        assert "s3cret" not in str(bad)

        good = found(capsys, "database", NOTIFY_URLS="json://localhost")
        assert ("database", "notifications") not in good

    def test_a_worker_whose_builds_nobody_publishes(
        self,
        tmp_path: Path,
        queue: Queue,
        redis_url: str,
        capsys: Captured,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        (tmp_path / "allowed").write_text("")
        queue.claim(worker("eve"))

        with signing_key() as key:
            monkeypatch.setenv("GPG_PATH", str(key.home))
            bad = found(capsys, "queue", "database", "--redis", redis_url)

        assert (
            "the worker eve builds, and nothing of it is published"
            in (bad["database", "ALLOWED_WORKERS"])
        )
        assert ("database", "signing key") not in bad

    def test_settings_that_make_no_sense(
        self, monkeypatch: pytest.MonkeyPatch, capsys: Captured
    ) -> None:
        monkeypatch.setenv("PACKAGE_REPOS", "{")

        bad = found(capsys, "worker", "database")

        assert bad["worker", "settings"].startswith("problem")
        assert bad["database", "settings"].startswith("problem")
