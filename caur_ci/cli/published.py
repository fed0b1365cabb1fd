"""What is published, read from the database of a pacman repository, here or on a web server."""

from __future__ import annotations

import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from caur_ci.errors import CaurError, InputError, ProcessError, TemporaryError
from caur_ci.plaintext import first_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caur_ci.web import Web

_LARGEST = 512 * 1024 * 1024
_LONGEST = 300.0
_WEB = ("http", "https")


def default_database(config: Path | None, target_repo: str, arch: str) -> str:
    """Return where the database runner of this machine publishes `target_repo`.

    Raises InputError where no settings say so.
    """
    from caur_ci.cli.signals import environment_with  # noqa: PLC0415
    from scheduler.database.layout import Layout  # noqa: PLC0415 - slow to import
    from scheduler.settings import variables  # noqa: PLC0415
    from scheduler.settings.values import Values  # noqa: PLC0415

    root = Values(environment_with(CAUR_CONFIG=config)).get(variables.REPO_PATH)
    if root is None:
        raise InputError(
            "which database is published is not known here",
            hint="Name it with --database, a file or the address on the web server that pacman "
            "uses, or set REPO_PATH.",
        )
    layout = Layout(root, target_repo, arch)
    return str(layout.folder / layout.database)


def published_versions(
    database: str, target_repo: str, *, web: Web | None = None
) -> dict[str, str]:
    """Return the versions of the packages in a database by pkgname.

    `database` is a file or a URL; or the folder of it, where it is that of `target_repo`. All forms
    are read that repo-add writes. Raises InputError where there is none, TemporaryError where the
    server does not send it.
    """
    from scheduler.database.entries import read_entries  # noqa: PLC0415 - slow to import

    with _local(database, f"{target_repo}.db", web) as path:
        if not path.stat().st_size:
            raise InputError(f"{_shown(database)} is empty, and no database")
        try:
            entries = read_entries(path, largest=_LARGEST)
        except ProcessError as error:
            reason = first_line(error.stderr.decode("utf-8", "replace")) or error.message
            raise InputError(
                f"{_shown(database)} cannot be read as the database of a pacman repository: "
                f"{reason}"
            ) from error
    return {name: entry.version for name, entry in entries.items()}


@contextmanager
def _local(database: str, name: str, web: Web | None) -> Iterator[Path]:
    """Provide the database as a file, fetched from a web server if it is there."""
    url = urlsplit(database)
    if url.scheme in _WEB:
        address = f"{database}{name}" if url.path.endswith("/") else database
        with tempfile.TemporaryDirectory(prefix="caur-") as folder:
            # The list of files looks different, and is known by its name.
            path = Path(folder, "x.files" if ".files" in Path(url.path).name else name)
            path.write_bytes(_fetched(address, web))
            yield path
        return
    if "://" in database and url.scheme != "file":
        raise InputError(f"{database}: databases are fetched with http and https only")
    path = Path(unquote(url.path) if url.scheme == "file" else database)
    path = path / name if path.is_dir() else path
    if not path.is_file():
        raise InputError(f"there is no database {path}")
    yield path


def _fetched(address: str, web: Web | None) -> bytes:
    """Return what a server sends within a few minutes."""
    answer: list[bytes | CaurError] = []

    def fetch() -> None:
        try:
            answer.append(_get(address, web))
        except CaurError as error:
            answer.append(error)

    # A server that sends a little now and then never exceeds the time for one answer.
    fetching = threading.Thread(target=fetch, daemon=True)
    fetching.start()
    fetching.join(_LONGEST)
    if not answer:
        raise TemporaryError(f"{_shown(address)} did not come within {_LONGEST:g} s")
    if isinstance(answer[0], CaurError):
        raise answer[0]
    return answer[0]


def _get(address: str, web: Web | None) -> bytes:
    from caur_ci.web import Web, WebError  # noqa: PLC0415 - slow to import

    try:
        return (web or Web()).get(address).content
    except WebError as error:
        if error.status in {401, 403, 404, 410}:
            raise InputError(
                f"there is no database for us: {error.message}",
                hint="It is what `Server` in pacman.conf names, with the name of the repository "
                "and `.db`: https://HOST/x86_64/NAME.db.",
            ) from error
        raise


def _shown(database: str) -> str:
    from caur_ci.web import shown_url  # noqa: PLC0415 - slow to import

    return shown_url(database) if urlsplit(database).scheme in _WEB else database
