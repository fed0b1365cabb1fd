"""What a pipeline decided, before anything is done about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from caur_ci.pipeline.shared.decision import PackageAction, PackageDecision
from caur_ci.pipeline.shared.memory.ledger import LedgerEntry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caur_ci.pipeline.on_commit.commit_range import CommitRange
    from caur_ci.pipeline.shared.documents.handover import HandoverDocuments
    from caur_ci.request import BuildRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitPlan:
    """The decisions of one on-commit run and the hand-over documents that follow from them.

    `on_hold` says of packages that are on hold why they would have been built.
    """

    commits: CommitRange
    decisions: tuple[PackageDecision, ...]
    documents: HandoverDocuments
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    on_hold: Mapping[str, str] = field(default_factory=dict)

    @property
    def request(self) -> BuildRequest:
        """What the build side is asked for."""
        return self.documents.request

    @property
    def left_out(self) -> tuple[PackageDecision, ...]:
        """The packages that cannot be used as they are, and why."""
        return tuple(d for d in self.decisions if d.action is PackageAction.LEFT_OUT)

    def ledger_entries(self, *, run: str, link: str, now: float) -> list[LedgerEntry]:
        """Return what is to be remembered of the run `run` at the time `now`, in Unix seconds.

        `link` is where its log is.
        """
        return [
            LedgerEntry(
                time=int(now),
                run=run,
                commit=self.commits.head,
                package=decision.package,
                decision=decision.action.value,
                reason=decision.reason,
                link=link,
            )
            for decision in self.decisions
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return the plan for machines."""
        return {
            "range": {
                "head": self.commits.head,
                "tag": self.commits.tag,
                "relation": self.commits.position.name.lower(),
            },
            "decisions": [
                {
                    "package": decision.package,
                    "action": decision.action.value,
                    "build_class": decision.build_class,
                    "reason": decision.reason,
                }
                for decision in self.decisions
            ],
            "request_id": self.request.request_id,
            "warnings": list(self.warnings),
            "notes": list(self.notes),
        }
