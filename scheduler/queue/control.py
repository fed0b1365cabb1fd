"""What operators do to the queue."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from scheduler.queue.backup import read_backup, restore_backup
from scheduler.queue.model import PROTOCOL, JobChange
from scheduler.queue.reader import QueueReader
from scheduler.queue.rebuild_groups import GroupChange
from scheduler.queue.running import complete
from scheduler.queue.wishes import record_wish

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from scheduler.queue.model import JobReference, Restored


class QueueControl(QueueReader):
    """The power over one queue.

    A target is the id of a job, or the identity of a package, which means its jobs; see
    `resolve`. Each wish about several targets is one step, answered in their order.
    """

    def cancel(self, targets: Sequence[JobReference], *, reason: str = "") -> list[JobChange]:
        """End jobs: pending and landed ones at once, others by asking their holders to stop.

        Of a package both the running and the pending job end; there is an answer for each. A job
        in quarantine is dismissed.
        """
        return self._ask(targets, "cancel", reason or "canceled on request")

    def retry(self, targets: Sequence[JobReference]) -> list[JobChange]:
        """Submit the newest job of each package again, or the job named, as a new job.

        Refused where a newer job of the package is pending or has ended, and where the old one
        has not ended or is forgotten. A job in quarantine leaves it.
        """
        return self._ask(targets, "retry", PROTOCOL)

    def promote(self, targets: Sequence[JobReference]) -> list[JobChange]:
        """Let pending jobs go before all that are not promoted, in the order of promotion.

        The pending jobs that they wait for are promoted just before them, with answers of their
        own. What they wait for, or are held for, stays so.
        """
        return self._ask(targets, "promote")

    def proceed(self, targets: Sequence[JobReference]) -> list[JobChange]:
        """Let held jobs go on without the dependencies that failed."""
        return self._ask(targets, "proceed")

    def pause(self, reason: str = "") -> bool:
        """Hand out nothing to workers until `resume`; False if that was so already.

        Running builds go on and are published.
        """
        return bool(self._run("pause", reason))

    def resume(self) -> bool:
        """End a pause; False if there was none."""
        return bool(self._run("resume"))

    def confirm_removals(self, target_repo: str, arch: str) -> list[int]:
        """Let the removals that are held back be carried out; return their ids.

        Raises ProtocolError.
        """
        return self._settle_held(target_repo, arch, "confirm")

    def dismiss_removals(self, target_repo: str, arch: str) -> list[int]:
        """Forget the removals that are held back; return their ids. Raises ProtocolError."""
        return self._settle_held(target_repo, arch, "dismiss")

    def _settle_held(self, target_repo: str, arch: str, wish: str) -> list[int]:
        return [
            int(id_) for id_ in self._run("settle_held", PROTOCOL, f"{target_repo}/{arch}", wish)
        ]

    def publish_group(self, name: str, *, partial: bool = False) -> GroupChange | None:
        """Have the rebuild group `target_repo/arch/name` published; None where there is none.

        With `partial` without the members that are not staged: each goes on by itself. Otherwise it
        is not done where there are such; it helps a group that could not be published.
        Raises ProtocolError.
        """
        return self._settle_group(name, "partial" if partial else "publish")

    def abandon_group(self, name: str) -> GroupChange | None:
        """Give a rebuild group up: cancel what is built or waits; None where there is none.

        It is not done while the group is being published. Raises ProtocolError.
        """
        return self._settle_group(name, "abandon")

    def _settle_group(self, name: str, wish: str) -> GroupChange | None:
        answer = self._run("settle_group", PROTOCOL, wish, name)
        if not answer:
            return None
        done, *members = answer
        return GroupChange(
            group=name, done=bool(done), members=tuple(member.decode() for member in members)
        )

    def drain(self, workers: Collection[str] | None = None, *, undo: bool = False) -> list[str]:
        """Ask workers, or all that are known now, to end after the job in hand.

        They are named by id, or by name for all of that name. Each gets a DrainedError from its
        next claim. Returns the ids of those asked. With `undo` those who have not been told yet
        go on. A worker that starts later is not concerned.
        """
        if workers is not None and not workers:
            return []
        answer = self._run("drain", "undo" if undo else "ask", *(workers or ()))
        return [worker.decode() for worker in answer]

    def skip_ids(self, highest: int) -> None:
        """Let the ids of jobs and removals to come be higher than `highest`.

        For those who remember jobs that the queue has lost. Raises ProtocolError.
        """
        self._run("skip_ids", PROTOCOL, highest)

    def reset(self) -> int:
        """Forget all jobs, removals, requests, workers and pauses; return how many jobs it were.

        Events, logs and known repositories stay. Whoever holds a claim is told that it is stale.
        """
        return complete(self._redis, "reset")

    def backup(self) -> Iterator[dict[str, Any]]:
        """Yield documents that `restore` makes the queue of this instant from.

        Pending, running and landed jobs, those in quarantine, removals, remembered requests,
        known repositories, the pause. No claims, no results, no events, no logs. While many jobs
        are read the queue is closed to others.
        """
        for text in read_backup(self._redis):
            yield json.loads(text)

    def restore(self, documents: Iterable[Mapping[str, Any]]) -> Restored:
        """Take over a backup; others see all of it or nothing.

        Jobs that were being built are pending again at their turn, those that were being
        published have landed. All claims are void.

        Raises InputError where the queue holds jobs or removals, or a document is not of a backup.
        """
        return restore_backup(self._redis, documents)

    def record_wish(
        self,
        wish: str,
        who: str,
        *,
        identity: str = "",
        job_id: int = 0,
        request_id: str = "",
        reason: str = "",
    ) -> None:
        """Write into the events, for others to look up, that somebody asked for something."""
        record_wish(
            self._redis,
            wish,
            who,
            identity=identity,
            job_id=job_id,
            request_id=request_id,
            reason=reason,
        )

    def _ask(
        self, targets: Sequence[JobReference], script: str, *arguments: str | float
    ) -> list[JobChange]:
        if not targets:
            return []
        answer = [
            value.decode(errors="replace") for value in self._run(script, *arguments, *targets)
        ]
        return [
            JobChange(
                target=targets[int(place) - 1],
                done=done == "1",
                job_id=int(job_id),
                identity=identity,
                reason=reason,
            )
            for place, done, job_id, identity, reason in zip(*[iter(answer)] * 5, strict=True)
        ]
