"""The entries of one outbox, and how far the events have been read for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from redis.exceptions import WatchError

from scheduler.connection import redis_errors
from scheduler.queue import keys

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from redis import Redis

# How often a step is begun again because somebody else wrote in between.
_TRIES = 50

_Hash = dict[bytes, bytes]


class Outbox:
    """Texts by key, for one purpose. `name` is a word of our own.

    Beside the entries it has notes: what has to be remembered between events. Several processes
    may use it at once. Every method raises TemporaryError when Redis is out of reach.
    """

    def __init__(self, redis: Redis, name: str) -> None:
        self._redis = redis
        self._position = f"{keys.PREFIX}outbox-position:{name}"
        self._entries = f"{keys.PREFIX}outbox:{name}"
        self._notes = f"{keys.PREFIX}outbox-notes:{name}"
        self._troubles = f"{keys.PREFIX}outbox-troubles:{name}"
        self._counts = f"{keys.PREFIX}outbox-counts:{name}"
        self._sender = f"{keys.PREFIX}outbox-sender:{name}"

    def position(self, beginning: Callable[[], str]) -> str:
        """Return the id of the last event that was dealt with.

        The first time it is what `beginning` returns, and stays so.
        """
        with redis_errors():
            found = cast("bytes | None", self._redis.get(self._position))
            if found is None:
                self._redis.set(self._position, beginning(), nx=True)
                found = cast("bytes", self._redis.get(self._position))
        return found.decode()

    def write(
        self,
        entries: Mapping[str, str],
        *,
        notes: Mapping[str, str | None] | None = None,
        after: str,
        position: str,
    ) -> bool:
        """Put entries and notes (None takes one out) in, and move the position: all or nothing.

        Nothing is done where the position is not `after` any more, because another process was
        faster; returns whether it was.
        """
        new: dict[Any, Any] = dict(entries)
        put: dict[Any, Any] = {key: text for key, text in (notes or {}).items() if text is not None}
        gone = [key for key, text in (notes or {}).items() if text is None]
        with redis_errors(), self._redis.pipeline(transaction=True) as step:
            try:
                step.watch(self._position)  # type: ignore[no-untyped-call]
                if cast("bytes | None", step.get(self._position)) != after.encode():
                    return False
                step.multi()
                if new:
                    step.hset(self._entries, mapping=new)
                if put:
                    step.hset(self._notes, mapping=put)
                if gone:
                    step.hdel(self._notes, *gone)
                step.set(self._position, position)
                step.execute()
            except WatchError:
                return False
        return True

    def entries(self) -> dict[str, str]:
        """Return everything that waits."""
        return self._all(self._entries)

    def size(self) -> int:
        """Return how much waits."""
        with redis_errors():
            return int(self._redis.hlen(self._entries))

    def notes(self) -> dict[str, str]:
        """Return what is remembered."""
        return self._all(self._notes)

    def notes_of(self, keys: Iterable[str]) -> dict[str, str]:
        """Return those of some notes that there are."""
        names = list(dict.fromkeys(keys))
        if not names:
            return {}
        with redis_errors():
            found = cast("list[bytes | None]", self._redis.hmget(self._notes, names))
        return {
            name: text.decode() for name, text in zip(names, found, strict=True) if text is not None
        }

    def change_notes(self, notes: Mapping[str, str | None]) -> None:
        """Remember something that no event has told; None forgets it."""
        with redis_errors():
            for key, text in notes.items():
                if text is None:
                    self._redis.hdel(self._notes, key)
                else:
                    self._redis.hset(self._notes, key, text)

    def take_out(self, arrived: Mapping[str, str]) -> None:
        """Take out the entries that have arrived, unless they have become others meanwhile."""
        if not arrived:
            return
        for _ in range(_TRIES):
            with redis_errors(), self._redis.pipeline(transaction=True) as step:
                try:
                    step.watch(self._entries)  # type: ignore[no-untyped-call]
                    names = list(arrived)
                    found = cast("list[bytes | None]", step.hmget(self._entries, names))
                    same = [
                        name
                        for name, text in zip(names, found, strict=True)
                        if text is not None and text.decode() == arrived[name]
                    ]
                    if not same:
                        return
                    step.multi()
                    step.hdel(self._entries, *same)
                    step.execute()
                except WatchError:
                    continue
                return

    def remove(self, names: Iterable[str]) -> None:
        """Take out entries that are never changed, and have arrived."""
        if gone := list(names):
            with redis_errors():
                self._redis.hdel(self._entries, *gone)

    def drop(self, names: Collection[str]) -> None:
        """Take entries out although they have not arrived, and count them as lost."""
        if names:
            self.remove(names)
            self.count("dropped", len(names))

    def count(self, what: str, number: int = 1) -> None:
        """Count something: a word of our own."""
        with redis_errors():
            self._redis.hincrby(self._counts, what, number)

    def counts(self) -> dict[str, int]:
        """Return what was counted."""
        return {what: int(number) for what, number in self._all(self._counts).items()}

    def troubles(self) -> dict[str, str]:
        """Return what is known of those that take nothing at present, by their names."""
        return self._all(self._troubles)

    def set_trouble(self, whom: str, text: str) -> None:
        """Remember what is wrong with one of those that entries are for; nothing, where empty."""
        with redis_errors():
            if text:
                self._redis.hset(self._troubles, whom, text)
            else:
                self._redis.hdel(self._troubles, whom)

    def hold(self, owner: str, seconds: float) -> bool:
        """Be the one who sends, for some time; tell whether nobody else is."""
        length = int(seconds * 1000)
        with redis_errors():
            if self._redis.set(self._sender, owner, nx=True, px=length):
                return True
            if cast("bytes | None", self._redis.get(self._sender)) != owner.encode():
                return False
            return bool(self._redis.pexpire(self._sender, length))

    def let_go(self, owner: str) -> None:
        """Let others send."""
        with redis_errors():
            if cast("bytes | None", self._redis.get(self._sender)) == owner.encode():
                self._redis.delete(self._sender)

    def _all(self, key: str) -> dict[str, str]:
        with redis_errors():
            found = cast("_Hash", self._redis.hgetall(key))
        return {name.decode(): text.decode() for name, text in found.items()}
