"""The Redis client as we use it: patient with a server that is away for a moment."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, Self, cast

from redis import Redis, exceptions
from redis.backoff import EqualJitterBackoff, NoBackoff
from redis.retry import Retry

from caur_ci.errors import CaurError, ConfigError
from scheduler.connection.errors import tls_refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from scheduler.connection.settings import Server
    from scheduler.tunnel import Tunnel

_log = logging.getLogger(__name__)

# Long enough for Redis or a tunnel to be started again; the services themselves wait for longer.
PATIENCE = 5.0
_CONNECT_TIMEOUT = 10
# Above the longest time that any of our commands blocks in the server.
_ANSWER_TIMEOUT = 30
_HEALTH_CHECK_INTERVAL = 30
_REPEATED = (exceptions.ConnectionError, exceptions.TimeoutError, TimeoutError)
_FINAL = (exceptions.AuthenticationError, exceptions.AuthorizationError)


def new_client(
    server: Server,
    *,
    patience: float | None = None,
    answer_timeout: float = _ANSWER_TIMEOUT,
    repair: Callable[[], object] | None = None,
    tunnel: Tunnel | None = None,
) -> Redis:
    """Return a client for `server`; nothing is sent yet.

    `patience` is how many seconds a command is repeated, `answer_timeout` how many one try may
    take, `repair` is called before repeating, `tunnel` is closed with the client.
    Raises ConfigError.
    """
    options = server.tls.options() if server.url.startswith("rediss:") else {}
    if not server.url.startswith("unix:"):
        options["socket_keepalive"] = True
    try:
        client = cast(
            "Client",
            Client.from_url(
                server.url,
                socket_connect_timeout=_CONNECT_TIMEOUT,
                socket_timeout=answer_timeout,
                health_check_interval=_HEALTH_CHECK_INTERVAL,
                retry=PatientRetry(PATIENCE if patience is None else patience, repair),
                **options,
            ),
        )
    except ValueError as error:
        raise ConfigError(f"the address of the Redis server cannot be read: {error}") from error
    client.tunnel = tunnel
    return client


class Client(Redis):
    """A client that may own the tunnel it works through."""

    tunnel: Tunnel | None = None

    def close(self) -> None:
        """Close the connections, and the tunnel for good."""
        super().close()
        if self.tunnel is not None:
            self.tunnel.close()


class PatientRetry(Retry):
    """Repeats for some time, not so many times: one try may fail at once or take half a minute.

    The time is that of an outage, not of a command: once it is over, commands fail soon until one
    works. The client copies this for each connection, and connects within a command: only the
    outermost call repeats.
    """

    def __init__(self, patience: float, repair: Callable[[], object] | None = None) -> None:
        super().__init__(NoBackoff(), 1)
        self._patience = patience
        self._repair = repair
        self._pauses = EqualJitterBackoff(cap=1.0, base=0.05)
        self._outage = _Outage()
        self._is_repeating = False

    def call_with_retry(
        self,
        do: Callable[[], Any],
        fail: Callable[..., Any],
        is_retryable: Callable[[Exception], bool] | None = None,
        with_failure_count: bool = False,
    ) -> Any:  # noqa: ANN401 - whatever `do` returns
        def failed(error: Exception, count: int) -> None:
            fail(*((error, count) if with_failure_count else (error,)))

        if self._is_repeating:
            return _once(do, failed)
        self._is_repeating = True
        try:
            return self._repeat(do, failed, is_retryable or (lambda _: True))
        finally:
            self._is_repeating = False

    def _repeat(
        self,
        do: Callable[[], Any],
        failed: Callable[[Exception, int], None],
        is_retryable: Callable[[Exception], bool],
    ) -> Any:  # noqa: ANN401 - whatever `do` returns
        failures = 0
        while True:
            started = time.monotonic()
            try:
                result = do()
            except _REPEATED as error:
                failures += 1
                failed(error, failures)
                timed_out = not isinstance(error, exceptions.ConnectionError)
                lasted = self._outage.lasts(started if timed_out else time.monotonic())
                left = self._patience - lasted
                # After an outage that ended unseen, a second try is due at once.
                if left <= 0 and (failures > 1 or timed_out):
                    raise
                if _is_final(error) or not is_retryable(error):
                    raise
            else:
                self._outage.ends()
                return result
            self._before_repeating(max(0.0, min(self._pauses.compute(failures), left)))

    def _before_repeating(self, pause: float) -> None:
        time.sleep(pause)
        if self._repair is None:
            return
        try:
            self._repair()
        except CaurError as error:
            _log.warning("%s", error)


class _Outage:
    """Since when nothing has worked, for all connections of a client."""

    def __init__(self) -> None:
        self._since: float | None = None

    def __deepcopy__(self, _memo: object) -> Self:
        return self

    def lasts(self, since: float) -> float:
        """Return how long it has lasted; one that is new began at `since`."""
        if self._since is None:
            self._since = since
        return time.monotonic() - self._since

    def ends(self) -> None:
        self._since = None


def _once(do: Callable[[], Any], failed: Callable[[Exception, int], None]) -> Any:  # noqa: ANN401
    try:
        return do()
    except _REPEATED as error:
        failed(error, 1)
        raise


def _is_final(error: Exception) -> bool:
    """Tell whether trying again cannot help."""
    return isinstance(error, _FINAL) or tls_refusal(error) is not None
