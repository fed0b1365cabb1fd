"""What the database runner does with the queue."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from caur_ci.errors import InputError
from caur_ci.names import check_worker_name
from scheduler.job import FailureClass, JobState, Outcome
from scheduler.queue.codec import decode_removal, encode_job, encode_removal
from scheduler.queue.leases import LeaseHolder, drained, job_claim, stale
from scheduler.queue.model import PROTOCOL, RemovalClaim
from scheduler.queue.reader import milliseconds
from scheduler.queue.views import seconds

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from scheduler.queue.model import Claim

# What `claim_landed` answers where the runner is to end.
_TO_END = 2
# What a record that somebody else has written may lead to where it is read.
_MALFORMED = (InputError, ValueError, TypeError, KeyError, AttributeError, RecursionError)


class Publishing(LeaseHolder):
    """The database runner's side of the queue."""

    def claim_landed(
        self,
        runner: str,
        *,
        target_repos: Collection[str] | None = None,
        wait: float = 0.0,
        limit: int = 500,
    ) -> list[Claim]:
        """Take the jobs that are to be published, oldest delivery first, `limit` at the most.

        `runner` is the unique id of the process. None in `target_repos` means all of them.
        Waits up to `wait` seconds for a job or a removal to come. A job is held back while a
        removal that came before it is not finished: claim the removals first. A pause does not
        matter here. A job at which a runner was lost before comes alone. One that is in a rebuild
        group is to be staged, see `stage`.

        Raises DrainedError when the runner is to end, ProtocolError.
        """
        check_worker_name(runner)

        def attempt(block: float) -> tuple[float, list[Claim] | None]:
            status, *jobs = self._run(
                "claim_landed",
                PROTOCOL,
                runner,
                self._lease,
                milliseconds(block),
                limit,
                *(target_repos or ()),
            )
            if status == _TO_END:
                raise drained(runner)
            claims = [claim for job in jobs if (claim := self._landed_claim(runner, job))]
            return block, claims if claims or status else None

        return self._blocking(runner, attempt, wait) or []

    def claim_group(
        self, runner: str, *, target_repos: Collection[str] | None = None
    ) -> list[Claim]:
        """Take all the jobs of the first rebuild group that has them all staged.

        They are to be published in one step, or handed back. Raises ProtocolError.
        """
        answer = self._run(
            "claim_group",
            PROTOCOL,
            check_worker_name(runner),
            self._lease,
            *(target_repos or ()),
        )
        return [claim for job in answer if (claim := self._landed_claim(runner, job))]

    def stage(self, claims: Sequence[Claim]) -> dict[Claim, JobState | None]:
        """Tell that the packages of landed jobs are there for the others of their groups.

        Returns the states of the jobs now: STAGED, LANDED where a job is in no group any more, DONE
        where it was canceled or is not needed any more; None where the claim was stale.
        """
        references = [part for claim in claims for part in (claim.job_id, claim.token)]
        answer = self._run("stage", *references)
        states = (JobState(state.decode()) if state else None for state in answer)
        return dict(zip(claims, states, strict=True))

    def claim_removals(
        self, runner: str, *, target_repos: Collection[str] | None = None
    ) -> list[RemovalClaim]:
        """Take the removals that are to be carried out, oldest first.

        A removal is held back while an earlier job of its repository and architecture is being
        published.

        Raises ProtocolError.
        """
        answer = self._run(
            "claim_removals",
            PROTOCOL,
            check_worker_name(runner),
            self._lease,
            *(target_repos or ()),
        )
        return [claim for each in answer if (claim := self._removal_claim(runner, each))]

    def finish_removal(
        self,
        claim: RemovalClaim,
        *,
        removed: Sequence[str] = (),
        error: str = "",
        remark: str = "",
    ) -> None:
        """End a removal: `removed` are the bases that went, `error` why it failed.

        `remark` is what somebody should know about one that did not fail. Raises StaleClaimError.
        """
        outcome = Outcome.FAILED if error else Outcome.SUCCESS
        reason = error or (f"removed {', '.join(removed)}" if removed else "nothing to remove")
        reason = f"{reason}; {remark}" if remark else reason
        if not self._run("finish_removal", claim.removal_id, claim.token, int(outcome), reason):
            raise stale(claim)

    def hold_removal(self, claim: RemovalClaim, reason: str, *, remove: Sequence[str]) -> None:
        """Keep a removal back until somebody confirms it; then the bases in `remove` go.

        Of lists of those to keep, only the newest of a repository and architecture is kept back.
        Raises StaleClaimError.
        """
        confirmed = replace(claim.removal, remove=tuple(remove), keep=(), confirmed=True)
        body = encode_removal(confirmed)
        if not self._run("hold_removal", claim.removal_id, claim.token, reason, body):
            raise stale(claim)

    def _landed_claim(self, runner: str, job: Sequence[Any]) -> Claim | None:
        """Return the claim of a landed job; end a job whose record nobody can read."""
        job_id, token, _, _, delivery, spec, builder, group = job
        try:
            claim = job_claim(
                *(runner, job),
                spec=spec,
                delivery=delivery.decode(),
                builder=builder.decode(),
                group=group,
            )
            encode_job(claim.spec)
        except _MALFORMED as error:
            reason = f"its record in the queue cannot be used: {error}"
            failure = FailureClass.INFRASTRUCTURE
            self._run("finish", job_id, token, int(Outcome.SOFTWARE_FAILURE), reason, failure, "")
            return None
        return claim

    def _removal_claim(self, runner: str, answer: Sequence[Any]) -> RemovalClaim | None:
        """Return the claim of a removal; end one whose record nobody can read."""
        removal_id, token, attempt, until, body = answer
        try:
            removal = decode_removal(body)
            encode_removal(removal)
        except _MALFORMED as error:
            reason = f"its record in the queue cannot be used: {error}"
            outcome = int(Outcome.SOFTWARE_FAILURE)
            self._run("finish_removal", removal_id, token, outcome, reason)
            return None
        return RemovalClaim(
            removal_id=int(removal_id),
            token=token,
            attempt=attempt,
            owner=runner,
            lease_until=seconds(until),
            removal=removal,
        )
