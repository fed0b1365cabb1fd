"""How a worker greets the database runner, by way of the landing zone.

A greeting is one file: a line of JSON that names the worker and the greeting, and the worker's
signature of that line. Whoever answers it has seen the landing zone, and knows whether deliveries
of that worker may be published.
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from caur_ci.errors import InputError
from caur_ci.names import check_worker_name
from scheduler.landing.manifest import DeliveryError

if TYPE_CHECKING:
    from scheduler.workerkeys import AllowedWorkers, WorkerKey

MAX_SIZE = 64 * 1024
_PREFIX = ".greeting-"
NAME = re.compile(r"\.greeting-([0-9a-f]{32})")


@dataclass(frozen=True, slots=True)
class Greeting:
    """A greeting: its random id, the worker's name, and the file as it is delivered."""

    id: str
    worker: str
    content: bytes

    @classmethod
    def sign(cls, worker: str, key: WorkerKey) -> Self:
        """Make a greeting of the worker called `worker`. Raises ProcessError."""
        number = secrets.token_hex(16)
        line = json.dumps({"greeting": number, "worker": worker}).encode()
        return cls(number, worker, line + b"\n" + key.sign(line))

    @property
    def name(self) -> str:
        """What its file is called in the landing zone."""
        return f"{_PREFIX}{self.id}"


def check_greeting(content: bytes, number: str, allowed: AllowedWorkers) -> str:
    """Return the name of the worker that has sent the greeting `number`.

    Raises DeliveryError for what is no such greeting, SignatureError for one that is not by an
    allowed worker, TemporaryError where the file of workers cannot be read.
    """
    line, _, signature = content.partition(b"\n")
    try:
        said = json.loads(line)
        worker = check_worker_name(said["worker"])
        fits = said["greeting"] == number
    except (ValueError, KeyError, TypeError, RecursionError, InputError) as error:
        raise DeliveryError("a greeting that cannot be read") from error
    if not fits:
        raise DeliveryError("a greeting under a name that is not its own")
    allowed.check(worker, line, signature)
    return worker
